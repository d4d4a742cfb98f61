import type { ConfState, Entry, HardState, Index, Snapshot, Storage } from '../../core/index.js';

/** What a `Ready`, or the work of an append thread, asks to be made durable. What is not given stays as it is. */
export interface LogWrite {
  /** Entries; where they overlap the log, they replace its end. They must not leave a gap. */
  readonly entries?: readonly Entry[];
  /** Term, vote and commit index. The term never goes down, the vote changes within a term only from none, the commit index never goes down. */
  readonly hardState?: HardState | null;
  /** Snapshot received from a leader. It replaces the whole log, before `entries` are appended, and must be newer than the one in the storage. */
  readonly snapshot?: Snapshot | null;
  /**
   * Whether the promise waits for the disk; `Ready.mustSync || Ready.snapshot !== null`. Without it the write
   * may wait in memory for the next one that syncs, or for `close`: enough for a commit index that has moved.
   * Its promise may then resolve before that of an earlier write: with `asyncStorageWrites`, deliver the responses
   * in the order of the calls.
   * Default true.
   */
  readonly sync?: boolean;
}

/**
 * A {@link Storage} that the host writes through one call: one call is one atomic piece on the disk, with one
 * sync, so that nobody can order hard state, snapshot and entries wrongly.
 *
 * A write can be read as soon as the call returns; it is durable once the promise resolves. Calls need not
 * wait for one another: what arrives while a sync runs shares the next one, in the order of the calls.
 *
 * The first operation of the disk that fails ends the instance: that call and all later ones reject, reads
 * throw, nothing is tried again. Start anew from the disk.
 */
export interface DurableLog extends Storage {
  /**
   * Makes a write durable.
   *
   * Arguments are checked before anything is done; a write that is refused has changed nothing. Bytes that are
   * given must not be changed afterwards. A write without anything in it makes durable what was written before it.
   */
  append(write: LogWrite): Promise<void>;

  /**
   * Keeps a snapshot of the host's own state machine, for followers that are too far behind and for the next
   * start. The log stays as it is; `compact` shortens it.
   *
   * @param index of the last entry it contains: committed, in the log, and above that of the snapshot before.
   * @param confState the configuration as of that entry.
   */
  createSnapshot(index: Index, confState: ConfState, data: Uint8Array): Promise<void>;

  /**
   * Discards the entries up to `index`, which must be covered by a snapshot. Never discards more; may keep
   * space on the disk for longer.
   */
  compact(index: Index): Promise<void>;

  /** Carries out what was asked for before, makes durable what still waits, and releases everything. Calls afterwards reject. */
  close(): Promise<void>;
}
