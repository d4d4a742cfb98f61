import type { File, FileAccess, FileSystem } from '../../../src/node/shared/fileSystem.js';
import { DiskError } from './fileOp.js';
import { PassThroughFile, PassThroughFileSystem } from './passThrough.js';

interface Inode {
  bytes: number;
}

/** A file system with so much room, and no more. Names cost nothing. */
export class LimitedDisk extends PassThroughFileSystem {
  /** Bytes that all files may have together. */
  limit: number;
  private readonly files = new Map<string, Inode>();

  constructor(inner: FileSystem, limit: number) {
    super(inner);
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

  override async rename(from: string, to: string): Promise<void> {
    await this.inner.rename(from, to);
    const inode = this.files.get(from)!;
    this.files.delete(from);
    this.files.set(to, inode);
  }

  override async link(from: string, to: string): Promise<void> {
    await this.inner.link(from, to);
    this.files.set(to, this.files.get(from)!);
  }

  override async unlink(path: string): Promise<void> {
    await this.inner.unlink(path);
    this.files.delete(path);
  }
}

class LimitedFile extends PassThroughFile {
  private readonly disk: LimitedDisk;
  private readonly inode: Inode;

  constructor(disk: LimitedDisk, inner: File, inode: Inode) {
    super(inner);
    this.disk = disk;
    this.inode = inode;
  }

  /** Writes as much as fits, as a file system does, and fails once nothing does. */
  override async write(source: Uint8Array, position: number): Promise<number> {
    const { disk, inode } = this;
    const room = inode.bytes + Math.max(0, disk.limit - disk.used);
    const end = Math.min(position + source.length, room);
    if (end <= position) throw new DiskError('ENOSPC', 'write', this.path);
    inode.bytes = Math.max(inode.bytes, end);
    return this.inner.write(source.subarray(0, end - position), position);
  }
}
