import { Content } from './content.js';
import { randomChoice, type ChoiceSource } from './crashChoices.js';
import { CrashPoint, type CrashChoice } from './crashPoint.js';
import { DirectoryNode, FileNode, filesBelow, nodeAt, partsOf, type DiskNode } from './diskTree.js';
import type { FileOp, FileOpKind, LatencyKind } from './fileOp.js';
import { SimFileSystem, type DiskHost } from './simFileSystem.js';

// Jest's sandbox makes every look-up of a global slow.
const { imul } = Math;
const soon = Promise.resolve();

/** Decides when an operation completes, by calling `run`, once, later. In any order; not at all for an operation that hangs. */
export type Schedule = (latency: LatencyKind, run: () => void, op: FileOp) => void;

export interface SimDiskOptions {
  /** Who completes operations. Default: each one completes in a microtask of its own, in the order of the calls. */
  readonly schedule?: Schedule;
  /** Whether {@link SimDisk.ops} is kept. Default true. */
  readonly keepOps?: boolean;
  /** The disk stops just before this operation: it and all later ones do nothing and never settle; `readSync` throws `EBADF`. Default never. */
  readonly stopBefore?: number;
  /** Told right before an operation changes anything: names and writes at their start, syncs at their completion. */
  readonly onChange?: (op: FileOp) => void;
}

const completeSoon: Schedule = (_latency, run) => void soon.then(run);

/**
 * A disk in memory that knows what would be left of it when the power fails.
 *
 * - A write, and a change of names, is seen by every read from its start on, and stays un-synced.
 * - `datasync` brings the writes that were started before it to the platter, bytes and length; it does so at its
 *   completion. It says nothing about names.
 * - `syncDirectory` does the same for the names in one directory; the name of a directory is in its parent.
 * - Reads, `size` and `readdir` tell what is so at their completion. `readSync` works at once.
 * - When a process is killed, everything it saw stays ({@link kill}). When the power fails, of every un-synced
 *   write each 512-byte sector is by itself old, new, zeros or garbage; the length of a file is the old one, the new
 *   one or one in between that it had; every un-synced change of names happened or not, any subset of them in
 *   their order ({@link crashImage}). Bytes that no un-synced write covers never change, even where they share a
 *   sector with one.
 *
 * ```ts
 * const disk = new SimDisk();
 * const file = await disk.fs.create('a');
 * await disk.fs.syncDirectory('/');
 * await file.write(Uint8Array.of(1, 2, 3), 0);
 * const after = disk.crashImage(new Prng(seed, 'crash')); // 'a' is there, with 0 or 3 bytes
 * await file.datasync();
 * disk.crashImage(nothing(disk.crashPoint())).readFile('a'); // 1, 2, 3
 * ```
 */
export class SimDisk implements DiskHost {
  /** What is on it. For the support of tests. */
  readonly root: DirectoryNode;
  /** Operations so far, in the order of their start. Empty with `keepOps: false`. */
  readonly ops: FileOp[] = [];
  private readonly options: SimDiskOptions;
  private readonly complete: Schedule;
  private count = 0;
  private process = new SimFileSystem(this);

  constructor(options: SimDiskOptions = {}, root = new DirectoryNode()) {
    this.options = options;
    this.complete = options.schedule ?? completeSoon;
    this.root = root;
  }

  /** The disk as the process that runs sees it. After {@link kill}, another one. */
  get fs(): SimFileSystem {
    return this.process;
  }

  /** Number of operations so far. */
  get opCount(): number {
    return this.count;
  }

  /** Kills the process: {@link fs} and its files do nothing any more and never settle. What it saw stays, un-synced where it was. */
  kill(): void {
    this.process.kill();
    this.process = new SimFileSystem(this);
  }

  /** This moment, for as many {@link crashImage}s as wanted. The disk goes on. */
  crashPoint(): CrashPoint {
    return new CrashPoint(this.root);
  }

  /**
   * Another disk: what is left of this one if the power fails now. It shares nothing that changes.
   *
   * @param chooser what happens, or where chance comes from.
   * @param options of the new disk; default: the schedule of this one.
   */
  crashImage(chooser: ChoiceSource | CrashChoice, options = this.inherited()): SimDisk {
    const point = this.crashPoint();
    return new SimDisk(options, point.image('below' in chooser ? randomChoice(point, chooser) : chooser));
  }

  /** A copy, with what is un-synced, for another process. Shares nothing that changes. */
  fork(options = this.inherited()): SimDisk {
    return new SimDisk(options, this.crashPoint().survivor());
  }

  /** Whether a power loss could take anything. */
  get isSynced(): boolean {
    const { sectors, lengths, changes } = this.crashPoint();
    return sectors.length === 0 && lengths.length === 0 && changes.length === 0;
  }

  /** Paths of all files, sorted, without a slash at the beginning. */
  files(): string[] {
    return filesBelow(this.root);
  }

  /** What a read of the whole file returns. Counts as no operation. */
  readFile(path: string): Uint8Array {
    return this.fileAt(path).cached.bytes();
  }

  /** Gives a file its bytes, durably, and makes it and its directories if need be. Counts as no operation. */
  writeFile(path: string, bytes: Uint8Array): void {
    const node = nodeAt(this.root, path);
    const file = node instanceof FileNode ? node : new FileNode();
    file.durable = file.cached = Content.of(bytes);
    file.unsynced = [];
    file.cacheLies = false;
    const parts = partsOf(path);
    if (file !== node) this.directoryOf(parts.slice(0, -1)).put(parts.at(-1)!, file);
  }

  /** Makes a directory and those above it, durably, where they are missing. Counts as no operation. */
  makeDirectory(path: string): void {
    this.directoryOf(partsOf(path));
  }

  /** Takes a name away, durably. Counts as no operation. */
  remove(path: string): void {
    this.fileAt(path);
    const parts = partsOf(path);
    const directory = this.directoryOf(parts.slice(0, -1));
    const name = parts.at(-1)!;
    directory.names.delete(name);
    directory.durable.delete(name);
  }

  /** The clean pages of a file leave the cache: what a failed sync lost is not seen any more. */
  evict(path: string): void {
    this.fileAt(path).evict();
  }

  /** A hash of all names and files as a process sees them: 16 hexadecimal digits. Disks that look the same have the same one. */
  hash(): string {
    const hash = new TreeHash();
    hash.directory(this.root);
    return hash.text;
  }

  admit(kind: FileOpKind, path: string, to: string, position: number, length: number): FileOp | null {
    const { stopBefore = Infinity, keepOps = true } = this.options;
    if (this.count >= stopBefore) return null;
    const op = { index: this.count++, kind, path, to, position, length };
    if (keepOps) this.ops.push(op);
    return op;
  }

  changing(op: FileOp): void {
    this.options.onChange?.(op);
  }

  schedule(latency: LatencyKind, run: () => void, op: FileOp): void {
    this.complete(latency, run, op);
  }

  private inherited(): SimDiskOptions {
    return { schedule: this.complete, keepOps: this.options.keepOps ?? true };
  }

  private fileAt(path: string): FileNode {
    const node = nodeAt(this.root, path);
    if (!(node instanceof FileNode)) throw new Error(`${path} is no file`);
    return node;
  }

  /** A directory, made durably if it is missing. */
  private directoryOf(parts: readonly string[]): DirectoryNode {
    let directory = this.root;
    for (const part of parts) {
      const below = directory.names.get(part) ?? new DirectoryNode();
      if (!(below instanceof DirectoryNode)) throw new Error(`${part} of ${parts.join('/')} is no directory`);
      directory.put(part, below);
      directory = below;
    }
    return directory;
  }
}

/** Two FNV-like hashes side by side: 32 bits would collide among a hundred thousand images. */
class TreeHash {
  private a = 0x811c9dc5;
  private b = 0x9747b28c;
  /** Files with several names count as one. */
  private readonly seen = new Map<DiskNode, number>();

  get text(): string {
    return hex(this.a) + hex(this.b);
  }

  directory(directory: DirectoryNode): void {
    const names = [...directory.names.keys()].sort();
    this.add(names.length, names.length);
    for (const name of names) {
      for (let i = 0; i < name.length; i++) this.add(name.charCodeAt(i), name.charCodeAt(i));
      const node = directory.names.get(name)!;
      const before = this.seen.get(node) ?? -1;
      this.add(before, node instanceof FileNode ? 1 : 2);
      if (before >= 0) continue;
      this.seen.set(node, this.seen.size);
      if (node instanceof FileNode) this.add(node.cached.hashA, node.cached.hashB);
      else this.directory(node);
    }
  }

  private add(a: number, b: number): void {
    this.a = imul(this.a ^ a, 0x01000193) ^ (this.a >>> 13);
    this.b = imul((this.b << 7) ^ (this.b >>> 25) ^ b, 0x5bd1e995);
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
