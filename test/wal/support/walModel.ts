import { newEntry, EntryType, type Entry } from '../../../src/core/raftpb/entry.js';
import { emptyConfState, emptyHardState, newConfState, type ConfState, type HardState, type Snapshot } from '../../../src/core/raftpb/state.js';
import type { Index, Term } from '../../../src/core/types.js';
import { noLimit } from '../../../src/core/types.js';
import type { WalStorage } from '../../../src/node/wal/walStorage.js';

/** One call of the log. */
export type Step =
  | { readonly kind: 'append'; readonly entries?: readonly Entry[]; readonly hardState?: HardState; readonly snapshot?: Snapshot; readonly metadata?: Uint8Array; readonly sync?: boolean }
  | { readonly kind: 'snapshot'; readonly index: Index; readonly confState: ConfState; readonly data: Uint8Array }
  | { readonly kind: 'compact'; readonly index: Index };

/** Carries out a step on a log. */
export function carryOut(log: WalStorage, step: Step): Promise<void> {
  switch (step.kind) {
    case 'append':
      return log.append(step);
    case 'snapshot':
      return log.createSnapshot(step.index, step.confState, step.data);
    case 'compact':
      return log.compact(step.index);
  }
}

/** What a log should say after some steps: the obvious way, all in arrays. */
export class WalModel {
  private hardState: HardState = emptyHardState;
  private offset: { index: Index; term: Term } = { index: 0, term: 0 };
  private entries: readonly Entry[] = [];
  private snapshot: { index: Index; term: Term; confState: ConfState; data: Uint8Array } = { index: 0, term: 0, confState: emptyConfState, data: new Uint8Array(0) };
  private metadata: Uint8Array | null = null;

  apply(step: Step): void {
    switch (step.kind) {
      case 'append': {
        const { snapshot, entries = [], hardState, metadata } = step;
        if (snapshot !== undefined) {
          const { index, term, confState } = snapshot.metadata;
          this.snapshot = { index, term, confState, data: snapshot.data };
          this.offset = { index, term };
          this.entries = [];
        }
        const first = entries[0];
        if (first !== undefined) this.entries = [...this.entries.filter(({ index }) => index < first.index), ...entries];
        if (hardState !== undefined) this.hardState = hardState;
        if (metadata !== undefined) this.metadata = metadata;
        return;
      }
      case 'snapshot':
        this.snapshot = { index: step.index, term: this.term(step.index), confState: step.confState, data: step.data };
        return;
      case 'compact':
        this.offset = { index: step.index, term: this.term(step.index) };
        this.entries = this.entries.filter(({ index }) => index > step.index);
    }
  }

  private term(index: Index): Term {
    return index === this.offset.index ? this.offset.term : this.entries.find((entry) => entry.index === index)!.term;
  }

  /** Everything, as text. */
  describe(): string {
    const { hardState, offset, entries, snapshot, metadata } = this;
    return text(hardState, offset, entries, { data: snapshot.data, metadata: snapshot }, metadata);
  }
}

/** Everything that a log says, as text like that of {@link WalModel.describe}. */
export function describeLog(log: WalStorage): string {
  const first = log.firstIndex();
  const last = log.lastIndex();
  const entries = last < first ? [] : log.entries(first, last + 1, noLimit);
  return text(log.initialState().hardState, { index: first - 1, term: log.term(first - 1) }, entries, log.snapshot(), log.metadata);
}

function text(
  { term, vote, commit }: HardState,
  offset: { readonly index: Index; readonly term: Term },
  entries: readonly Entry[],
  { data, metadata: at }: Snapshot,
  metadata: Uint8Array | null,
): string {
  const conf = at.confState;
  const lines = [
    `term ${term} vote ${vote} commit ${commit}`,
    `behind ${offset.index}/${offset.term}`,
    ...entries.map((entry) => `${entry.index}/${entry.term} ${entry.type} ${digest(entry.data)}`),
    `snapshot ${at.index}/${at.term} ${digest(data)} [${conf.voters.join()}] [${conf.learners.join()}]`,
    `metadata ${metadata === null ? 'none' : digest(metadata)}`,
  ];
  return lines.join('\n');
}

/** Length and content of bytes, short. */
function digest(bytes: Uint8Array): string {
  let hash = 0;
  for (const byte of bytes) hash = (Math.imul(hash, 31) + byte + 1) | 0;
  return `${bytes.length}:${(hash >>> 0).toString(16)}`;
}

/** `count` entries from `first` on, with data that say which write they are of. */
export function entriesFrom(first: Index, count: number, term: Term, bytes = 40): Entry[] {
  return Array.from({ length: count }, (_, i) => {
    const data = new Uint8Array(bytes).fill((first + i) * 7 + term);
    return newEntry(EntryType.EntryNormal, data, term, first + i);
  });
}

/** A snapshot with data that say where it stands. */
export function snapshotAt(index: Index, term: Term, bytes = 100): Snapshot {
  return { data: new Uint8Array(bytes).fill(index + term), metadata: { index, term, confState: newConfState({ voters: [1, 2, 3], learners: [index] }) } };
}
