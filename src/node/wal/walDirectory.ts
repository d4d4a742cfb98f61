import { readFully, readSmallFile, unlinkIfThere, writeFully } from '../shared/fileIo.js';
import type { File } from '../shared/fileSystem.js';
import { damaged } from './damage.js';
import type { WalEnvironment } from './environment.js';
import { batchHeaderBytes, markMagic, sectorsFor } from './format.js';
import { createMarks } from './marks.js';
import { isSegmentLike, isSnapshotName, isTemporary, markNames, ownerName, pathIn, temporaryName } from './names.js';
import { randomHex } from './ownership.js';
import type { Segment } from './placeIndex.js';
import type { FoundLog, FoundSegment } from './recovery.js';
import { preallocate, publish } from './segmentFiles.js';
import { segmentHeaderSpace, type SegmentHeader, type WalIdentity } from './segmentHeader.js';
import { readU64, viewOf } from './words.js';
import { WalError, WalErrorCode } from './walError.js';

const beginning = { index: 0, term: 0 };

/** Room that is left behind what is copied, at least: a batch and a seal fit. */
const copyRoom = sectorsFor(4096) + sectorsFor(batchHeaderBytes);

const pieceBytes = 1 << 20;

/**
 * Makes an empty log. Until its first segment has its name there is none, so a crash on the way leaves nothing
 * that has to be repaired.
 *
 * @throws WalError `ERR_WAL_ALREADY_EXISTS` if there is a log, or what one has left.
 */
export async function createLog(env: WalEnvironment, dir: string, identity: WalIdentity, joined: boolean, segmentBytes: number): Promise<void> {
  const { fs } = env;
  const names = await fs.readdir(dir);
  if (names.some(isSegmentLike)) throw new WalError(WalErrorCode.AlreadyExists, `${dir} holds a log already: open it`);
  if ((await remainsIn(env, dir)) !== null) {
    throw new WalError(
      WalErrorCode.AlreadyExists,
      `${dir} holds what is left of a log whose segments are gone. A member that has lost its log must not start as a new one: add it under a new id, with an empty directory`,
    );
  }
  const walId = env.randomBytes(16);
  for (const name of names) if (isTemporary(name) || markNames.some((mark) => mark === name)) await fs.unlink(pathIn(dir, name));
  await createMarks(fs, dir, walId);
  // Before the segment gets its name: a segment without marks would be taken for a damaged log.
  await fs.syncDirectory(dir);
  const header: SegmentHeader = {
    ...identity,
    walId,
    joined,
    seq: 1,
    replacesFrom: 0,
    epoch: 0,
    firstBatch: 1,
    copiedThrough: 0,
    previousCrc: 0,
    length: segmentBytes,
    hardState: { term: 0, vote: 0, commit: 0 },
    snapshot: beginning,
    offset: beginning,
    last: beginning,
  };
  const file = await preallocate(fs, pathIn(dir, temporaryName('first', randomHex(env, 8))), segmentBytes);
  try {
    await publish(fs, dir, file, header);
  } finally {
    await file.close();
  }
}

/** The name of a file that only a log leaves that was there, in a directory without segments; null if there is none. */
export async function remainsIn({ fs }: Pick<WalEnvironment, 'fs'>, dir: string): Promise<string | null> {
  const names = await fs.readdir(dir);
  // An owner moves in once the first segment has its name, for good.
  const found = names.find((name) => isSnapshotName(name) || name === ownerName);
  if (found !== undefined) return found;
  for (const name of markNames) {
    const bytes = await readSmallFile(fs, pathIn(dir, name), 24);
    if (bytes === null || bytes.length < 24) continue;
    const view = viewOf(bytes);
    if (view.getBigUint64(0, true) === markMagic && readU64(view, 16) !== 0) return name;
  }
  return null;
}

/** Removes what an earlier owner has not finished. */
export async function removeTemporaries({ fs }: WalEnvironment, dir: string): Promise<void> {
  for (const name of await fs.readdir(dir)) if (isTemporary(name)) await unlinkIfThere(fs, pathIn(dir, name));
}

/**
 * Copies what is at the end of the log into a new segment, and removes what it replaces, after every start,
 * clean or not: a segment that another process has written to is never written to again. What could be
 * read may have come from a page cache that lies about the disk; writing it once more makes that true, or fails.
 *
 * @param tag of the owner.
 * @param handles the open files, kept up to date: to be closed if this fails.
 */
export async function copyForward(env: WalEnvironment, dir: string, found: FoundLog, segmentBytes: number, tag: string, handles: Set<File>): Promise<Segment[]> {
  const { fs } = env;
  const kept = found.segments.slice(0, -found.unsealed);
  const dropped = found.segments.slice(-found.unsealed);
  const source = dropped[0]!;
  const newest = dropped[dropped.length - 1]!.header;
  const length = Math.max(segmentBytes, sectorsFor(source.end + copyRoom));
  const header: SegmentHeader = {
    ...source.header,
    seq: newest.seq + 1,
    replacesFrom: source.header.replacesFrom === 0 ? source.header.seq : source.header.replacesFrom,
    epoch: newest.epoch + 1,
    copiedThrough: found.lastSeq,
    length,
  };
  const file = await preallocate(fs, pathIn(dir, temporaryName('recovery', tag)), length);
  handles.add(file);
  await copyBatches(source, file);
  const copy = await publish(fs, dir, file, header);
  copy.end = source.end;
  for (const { file: old } of dropped) {
    handles.delete(old);
    await old.close();
  }
  for (const name of [...found.replaced, ...dropped.map((segment) => segment.name)]) await fs.unlink(pathIn(dir, name));
  await fs.syncDirectory(dir);
  return [...kept, copy];
}

async function copyBatches({ file: from, end }: FoundSegment, to: File): Promise<void> {
  const piece = new Uint8Array(Math.min(pieceBytes, end - segmentHeaderSpace));
  for (let at = segmentHeaderSpace; at < end; at += pieceBytes) {
    const bytes = piece.subarray(0, Math.min(pieceBytes, end - at));
    if ((await readFully(from, bytes, at)) < bytes.length) throw damaged(from.path, at, 'the file has become shorter while it was read');
    await writeFully(to, bytes, at);
  }
}
