import type { Entry } from '../../core/raftpb/entry.js';
import type { HardState } from '../../core/raftpb/state.js';
import type { EntryId, Index } from '../../core/types.js';
import { crc32 } from '../shared/crc32.js';
import { crc32c } from '../shared/crc32c.js';
import {
  aligned,
  batchHeaderBytes,
  batchMagic,
  entryPrefixBytes,
  recordHeaderBytes,
  RecordType,
  sectorsFor,
  snapshotReplacesLog,
} from './format.js';
import { viewOf, writeId, writeU64 } from './words.js';

/** What a batch does to the places at which entries can be found, in the order of its records. */
export interface Placements {
  /** The log is empty, and goes on behind `index`. */
  reset(index: Index): void;
  /** Entries from `index` on are gone. */
  truncate(index: Index): void;
  /** The next entries stand at the offsets [from, to) of a list, counted from the beginning of the batch. */
  place(first: Index, offsets: readonly number[], from: number, to: number): void;
}

/** What a batch is when it is written. */
export interface BatchSeal {
  readonly seq: number;
  readonly flags: number;
  /** Checksum of the payload before. */
  readonly previousCrc: number;
  /** Sequence number of the newest batch that is known to be durable. */
  readonly syncedSeq: number;
  /** Half of the log's random id. */
  readonly walIdLow: bigint;
}

/** Offsets of the fields of a batch's header. */
export const batchAt = { magic: 0, headerCrc: 4, seq: 8, payloadBytes: 16, records: 20, payloadCrc: 24, flags: 28, syncedSeq: 32, walIdLow: 40 } as const;

/** A buffer that is larger than this is not kept for the next batch: what batches grow to by default when many callers wait. */
const keptBytes = 1 << 20;

/** Steps that are not entries, kept to be repeated as {@link Placements}. */
interface Step {
  readonly reset: boolean;
  readonly index: Index;
  /** Entries of the batch before it. */
  readonly entriesBefore: number;
}

/** Collects records and makes a batch of them: one atomic write. */
export class BatchBuilder {
  private bytes = new Uint8Array(4096);
  private view = viewOf(this.bytes);
  private at = batchHeaderBytes;
  private recordCount = 0;
  /** Index of the first entry. Those behind it follow from the steps. */
  private firstEntry: Index = 0;
  private readonly entryOffsets: number[] = [];
  private readonly steps: Step[] = [];

  /** Bytes of the batch so far, padding not counted. */
  get size(): number {
    return this.at;
  }

  /** Whether it has no record. */
  get isEmpty(): boolean {
    return this.recordCount === 0;
  }

  /** Begins a new batch. */
  clear(): void {
    if (this.bytes.length > keptBytes) {
      this.bytes = new Uint8Array(4096);
      this.view = viewOf(this.bytes);
    }
    this.at = batchHeaderBytes;
    this.recordCount = 0;
    this.entryOffsets.length = 0;
    this.steps.length = 0;
  }

  hardState(state: HardState): void {
    const body = this.begin(RecordType.HardState, 0, 24);
    writeU64(this.view, body, state.term);
    writeId(this.view, body + 8, state.vote);
    writeU64(this.view, body + 16, state.commit);
  }

  entry(entry: Entry): void {
    const { data } = entry;
    const dataBytes = data.length;
    const space = aligned(entryPrefixBytes + dataBytes);
    this.reserve(space);
    const { bytes, view, at } = this;
    if (this.entryOffsets.length === 0) this.firstEntry = entry.index;
    this.entryOffsets.push(at);
    // The first four bytes, type, flags and zero, in one number.
    view.setUint32(at, RecordType.Entry | (entry.type << 8), true);
    view.setUint32(at + 4, entryPrefixBytes - recordHeaderBytes + dataBytes, true);
    writeU64(view, at + 8, entry.index);
    writeU64(view, at + 16, entry.term);
    // The padding, and the field that is zero: data and checksum are written over the rest.
    view.setUint32(at + space - 8, 0, true);
    view.setUint32(at + space - 4, 0, true);
    view.setUint32(at + 28, 0, true);
    bytes.set(data, at + entryPrefixBytes);
    view.setUint32(at + 24, entryCrc(bytes, at, dataBytes), true);
    this.at = at + space;
    this.recordCount++;
  }

  truncate(from: Index): void {
    const body = this.begin(RecordType.Truncate, 0, 8);
    writeU64(this.view, body, from);
    this.steps.push({ reset: false, index: from, entriesBefore: this.entryOffsets.length });
  }

  snapshot({ index, term }: EntryId, replacesLog: boolean): void {
    const body = this.begin(RecordType.Snapshot, replacesLog ? snapshotReplacesLog : 0, 16);
    writeU64(this.view, body, index);
    writeU64(this.view, body + 8, term);
    if (replacesLog) this.steps.push({ reset: true, index, entriesBefore: this.entryOffsets.length });
  }

  compact(to: EntryId): void {
    const body = this.begin(RecordType.Compact, 0, 16);
    writeU64(this.view, body, to.index);
    writeU64(this.view, body + 8, to.term);
  }

  metadata(metadata: Uint8Array): void {
    const body = this.begin(RecordType.Metadata, 0, metadata.length);
    this.bytes.set(metadata, body);
  }

  /** Length of the finished batch in the file. */
  get fileBytes(): number {
    return sectorsFor(this.at);
  }

  /** Checksum of the finished batch, which the next one continues. */
  payloadCrc = 0;

  /** Finishes the batch. The bytes are valid until `clear`. */
  seal({ seq, flags, previousCrc, syncedSeq, walIdLow }: BatchSeal): Uint8Array {
    const end = this.fileBytes;
    this.reserve(end - this.at);
    const { bytes, view } = this;
    bytes.fill(0, this.at, end);
    this.payloadCrc = crc32(bytes, previousCrc, batchHeaderBytes, end);
    view.setUint32(batchAt.magic, batchMagic, true);
    writeU64(view, batchAt.seq, seq);
    view.setUint32(batchAt.payloadBytes, end - batchHeaderBytes, true);
    view.setUint32(batchAt.records, this.recordCount, true);
    view.setUint32(batchAt.payloadCrc, this.payloadCrc, true);
    view.setUint32(batchAt.flags, flags, true);
    writeU64(view, batchAt.syncedSeq, syncedSeq);
    view.setBigUint64(batchAt.walIdLow, walIdLow, true);
    view.setUint32(batchAt.headerCrc, crc32c(bytes, 0, batchAt.seq, batchHeaderBytes), true);
    return bytes.subarray(0, end);
  }

  /** Repeats what the batch does to the places of entries. */
  placeInto(target: Placements): void {
    const { entryOffsets, steps } = this;
    let next = this.firstEntry;
    let done = 0;
    const placeThrough = (count: number): void => {
      if (count > done) target.place(next, entryOffsets, done, count);
      done = count;
    };
    for (const { reset, index, entriesBefore } of steps) {
      placeThrough(entriesBefore);
      if (reset) target.reset(index);
      else target.truncate(index);
      next = reset ? index + 1 : index;
    }
    placeThrough(entryOffsets.length);
  }

  /** Writes the header of a record and makes room for it. Returns where its body begins. */
  private begin(type: RecordType, flags: number, bodyBytes: number): number {
    const start = this.at;
    const space = aligned(recordHeaderBytes + bodyBytes);
    this.reserve(space);
    const { bytes, view } = this;
    bytes.fill(0, start + recordHeaderBytes + bodyBytes, start + space);
    bytes[start] = type;
    bytes[start + 1] = flags;
    view.setUint16(start + 2, 0, true);
    view.setUint32(start + 4, bodyBytes, true);
    this.at = start + space;
    this.recordCount++;
    return start + recordHeaderBytes;
  }

  private reserve(more: number): void {
    const needed = this.at + more;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(sectorsFor(Math.max(needed, 2 * this.bytes.length)));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.view = viewOf(grown);
  }
}

/**
 * Checksum of the record of an entry at `start`: of everything but the checksum itself. The batch has one as
 * well; this one lets a single entry be read back later without its neighbours, and rot be noticed then.
 */
export function entryCrc(bytes: Uint8Array, start: number, dataBytes: number): number {
  const crc = crc32c(bytes, 0, start, start + entryPrefixBytes - 8);
  return crc32c(bytes, crc, start + entryPrefixBytes, start + entryPrefixBytes + dataBytes);
}
