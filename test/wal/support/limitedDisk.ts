import type { File, FileAccess, FileSystem } from '../../../src/node/shared/fileSystem.js';
import { DiskError } from './fileOp.js';

interface Inode {
  bytes: number;
}

/** A file system with so much room, and no more. Names cost nothing. */
export class LimitedDisk implements FileSystem {
  /** Bytes that all files may have together. */
  limit: number;
  private readonly inner: FileSystem;
  private readonly files = new Map<string, Inode>();

  constructor(inner: FileSystem, limit: number) {
    this.inner = inner;
    this.limit = limit;
  }

  /** Bytes that all files have together. */
  get used(): number {
    return [...new Set(this.files.values())].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async open(path: string, access: FileAccess): Promise<File> {
    const file = await this.inner.open(path, access);
    return new LimitedFile(this, file, this.files.get(path)!);
  }

  async create(path: string): Promise<File> {
    const file = await this.inner.create(path);
    const inode = { bytes: 0 };
    this.files.set(path, inode);
    return new LimitedFile(this, file, inode);
  }

  readdir(path: string): Promise<string[]> {
    return this.inner.readdir(path);
  }

  mkdir(path: string): Promise<void> {
    return this.inner.mkdir(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.inner.rename(from, to);
    const inode = this.files.get(from)!;
    this.files.delete(from);
    this.files.set(to, inode);
  }

  async link(from: string, to: string): Promise<void> {
    await this.inner.link(from, to);
    this.files.set(to, this.files.get(from)!);
  }

  async unlink(path: string): Promise<void> {
    await this.inner.unlink(path);
    this.files.delete(path);
  }

  syncDirectory(path: string): Promise<void> {
    return this.inner.syncDirectory(path);
  }
}

class LimitedFile implements File {
  private readonly disk: LimitedDisk;
  private readonly inner: File;
  private readonly inode: Inode;

  constructor(disk: LimitedDisk, inner: File, inode: Inode) {
    this.disk = disk;
    this.inner = inner;
    this.inode = inode;
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

  /** Writes as much as fits, as a file system does, and fails once nothing does. */
  async write(source: Uint8Array, position: number): Promise<number> {
    const { disk, inode } = this;
    const room = inode.bytes + Math.max(0, disk.limit - disk.used);
    const end = Math.min(position + source.length, room);
    if (end <= position) throw new DiskError('ENOSPC', 'write', this.path);
    inode.bytes = Math.max(inode.bytes, end);
    return this.inner.write(source.subarray(0, end - position), position);
  }

  datasync(): Promise<void> {
    return this.inner.datasync();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
