import { FileAccess, type File, type FileSystem } from './fileSystem.js';

/** Reads until `target` is full or the file ends: the system may read less than it was asked for. Returns the number of bytes. */
export async function readFully(file: File, target: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const count = await file.read(done === 0 ? target : target.subarray(done), position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** As {@link readFully}, at once. */
export function readFullySync(file: File, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    const count = file.readSync(done === 0 ? target : target.subarray(done), position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Writes all of `source`: the system may write less than it was asked for. */
export async function writeFully(file: File, source: Uint8Array, position: number): Promise<void> {
  let done = await file.write(source, position);
  while (done < source.length) done += await file.write(source.subarray(done), position + done);
}

/** {@link File.writeThrough} in two steps. */
export async function writeThenSync(file: File, source: Uint8Array, position: number): Promise<void> {
  await writeFully(file, source, position);
  await file.datasync();
}

/** Takes a name away, if it is there. */
export async function unlinkIfThere(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.unlink(path);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
  }
}

/** The first bytes of a file, or null if there is no such file. */
export async function readSmallFile(fs: FileSystem, path: string, length: number): Promise<Uint8Array | null> {
  let file: File;
  try {
    file = await fs.open(path, FileAccess.Read);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, await readFully(file, bytes, 0));
  } finally {
    await file.close();
  }
}
