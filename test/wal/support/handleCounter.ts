import type { File, FileAccess, FileSystem } from '../../../src/node/shared/fileSystem.js';

/** A file system that knows which of its files are open, and what was done to one that must not be. */
export class HandleCounter implements FileSystem {
  /** Files that were opened and not closed. */
  readonly handles = new Set<File>();
  /** Paths of files that were closed twice. */
  readonly closedTwice: string[] = [];
  /** Paths of files that were synced again after a sync had failed. */
  readonly syncedAgain: string[] = [];
  private readonly inner: FileSystem;

  constructor(inner: FileSystem) {
    this.inner = inner;
  }

  async open(path: string, access: FileAccess): Promise<File> {
    return this.count(await this.inner.open(path, access));
  }

  async create(path: string): Promise<File> {
    return this.count(await this.inner.create(path));
  }

  readdir(path: string): Promise<string[]> {
    return this.inner.readdir(path);
  }

  mkdir(path: string): Promise<void> {
    return this.inner.mkdir(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.inner.rename(from, to);
  }

  link(from: string, to: string): Promise<void> {
    return this.inner.link(from, to);
  }

  unlink(path: string): Promise<void> {
    return this.inner.unlink(path);
  }

  syncDirectory(path: string): Promise<void> {
    return this.inner.syncDirectory(path);
  }

  private count(inner: File): File {
    const file = new CountedFile(this, inner);
    this.handles.add(file);
    return file;
  }
}

class CountedFile implements File {
  private readonly counter: HandleCounter;
  private readonly inner: File;
  private syncFailed = false;

  constructor(counter: HandleCounter, inner: File) {
    this.counter = counter;
    this.inner = inner;
  }

  get path(): string {
    return this.inner.path;
  }

  size(): Promise<number> {
    return this.inner.size();
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.inner.read(target, position);
  }

  readSync(target: Uint8Array, position: number): number {
    return this.inner.readSync(target, position);
  }

  write(source: Uint8Array, position: number): Promise<number> {
    return this.inner.write(source, position);
  }

  async datasync(): Promise<void> {
    if (this.syncFailed) this.counter.syncedAgain.push(this.path);
    try {
      await this.inner.datasync();
    } catch (error) {
      this.syncFailed = true;
      throw error;
    }
  }

  close(): Promise<void> {
    if (!this.counter.handles.delete(this)) this.counter.closedTwice.push(this.path);
    return this.inner.close();
  }
}
