import type { File, FileAccess } from '../../../src/node/shared/fileSystem.js';
import { PassThroughFile, PassThroughFileSystem } from './passThrough.js';

/** A file system that knows which of its files are open, and what was done to one that must not be. */
export class HandleCounter extends PassThroughFileSystem {
  /** Files that were opened and not closed. */
  readonly handles = new Set<File>();
  /** Paths of files that were closed twice. */
  readonly closedTwice: string[] = [];
  /** Paths of files that were synced again after a sync had failed. */
  readonly syncedAgain: string[] = [];

  async open(path: string, access: FileAccess): Promise<File> {
    return this.count(await this.inner.open(path, access));
  }

  async create(path: string): Promise<File> {
    return this.count(await this.inner.create(path));
  }

  private count(inner: File): File {
    const file = new CountedFile(this, inner);
    this.handles.add(file);
    return file;
  }
}

class CountedFile extends PassThroughFile {
  private readonly counter: HandleCounter;
  private syncFailed = false;

  constructor(counter: HandleCounter, inner: File) {
    super(inner);
    this.counter = counter;
  }

  override async datasync(): Promise<void> {
    if (this.syncFailed) this.counter.syncedAgain.push(this.path);
    try {
      await this.inner.datasync();
    } catch (error) {
      this.syncFailed = true;
      throw error;
    }
  }

  override close(): Promise<void> {
    if (!this.counter.handles.delete(this)) this.counter.closedTwice.push(this.path);
    return this.inner.close();
  }
}
