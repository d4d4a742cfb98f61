import type { Write } from './request.js';
import type { Versioned } from './stateMachine.js';

/** What the journal knows about a key. A key that is surely not there has no record. */
interface Expected {
  /** What the value may be; undefined stands for a key that is not there. */
  readonly values: ReadonlySet<string | undefined>;
  /** Versions that the key may have, if it is there. */
  readonly least: number;
  readonly most: number;
}

/** How a store differs from what was acknowledged. */
export interface Difference {
  /** Acknowledged writes that are not in the store. */
  readonly lost: number;
  /** Writes that are in the store more often than they were sent. */
  readonly duplicated: number;
}

/**
 * The client's own book of what the group has promised. It shares nothing with the nodes, so that it can
 * convict them.
 */
export class Journal {
  readonly #expected = new Map<string, Expected>();
  #acknowledged = 0;
  #doubtful = 0;

  /** Writes that the group has confirmed. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Writes that were sent and never answered: they may have happened or not. */
  get doubtful(): number {
    return this.#doubtful;
  }

  /** Begins with what the store holds before the first write of this client. */
  begin(store: ReadonlyMap<string, Versioned>): void {
    for (const [key, { value, version }] of store) this.#expected.set(key, { values: new Set([value]), least: version, most: version });
  }

  /** The group has confirmed a write. */
  acknowledge(write: Write): void {
    this.#acknowledged++;
    if (write.kind === 'del') {
      this.#expected.delete(write.key);
      return;
    }
    const before = this.#expected.get(write.key) ?? nothing;
    const least = before.values.has(undefined) ? 1 : before.least + 1;
    this.#expected.set(write.key, { values: new Set([write.value]), least, most: before.most + 1 });
  }

  /** A write was given up. Nothing that is confirmed later can be overtaken by it, because a new session has begun then. */
  doubt(write: Write): void {
    this.#doubtful++;
    const { values, least, most } = this.#expected.get(write.key) ?? nothing;
    const possible = new Set(values);
    if (write.kind === 'del') this.#expected.set(write.key, { values: possible.add(undefined), least: 1, most });
    else this.#expected.set(write.key, { values: possible.add(write.value), least, most: most + 1 });
  }

  /** Compares a store, all of it, with the book. */
  compare(store: ReadonlyMap<string, Versioned>): Difference {
    let lost = 0;
    let duplicated = 0;
    for (const [key, { values, least, most }] of this.#expected) {
      const found = store.get(key);
      if (found === undefined) lost += values.has(undefined) ? 0 : least;
      else if (found.version < least) lost += least - found.version;
      else if (found.version > most) duplicated += found.version - most;
      else if (!values.has(found.value)) lost++;
    }
    // A key that should not be there: its removal is lost, or an old put came again.
    for (const key of store.keys()) if (!this.#expected.has(key)) lost++;
    return { lost, duplicated };
  }
}

const nothing: Expected = { values: new Set([undefined]), least: 1, most: 0 };
