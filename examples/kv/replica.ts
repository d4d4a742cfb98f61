import type { ConfState, Entry, Index, MemoryStorage } from 'raftstep';
import { decodeRequest, type Request } from './request.js';
import { StateMachine, type Outcome } from './stateMachine.js';

/** Entries after which a snapshot is made, at least. A large state waits for as many entries as it had keys, so that the work stays in proportion. */
const snapshotEvery = 4096;

/** Entries before a snapshot that stay in the log, for followers that are only a little behind. */
const keptEntries = 1024;

/**
 * The store of one node, with the place in the log up to which it has come. Starts from the snapshot in
 * the storage, and puts a new one there when the log has become long.
 */
export class Replica {
  readonly #storage: MemoryStorage;
  #store = new StateMachine();
  #applied: Index = 0;
  #snapshotIndex: Index = 0;
  #snapshotKeys = 0;
  #confState: ConfState;

  constructor(storage: MemoryStorage) {
    this.#storage = storage;
    this.#confState = storage.snapshot().metadata.confState;
    this.restore();
  }

  get store(): StateMachine {
    return this.#store;
  }

  /** Index of the entry that was applied last. */
  get applied(): Index {
    return this.#applied;
  }

  /** Starts anew from the snapshot in the storage. Returns its index. */
  restore(): Index {
    const { data, metadata } = this.#storage.snapshot();
    this.#store = StateMachine.restore(data);
    this.#confState = metadata.confState;
    this.#applied = metadata.index;
    this.#snapshotIndex = metadata.index;
    this.#snapshotKeys = this.#store.values.size;
    return metadata.index;
  }

  /** Takes note of a configuration change that the RawNode has carried out; null if it had no effect. */
  applyConfChange(entry: Entry, confState: ConfState | null): void {
    this.#applied = entry.index;
    this.#confState = confState ?? this.#confState;
  }

  /**
   * Applies an entry. A new leader begins with an entry without data; that, and anything else that is no
   * request, is skipped by all nodes alike.
   */
  apply(entry: Entry, answer: (request: Request, outcome: Outcome) => void): void {
    this.#applied = entry.index;
    const request = decodeRequest(entry.data);
    if (request !== null) answer(request, this.#store.apply(request));
  }

  /** Replaces the older part of the log by a snapshot, if it is time. Only what the RawNode knows to be applied may go: call it after `advance`. */
  compact(): void {
    if (this.#applied - this.#snapshotIndex < Math.max(snapshotEvery, this.#snapshotKeys)) return;
    this.#storage.createSnapshot(this.#applied, this.#confState, this.#store.save());
    this.#snapshotIndex = this.#applied;
    this.#snapshotKeys = this.#store.values.size;
    const compactTo = this.#applied - keptEntries;
    if (compactTo >= this.#storage.firstIndex()) this.#storage.compact(compactTo);
  }
}
