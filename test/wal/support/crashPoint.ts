import { ContentEdit, isZero, sectorSize, zeroSector, type Content, type Piece } from './content.js';
import { carryOutName, DirectoryNode, FileNode, type DiskNode, type UnsyncedName, type UnsyncedWrite } from './diskTree.js';

/** What became of the part of an un-synced write that lies in one sector. Never touches a byte outside of that part. */
export const SectorState = {
  /** It did not happen. */
  Old: 0,
  /** It happened. */
  New: 1,
  /** Zeros are there. */
  Zero: 2,
  /** Something is there: no byte is the old one, the new one or zero. */
  Garbage: 3,
} as const;
export type SectorState = (typeof SectorState)[keyof typeof SectorState];

/** Part of an un-synced write: one sector, or less. */
export interface UnsyncedSector {
  readonly seq: number;
  /** A path of the file. */
  readonly path: string;
  /** Where in the file. */
  readonly position: number;
  readonly length: number;
}

/** A file whose length is not the one on the platter. */
export interface UnsyncedLength {
  readonly path: string;
  /** What it may be: first that of the platter, last that of the page cache, ascending. */
  readonly lengths: readonly number[];
}

/** An un-synced change of a directory. */
export interface UnsyncedChange {
  readonly seq: number;
  readonly kind: UnsyncedName['kind'];
  /** Path that goes; empty for none. */
  readonly gone: string;
  /** Path that comes; empty for none. */
  readonly come: string;
}

/** What became of everything that was un-synced when the power failed. */
export interface CrashChoice {
  /** For each of {@link CrashPoint.sectors}: its {@link SectorState}. */
  readonly sectors: ArrayLike<number>;
  /** For each of {@link CrashPoint.lengths}: which one. */
  readonly lengths: ArrayLike<number>;
  /** For each of {@link CrashPoint.changes}: 1 if it happened, 0 if not. */
  readonly changes: ArrayLike<number>;
  /** What garbage is made from. Default 0. */
  readonly garbage?: number;
}

/** A file as it was, for as often as it is needed. */
interface CapturedFile {
  readonly durable: Content;
  readonly cached: Content;
  readonly cacheLies: boolean;
  readonly writes: readonly UnsyncedWrite[];
  readonly pieces: readonly Piece[];
  /** Place in {@link CrashPoint.sectors} of each piece. */
  readonly places: number[];
  /** Place in {@link CrashPoint.lengths}; -1 if the length is certain. */
  readonly lengthAt: number;
}

interface CapturedDirectory {
  readonly durable: ReadonlyMap<string, DiskNode>;
  readonly names: ReadonlyMap<string, DiskNode>;
  readonly changes: readonly UnsyncedName[];
  /** Place in {@link CrashPoint.changes} of each change. */
  readonly places: number[];
}

/** What tells whether two states of a sector look the same. */
interface SectorTraits {
  readonly position: number;
  /** Place in {@link CrashPoint.lengths}; -1 if the length is certain. */
  readonly lengthAt: number;
  /** Whether zeros are below the piece, and no other un-synced piece is. */
  readonly oldIsZero: boolean;
  readonly newIsZero: boolean;
}

const stateLetters = 'onzg';

function traitsOf({ durable, pieces, lengthAt }: CapturedFile, at: number): SectorTraits {
  const { position, length, buffer, offset, whole } = pieces[at]!;
  const index = Math.floor(position / sectorSize);
  const below = durable.sectors[index] ?? zeroSector;
  const start = below.offset + (position % sectorSize);
  let oldIsZero = below === zeroSector || isZero(below.buffer, start, start + length);
  for (let i = 0; oldIsZero && i < at; i++) if (Math.floor(pieces[i]!.position / sectorSize) === index) oldIsZero = false;
  return { position, lengthAt, oldIsZero, newIsZero: whole === zeroSector || isZero(buffer, offset, offset + length) };
}

/** A moment of a disk at which the power may fail. Stays as it is while the disk goes on. */
export class CrashPoint {
  /** Parts of un-synced writes, in the order of the writes. */
  readonly sectors: readonly UnsyncedSector[];
  /** Files of uncertain length. */
  readonly lengths: readonly UnsyncedLength[];
  /** Un-synced changes of directories, in their order. */
  readonly changes: readonly UnsyncedChange[];
  private readonly traits: readonly SectorTraits[];
  private readonly root: DirectoryNode;
  private readonly files = new Map<FileNode, CapturedFile>();
  private readonly directories = new Map<DirectoryNode, CapturedDirectory>();

  constructor(root: DirectoryNode) {
    this.root = root;
    const sectors: (UnsyncedSector & { readonly place: number[]; readonly at: number; readonly file: CapturedFile })[] = [];
    const lengths: UnsyncedLength[] = [];
    const changes: (UnsyncedChange & { readonly place: number[]; readonly at: number })[] = [];
    this.capture(root, '', (node, path) => {
      if (node instanceof DirectoryNode) {
        const places: number[] = [];
        node.unsynced.forEach(({ seq, kind, gone, come }, at) => {
          changes.push({ seq, kind, gone: gone && join(path, gone), come: come && join(path, come), place: places, at });
        });
        this.directories.set(node, { durable: new Map(node.durable), names: new Map(node.names), changes: node.unsynced.slice(), places });
        return;
      }
      const { durable, cached, cacheLies } = node;
      const writes = node.unsynced.slice();
      const possible = [durable.length];
      for (const { end } of writes) if (end > possible.at(-1)!) possible.push(end);
      const lengthAt = possible.length === 1 ? -1 : lengths.push({ path, lengths: possible }) - 1;
      const pieces: Piece[] = [];
      const places: number[] = [];
      const file = { durable, cached, cacheLies, writes, pieces, places, lengthAt };
      for (const { seq, pieces: written } of writes) {
        for (const piece of written) {
          sectors.push({ seq, path, position: piece.position, length: piece.length, place: places, at: pieces.length, file });
          pieces.push(piece);
        }
      }
      this.files.set(node, file);
    });
    // A stable sort: the pieces of one write stay in order.
    for (const list of [sectors, changes]) {
      list.sort((a, b) => a.seq - b.seq);
      list.forEach(({ place, at }, index) => (place[at] = index));
    }
    this.sectors = sectors;
    this.lengths = lengths;
    this.changes = changes;
    this.traits = sectors.map(({ at, file }) => traitsOf(file, at));
  }

  /**
   * A name for the image of a choice. Two choices with the same one give the same image; it is much cheaper than the
   * image, and most of those that are enumerated for a file of zeros are the same.
   */
  key(choice: CrashChoice): string {
    let key = '';
    for (let i = 0; i < this.traits.length; i++) {
      const { oldIsZero, newIsZero, position, lengthAt } = this.traits[i]!;
      let state = choice.sectors[i]!;
      if (lengthAt >= 0 && position >= this.lengths[lengthAt]!.lengths[choice.lengths[lengthAt]!]!) state = SectorState.Old;
      if (newIsZero && state === SectorState.New) state = SectorState.Zero;
      if (oldIsZero && state === SectorState.Zero) state = SectorState.Old;
      key += stateLetters[state];
    }
    for (let i = 0; i < this.lengths.length; i++) key += ` ${choice.lengths[i]}`;
    key += ' ';
    for (let i = 0; i < this.changes.length; i++) key += choice.changes[i] === 1 ? '1' : '0';
    return choice.garbage === undefined ? key : `${key} ${choice.garbage}`;
  }

  /** What is on the platter after the power failed, as the root of a new disk. Everything on it is durable. */
  image(choice: CrashChoice): DirectoryNode {
    const { sectors, lengths, changes } = this;
    if (choice.sectors.length !== sectors.length || choice.lengths.length !== lengths.length || choice.changes.length !== changes.length) {
      throw new RangeError('the choice is not one for this crash point');
    }
    const built = new Map<DiskNode, DiskNode>();
    const build = (node: DiskNode): DiskNode => {
      let copy = built.get(node);
      if (copy !== undefined) return copy;
      if (node instanceof FileNode) {
        copy = new FileNode();
        copy.durable = copy.cached = this.contentOf(node, choice);
      } else {
        copy = new DirectoryNode();
        const captured = this.directories.get(node)!;
        let names = captured.durable;
        if (captured.changes.length > 0) {
          const chosen = new Map(names);
          captured.changes.forEach((change, i) => {
            if (choice.changes[captured.places[i]!] === 1) carryOutName(chosen, change, change.node);
          });
          names = chosen;
        }
        for (const [name, below] of names) copy.put(name, build(below));
      }
      built.set(node, copy);
      return copy;
    };
    return build(this.root) as DirectoryNode;
  }

  /** The whole disk as it was, with what is un-synced: what is left when a process is killed. */
  survivor(): DirectoryNode {
    const built = new Map<DiskNode, DiskNode>();
    const build = (node: DiskNode): DiskNode => {
      let copy = built.get(node);
      if (copy !== undefined) return copy;
      if (node instanceof FileNode) {
        const { durable, cached, cacheLies, writes } = this.files.get(node)!;
        copy = Object.assign(new FileNode(), { durable, cached, cacheLies, unsynced: writes.slice() });
        built.set(node, copy);
        return copy;
      }
      const captured = this.directories.get(node)!;
      const directory = new DirectoryNode();
      built.set(node, directory);
      for (const [name, below] of captured.durable) directory.durable.set(name, build(below));
      for (const [name, below] of captured.names) directory.names.set(name, build(below));
      directory.unsynced = captured.changes.map((change) => ({ ...change, node: change.node && build(change.node) }));
      return directory;
    };
    return build(this.root) as DirectoryNode;
  }

  /** Visits everything that has a name on the platter, in memory or on its way, once. */
  private capture(node: DiskNode, path: string, visit: (node: DiskNode, path: string) => void): void {
    if (node instanceof FileNode) {
      if (!this.files.has(node)) visit(node, path);
      return;
    }
    if (this.directories.has(node)) return;
    visit(node, path);
    for (const [name, below] of node.names) this.capture(below, join(path, name), visit);
    for (const change of node.unsynced) if (change.node !== null) this.capture(change.node, join(path, change.come), visit);
    for (const [name, below] of node.durable) this.capture(below, join(path, name), visit);
  }

  private contentOf(node: FileNode, choice: CrashChoice): Content {
    const { durable, pieces, places, lengthAt } = this.files.get(node)!;
    if (pieces.length === 0) return durable;
    const edit = new ContentEdit(durable);
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i]!;
      switch (choice.sectors[places[i]!]) {
        case SectorState.New:
          edit.put(piece);
          break;
        case SectorState.Zero:
          edit.zero(piece);
          break;
        case SectorState.Garbage:
          edit.garble(piece, choice.garbage ?? 0);
          break;
        default:
      }
    }
    return edit.finish(lengthAt < 0 ? durable.length : this.lengths[lengthAt]!.lengths[choice.lengths[lengthAt]!]!);
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
