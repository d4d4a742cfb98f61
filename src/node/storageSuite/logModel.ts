import assert from 'node:assert/strict';
import {
  emptyHardState,
  isRaftError,
  newConfState,
  noLimit,
  RaftErrorCode,
  type ConfState,
  type Entry,
  type EntryId,
  type HardState,
  type Index,
  type Snapshot,
  type Term,
} from '../../core/index.js';
import type { DurableLog, LogWrite } from '../shared/durableLog.js';

/** All that a {@link DurableLog} holds. Never changed once it is made. */
export interface LogContent {
  readonly hardState: HardState;
  readonly confState: ConfState;
  /** The newest snapshot; index 0 if there is none. */
  readonly snapshot: EntryId;
  /** The data of the snapshot, see {@link textOf}. */
  readonly data: string;
  /** The position before the first entry. */
  readonly offset: EntryId;
  /** The entries behind it. */
  readonly entries: readonly PlainEntry[];
}

/** An entry that can be compared. */
export interface PlainEntry extends Omit<Entry, 'data'> {
  readonly data: string;
}

/** Bytes as text: a log may give back a Buffer where a Uint8Array went in, and texts are compared fast. */
function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');
}

/** A log that was never written to. */
export const emptyContent: LogContent = {
  hardState: emptyHardState,
  confState: newConfState(),
  snapshot: { index: 0, term: 0 },
  data: '',
  offset: { index: 0, term: 0 },
  entries: [],
};

/** Index of the last entry, or the position before the first if there is none. */
export function lastIndexOf({ offset, entries }: LogContent): Index {
  return offset.index + entries.length;
}

/** Term of an entry that is there, or of the position before the first. */
export function termOf({ offset, entries }: LogContent, index: Index): Term {
  return index === offset.index ? offset.term : entries[index - offset.index - 1]!.term;
}

/** What `append` leaves behind. */
export function afterAppend(content: LogContent, { snapshot, entries, hardState }: LogWrite): LogContent {
  let next = content;
  if (snapshot) {
    const { index, term, confState } = snapshot.metadata;
    next = { ...next, snapshot: { index, term }, confState, data: textOf(snapshot.data), offset: { index, term }, entries: [] };
  }
  const useful = (entries ?? []).filter(({ index }) => index > next.offset.index).map(plainEntry);
  if (useful.length > 0) next = { ...next, entries: [...next.entries.slice(0, useful[0]!.index - next.offset.index - 1), ...useful] };
  return hardState ? { ...next, hardState } : next;
}

/** What `createSnapshot` leaves behind. */
export function afterSnapshot(content: LogContent, index: Index, confState: ConfState, data: Uint8Array): LogContent {
  return { ...content, confState, data: textOf(data), snapshot: { index, term: termOf(content, index) } };
}

/** What `compact` leaves behind. */
export function afterCompaction(content: LogContent, index: Index): LogContent {
  return { ...content, offset: { index, term: termOf(content, index) }, entries: content.entries.slice(index - content.offset.index) };
}

/** Reads all that a log holds, by each of its ways. */
export async function contentOf(log: DurableLog): Promise<LogContent> {
  const { hardState, confState } = log.initialState();
  const first = log.firstIndex();
  const last = log.lastIndex();
  const entries = last < first ? [] : log.entries(first, last + 1, noLimit);
  assert.deepEqual(entries.map(({ index }) => index), Array.from({ length: last + 1 - first }, (_, i) => first + i), 'entries are in order and without a gap');
  for (const { index, term } of entries) assert.equal(log.term(index), term, `term(${index}) is that of the entry`);
  const { data, metadata } = await snapshotOf(log);
  assert.deepEqual(metadata.confState, confState, 'the configuration is that of the snapshot');
  return {
    hardState: { ...hardState },
    confState,
    snapshot: { index: metadata.index, term: metadata.term },
    data: textOf(data),
    offset: { index: first - 1, term: log.term(first - 1) },
    entries: entries.map(plainEntry),
  };
}

/** The snapshot, which may have to be read from the disk first. */
export async function snapshotOf(log: DurableLog): Promise<Snapshot> {
  for (;;) {
    try {
      return log.snapshot();
    } catch (error) {
      if (!isRaftError(error, RaftErrorCode.SnapshotTemporarilyUnavailable)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** Whether a log holds this and nothing else. */
export async function assertContent(log: DurableLog, expected: LogContent, message?: string): Promise<void> {
  assert.deepEqual(await contentOf(log), expected, message);
}

function plainEntry({ term, index, type, data }: Entry): PlainEntry {
  return { term, index, type, data: textOf(data) };
}
