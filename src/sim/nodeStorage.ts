import type { ConfState, HardState, Snapshot } from '../core/raftpb/state.js';
import type { MemoryStorage } from '../core/storage/memoryStorage.js';
import type { Storage } from '../core/storage/storage.js';
import type { Index } from '../core/types.js';
import type { DurableView } from './checker.js';
import type { Prng } from './prng.js';

/** What carries out the Readys of a node: synchronous or with storage threads. Made anew with every start. */
export interface ReadyHandler {
  /** Takes and handles Readys as far as it gets now. */
  pump(): void;
  /** Whether the host waits for its disk and could do nothing else if it were a single thread. */
  readonly waiting: boolean;
}

/** What was on a disk at some time: a backup. */
export interface DiskCopy {
  /** Hard state on it. */
  readonly hardState: HardState;
  /** Its content. Never changed. */
  readonly content: MemoryStorage;
}

/** What a power loss did to writes that were not synced. */
export interface PowerLoss {
  /** Whether some are there all the same. */
  readonly kept: boolean;
  /** Whether some are gone. */
  readonly lost: boolean;
}

/**
 * The storage on the machine of a node, as far as the node has to do with it: it outlives processes. Writing is the
 * business of the {@link ReadyHandler} that it comes with.
 */
export interface NodeStorage extends Storage {
  /** What would be left after a power loss, at least. */
  readonly durable: DurableView;
  /** Hard state as it was written last. */
  readonly writtenHardState: HardState;
  /** Configuration of a durable state machine; null to take that of the snapshot. */
  machineConfState: ConfState | null;

  /** The newest snapshot that was written, whether or not it can be had by the leader right now. */
  newestSnapshot(): Snapshot;

  /** Puts the state of a new group, with its members in a snapshot, on an empty disk. Before the first start. */
  format(founding: Snapshot): void;

  /** A process starts. Calls `opened` once all of it can be read and is durable: at once, or later unless it crashes before. */
  open(opened: () => void): void;

  /** Saves a commit index. Right after opening: the state machine had gone beyond the one that was saved. */
  saveCommit(commit: Index): void;

  /** Keeps a snapshot of the node's own state machine, then discards the log up to `compact`; 0 for nothing. */
  saveSnapshot(created: Snapshot, compact: Index): void;

  /** The process ends; what was written stays. */
  kill(): void;

  /** The machine ends: of what was not synced chance decides what stays. */
  losePower(random: Prng): PowerLoss;

  /** The process ends in good order: everything written is durable. */
  shutDown(): void;

  /** A copy of what is durable. */
  backup(): DiskCopy;

  /** Puts another disk in: an empty one, or one with the content of a backup. Nothing may be using this one. */
  replaceDisk(backup: DiskCopy | null): void;
}

/** What a node is made of besides the core. */
export interface NodeParts {
  readonly storage: NodeStorage;
  /** What a process carries out its Readys with. */
  newHandler(): ReadyHandler;
}
