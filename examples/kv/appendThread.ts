import type { Message, Ready } from 'raftstep';
import type { DurableLog } from 'raftstep/wal';

/** What an append thread has to tell. */
export interface AppendThreadEvents {
  /** What a Ready asked to be saved is, and so is everything before it: `responses` may be delivered. */
  saved(rd: Ready, responses: readonly Message[]): void;
  /** It could not be saved. Nothing after it will be. */
  failed(error: unknown): void;
}

/**
 * Saves what a RawNode with `asyncStorageWrites` hands out, while the node goes on.
 *
 * The other way would be one Ready at a time, with an inbox that fills up while the disk is busy. That costs a
 * leader the time of two disks for each entry: its own, and then that of the followers. And a log that takes many
 * writes at once puts them into one sync.
 */
export class AppendThread {
  readonly #log: DurableLog;
  readonly #events: AppendThreadEvents;
  #waitingBytes = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(log: DurableLog, events: AppendThreadEvents) {
    this.#log = log;
    this.#events = events;
  }

  /** Bytes of entries that are not saved yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Saves the log part of a Ready. All of them must come here, in their order. */
  save(rd: Ready, responses: readonly Message[]): void {
    const { entries, hardState, snapshot, mustSync } = rd;
    const bytes = entries.reduce((sum, { data }) => sum + data.length, 0);
    this.#waitingBytes += bytes;
    const saved = this.#log.append({ entries, hardState, snapshot, sync: mustSync || snapshot !== null });
    // What need not be synced is done at once, and so overtakes what must. Its responses may speak of that all the
    // same: a new commit index comes with an acknowledgement of the entries before it.
    this.#last = Promise.all([this.#last, saved]);
    this.#last.then(
      () => {
        this.#waitingBytes -= bytes;
        this.#events.saved(rd, responses);
      },
      (error: unknown) => this.#events.failed(error),
    );
  }
}
