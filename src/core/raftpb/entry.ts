import { emptyBytes, type Index, type Term } from '../types.js';
import { varintSize } from './varint.js';

/** What an entry holds. The numbers are those of etcd's raftpb. */
export const EntryType = {
  /** Data of the application; empty data is the entry a new leader starts its term with. */
  EntryNormal: 0,
  /** An encoded ConfChange. */
  EntryConfChange: 1,
  /** An encoded ConfChangeV2. */
  EntryConfChangeV2: 2,
} as const;
export type EntryType = (typeof EntryType)[keyof typeof EntryType];

/** One entry of the replicated log (Raft §5.3). Never changed once it is made. */
export interface Entry {
  /** Term of the leader that created it; 0 in a proposal. */
  readonly term: Term;
  /** Position in the log; 0 in a proposal. */
  readonly index: Index;
  /** Whether the data belong to the application or change the configuration. */
  readonly type: EntryType;
  /** What was proposed; opaque to the core unless the entry changes the configuration. */
  readonly data: Uint8Array;
}

/** The one place that makes an entry, so that all have one shape. */
export function newEntry(type: EntryType, data: Uint8Array = emptyBytes, term: Term = 0, index: Index = 0): Entry {
  return { term, index, type, data };
}

const entryTypeNames = ['EntryNormal', 'EntryConfChange', 'EntryConfChangeV2'] as const;

/** Name of a type, such as `EntryNormal`; for a number that is no type, the number itself. */
export function entryTypeName(type: number): string {
  return entryTypeNames[type] ?? String(type);
}

/** Whether `type` is one of {@link EntryType}. */
export function isEntryType(type: number): type is EntryType {
  return Number.isInteger(type) && type >= 0 && type < entryTypeNames.length;
}

/** Whether the entry changes the configuration. */
export function isConfChangeEntry(entry: Entry): boolean {
  return entry.type !== EntryType.EntryNormal;
}

/** Encoded size of an entry in bytes, as protobuf writes it: what every size limit but the uncommitted one counts. */
export function entrySize(entry: Entry): number {
  const length = entry.data.length;
  return (
    (entry.type === EntryType.EntryNormal ? 0 : 2) +
    (entry.term === 0 ? 0 : 1 + varintSize(entry.term)) +
    (entry.index === 0 ? 0 : 1 + varintSize(entry.index)) +
    (length === 0 ? 0 : 1 + varintSize(length) + length)
  );
}

/** Encoded size of all entries in bytes, without the framing of the message around them. */
export function entriesSize(entries: readonly Entry[]): number {
  let size = 0;
  for (const entry of entries) size += entrySize(entry);
  return size;
}

/** Bytes of data in all entries: what the in-flight and the uncommitted limit count. */
export function payloadsSize(entries: readonly Entry[]): number {
  let size = 0;
  for (const entry of entries) size += entry.data.length;
  return size;
}

/**
 * How many of the entries from `from` to `to` (positions in the array, `to` excluded) fit into
 * `maxBytes`: at least one, so that an entry larger than the limit still gets through (E12).
 */
export function countWithinSize(entries: readonly Entry[], from: number, to: number, maxBytes: number): number {
  if (maxBytes === Infinity || to - from <= 1) return to - from;
  let size = entrySize(entries[from]!);
  for (let i = from + 1; i < to; i++) {
    size += entrySize(entries[i]!);
    if (size > maxBytes) return i - from;
  }
  return to - from;
}
