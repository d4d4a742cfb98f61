import { writeThenSync } from '../../../src/node/shared/fileIo.js';
import { FileAccess, type File, type FileSystem } from '../../../src/node/shared/fileSystem.js';
import { DirectoryNode, FileNode, nextSeq, nodeAt, partsOf, type DiskNode, type UnsyncedName } from './diskTree.js';
import { DiskError, FileOpKind, latencyOf, type FileOp, type LatencyKind } from './fileOp.js';

/** The disk below the processes. */
export interface DiskHost {
  readonly root: DirectoryNode;
  /** Counts an operation; null if the disk has stopped. */
  admit(kind: FileOpKind, path: string, to: string, position: number, length: number): FileOp | null;
  /** Told right before an operation changes anything, in memory or on the platter. */
  changing(op: FileOp): void;
  /** Has `run` called once the operation is to complete. */
  schedule(latency: LatencyKind, run: () => void, op: FileOp): void;
}

/**
 * What one process sees of a disk. After the process was killed its operations have no effect and never settle,
 * those included that were on their way.
 */
export class SimFileSystem implements FileSystem {
  private readonly host: DiskHost;
  private alive = true;

  constructor(host: DiskHost) {
    this.host = host;
  }

  open(path: string, access: FileAccess): Promise<File> {
    return this.run(FileOpKind.Open, path, () => {
      const node = this.existing(FileOpKind.Open, path);
      if (!(node instanceof FileNode)) throw new DiskError('EISDIR', FileOpKind.Open, path);
      return () => new SimFile(this, node, path, access === FileAccess.ReadWrite);
    });
  }

  create(path: string): Promise<File> {
    return this.run(FileOpKind.Create, path, (op) => {
      const node = new FileNode();
      this.add(op, path, 'create', node);
      return () => new SimFile(this, node, path, true);
    });
  }

  readdir(path: string): Promise<string[]> {
    return this.run(FileOpKind.Readdir, path, () => {
      const directory = this.directory(FileOpKind.Readdir, path);
      return () => [...directory.names.keys()];
    });
  }

  mkdir(path: string): Promise<void> {
    return this.run(FileOpKind.Mkdir, path, (op) => {
      this.add(op, path, 'mkdir', new DirectoryNode());
      return done;
    });
  }

  /** As the interface says, within one directory. @throws `EXDEV` between two: what a crash leaves then depends on the system. */
  rename(from: string, to: string): Promise<void> {
    return this.run(
      FileOpKind.Rename,
      from,
      (op) => {
        const node = this.existing(op.kind, from);
        const [directory, gone] = this.parent(op.kind, from);
        const [other, come] = this.parent(op.kind, to);
        if (directory !== other) throw new DiskError('EXDEV', op.kind, to);
        const replaced = directory.names.get(come);
        if (replaced === node) return done;
        if (replaced instanceof DirectoryNode || (replaced !== undefined && node instanceof DirectoryNode)) throw new DiskError('EEXIST', op.kind, to);
        this.change(op, directory, { kind: 'rename', gone, come, node });
        return done;
      },
      to,
    );
  }

  link(from: string, to: string): Promise<void> {
    return this.run(
      FileOpKind.Link,
      from,
      (op) => {
        const node = this.existing(op.kind, from);
        if (node instanceof DirectoryNode) throw new DiskError('EPERM', op.kind, from);
        this.add(op, to, 'link', node);
        return done;
      },
      to,
    );
  }

  unlink(path: string): Promise<void> {
    return this.run(FileOpKind.Unlink, path, (op) => {
      if (this.existing(op.kind, path) instanceof DirectoryNode) throw new DiskError('EISDIR', op.kind, path);
      const [directory, gone] = this.parent(op.kind, path);
      this.change(op, directory, { kind: 'unlink', gone, come: '', node: null });
      return done;
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.run(FileOpKind.SyncDirectory, path, (op) => {
      const directory = this.directory(op.kind, path);
      const seq = nextSeq();
      return () => {
        if (!directory.unsynced.some((change) => change.seq < seq)) return;
        this.host.changing(op);
        directory.sync(seq);
      };
    });
  }

  /** A `syncDirectory` that failed as on Linux: see {@link SimFile.loseUnsynced}. */
  loseUnsynced(path: string): void {
    this.directory(FileOpKind.SyncDirectory, path).loseUnsynced();
  }

  /** Ends the process. */
  kill(): void {
    this.alive = false;
  }

  /** For the files: tells of a change. */
  changing(op: FileOp): void {
    this.host.changing(op);
  }

  /**
   * For the files: starts an operation. What `start` does is done at once, what it returns at completion.
   * An error of `start` is given at completion as well.
   */
  run<T>(kind: FileOpKind, path: string, start: (op: FileOp) => () => T, to = '', position = 0, length = 0): Promise<T> {
    return new Promise((resolve, reject) => {
      const op = this.alive ? this.host.admit(kind, path, to, position, length) : null;
      if (op === null) return;
      let finish: () => T;
      try {
        finish = start(op);
      } catch (error) {
        finish = () => {
          throw error;
        };
      }
      const complete = () => {
        if (!this.alive) return;
        try {
          resolve(finish());
        } catch (error) {
          reject(error);
        }
      };
      this.host.schedule(latencyOf(kind), complete, op);
    });
  }

  /** For the files: an operation that is over at once. @throws `EBADF` if the process or the disk has ended. */
  runSync<T>(kind: FileOpKind, path: string, position: number, length: number, run: () => T): T {
    if (!this.alive || this.host.admit(kind, path, '', position, length) === null) throw new DiskError('EBADF', kind, path);
    return run();
  }

  private existing(kind: FileOpKind, path: string): DiskNode {
    const node = nodeAt(this.host.root, path);
    if (node === undefined) throw new DiskError('ENOENT', kind, path);
    return node;
  }

  private directory(kind: FileOpKind, path: string): DirectoryNode {
    const node = this.existing(kind, path);
    if (!(node instanceof DirectoryNode)) throw new DiskError('ENOTDIR', kind, path);
    return node;
  }

  /** The directory that a path is in, which must exist, and the name there. */
  private parent(kind: FileOpKind, path: string): [DirectoryNode, string] {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw new DiskError('EINVAL', kind, path);
    return [this.directory(kind, parts.join('/')), name];
  }

  private add(op: FileOp, path: string, kind: UnsyncedName['kind'], node: DiskNode): void {
    const [directory, come] = this.parent(op.kind, path);
    if (directory.names.has(come)) throw new DiskError('EEXIST', op.kind, path);
    this.change(op, directory, { kind, gone: '', come, node });
  }

  private change(op: FileOp, directory: DirectoryNode, change: Omit<UnsyncedName, 'seq'>): void {
    this.host.changing(op);
    directory.change({ seq: nextSeq(), ...change });
  }
}

/** An open file of a {@link SimFileSystem}. */
export class SimFile implements File {
  readonly path: string;
  private readonly fs: SimFileSystem;
  private readonly node: FileNode;
  private readonly writable: boolean;
  private closed = false;

  constructor(fs: SimFileSystem, node: FileNode, path: string, writable: boolean) {
    this.fs = fs;
    this.node = node;
    this.path = path;
    this.writable = writable;
  }

  size(): Promise<number> {
    return this.fs.run(FileOpKind.Size, this.path, () => {
      this.check(FileOpKind.Size);
      return () => this.node.cached.length;
    });
  }

  read(target: Uint8Array, position: number): Promise<number> {
    const start = () => {
      this.check(FileOpKind.Read, position);
      return () => this.node.cached.read(target, position);
    };
    return this.fs.run(FileOpKind.Read, this.path, start, '', position, target.length);
  }

  readSync(target: Uint8Array, position: number): number {
    return this.fs.runSync(FileOpKind.ReadSync, this.path, position, target.length, () => {
      this.check(FileOpKind.ReadSync, position);
      return this.node.cached.read(target, position);
    });
  }

  write(source: Uint8Array, position: number): Promise<number> {
    const start = (op: FileOp) => {
      this.check(op.kind, position);
      if (!this.writable) throw new DiskError('EBADF', op.kind, this.path);
      if (source.length > 0) {
        this.fs.changing(op);
        this.node.write(nextSeq(), source, position);
      }
      return () => op.length;
    };
    return this.fs.run(FileOpKind.Write, this.path, start, '', position, source.length);
  }

  writeThrough(source: Uint8Array, position: number): Promise<void> {
    return writeThenSync(this, source, position);
  }

  datasync(): Promise<void> {
    return this.fs.run(FileOpKind.Datasync, this.path, (op) => {
      this.check(op.kind);
      const seq = nextSeq();
      return () => {
        if (!this.node.unsynced.some((write) => write.seq < seq)) return;
        this.fs.changing(op);
        this.node.sync(seq);
      };
    });
  }

  close(): Promise<void> {
    return this.fs.run(FileOpKind.Close, this.path, () => {
      this.check(FileOpKind.Close);
      this.closed = true;
      return done;
    });
  }

  /**
   * A `datasync` that failed as on Linux ("fsyncgate"): what was un-synced will never reach the platter, later
   * syncs succeed, and reads return the lost bytes until the cache is evicted or the power fails.
   */
  loseUnsynced(): void {
    this.node.loseUnsynced();
  }

  private check(kind: FileOpKind, position = 0): void {
    if (this.closed) throw new DiskError('EBADF', kind, this.path);
    if (!Number.isSafeInteger(position) || position < 0) throw new DiskError('EINVAL', kind, this.path);
  }
}

function done(): void {}
