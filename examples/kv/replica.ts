import type { ConfState, Entry, Index, Snapshot } from 'raftstep';
import type { NodeLog } from './disk.js';
import { decodeRequest, type Request } from './request.js';
import { StateMachine, type Outcome } from './stateMachine.js';

/** Entries after which a snapshot is made, at least. A large state waits for as many entries as it had keys, so that the work stays in proportion. */
const snapshotEvery = 4096;

/** Entries before a snapshot that stay in the log, for followers that are only a little behind. */
const keptEntries = 1024;

/**
 * The store of one node, with the place in the log up to which it has come. Starts from a snapshot, and
 * makes a new one when the log has become long.
 */
export class Replica {
  readonly #log: NodeLog;
  #store!: StateMachine;
  #applied!: Index;
  #snapshotIndex!: Index;
  #snapshotKeys!: number;
  #confState!: ConfState;
  #isCompacting = false;

  /** @param snapshot the one in the log. */
  constructor(log: NodeLog, snapshot: Snapshot) {
    this.#log = log;
    this.restore(snapshot);
  }

  get store(): StateMachine {
    return this.#store;
  }

  /** Index of the entry that was applied last. */
  get applied(): Index {
    return this.#applied;
  }

  /** Starts anew from a snapshot. */
  restore({ data, metadata }: Snapshot): void {
    this.#store = StateMachine.restore(data);
    this.#confState = metadata.confState;
    this.#applied = metadata.index;
    this.#snapshotIndex = metadata.index;
    this.#snapshotKeys = this.#store.values.size;
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

  /** Whether it is time for {@link compact}. */
  get isLogLong(): boolean {
    if (this.#isCompacting || this.#applied - this.#snapshotIndex < Math.max(snapshotEvery, this.#snapshotKeys)) return false;
    // While a snapshot of the leader is being saved, the log is ahead of the store.
    return this.#applied >= this.#log.firstIndex();
  }

  /** Replaces the older part of the log by a snapshot. Only what the RawNode knows to be applied may go: call it after the RawNode was told. */
  async compact(): Promise<void> {
    this.#isCompacting = true;
    this.#snapshotIndex = this.#applied;
    this.#snapshotKeys = this.#store.values.size;
    const compactTo = this.#applied - keptEntries;
    await this.#log.createSnapshot(this.#applied, this.#confState, this.#store.save());
    if (compactTo >= this.#log.firstIndex()) await this.#log.compact(compactTo);
    this.#isCompacting = false;
  }
}
