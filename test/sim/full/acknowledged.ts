import { confStatesEquivalent, hardStatesEqual, type HardState, type Snapshot } from '../../../src/core/raftpb/state.js';
import type { Entry } from '../../../src/core/raftpb/entry.js';
import { MemoryStorage } from '../../../src/core/storage/memoryStorage.js';
import { Violation } from '../../../src/sim/index.js';
import { carryOut, copyOf, Durable, newWrite, type SimWrite } from '../../../src/sim/simStorage.js';

/** What a restart has found of the writes that nobody was told of. */
export interface Recovery {
  /** Writes that are there all the same. */
  readonly found: number;
  /** Writes that are gone. */
  readonly gone: number;
}

/**
 * What the owner of a log was told is durable, and what it has written besides. I24: what the next process finds is
 * all that was acknowledged, and of the writes after that the first few, each of them whole.
 */
export class Acknowledged {
  private log = new MemoryStorage();
  /** Writes under way, in the order in which they were made. */
  private pending: SimWrite[] = [];
  /** Own snapshots under way. The log says on its own when they take their place among the writes. */
  private creating: Snapshot[] = [];
  /** What would be left after a power loss, at least. */
  readonly durable = new Durable(() => this.log);

  /** What was acknowledged. */
  get content(): MemoryStorage {
    return this.log;
  }

  /** Notes a write, before it is made. Returns what to call when it is acknowledged. */
  begin(w: SimWrite): () => void {
    this.pending.push(w);
    return () => {
      const count = this.pending.indexOf(w) + 1;
      for (let i = 0; i < count; i++) carryOut(this.log, this.pending[i]!);
      this.pending.splice(0, count);
    };
  }

  /** Notes an own snapshot, before it is made. */
  beginSnapshot(created: Snapshot): void {
    this.creating.push(created);
  }

  /** An own snapshot is acknowledged. @param superseded whether one of a leader has come meanwhile, so that the log has no use for it. */
  endSnapshot(created: Snapshot, superseded: boolean): void {
    this.creating.splice(this.creating.indexOf(created), 1);
    if (!superseded) carryOut(this.log, newWrite({ created }));
  }

  /** Another process has found a log. @throws Violation `I24` if it is none that could be left. */
  restart(who: string, found: MemoryStorage): Recovery {
    const { pending } = this;
    const candidate = copyOf(this.log);
    let difference = '';
    for (let count = 0; count <= pending.length; count++) {
      if (count > 0) carryOut(candidate, pending[count - 1]!);
      const problem = this.compare(candidate, found);
      if (count === 0) difference = problem ?? '';
      if (problem !== null) continue;
      this.reset(found);
      return { found: count, gone: pending.length - count };
    }
    throw new Violation('I24', `${who} finds ${text(found)} on its disk: ${difference}, and none of the ${pending.length} writes after what was acknowledged, ${text(this.log)}, leads there`);
  }

  /** A copy, for a backup. */
  copy(): Acknowledged {
    const copy = new Acknowledged();
    copy.takeOver(this);
    return copy;
  }

  /** Another disk was put in, of which `other` tells. */
  takeOver(other: Acknowledged): void {
    this.log = copyOf(other.log);
    this.pending = [...other.pending];
    this.creating = [...other.creating];
  }

  private reset(content: MemoryStorage): void {
    this.log = content;
    this.pending = [];
    this.creating = [];
  }

  /** What makes the log that was found another one than expected; null if nothing does. */
  private compare(expected: MemoryStorage, found: MemoryStorage): string | null {
    const state = expected.initialState().hardState;
    if (!hardStatesEqual(found.initialState().hardState, state)) return `its hard state is not ${stateText(state)}`;
    const first = expected.firstIndex();
    const last = expected.lastIndex();
    if (found.firstIndex() !== first || found.lastIndex() !== last) return `its entries are not those from ${first} to ${last}`;
    if (found.term(first - 1) !== expected.term(first - 1)) return `the term before its first entry is not ${expected.term(first - 1)}`;
    if (first <= last && !entriesEqual(expected.entries(first, last + 1, Infinity), found.entries(first, last + 1, Infinity))) return 'its entries are others';
    const snapshot = found.snapshot();
    const known = [expected.snapshot(), ...this.creating.filter(({ metadata }) => metadata.index > expected.snapshot().metadata.index)];
    return known.some((one) => snapshotsEqual(one, snapshot)) ? null : `its snapshot is not that at ${expected.snapshot().metadata.index}`;
  }
}

function snapshotsEqual(a: Snapshot, b: Snapshot): boolean {
  return a.metadata.index === b.metadata.index && a.metadata.term === b.metadata.term && confStatesEquivalent(a.metadata.confState, b.metadata.confState) && bytesEqual(a.data, b.data);
}

function entriesEqual(a: readonly Entry[], b: readonly Entry[]): boolean {
  return a.length === b.length && a.every((entry, i) => entry.index === b[i]!.index && entry.term === b[i]!.term && entry.type === b[i]!.type && bytesEqual(entry.data, b[i]!.data));
}

function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function stateText({ term, vote, commit }: HardState): string {
  return `term ${term}, vote ${vote}, commit ${commit}`;
}

function text(log: MemoryStorage): string {
  const last = log.lastIndex();
  return `${stateText(log.initialState().hardState)}, entries ${log.firstIndex()} to ${log.term(last)}/${last}, snapshot at ${log.snapshot().metadata.index}`;
}
