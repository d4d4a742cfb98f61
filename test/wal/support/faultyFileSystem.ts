import { writeThenSync } from '../../../src/node/shared/fileIo.js';
import type { File, FileAccess, FileSystem } from '../../../src/node/shared/fileSystem.js';
import { DiskError, FileOpKind, type FileOp } from './fileOp.js';
import { SimFile, SimFileSystem } from './simFileSystem.js';

/** Errors that a disk gives without anybody's fault. */
export const diskErrorCodes = ['EIO', 'ENOSPC', 'EDQUOT', 'EMFILE', 'EINTR', 'EACCES'] as const;
export type DiskErrorCode = (typeof diskErrorCodes)[number];

/** What goes wrong with one operation. */
export type Fault =
  /** It fails, and did nothing. */
  | { readonly kind: 'error'; readonly code: DiskErrorCode }
  /** It is done, and fails all the same. */
  | { readonly kind: 'errorAfter'; readonly code: DiskErrorCode }
  /** A sync fails, and what it should have synced is lost although reads show it. On a SimDisk only. */
  | { readonly kind: 'fsyncgate'; readonly code: DiskErrorCode }
  /** A write takes fewer bytes, a read gives fewer: 1, or all but 1. */
  | { readonly kind: 'short'; readonly bytes: 'one' | 'allButOne' };

/** The fault in a word or two. */
export function describeFault(fault: Fault): string {
  return fault.kind === 'short' ? `short by ${fault.bytes}` : `${fault.kind} ${fault.code}`;
}

/** Every fault that can befall the operation on its own. */
export function faultsOf(op: FileOp): Fault[] {
  const faults: Fault[] = [];
  for (const code of diskErrorCodes) faults.push({ kind: 'error', code });
  switch (op.kind) {
    case FileOpKind.Datasync:
    case FileOpKind.SyncDirectory:
      faults.push({ kind: 'errorAfter', code: 'EIO' }, { kind: 'fsyncgate', code: 'EIO' });
      break;
    case FileOpKind.Write:
    case FileOpKind.Read:
    case FileOpKind.ReadSync:
      if (op.kind === FileOpKind.Write) faults.push({ kind: 'errorAfter', code: 'EIO' });
      if (op.length > 1) faults.push({ kind: 'short', bytes: 'one' });
      if (op.length > 2) faults.push({ kind: 'short', bytes: 'allButOne' });
      break;
    case FileOpKind.Create:
    case FileOpKind.Mkdir:
    case FileOpKind.Rename:
    case FileOpKind.Link:
    case FileOpKind.Unlink:
    case FileOpKind.Close:
      faults.push({ kind: 'errorAfter', code: 'EIO' });
      break;
    default:
  }
  return faults;
}

/** Decides about each operation; null lets it pass. */
export type FaultPlan = (op: FileOp) => Fault | null;

/** One fault, at one operation. */
export function faultAt(index: number, fault: Fault): FaultPlan {
  return (op) => (op.index === index ? fault : null);
}

/**
 * A file system on top of another one in which operations fail by plan, and which remembers what was done after
 * that. Counts operations as SimDisk does, so that `recordRun(…).ops` tells what there is to fail.
 *
 * ```ts
 * const { ops } = await recordRun(workload);
 * for (const op of ops) {
 *   for (const fault of faultsOf(op)) {
 *     const disk = new SimDisk();
 *     const fs = new FaultyFileSystem(disk.fs, faultAt(op.index, fault));
 *     await workload(fs, note).catch(expected);
 *     // fs.opsAfterError(FileOpKind.Write) === 0, fs.syncsAfterFailedSync === 0, …
 *   }
 * }
 * ```
 */
export class FaultyFileSystem implements FileSystem {
  /** Operations so far, those that failed included. */
  readonly ops: FileOp[] = [];
  /** Operations that the plan had a fault for, in order. */
  readonly faults: { readonly op: FileOp; readonly fault: Fault }[] = [];
  /** Number of `datasync` calls on a file, by the path it was opened with, after one on it had failed for whatever reason. */
  syncsAfterFailedSync = 0;
  private readonly inner: FileSystem;
  private readonly plan: FaultPlan;
  private readonly failedSyncs = new Set<string>();

  constructor(inner: FileSystem, plan: FaultPlan) {
    this.inner = inner;
    this.plan = plan;
  }

  /** The first operation that was made to fail; a short one has not failed. Undefined if there is none. */
  get failed(): FileOp | undefined {
    return this.faults.find(({ fault }) => fault.kind !== 'short')?.op;
  }

  /** Operations that were started after the first one that was made to fail. */
  get afterError(): FileOp[] {
    const { failed } = this;
    return failed === undefined ? [] : this.ops.slice(failed.index + 1);
  }

  /** How many of {@link afterError} are of the kinds; of any kind if none is given. */
  opsAfterError(...kinds: FileOpKind[]): number {
    return this.afterError.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind)).length;
  }

  async open(path: string, access: FileAccess): Promise<File> {
    return this.wrap(await this.call(FileOpKind.Open, path, () => this.inner.open(path, access)));
  }

  async create(path: string): Promise<File> {
    return this.wrap(await this.call(FileOpKind.Create, path, () => this.inner.create(path)));
  }

  readdir(path: string): Promise<string[]> {
    return this.call(FileOpKind.Readdir, path, () => this.inner.readdir(path));
  }

  mkdir(path: string): Promise<void> {
    return this.call(FileOpKind.Mkdir, path, () => this.inner.mkdir(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.call(FileOpKind.Rename, from, () => this.inner.rename(from, to), to);
  }

  link(from: string, to: string): Promise<void> {
    return this.call(FileOpKind.Link, from, () => this.inner.link(from, to), to);
  }

  unlink(path: string): Promise<void> {
    return this.call(FileOpKind.Unlink, path, () => this.inner.unlink(path));
  }

  syncDirectory(path: string): Promise<void> {
    const lose = () => {
      if (!(this.inner instanceof SimFileSystem)) throw new Error('fsyncgate needs a SimDisk below');
      this.inner.loseUnsynced(path);
    };
    return this.call(FileOpKind.SyncDirectory, path, () => this.inner.syncDirectory(path), '', lose);
  }

  /** For the files: counts an operation and asks the plan. */
  begin(kind: FileOpKind, path: string, to = '', position = 0, length = 0): Fault | null {
    const op: FileOp = { index: this.ops.length, kind, path, to, position, length };
    this.ops.push(op);
    const fault = this.plan(op);
    if (fault !== null) this.faults.push({ op, fault });
    return fault;
  }

  /** For the files: an operation that is no read and no write. `lose` loses what it should have synced. */
  async call<T>(kind: FileOpKind, path: string, run: () => Promise<T>, to = '', lose?: () => void): Promise<T> {
    const fault = this.begin(kind, path, to);
    return withFault(fault, kind, path, run, lose);
  }

  /** For the files: a `datasync`, with the account of those after a failure. */
  async sync(path: string, run: () => Promise<void>, lose: () => void): Promise<void> {
    if (this.failedSyncs.has(path)) this.syncsAfterFailedSync++;
    try {
      await this.call(FileOpKind.Datasync, path, run, '', lose);
    } catch (error) {
      this.failedSyncs.add(path);
      throw error;
    }
  }

  private wrap(file: File): File {
    return new FaultyFile(this, file);
  }
}

/** A file of a {@link FaultyFileSystem}. */
class FaultyFile implements File {
  private readonly fs: FaultyFileSystem;
  private readonly inner: File;

  constructor(fs: FaultyFileSystem, inner: File) {
    this.fs = fs;
    this.inner = inner;
  }

  get path(): string {
    return this.inner.path;
  }

  size(): Promise<number> {
    return this.fs.call(FileOpKind.Size, this.path, () => this.inner.size());
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const fault = this.fs.begin(FileOpKind.Read, this.path, '', position, target.length);
    return withFault(fault, FileOpKind.Read, this.path, () => this.inner.read(shortened(target, fault), position));
  }

  readSync(target: Uint8Array, position: number): number {
    const fault = this.fs.begin(FileOpKind.ReadSync, this.path, '', position, target.length);
    if (fault !== null && fault.kind !== 'short') throw new DiskError(fault.code, FileOpKind.ReadSync, this.path);
    return this.inner.readSync(shortened(target, fault), position);
  }

  async write(source: Uint8Array, position: number): Promise<number> {
    const fault = this.fs.begin(FileOpKind.Write, this.path, '', position, source.length);
    return withFault(fault, FileOpKind.Write, this.path, () => this.inner.write(shortened(source, fault), position));
  }

  writeThrough(source: Uint8Array, position: number): Promise<void> {
    return writeThenSync(this, source, position);
  }

  datasync(): Promise<void> {
    const lose = () => {
      if (!(this.inner instanceof SimFile)) throw new Error('fsyncgate needs a SimDisk below');
      this.inner.loseUnsynced();
    };
    return this.fs.sync(this.path, () => this.inner.datasync(), lose);
  }

  close(): Promise<void> {
    return this.fs.call(FileOpKind.Close, this.path, () => this.inner.close());
  }
}

async function withFault<T>(fault: Fault | null, kind: FileOpKind, path: string, run: () => Promise<T>, lose?: () => void): Promise<T> {
  switch (fault?.kind) {
    case 'error':
      throw new DiskError(fault.code, kind, path);
    case 'errorAfter':
      await run();
      throw new DiskError(fault.code, kind, path);
    case 'fsyncgate':
      if (lose === undefined) throw new Error(`${kind} is no sync`);
      lose();
      throw new DiskError(fault.code, kind, path);
    default:
      return run();
  }
}

function shortened(bytes: Uint8Array, fault: Fault | null): Uint8Array {
  if (fault?.kind !== 'short') return bytes;
  const length = fault.bytes === 'one' ? 1 : bytes.length - 1;
  return bytes.subarray(0, Math.max(1, length));
}
