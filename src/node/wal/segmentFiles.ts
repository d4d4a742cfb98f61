import { writeFully } from '../shared/fileIo.js';
import type { File, FileSystem } from '../shared/fileSystem.js';
import { pathIn, segmentName } from './names.js';
import type { Segment } from './placeIndex.js';
import { encodeSegmentHeader, segmentHeaderSpace, type SegmentHeader } from './segmentHeader.js';

/** So much at once: each piece waits for its turn on a loop that may be busy. Never written to, it takes no memory of its own. */
const zeros = new Uint8Array(4 << 20);

/** Makes a file of zeros, synced: what is written into it later needs no space that the disk may not have, and no change of its length. */
export async function preallocate(fs: FileSystem, path: string, length: number): Promise<File> {
  const file = await fs.create(path, true);
  try {
    await zeroFill(file, 0, length);
    await file.datasync();
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  return file;
}

/** Writes zeros into [start, end). */
export async function zeroFill(file: File, start: number, end: number): Promise<void> {
  for (let at = start; at < end; at += zeros.length) await writeFully(file, zeros.subarray(0, Math.min(zeros.length, end - at)), at);
}

/**
 * Makes a prepared file a segment: header, sync, name. The name is given by a link, which never replaces a file
 * that is there.
 */
export async function publish(fs: FileSystem, dir: string, file: File, header: SegmentHeader): Promise<Segment> {
  await writeFully(file, encodeSegmentHeader(header), 0);
  await file.datasync();
  const name = segmentName(header.seq);
  await fs.link(file.path, pathIn(dir, name));
  await fs.unlink(file.path);
  await fs.syncDirectory(dir);
  return { header, name, path: pathIn(dir, name), file, end: segmentHeaderSpace };
}
