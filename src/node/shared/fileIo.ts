import type { File, FileSystem } from './fileSystem.js';

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

/** Makes a file whose name only ever holds what was not finished: what a process that died has left there is removed. */
export async function createAnew(fs: FileSystem, path: string): Promise<File> {
  try {
    return await fs.create(path);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
  }
  await fs.unlink(path);
  return fs.create(path);
}
