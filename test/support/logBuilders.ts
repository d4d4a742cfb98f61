import { emptyBytes, type Index, type Term } from '../../src/core/types.js';
import { silentLogger } from '../../src/core/logger.js';
import { RaftLog } from '../../src/core/log/raftLog.js';
import { EntryType, newEntry, type Entry } from '../../src/core/raftpb/entry.js';
import { newConfState, type Snapshot } from '../../src/core/raftpb/state.js';
import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';

/** One entry per term, without gaps, the first at index `first`. */
export function entriesFrom(first: Index, terms: readonly Term[], data: Uint8Array = emptyBytes): Entry[] {
  return terms.map((term, i) => newEntry(EntryType.EntryNormal, data, term, first + i));
}

/** A snapshot of the group {1, 2, 3}. */
export function snapshotAt(index: Index, term: Term, data: Uint8Array = emptyBytes): Snapshot {
  return { data, metadata: { confState: newConfState({ voters: [1, 2, 3] }), index, term } };
}

/** `index/term` of each entry, which is all that most tests look at. */
export function ids(entries: readonly Entry[] | null): string[] | null {
  return entries === null ? null : entries.map((entry) => `${entry.index}/${entry.term}`);
}

/** All entries that the log has, compacted ones aside. */
export function wholeLog(log: RaftLog): readonly Entry[] | null {
  return log.entriesFrom(log.firstIndex(), Infinity);
}

/** One line that says where a log stands. */
export function describeLog({ unstable, cursor }: RaftLog): string {
  return (
    `committed=${cursor.committed}, applied=${cursor.applied}, applying=${cursor.applying}, ` +
    `unstable=[${unstable.offset}, ${unstable.lastIndex()}], being written up to ${unstable.nextToWrite - 1}` +
    (unstable.snapshot === null ? '' : `, snapshot pending at ${unstable.snapshot.metadata.index}`)
  );
}

/** What a log of a test consists of. */
export interface LogParts {
  /** Snapshot that the durable log starts after, as [index, term]. */
  readonly snapshot?: readonly [Index, Term];
  /** Terms of the durable entries. */
  readonly stable?: readonly Term[];
  /** Terms of the entries after them, not durable. */
  readonly unstable?: readonly Term[];
  /** Data of every entry. */
  readonly data?: Uint8Array;
  readonly maxApplyingEntriesSize?: number;
}

/** A log with a durable and an unstable part, and the storage under it. */
export function logWith(parts: LogParts): { log: RaftLog; storage: MemoryStorage } {
  const [index, term] = parts.snapshot ?? [0, 0];
  const stable = parts.stable ?? [];
  const storage = new MemoryStorage();
  if (index > 0) storage.applySnapshot(snapshotAt(index, term));
  storage.append(entriesFrom(index + 1, stable, parts.data));
  const log = new RaftLog(storage, silentLogger, parts.maxApplyingEntriesSize);
  log.append(entriesFrom(index + 1 + stable.length, parts.unstable ?? [], parts.data));
  return { log, storage };
}

/** Plays the host once: makes everything unstable durable and says so. */
export function persist(log: RaftLog, storage: MemoryStorage): void {
  const snapshot = log.unstable.nextSnapshot();
  const entries = log.unstable.nextEntries();
  log.unstable.acceptInProgress(log.lastIndex());
  if (snapshot !== null) {
    storage.applySnapshot(snapshot);
    log.unstable.stableSnapshotTo(snapshot.metadata.index);
    log.appliedTo(snapshot.metadata.index, 0);
  }
  storage.append(entries);
  const last = entries.at(-1);
  if (last !== undefined) log.unstable.stableTo(last.index, last.term);
}
