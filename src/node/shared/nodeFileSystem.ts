import fs from 'node:fs';

import { writeThenSync } from './fileIo.js';
import { FileAccess, type File, type FileSystem } from './fileSystem.js';

/**
 * How a file is opened so that each write is durable when it returns: the kernel does what it does for a write and
 * an fdatasync, in one trip to another thread and back, not two. A trip costs 30 to 50 µs where a sync costs 250. Null
 * where this is not known to reach the disk: on macOS such a write ends in the cache of the drive.
 */
const syncedWrites = process.platform === 'linux' ? fs.constants.O_RDWR | fs.constants.O_DSYNC : null;

/** What an operation of `node:fs` calls at its end. */
type Callback<Result> = (error: NodeJS.ErrnoException | null, result: Result) => void;

/**
 * The disk of this machine, through `node:fs`.
 *
 * Files and directories it makes can be read by their owner alone: a log holds what clients wrote. Nothing that
 * fails is tried again, least of all a sync: after a failed fsync the system may have dropped the very pages
 * that it could not write, and the next call would succeed without them.
 *
 * Windows cannot sync a directory; there `syncDirectory` only checks that it exists.
 */
export const nodeFileSystem: FileSystem = {
  async open(path, access) {
    return new NodeFile(path, await call<number>((done) => fs.open(path, access === FileAccess.Read ? 'r' : 'r+', done)));
  },

  async create(path, writesThrough = false) {
    const fd = await call<number>((done) => fs.open(path, 'wx+', 0o600, done));
    if (!writesThrough || syncedWrites === null) return new NodeFile(path, fd);
    try {
      return new NodeFile(path, fd, await call<number>((done) => fs.open(path, syncedWrites, done)));
    } catch (error) {
      await call<void>((done) => fs.close(fd, done)).catch(() => undefined);
      throw error;
    }
  },

  readdir(path) {
    return call<string[]>((done) => fs.readdir(path, done));
  },

  mkdir(path) {
    return call<void>((done) => fs.mkdir(path, 0o700, done));
  },

  rename(from, to) {
    return call<void>((done) => fs.rename(from, to, done));
  },

  link(from, to) {
    return call<void>((done) => fs.link(from, to, done));
  },

  unlink(path) {
    return call<void>((done) => fs.unlink(path, done));
  },

  async syncDirectory(path) {
    const fd = await call<number>((done) => fs.open(path, 'r', done));
    try {
      await call<void>((done) => fs.fsync(fd, done));
    } catch (error) {
      if (process.platform !== 'win32' || (error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    } finally {
      await call<void>((done) => fs.close(fd, done));
    }
  },
};

/**
 * The callbacks of `node:fs` in a promise. `fs.promises` costs more: 47 µs in place of 43 for a write and
 * fdatasync of 256 bytes, where the disk costs nothing (tmpfs).
 */
function call<Result>(operation: (done: Callback<Result>) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    operation((error, result) => (error ? reject(error) : resolve(result)));
  });
}

/**
 * An open file. The system gives the number of a closed descriptor to the next file that is opened, so a write
 * that came late would land in somebody else's file: after `close` nothing is let through, and `close` waits
 * for what is under way.
 */
class NodeFile implements File {
  readonly path: string;
  private readonly fd: number;
  /** The same file, opened for synced writes; null if it is not. */
  private readonly syncedFd: number | null;
  private closed = false;
  /** Operations under way. */
  private running = 0;
  /** Continues `close` once nothing is under way. */
  private idle: (() => void) | undefined;

  constructor(path: string, fd: number, syncedFd: number | null = null) {
    this.path = path;
    this.fd = fd;
    this.syncedFd = syncedFd;
  }

  async size(): Promise<number> {
    return (await this.run<fs.Stats>((done) => fs.fstat(this.fd, done))).size;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    checkPosition(position);
    return this.run<number>((done) => fs.read(this.fd, target, 0, target.length, position, done));
  }

  readSync(target: Uint8Array, position: number): number {
    checkPosition(position);
    this.checkOpen();
    return fs.readSync(this.fd, target, 0, target.length, position);
  }

  async write(source: Uint8Array, position: number): Promise<number> {
    return this.writeTo(this.fd, source, position);
  }

  async writeThrough(source: Uint8Array, position: number, blocking = false): Promise<void> {
    const { syncedFd } = this;
    if (blocking) return this.writeThroughSync(source, position);
    if (syncedFd === null) return writeThenSync(this, source, position);
    let done = await this.writeTo(syncedFd, source, position);
    while (done < source.length) done += await this.writeTo(syncedFd, source.subarray(done), position + done);
  }

  async datasync(): Promise<void> {
    await this.run<void>((done) => fs.fdatasync(this.fd, done));
  }

  async close(): Promise<void> {
    this.checkOpen();
    this.closed = true;
    if (this.running > 0) await new Promise<void>((resolve) => (this.idle = resolve));
    // A descriptor is gone even if this fails.
    const ends = [this.fd, ...(this.syncedFd === null ? [] : [this.syncedFd])].map((fd) => call<void>((done) => fs.close(fd, done)));
    const results = await Promise.allSettled(ends);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  private writeThroughSync(source: Uint8Array, position: number): void {
    checkPosition(position);
    this.checkOpen();
    const { syncedFd } = this;
    let done = 0;
    while (done < source.length) done += this.wrote(fs.writeSync(syncedFd ?? this.fd, source, done, source.length - done, position + done));
    if (syncedFd === null) fs.fdatasyncSync(this.fd);
  }

  private async writeTo(fd: number, source: Uint8Array, position: number): Promise<number> {
    checkPosition(position);
    if (source.length === 0) throw new RangeError('a write of no bytes');
    return this.wrote(await this.run<number>((done) => fs.write(fd, source, 0, source.length, position, done)));
  }

  /** A caller that writes the rest, and the rest of the rest, would never end if nothing was written. */
  private wrote(bytes: number): number {
    if (bytes === 0) throw Object.assign(new Error(`EIO: the system wrote nothing to ${this.path}`), { code: 'EIO', syscall: 'write' });
    return bytes;
  }

  /** Runs an operation on the descriptor, which stays open until it has ended. */
  private run<Result>(operation: (done: Callback<Result>) => void): Promise<Result> {
    this.checkOpen();
    return new Promise((resolve, reject) => {
      operation((error, result) => {
        this.running--;
        if (this.running === 0) this.idle?.();
        if (error) reject(error);
        else resolve(result);
      });
      // Counted once it has begun: an operation that throws never calls back.
      this.running++;
    });
  }

  private checkOpen(): void {
    if (this.closed) throw new Error(`${this.path} is closed`);
  }
}

/** `node:fs` takes a position that is no such number for "where the last write ended", in silence. */
function checkPosition(position: number): void {
  if (!Number.isSafeInteger(position) || position < 0) throw new RangeError(`position ${position} is not a place in a file`);
}
