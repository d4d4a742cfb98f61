import type { EntryId, NodeId } from '../../core/types.js';
import type { HardState } from '../../core/raftpb/state.js';
import { crc32c } from '../shared/crc32c.js';
import { formatVersion, segmentHeaderBytes, segmentMagic, segmentOfJoiner, sectorsFor } from './format.js';
import { firstNonZero, readId, readU64, viewOf, writeId, writeU64 } from './words.js';

/** Whose log it is. */
export interface WalIdentity {
  /** Id of the node. */
  readonly nodeId: NodeId;
  /** Id of its cluster, any uint64: keeps the directories of two clusters apart that use the same node ids. */
  readonly clusterId: NodeId;
}

/** What is in force at some point of the log, without the entries. */
export interface LogSummary {
  readonly hardState: HardState;
  /** The newest snapshot; index 0 if there is none. */
  readonly snapshot: EntryId;
  /** The position before the first entry. */
  readonly offset: EntryId;
  /** The last entry; the same as `offset` if there is none. */
  readonly last: EntryId;
}

/** What a segment says of itself: enough to read on from here when all segments before it are gone. */
export interface SegmentHeader extends WalIdentity, LogSummary {
  /** Random, the same in all segments of a log and in none of another one. */
  readonly walId: Uint8Array;
  /** Whether the node joined a group, or was there from the beginning. */
  readonly joined: boolean;
  /** Number of the segment. */
  readonly seq: number;
  /** First of the segments before it whose batches it contains, and which it replaces; 0 if it replaces none. */
  readonly replacesFrom: number;
  /** How often the log has been opened. */
  readonly epoch: number;
  /** Sequence number of the first batch in it. */
  readonly firstBatch: number;
  /** Sequence number of the last batch that was copied into it; 0 if none was. */
  readonly copiedThrough: number;
  /** Checksum of the batch before the first one, which the first one continues. */
  readonly previousCrc: number;
  /** Length of the file. */
  readonly length: number;
}

const at = {
  magic: 0,
  version: 8,
  flags: 10,
  headerBytes: 12,
  walId: 16,
  nodeId: 32,
  clusterId: 40,
  seq: 48,
  replacesFrom: 56,
  epoch: 64,
  firstBatch: 72,
  copiedThrough: 80,
  term: 88,
  vote: 96,
  commit: 104,
  snapshotIndex: 112,
  snapshotTerm: 120,
  offsetIndex: 128,
  offsetTerm: 136,
  lastIndex: 144,
  lastTerm: 152,
  length: 160,
  previousCrc: 168,
  crc: segmentHeaderBytes - 4,
} as const;

/** Bytes that the header takes in the file. */
export const segmentHeaderSpace = sectorsFor(segmentHeaderBytes);

/** The header as it stands at the beginning of the file, padded to a sector. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(segmentHeaderSpace);
  const view = viewOf(bytes);
  view.setBigUint64(at.magic, segmentMagic, true);
  view.setUint16(at.version, formatVersion, true);
  view.setUint16(at.flags, header.joined ? segmentOfJoiner : 0, true);
  view.setUint32(at.headerBytes, segmentHeaderBytes, true);
  bytes.set(header.walId, at.walId);
  writeId(view, at.nodeId, header.nodeId);
  writeId(view, at.clusterId, header.clusterId);
  writeU64(view, at.seq, header.seq);
  writeU64(view, at.replacesFrom, header.replacesFrom);
  writeU64(view, at.epoch, header.epoch);
  writeU64(view, at.firstBatch, header.firstBatch);
  writeU64(view, at.copiedThrough, header.copiedThrough);
  writeU64(view, at.term, header.hardState.term);
  writeId(view, at.vote, header.hardState.vote);
  writeU64(view, at.commit, header.hardState.commit);
  writeU64(view, at.snapshotIndex, header.snapshot.index);
  writeU64(view, at.snapshotTerm, header.snapshot.term);
  writeU64(view, at.offsetIndex, header.offset.index);
  writeU64(view, at.offsetTerm, header.offset.term);
  writeU64(view, at.lastIndex, header.last.index);
  writeU64(view, at.lastTerm, header.last.term);
  writeU64(view, at.length, header.length);
  view.setUint32(at.previousCrc, header.previousCrc, true);
  view.setUint32(at.crc, crc32c(bytes, 0, 0, at.crc), true);
  return bytes;
}

/** A header, or why the bytes are none. */
export type DecodedHeader = { readonly header: SegmentHeader } | { readonly problem: string; readonly newerVersion: boolean };

/** Reads the header at the beginning of a segment. */
export function decodeSegmentHeader(bytes: Uint8Array): DecodedHeader {
  const bad = (problem: string, newerVersion = false): DecodedHeader => ({ problem, newerVersion });
  if (bytes.length < segmentHeaderSpace) return bad('the file ends within the header of the segment');
  const view = viewOf(bytes);
  if (view.getBigUint64(at.magic, true) !== segmentMagic) return bad('it does not begin like a segment');
  const headerBytes = view.getUint32(at.headerBytes, true);
  const version = view.getUint16(at.version, true);
  // The checksum stands at another place in a header of another length, so the version is believed first, unless
  // everything else is as in one of this version.
  if (version > formatVersion && !isThisVersionBut(bytes)) return bad(`it has format ${version}, and this program knows formats up to ${formatVersion}`, true);
  if (headerBytes !== segmentHeaderBytes || crc32c(bytes, 0, 0, at.crc) !== view.getUint32(at.crc, true)) return bad('the checksum of its header is wrong');
  if (firstNonZero(bytes, segmentHeaderBytes, segmentHeaderSpace) < segmentHeaderSpace) return bad('there is something behind its header');
  const id = (index: number, term: number): EntryId => ({ index: readU64(view, index), term: readU64(view, term) });
  return {
    header: {
      walId: bytes.slice(at.walId, at.walId + 16),
      joined: (view.getUint16(at.flags, true) & segmentOfJoiner) !== 0,
      nodeId: readId(view, at.nodeId),
      clusterId: readId(view, at.clusterId),
      seq: readU64(view, at.seq),
      replacesFrom: readU64(view, at.replacesFrom),
      epoch: readU64(view, at.epoch),
      firstBatch: readU64(view, at.firstBatch),
      copiedThrough: readU64(view, at.copiedThrough),
      hardState: { term: readU64(view, at.term), vote: readId(view, at.vote), commit: readU64(view, at.commit) },
      snapshot: id(at.snapshotIndex, at.snapshotTerm),
      offset: id(at.offsetIndex, at.offsetTerm),
      last: id(at.lastIndex, at.lastTerm),
      length: readU64(view, at.length),
      previousCrc: view.getUint32(at.previousCrc, true),
    },
  };
}

/** Whether the header has the checksum of one of this version, if the field that says the version were not looked at. */
function isThisVersionBut(bytes: Uint8Array): boolean {
  const copy = bytes.slice(0, segmentHeaderBytes);
  const view = viewOf(copy);
  view.setUint16(at.version, formatVersion, true);
  return crc32c(copy, 0, 0, at.crc) === view.getUint32(at.crc, true);
}
