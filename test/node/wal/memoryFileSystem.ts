import { posix } from 'node:path';

import { writeThenSync } from '../../../src/node/shared/fileIo.js';
import type { File, FileAccess, FileSystem } from '../../../src/node/shared/fileSystem.js';

/** Content of a file, whatever its names are. */
interface Inode {
  bytes: Uint8Array;
  size: number;
}

/**
 * Files in memory that keep every promise of {@link FileSystem} at once: for tests that are not about the disk, and
 * that would wait for a real one thousands of times. Nothing is ever lost; for that there are other disks.
 */
export class MemoryFileSystem implements FileSystem {
  readonly #files = new Map<string, Inode>();
  readonly #directories: Set<string>;

  /** @param directories those that are there. */
  constructor(directories: readonly string[] = ['/']) {
    this.#directories = new Set(directories);
  }

  /** What is in there now, as another file system: what would be left if the process were killed. */
  clone(): MemoryFileSystem {
    const copy = new MemoryFileSystem([...this.#directories]);
    const inodes = new Map<Inode, Inode>();
    for (const [path, inode] of this.#files) {
      const twin = inodes.get(inode) ?? { bytes: inode.bytes.slice(), size: inode.size };
      inodes.set(inode, twin);
      copy.#files.set(path, twin);
    }
    return copy;
  }

  /** The bytes of a file, to be looked at or damaged. */
  bytesOf(path: string): Uint8Array {
    const { bytes, size } = this.#inode(path);
    return bytes.subarray(0, size);
  }

  /** Puts a file there, or in place of the one that is. */
  put(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { bytes: bytes.slice(), size: bytes.length });
  }

  open(path: string, _access: FileAccess): Promise<File> {
    return attempt(() => new MemoryFile(path, this.#inode(path)));
  }

  create(path: string): Promise<File> {
    return attempt(() => {
      this.#mustBeFree(path);
      const inode = { bytes: new Uint8Array(0), size: 0 };
      this.#files.set(path, inode);
      return new MemoryFile(path, inode);
    });
  }

  readdir(path: string): Promise<string[]> {
    return attempt(() => {
      if (!this.#directories.has(path)) throw systemError('ENOENT', path);
      return [...this.#files.keys()].filter((name) => parentOf(name) === path).map((name) => name.slice(path.length + 1));
    });
  }

  mkdir(path: string): Promise<void> {
    return attempt(() => {
      this.#mustBeFree(path);
      this.#directories.add(path);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return attempt(() => {
      this.#files.set(to, this.#inode(from));
      this.#files.delete(from);
    });
  }

  link(from: string, to: string): Promise<void> {
    return attempt(() => {
      this.#mustBeFree(to);
      this.#files.set(to, this.#inode(from));
    });
  }

  unlink(path: string): Promise<void> {
    return attempt(() => {
      this.#inode(path);
      this.#files.delete(path);
    });
  }

  syncDirectory(path: string): Promise<void> {
    return attempt(() => {
      // Of a directory's `..` as well.
      if (!this.#directories.has(posix.normalize(path).replace(/(?<=.)\/$/, ''))) throw systemError('ENOENT', path);
    });
  }

  #inode(path: string): Inode {
    const inode = this.#files.get(path);
    if (inode === undefined) throw systemError('ENOENT', path);
    return inode;
  }

  #mustBeFree(path: string): void {
    if (this.#files.has(path) || this.#directories.has(path)) throw systemError('EEXIST', path);
    if (!this.#directories.has(parentOf(path))) throw systemError('ENOENT', path);
  }
}

class MemoryFile implements File {
  readonly path: string;
  readonly #inode: Inode;
  #open = true;

  constructor(path: string, inode: Inode) {
    this.path = path;
    this.#inode = inode;
  }

  size(): Promise<number> {
    return attempt(() => this.#use().size);
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return attempt(() => this.readSync(target, position));
  }

  readSync(target: Uint8Array, position: number): number {
    const { bytes, size } = this.#use();
    const found = bytes.subarray(Math.min(position, size), Math.min(position + target.length, size));
    target.set(found);
    return found.length;
  }

  write(source: Uint8Array, position: number): Promise<number> {
    return attempt(() => {
      const inode = this.#use();
      const end = position + source.length;
      if (end > inode.bytes.length) {
        const grown = new Uint8Array(Math.max(end, 2 * inode.bytes.length));
        grown.set(inode.bytes.subarray(0, inode.size));
        inode.bytes = grown;
      }
      inode.bytes.set(source, position);
      inode.size = Math.max(inode.size, end);
      return source.length;
    });
  }

  writeThrough(source: Uint8Array, position: number): Promise<void> {
    return writeThenSync(this, source, position);
  }

  datasync(): Promise<void> {
    return attempt(() => void this.#use());
  }

  close(): Promise<void> {
    return attempt(() => {
      this.#use();
      this.#open = false;
    });
  }

  #use(): Inode {
    if (!this.#open) throw new Error(`${this.path} is closed`);
    return this.#inode;
  }
}

function attempt<Result>(run: () => Result): Promise<Result> {
  return new Promise((resolve) => resolve(run()));
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** `target` with other methods in place of some of its own. */
export function instead<T extends object>(target: T, others: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(name in others ? others : target, name);
      return typeof value === 'function' ? (value as () => void).bind(target) : value;
    },
  });
}
