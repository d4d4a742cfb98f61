import { readFully, writeFully } from '../shared/fileIo.js';
import type { File } from '../shared/fileSystem.js';
import { damaged } from './damage.js';
import type { WalEnvironment } from './environment.js';
import { batchHeaderBytes, markMagic, sectorsFor } from './format.js';
import { createMarks, readSmallFile } from './marks.js';
import { isSegmentLike, isSnapshotName, isTemporary, markNames, pathIn, recoveryName } from './names.js';
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
  if (names.some(isSnapshotName) || (await wasUsed(env, dir))) {
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
  const file = await preallocate(fs, pathIn(dir, recoveryName), segmentBytes);
  try {
    await publish(fs, dir, recoveryName, file, header);
  } finally {
    await file.close();
  }
}

/** Whether a mark names a batch, of whichever log. */
async function wasUsed({ fs }: WalEnvironment, dir: string): Promise<boolean> {
  for (const name of markNames) {
    const bytes = await readSmallFile(fs, pathIn(dir, name), 24);
    if (bytes === null || bytes.length < 24) continue;
    const view = viewOf(bytes);
    if (view.getBigUint64(0, true) === markMagic && readU64(view, 16) !== 0) return true;
  }
  return false;
}

/** Removes what was not finished when the process before ended. */
export async function removeTemporaries({ fs }: WalEnvironment, dir: string): Promise<void> {
  for (const name of await fs.readdir(dir)) if (isTemporary(name)) await fs.unlink(pathIn(dir, name));
}

/**
 * Copies what is at the end of the log into a new segment, and removes what it replaces, after every start,
 * clean or not: a segment that another process has written to is never written to again. What could be
 * read may have come from a page cache that lies about the disk; writing it once more makes that true, or fails.
 */
export async function copyForward(env: WalEnvironment, dir: string, found: FoundLog, segmentBytes: number): Promise<Segment[]> {
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
  const file = await preallocate(fs, pathIn(dir, recoveryName), length);
  try {
    await copyBatches(source, file);
    const copy = await publish(fs, dir, recoveryName, file, header);
    copy.end = source.end;
    for (const { file: old } of dropped) await old.close();
    for (const name of [...found.replaced, ...dropped.map((segment) => segment.name)]) await fs.unlink(pathIn(dir, name));
    await fs.syncDirectory(dir);
    return [...kept, copy];
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function copyBatches({ file: from, end }: FoundSegment, to: File): Promise<void> {
  const piece = new Uint8Array(Math.min(pieceBytes, end - segmentHeaderSpace));
  for (let at = segmentHeaderSpace; at < end; at += pieceBytes) {
    const bytes = piece.subarray(0, Math.min(pieceBytes, end - at));
    if ((await readFully(from, bytes, at)) < bytes.length) throw damaged(from.path, at, 'the file has become shorter while it was read');
    await writeFully(to, bytes, at);
  }
}
