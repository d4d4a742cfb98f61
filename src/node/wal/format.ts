import type { Entry } from '../../core/raftpb/entry.js';

/**
 * Numbers of the format, version 1. All integers are little-endian.
 *
 *     segment   header, padded to a sector; batches, each starting at a sector; zeros up to the length of the file
 *     batch     header of 48 bytes; records; zeros up to a sector
 *     record    u8 type, u8 flags, u16 zero, u32 length; body; zeros up to a multiple of 8
 *
 * Batches start at sectors of their own because a write that the power interrupts may damage every sector it
 * touches: sharing one with the batch before would put an acknowledged batch at risk.
 */

/** Version of the format that this code reads and writes. */
export const formatVersion = 1;

/** First eight bytes of a segment: "RSTEPWAL". */
export const segmentMagic = 0x4c41_5750_4554_5352n;

/** First eight bytes of a snapshot file: "RSTEPSNP". */
export const snapshotMagic = 0x504e_5350_4554_5352n;

/** First eight bytes of a mark: "RSTEPMRK". */
export const markMagic = 0x4b52_4d50_4554_5352n;

/** First four bytes of a batch: "RSB1". */
export const batchMagic = 0x3142_5352;

/** Fixed part of a segment's header; the rest of its sector is zero. */
export const segmentHeaderBytes = 256;

/** Header of a batch. */
export const batchHeaderBytes = 48;

/** Header of a record, before its body. */
export const recordHeaderBytes = 8;

/** Bytes of an entry's record before its data: header, index, term, checksum, zero. */
export const entryPrefixBytes = 32;

/** Used part of a mark; the rest of its sector is zero. */
export const markBytes = 80;

/** What is written in one piece, or not: the unit that a power loss can damage. */
export const sectorBytes = 512;

/** Payload of a batch at most; a single write that is larger is refused. */
export const maxBatchPayload = 1 << 30;

/** Application metadata at most. */
export const maxMetadataBytes = 64 << 10;

/** Kinds of records. */
export const RecordType = {
  /** Not a record: nothing but zeros up to the end of the batch. */
  Padding: 0,
  /** Term, vote, commit index. */
  HardState: 1,
  /** One entry, right behind the last. Its flags are the type of the entry. */
  Entry: 2,
  /** All entries from some index on are gone; followed by the entry that takes the place of the first. */
  Truncate: 3,
  /** A snapshot file is complete. */
  Snapshot: 4,
  /** Entries up to some index are discarded. */
  Compact: 5,
  /** Metadata of the application. */
  Metadata: 6,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

/** Flag of a Snapshot record: it came from a leader and replaces the log. */
export const snapshotReplacesLog = 1;

/** Flags of a batch. */
export const BatchFlag = {
  /** Written by `close`; nothing follows in this run. */
  CleanClose: 1,
  /** The segment is full and its successor exists. */
  SegmentEnd: 2,
} as const;

/** Flag of a segment's header: the node joined an existing group. */
export const segmentOfJoiner = 1;

/** `size` rounded up to whole sectors. */
export function sectorsFor(size: number): number {
  return Math.ceil(size / sectorBytes) * sectorBytes;
}

/** `size` rounded up to a multiple of 8. */
export function aligned(size: number): number {
  return (size + 7) & ~7;
}

/** Length of the record of an entry. */
export function entryBytes(entry: Entry): number {
  return aligned(entryPrefixBytes + entry.data.length);
}
