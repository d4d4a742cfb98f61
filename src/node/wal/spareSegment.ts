import type { File, FileSystem } from '../shared/fileSystem.js';
import { pathIn, temporaryName } from './names.js';
import { preallocate } from './segmentFiles.js';

/** Errors that say that there is no room, and nothing worse. */
const noRoom: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/** Whether an error of the system says that there is no room. */
export function isNoRoom(error: unknown): boolean {
  return noRoom.includes((error as { code?: unknown } | null)?.code);
}

/**
 * The file that becomes the next segment, prepared while the current one is being written to: rotation does not
 * wait for it, and a full disk is noticed while there is still room for everything that was promised.
 */
export class SpareSegment {
  private readonly fs: FileSystem;
  private readonly dir: string;
  private readonly tag: string;
  private readonly length: number;
  private readonly low: (error: unknown) => void;
  private readonly failed: (error: unknown) => void;
  private file: Promise<File | null> = Promise.resolve(null);
  /** Each file has a name of its own: one may be taken, and not be a segment yet, while the next one is made. */
  private count = 0;

  /**
   * @param tag of the owner of the directory.
   * @param low hears that there is no room for the next segment.
   * @param failed hears of any other error.
   */
  constructor(fs: FileSystem, dir: string, tag: string, length: number, low: (error: unknown) => void, failed: (error: unknown) => void) {
    this.fs = fs;
    this.dir = dir;
    this.tag = tag;
    this.length = length;
    this.low = low;
    this.failed = failed;
  }

  /** Begins to prepare a file, if there is none. */
  prepare(): void {
    this.file = this.file.then(async (file) => {
      if (file !== null) return file;
      const path = this.nextPath();
      try {
        return await preallocate(this.fs, path, this.length);
      } catch (error) {
        if (!isNoRoom(error)) {
          this.failed(error);
          return null;
        }
        // The half-made file holds room that others may need now.
        await this.remove(path);
        this.low(error);
        return null;
      }
    });
  }

  /** A file of at least `length` bytes; made now if there is none. */
  async take(length: number): Promise<File> {
    let file = await this.file;
    if (file !== null && length > this.length) {
      await file.close();
      await this.remove(file.path);
      file = null;
    }
    this.file = Promise.resolve(null);
    return file ?? preallocate(this.fs, this.nextPath(), Math.max(length, this.length));
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    const file = await this.file;
    this.file = Promise.resolve(null);
    if (file === null) return;
    await file.close();
    await this.remove(file.path);
  }

  private nextPath(): string {
    return pathIn(this.dir, temporaryName('spare', `${this.tag}-${++this.count}`));
  }

  /** Nothing depends on it: what is left is removed at the next start. */
  private async remove(path: string): Promise<void> {
    await this.fs.unlink(path).catch(() => undefined);
  }
}
