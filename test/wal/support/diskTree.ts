import { Content, ContentEdit, copyOf, piecesOf, type Piece } from './content.js';

let lastSeq = 0;

/** A place behind everything that was ever done to any disk. */
export function nextSeq(): number {
  return ++lastSeq;
}

/** A write that is in the page cache alone. */
export interface UnsyncedWrite {
  /** Its place among all changes of the disk. */
  readonly seq: number;
  readonly pieces: readonly Piece[];
  /** Where in the file it ends. */
  readonly end: number;
}

/** A file: what is on the platter, what is on its way there, and what a read sees. Any number of names. */
export class FileNode {
  durable = Content.empty;
  /** The page cache. */
  cached = Content.empty;
  unsynced: UnsyncedWrite[] = [];
  /** Whether the page cache shows bytes that nobody will ever bring to the platter. */
  cacheLies = false;

  /** A write to the page cache. */
  write(seq: number, source: Uint8Array, position: number): void {
    const pieces = piecesOf(copyOf(source), position);
    const edit = new ContentEdit(this.cached);
    for (const piece of pieces) edit.put(piece);
    const end = position + source.length;
    this.cached = edit.finish(Math.max(this.cached.length, end));
    this.unsynced.push({ seq, pieces, end });
  }

  /** Brings the writes up to `seq` to the platter. */
  sync(seq: number): void {
    const { unsynced } = this;
    let count = unsynced.length;
    while (count > 0 && unsynced[count - 1]!.seq > seq) count--;
    if (count === 0) return;
    if (count === unsynced.length && !this.cacheLies) this.durable = this.cached;
    else this.durable = carriedOut(this.durable, unsynced.slice(0, count));
    this.unsynced = unsynced.slice(count);
  }

  /** What a failed flush does on Linux: the pages count as clean, the platter never gets them, reads see them still. */
  loseUnsynced(): void {
    if (this.unsynced.length === 0) return;
    this.unsynced = [];
    this.cacheLies = true;
  }

  /** The clean pages leave the cache; reads come from the platter again. */
  evict(): void {
    this.cached = carriedOut(this.durable, this.unsynced);
    this.cacheLies = false;
  }
}

/** A content with writes on top of it. */
function carriedOut(base: Content, writes: readonly UnsyncedWrite[]): Content {
  const edit = new ContentEdit(base);
  let { length } = base;
  for (const write of writes) {
    for (const piece of write.pieces) edit.put(piece);
    length = Math.max(length, write.end);
  }
  return edit.finish(length);
}

/** A change of a directory that is in memory alone. Takes one name away, gives one, or both in one step (rename). */
export interface UnsyncedName {
  /** Its place among all changes of the disk. */
  readonly seq: number;
  readonly kind: 'create' | 'mkdir' | 'link' | 'unlink' | 'rename';
  /** The name that goes; empty for none. */
  readonly gone: string;
  /** The name that comes; empty for none. */
  readonly come: string;
  /** What it names; null without one. */
  readonly node: DiskNode | null;
}

/** A directory: names on the platter, changes on their way there, and what a process sees. */
export class DirectoryNode {
  durable = new Map<string, DiskNode>();
  names = new Map<string, DiskNode>();
  unsynced: UnsyncedName[] = [];

  /** Changes what a process sees. */
  change(change: UnsyncedName): void {
    carryOutName(this.names, change, change.node);
    this.unsynced.push(change);
  }

  /** Brings the changes up to `seq` to the platter. */
  sync(seq: number): void {
    const later: UnsyncedName[] = [];
    for (const change of this.unsynced) {
      if (change.seq <= seq) carryOutName(this.durable, change, change.node);
      else later.push(change);
    }
    this.unsynced = later;
  }

  /** A failed flush of the directory: nobody brings the changes to the platter any more, but they are seen. */
  loseUnsynced(): void {
    this.unsynced = [];
  }

  /** Gives a name at once and for good, as if it had always been there. */
  put(name: string, node: DiskNode): void {
    this.names.set(name, node);
    this.durable.set(name, node);
  }
}

export type DiskNode = FileNode | DirectoryNode;

/** A change of names, with `node` for what comes. */
export function carryOutName(names: Map<string, DiskNode>, change: UnsyncedName, node: DiskNode | null): void {
  if (change.gone !== '') names.delete(change.gone);
  if (change.come !== '' && node !== null) names.set(change.come, node);
}

/** The parts of a path. Absolute and relative paths are the same: there is no working directory. */
export function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

/** What a path names now; undefined for nothing. */
export function nodeAt(root: DirectoryNode, path: string): DiskNode | undefined {
  let node: DiskNode | undefined = root;
  for (const part of partsOf(path)) {
    if (!(node instanceof DirectoryNode)) return undefined;
    node = node.names.get(part);
  }
  return node;
}

/** Paths of all files that a process sees, sorted. */
export function filesBelow(directory: DirectoryNode, path = ''): string[] {
  const files: string[] = [];
  for (const [name, node] of directory.names) {
    const own = path === '' ? name : `${path}/${name}`;
    if (node instanceof DirectoryNode) files.push(...filesBelow(node, own));
    else files.push(own);
  }
  return files.sort();
}
