import { encodeConfState, decodeConfState } from '../../codec/stateCodec.js';
import type { Snapshot, SnapshotMetadata } from '../../core/raftpb/state.js';
import { crc32 } from '../shared/crc32.js';
import { readFully, readFullySync, writeFully } from '../shared/fileIo.js';
import { FileAccess, type File, type FileSystem } from '../shared/fileSystem.js';
import { damaged } from './damage.js';
import { aligned, formatVersion, snapshotMagic } from './format.js';
import { pathIn, snapshotName, temporaryName } from './names.js';
import { readU64, viewOf, writeU64 } from './words.js';

/**
 * A snapshot in a file of its own: header with the random id of the log, position and lengths; configuration;
 * data; checksum of everything before it. Complete before a record of the log speaks of it.
 */

const at = { magic: 0, version: 8, confBytes: 12, index: 16, term: 24, dataBytes: 32, walId: 40, end: 56 } as const;
const trailerBytes = 8;
const pieceBytes = 1 << 20;

/**
 * Writes, syncs and names the file of a snapshot. Durable when the promise resolves.
 *
 * @param tag that no other snapshot is written with.
 */
export async function writeSnapshotFile(fs: FileSystem, dir: string, walId: Uint8Array, tag: string, { data, metadata }: Snapshot): Promise<void> {
  const { index, term } = metadata;
  const confState = encodeConfState(metadata.confState);
  const head = new Uint8Array(at.end + aligned(confState.length));
  const view = viewOf(head);
  view.setBigUint64(at.magic, snapshotMagic, true);
  view.setUint32(at.version, formatVersion, true);
  view.setUint32(at.confBytes, confState.length, true);
  writeU64(view, at.index, index);
  writeU64(view, at.term, term);
  writeU64(view, at.dataBytes, data.length);
  head.set(walId, at.walId);
  head.set(confState, at.end);

  const name = snapshotName(index, term);
  const temporary = pathIn(dir, temporaryName(name, tag));
  const file = await fs.create(temporary);
  let crc = crc32(head);
  try {
    await writeFully(file, head, 0);
    let position = head.length;
    // In pieces, so that the checksum of a large snapshot does not hold up the loop for long.
    for (let start = 0; start < data.length; start += pieceBytes) {
      const piece = data.subarray(start, start + pieceBytes);
      crc = crc32(piece, crc);
      await writeFully(file, piece, position);
      position += piece.length;
    }
    const trailer = new Uint8Array(trailerBytes);
    viewOf(trailer).setUint32(0, crc, true);
    await writeFully(file, trailer, position);
    await file.datasync();
  } finally {
    await file.close();
  }
  await fs.rename(temporary, pathIn(dir, name));
  await fs.syncDirectory(dir);
}

/** An open snapshot file. */
export interface SnapshotFile {
  readonly metadata: SnapshotMetadata;
  readonly file: File;
  /** Where the data begin. */
  readonly dataStart: number;
  readonly dataBytes: number;
  readonly crc: number;
  /** Checksum of the header and the configuration. */
  readonly headCrc: number;
}

/**
 * Opens the file of a snapshot and reads what it says of itself.
 *
 * @throws WalError `ERR_WAL_CORRUPT` if it is not the file of this snapshot.
 */
export async function openSnapshotFile(fs: FileSystem, dir: string, walId: Uint8Array, index: number, term: number): Promise<SnapshotFile> {
  const path = pathIn(dir, snapshotName(index, term));
  let file: File;
  try {
    file = await fs.open(path, FileAccess.Read);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') throw damaged(path, 0, 'the snapshot is missing', error);
    throw error;
  }
  try {
    const size = await file.size();
    const fixed = new Uint8Array(at.end);
    const view = viewOf(fixed);
    if ((await readFully(file, fixed, 0)) < at.end) throw damaged(path, size, 'the snapshot ends within its header');
    const confBytes = view.getUint32(at.confBytes, true);
    const dataStart = at.end + aligned(confBytes);
    const dataBytes = readU64(view, at.dataBytes);
    const own =
      view.getBigUint64(at.magic, true) === snapshotMagic &&
      view.getUint32(at.version, true) === formatVersion &&
      readU64(view, at.index) === index &&
      readU64(view, at.term) === term &&
      walId.every((byte, i) => byte === fixed[at.walId + i]);
    if (!own || dataBytes < 0) throw damaged(path, 0, 'it is not the snapshot that its name and the log speak of');
    if (dataStart + dataBytes + trailerBytes !== size) throw damaged(path, size, `the snapshot has ${size} bytes, and should have ${dataStart + dataBytes + trailerBytes}`);
    const conf = new Uint8Array(dataStart - at.end);
    await readFully(file, conf, at.end);
    const trailer = new Uint8Array(trailerBytes);
    await readFully(file, trailer, dataStart + dataBytes);
    const trailerView = viewOf(trailer);
    if (trailerView.getUint32(4, true) !== 0) throw damaged(path, size - 4, 'there is something behind the checksum of the snapshot');
    let confState;
    try {
      confState = decodeConfState(conf.subarray(0, confBytes));
    } catch {
      throw damaged(path, at.end, 'the configuration in the snapshot cannot be read');
    }
    const headCrc = crc32(conf, crc32(fixed));
    return { metadata: { confState, index, term }, file, dataStart, dataBytes, crc: trailerView.getUint32(0, true), headCrc };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads a snapshot's data piece by piece and verifies all of it. @throws WalError `ERR_WAL_CORRUPT` if it is damaged. */
export async function verifySnapshotFile({ file, dataStart, dataBytes, headCrc, crc: expected }: SnapshotFile, target: Uint8Array | null = null): Promise<void> {
  let crc = headCrc;
  const piece = target === null ? new Uint8Array(Math.min(pieceBytes, dataBytes)) : null;
  for (let done = 0; done < dataBytes; ) {
    const length = Math.min(pieceBytes, dataBytes - done);
    const bytes = piece === null ? target!.subarray(done, done + length) : piece.subarray(0, length);
    if ((await readFully(file, bytes, dataStart + done)) < length) throw damaged(file.path, dataStart + done, 'the snapshot ends too early');
    crc = crc32(bytes, crc);
    done += length;
  }
  if (crc !== expected) throw damaged(file.path, 0, 'the checksum of the snapshot is wrong');
}

/** Reads a snapshot's data at once. For small ones. @throws WalError `ERR_WAL_CORRUPT` if it is damaged. */
export function readSnapshotDataSync({ file, dataStart, dataBytes, headCrc, crc }: SnapshotFile): Uint8Array {
  const data = new Uint8Array(dataBytes);
  if (readFullySync(file, data, dataStart) < dataBytes || crc32(data, headCrc) !== crc) throw damaged(file.path, 0, 'the checksum of the snapshot is wrong');
  return data;
}
