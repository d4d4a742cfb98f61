import { writeThenSync } from '../../../src/node/shared/fileIo.js';
import type { File, FileAccess, FileSystem } from '../../../src/node/shared/fileSystem.js';

/** A file system that hands everything on to another one; what is built on it changes what it is about. */
export abstract class PassThroughFileSystem implements FileSystem {
  protected readonly inner: FileSystem;

  constructor(inner: FileSystem) {
    this.inner = inner;
  }

  abstract open(path: string, access: FileAccess): Promise<File>;

  abstract create(path: string): Promise<File>;

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
}

/** A file that hands everything on to another one. */
export abstract class PassThroughFile implements File {
  protected readonly inner: File;

  constructor(inner: File) {
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

  /** In two steps, so that each is seen on its own. */
  writeThrough(source: Uint8Array, position: number): Promise<void> {
    return writeThenSync(this, source, position);
  }

  datasync(): Promise<void> {
    return this.inner.datasync();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
