import { RaftError, RaftErrorCode } from '../core/errors.js';
import type { Entry } from '../core/raftpb/entry.js';
import { emptyHardState, type ConfState, type HardState, type Snapshot } from '../core/raftpb/state.js';
import { MemoryStorage } from '../core/storage/memoryStorage.js';
import type { InitialState, Storage } from '../core/storage/storage.js';
import type { Index, Term } from '../core/types.js';
import type { DurableView } from './checker.js';
import type { DiskCopy, NodeStorage, PowerLoss } from './nodeStorage.js';
import type { Prng } from './prng.js';

/** One write of a host. All of it reaches the disk, or nothing. */
export interface SimWrite {
  readonly hardState: HardState | null;
  readonly entries: readonly Entry[];
  /** Snapshot of a leader, which replaces the log. */
  readonly snapshot: Snapshot | null;
  /** Snapshot of the node's own state machine. */
  readonly created: Snapshot | null;
  /** Log to be discarded up to here; 0 for nothing. */
  readonly compact: Index;
}

const nothing: SimWrite = { hardState: null, entries: [], snapshot: null, created: null, compact: 0 };

/** A write of the given parts. */
export function newWrite(parts: Partial<SimWrite>): SimWrite {
  return { ...nothing, ...parts };
}

/**
 * The disk of a node. What is written can be read at once and survives the end of the process. What is
 * synced survives the end of the machine. Writes that were not synced when the power fails are lost from
 * some write on: a log file is written in order.
 */
export class SimStorage implements NodeStorage {
  /** Page cache: everything written. */
  private written = new MemoryStorage();
  /** Platter: everything synced. */
  private disk = new MemoryStorage();
  private hardState: HardState = emptyHardState;
  private unsynced: SimWrite[] = [];
  /** Whether `snapshot` has nothing to give yet this time. */
  private readonly snapshotFails: () => boolean;
  machineConfState: ConfState | null = null;
  readonly durable: DurableView = new Durable(() => this.disk);

  /** @param snapshotFails asked whenever the leader wants a snapshot. */
  constructor(snapshotFails: () => boolean) {
    this.snapshotFails = snapshotFails;
  }

  /** Writes that are not synced yet. */
  get pendingWrites(): number {
    return this.unsynced.length;
  }

  get writtenHardState(): HardState {
    return this.hardState;
  }

  /** Carries a write out in the page cache. */
  write(w: SimWrite): void {
    carryOut(this.written, w);
    if (w.hardState !== null) this.hardState = w.hardState;
    this.unsynced.push(w);
  }

  /** Brings everything written so far to the platter. */
  sync(): void {
    this.syncFirst(this.unsynced.length);
  }

  /** Brings the oldest `count` writes to the platter. */
  syncFirst(count: number): void {
    for (let i = 0; i < count; i++) carryOut(this.disk, this.unsynced[i]!);
    if (count === this.unsynced.length) this.unsynced = [];
    else this.unsynced = this.unsynced.slice(count);
  }

  format(founding: Snapshot): void {
    const { index, term } = founding.metadata;
    this.write(newWrite({ snapshot: founding, hardState: { term, vote: 0, commit: index } }));
    this.sync();
  }

  open(opened: () => void): void {
    // Whoever opens a log has to sync it: the node takes what it reads for durable.
    this.sync();
    opened();
  }

  saveCommit(commit: Index): void {
    this.write(newWrite({ hardState: { ...this.hardState, commit } }));
    this.sync();
  }

  saveSnapshot(created: Snapshot, compact: Index): void {
    this.write(newWrite({ created, compact }));
  }

  kill(): void {
    // The page cache belongs to the machine.
  }

  losePower(random: Prng): PowerLoss {
    const kept = random.chance(0.5) ? random.below(this.unsynced.length + 1) : 0;
    return { kept: kept > 0, lost: this.keepFirst(kept) > 0 };
  }

  shutDown(): void {
    this.keepFirst(this.unsynced.length);
  }

  /**
   * The power fails. The oldest `kept` writes that were not synced happen to be on the platter all the same.
   *
   * @returns how many writes are lost.
   */
  keepFirst(kept: number): number {
    this.syncFirst(Math.min(kept, this.unsynced.length));
    const lost = this.unsynced.length;
    this.unsynced = [];
    if (lost > 0) this.written = copyOf(this.disk);
    this.hardState = this.disk.initialState().hardState;
    return lost;
  }

  backup(): DiskCopy {
    return { hardState: this.disk.initialState().hardState, content: copyOf(this.disk) };
  }

  replaceDisk(backup: DiskCopy | null): void {
    this.disk = backup === null ? new MemoryStorage() : copyOf(backup.content);
    this.written = copyOf(this.disk);
    this.hardState = this.disk.initialState().hardState;
    this.unsynced = [];
    this.machineConfState = null;
  }

  initialState(): InitialState {
    const { hardState, confState } = this.written.initialState();
    return { hardState, confState: this.machineConfState ?? confState };
  }

  entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    return this.written.entries(lo, hi, maxBytes);
  }

  term(index: Index): Term {
    return this.written.term(index);
  }

  firstIndex(): Index {
    return this.written.firstIndex();
  }

  lastIndex(): Index {
    return this.written.lastIndex();
  }

  snapshot(): Snapshot {
    if (this.snapshotFails()) throw new RaftError(RaftErrorCode.SnapshotTemporarilyUnavailable, 'the snapshot is being made');
    return this.written.snapshot();
  }

  newestSnapshot(): Snapshot {
    return this.written.snapshot();
  }
}

/** Carries a write out. */
export function carryOut(storage: MemoryStorage, w: SimWrite): void {
  if (w.snapshot !== null) storage.applySnapshot(w.snapshot);
  if (w.entries.length > 0) storage.append(w.entries);
  if (w.hardState !== null) storage.setHardState(w.hardState);
  if (w.created !== null) {
    const { index, confState } = w.created.metadata;
    storage.createSnapshot(index, confState, w.created.data);
  }
  if (w.compact > 0) storage.compact(w.compact);
}

/** A copy of what a storage holds. */
export function copyOf(source: Storage): MemoryStorage {
  const copy = new MemoryStorage();
  const snapshot = source.snapshot();
  const { hardState } = source.initialState();
  const offset = source.firstIndex() - 1;
  const last = source.lastIndex();
  if (offset === snapshot.metadata.index) {
    if (offset > 0 || snapshot.metadata.confState.voters.length > 0) copy.applySnapshot(snapshot);
  } else if (offset > 0) {
    // A bare position for the log to begin after; the snapshot itself lies behind it.
    copy.applySnapshot({ data: snapshot.data, metadata: { ...snapshot.metadata, index: offset, term: source.term(offset) } });
  }
  if (last > offset) copy.append(source.entries(offset + 1, last + 1, Infinity));
  if (snapshot.metadata.index > offset) copy.createSnapshot(snapshot.metadata.index, snapshot.metadata.confState, snapshot.data);
  copy.setHardState(hardState);
  return copy;
}

/** Reads the platter. */
export class Durable implements DurableView {
  private readonly source: () => MemoryStorage;

  constructor(source: () => MemoryStorage) {
    this.source = source;
  }

  get hardState(): HardState {
    return this.source().initialState().hardState;
  }

  get snapshotIndex(): Index {
    return this.source().snapshot().metadata.index;
  }

  get offset(): Index {
    return this.source().firstIndex() - 1;
  }

  get lastIndex(): Index {
    return this.source().lastIndex();
  }

  get lastTerm(): Term {
    const disk = this.source();
    return disk.term(disk.lastIndex());
  }

  term(index: Index): Term {
    const disk = this.source();
    if (index < disk.firstIndex() - 1 || index > disk.lastIndex()) return -1;
    return disk.term(index);
  }
}
