import type { File, FileSystem } from '../shared/fileSystem.js';
import { pathIn, spareName } from './names.js';
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
  private readonly length: number;
  private readonly low: (error: unknown) => void;
  private readonly failed: (error: unknown) => void;
  private file: Promise<File | null> = Promise.resolve(null);
  /** Whether a file was taken that still has the name of the spare one. */
  private taken = false;

  /**
   * @param low hears that there is no room for the next segment.
   * @param failed hears of any other error.
   */
  constructor(fs: FileSystem, dir: string, length: number, low: (error: unknown) => void, failed: (error: unknown) => void) {
    this.fs = fs;
    this.dir = dir;
    this.length = length;
    this.low = low;
    this.failed = failed;
  }

  /** Begins to prepare a file, if there is none. Does nothing while one is taken: {@link published} does it then. */
  prepare(): void {
    // Its name is not free yet; `published` makes up for it.
    if (this.taken) return;
    this.file = this.file.then(async (file) => {
      if (file !== null) return file;
      try {
        return await preallocate(this.fs, pathIn(this.dir, spareName), this.length);
      } catch (error) {
        if (!isNoRoom(error)) {
          this.failed(error);
          return null;
        }
        // The half-made file holds room that others may need now.
        await this.remove();
        this.low(error);
        return null;
      }
    });
  }

  /** The file that was taken has a name of its own: begins to prepare the next one. */
  published(): void {
    this.taken = false;
    this.prepare();
  }

  /** A file of at least `length` bytes; made now if there is none. Until {@link published} no other one is prepared. */
  async take(length: number): Promise<File> {
    this.taken = true;
    let file = await this.file;
    if (file !== null && length > this.length) {
      await file.close();
      await this.remove();
      file = null;
    }
    this.file = Promise.resolve(null);
    return file ?? preallocate(this.fs, pathIn(this.dir, spareName), Math.max(length, this.length));
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    const file = await this.file;
    this.file = Promise.resolve(null);
    if (file === null) return;
    await file.close();
    await this.remove();
  }

  /** Nothing depends on it: what is left is removed at the next start. */
  private async remove(): Promise<void> {
    await this.fs.unlink(pathIn(this.dir, spareName)).catch(() => undefined);
  }
}
