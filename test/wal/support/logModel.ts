import type { Entry } from '../../../src/core/raftpb/entry.js';
import { newConfState, type ConfState, type HardState } from '../../../src/core/raftpb/state.js';
import type { EntryId, Index, Term } from '../../../src/core/types.js';
import type { WalStorage } from '../../../src/node/wal/index.js';
import type { WalWrite } from '../../../src/node/wal/writePlan.js';

const latin1 = new TextDecoder('latin1');

/** What a log should hold, worked out the short way: by arrays in memory. */
export class LogModel {
  private hardState: HardState = { term: 0, vote: 0, commit: 0 };
  private offset: EntryId = { index: 0, term: 0 };
  private entries: Entry[] = [];
  private snapshot: { readonly index: Index; readonly term: Term; readonly conf: ConfState; readonly data: Uint8Array } | null = null;
  private metadata: Uint8Array | null = null;

  append({ entries = [], hardState, snapshot, metadata }: WalWrite): void {
    if (snapshot) {
      const { index, term, confState } = snapshot.metadata;
      this.snapshot = { index, term, conf: confState, data: snapshot.data };
      this.offset = { index, term };
      this.entries = [];
    }
    const [first] = entries;
    if (first !== undefined) this.entries = [...this.entries.slice(0, first.index - this.offset.index - 1), ...entries];
    if (hardState) this.hardState = hardState;
    if (metadata) this.metadata = metadata;
  }

  createSnapshot(index: Index, conf: ConfState, data: Uint8Array): void {
    this.snapshot = { index, term: this.term(index), conf, data };
  }

  compact(index: Index): void {
    const term = this.term(index);
    this.entries = this.entries.slice(index - this.offset.index);
    this.offset = { index, term };
  }

  get lastIndex(): Index {
    return this.offset.index + this.entries.length;
  }

  /** The whole content in one string. */
  key(): string {
    const { hardState, offset, entries, snapshot, metadata } = this;
    return keyOf({ hardState, offset, entries, snapshot, metadata });
  }

  private term(index: Index): Term {
    return index === this.offset.index ? this.offset.term : this.entries[index - this.offset.index - 1]!.term;
  }
}

/** The whole content of an open log, in the form of {@link LogModel.key}. Reads every entry and the snapshot. */
export async function contentOf(log: WalStorage): Promise<string> {
  const { hardState } = log.initialState();
  const first = log.firstIndex();
  const offset = { index: first - 1, term: log.term(first - 1) };
  const entries = first > log.lastIndex() ? [] : log.entries(first, log.lastIndex() + 1, Infinity);
  const { data, metadata } = await log.loadSnapshot();
  const { index, term, confState: conf } = metadata;
  for (const entry of entries) if (log.term(entry.index) !== entry.term) throw new Error(`term ${log.term(entry.index)} of entry ${entry.index} is not ${entry.term}`);
  return keyOf({ hardState, offset, entries, snapshot: index === 0 ? null : { index, term, conf, data }, metadata: log.metadata });
}

interface Content {
  readonly hardState: HardState;
  readonly offset: EntryId;
  readonly entries: readonly Entry[];
  readonly snapshot: { readonly index: Index; readonly term: Term; readonly conf: ConfState; readonly data: Uint8Array } | null;
  readonly metadata: Uint8Array | null;
}

function keyOf({ hardState, offset, entries, snapshot, metadata }: Content): string {
  const text = (bytes: Uint8Array | null): string => (bytes === null ? 'none' : latin1.decode(bytes));
  return [
    `term ${hardState.term} vote ${hardState.vote} commit ${hardState.commit}`,
    `behind ${offset.index}/${offset.term}`,
    ...entries.map(({ index, term, type, data }) => `${index}/${term} ${type} ${text(data)}`),
    snapshot === null ? 'no snapshot' : `snapshot ${snapshot.index}/${snapshot.term} ${JSON.stringify(newConfState(snapshot.conf))} ${text(snapshot.data)}`,
    `metadata ${text(metadata)}`,
  ].join('\n');
}
