import { crc32 } from '../shared/crc32.js';
import { crc32c } from '../shared/crc32c.js';
import { batchAt } from './batchBuilder.js';
import { batchHeaderBytes, batchMagic, sectorBytes, sectorsFor } from './format.js';
import { segmentHeaderSpace } from './segmentHeader.js';
import { firstNonZero, readU64, viewOf } from './words.js';

/** A batch that was found whole. */
export interface FoundBatch {
  readonly seq: number;
  readonly flags: number;
  readonly records: number;
  /** Where it begins in the file. */
  readonly start: number;
  /** Where its payload ends, and the next batch would begin. */
  readonly end: number;
}

/** What the batches of a segment must fit to. */
export interface ScanStart {
  readonly firstBatch: number;
  readonly previousCrc: number;
  readonly walIdLow: bigint;
}

/** Why there is no further batch. */
export const ScanEnd = {
  /** Nothing but zeros follows. */
  Clean: 'clean',
  /** Something follows that is not a whole batch: the last write may have been interrupted. */
  Torn: 'torn',
  /** What follows was written after what is damaged here, so the damage came later. */
  Damaged: 'damaged',
} as const;
export type ScanEnd = (typeof ScanEnd)[keyof typeof ScanEnd];

/** Half of the random id of a log, which stands in each batch. */
export function walIdLow(walId: Uint8Array): bigint {
  return viewOf(walId).getBigUint64(0, true);
}

/** Walks over the batches of one segment, whose bytes are in memory. */
export class SegmentScan {
  /** Where the next batch begins. */
  end = segmentHeaderSpace;
  /** Sequence number of the last batch; one below the first if there is none. */
  lastSeq: number;
  /** Checksum of the last batch. */
  lastCrc: number;
  /** Flags of the last batch. */
  lastFlags = 0;
  /** What `end`, `lastSeq`, `lastCrc` and `lastFlags` were one batch ago. */
  private before: Pick<SegmentScan, 'end' | 'lastSeq' | 'lastCrc' | 'lastFlags'> | null = null;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly walIdLow: bigint;

  constructor(bytes: Uint8Array, { firstBatch, previousCrc, walIdLow }: ScanStart) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.walIdLow = walIdLow;
    this.lastSeq = firstBatch - 1;
    this.lastCrc = previousCrc;
  }

  /** The next batch, or null if there is no whole one. */
  next(): FoundBatch | null {
    const { bytes, view, end: start } = this;
    if (!this.isHeader(start) || readU64(view, start + batchAt.seq) !== this.lastSeq + 1) return null;
    const end = start + batchHeaderBytes + view.getUint32(start + batchAt.payloadBytes, true);
    if (end > bytes.length || end !== sectorsFor(end)) return null;
    const crc = crc32(bytes, this.lastCrc, start + batchHeaderBytes, end);
    if (crc !== view.getUint32(start + batchAt.payloadCrc, true)) return null;
    const { lastSeq, lastCrc, lastFlags } = this;
    this.before = { end: start, lastSeq, lastCrc, lastFlags };
    this.lastSeq++;
    this.lastCrc = crc;
    this.lastFlags = view.getUint32(start + batchAt.flags, true);
    this.end = end;
    return { seq: this.lastSeq, flags: this.lastFlags, records: view.getUint32(start + batchAt.records, true), start, end };
  }

  /** Goes one batch back, as if the last one had not been found. */
  dropLast(): void {
    Object.assign(this, this.before);
    this.before = null;
  }

  /**
   * What stands behind the last whole batch. A batch is written only after the one before it was synced. So if
   * a later one is found, this one was whole once, and what has damaged it was no interrupted write. The random
   * half of the id never leaves the node, so no data of a client can look like a batch.
   */
  ending(): ScanEnd {
    const { bytes, view, end } = this;
    if (firstNonZero(bytes, end, bytes.length) === bytes.length) return ScanEnd.Clean;
    // Not the next batch, but one behind it, moved up.
    if (this.isHeader(end) && readU64(view, end + batchAt.seq) > this.lastSeq + 1) return ScanEnd.Damaged;
    const known = this.isHeader(end) ? end + batchHeaderBytes + view.getUint32(end + batchAt.payloadBytes, true) : end;
    for (let at = sectorsFor(known); at + batchHeaderBytes <= bytes.length; at += sectorBytes) {
      if (this.isHeader(at) && readU64(view, at + batchAt.seq) > this.lastSeq) return ScanEnd.Damaged;
    }
    return ScanEnd.Torn;
  }

  private isHeader(at: number): boolean {
    const { bytes, view } = this;
    return (
      at + batchHeaderBytes <= bytes.length &&
      view.getUint32(at + batchAt.magic, true) === batchMagic &&
      view.getUint32(at + batchAt.headerCrc, true) === crc32c(bytes, 0, at + batchAt.seq, at + batchHeaderBytes) &&
      view.getBigUint64(at + batchAt.walIdLow, true) === this.walIdLow
    );
  }
}
