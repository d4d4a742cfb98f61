import {
  emptyConfState,
  emptySnapshot,
  type ConfState,
  type HardState,
  type Snapshot,
  type SnapshotMetadata,
} from '../core/raftpb/state.js';
import { varintSize } from '../core/raftpb/varint.js';
import { None, type NodeId } from '../core/types.js';
import { ByteReader } from './byteReader.js';
import { bytesFieldSize, lengthDelimitedSize, writeBytesField } from './bytesField.js';
import { encodeRecord } from './encodeRecord.js';
import { codecLimits, type DecodeOptions } from './limits.js';
import { idSize, writeIdField, writeNumberField } from './uint64.js';

/**
 * Snapshot, ConfState and HardState on the wire. For each: its size, writing it at a position, reading it
 * from a range.
 *
 * What is left out, exactly as etcd raft 3.7 does it: numbers that are zero, false, and the shared
 * constants `emptyBytes`, `emptyConfState` and the metadata of `emptySnapshot`, which stand for a
 * field that is not there. Any other byte string or record is written even if it is empty. Both mean
 * the same to every reader (E14).
 */

function idsSize(ids: readonly NodeId[]): number {
  let size = 0;
  for (let i = 0; i < ids.length; i++) size += 1 + idSize(ids[i]!);
  return size;
}

function writeIds(target: Uint8Array, start: number, tag: number, ids: readonly NodeId[]): number {
  let pos = start;
  for (let i = 0; i < ids.length; i++) pos = writeIdField(target, pos, tag, ids[i]!);
  return pos;
}

function confStateSize(state: ConfState): number {
  return (
    idsSize(state.voters) +
    idsSize(state.learners) +
    idsSize(state.votersOutgoing) +
    idsSize(state.learnersNext) +
    (state.autoLeave ? 2 : 0)
  );
}

function writeConfState(target: Uint8Array, start: number, state: ConfState): number {
  let pos = writeIds(target, start, 0x08, state.voters);
  pos = writeIds(target, pos, 0x10, state.learners);
  pos = writeIds(target, pos, 0x18, state.votersOutgoing);
  pos = writeIds(target, pos, 0x20, state.learnersNext);
  if (!state.autoLeave) return pos;
  target[pos] = 0x28;
  target[pos + 1] = 1;
  return pos + 2;
}

/** Appends the id, or the packed ids, of the field just found. */
function readIds(reader: ByteReader, ids: NodeId[]): void {
  if ((reader.tag & 2) === 0) {
    if (ids.length === codecLimits.maxIds) reader.malformed(reader.pos, 'too many ids');
    ids.push(reader.foundId());
    return;
  }
  const end = reader.pos + reader.value;
  while (reader.pos < end) {
    if (ids.length === codecLimits.maxIds) reader.malformed(reader.pos, 'too many ids');
    reader.value = reader.readVarint(reader.pos, end);
    ids.push(reader.foundId());
  }
}

/** Skips the byte string or number of the field just found. */
function skipFound(reader: ByteReader): void {
  if ((reader.tag & 2) !== 0) reader.pos += reader.value;
}

/** A configuration that is being read. */
interface ReadConfState extends ConfState {
  readonly voters: NodeId[];
  readonly learners: NodeId[];
  readonly votersOutgoing: NodeId[];
  readonly learnersNext: NodeId[];
  autoLeave: boolean;
}

/**
 * Reads up to `end`, on top of `base` if there was one before: protobuf merges a record that comes twice. Added to it
 * and not to a copy, which a record that comes a hundred thousand times would make as often.
 */
function readConfState(reader: ByteReader, end: number, base: ReadConfState | null): ReadConfState {
  const state = base ?? { voters: [], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
  while (reader.nextField(end)) {
    switch (reader.tag) {
      case 0x08:
      case 0x0a:
        readIds(reader, state.voters);
        break;
      case 0x10:
      case 0x12:
        readIds(reader, state.learners);
        break;
      case 0x18:
      case 0x1a:
        readIds(reader, state.votersOutgoing);
        break;
      case 0x20:
      case 0x22:
        readIds(reader, state.learnersNext);
        break;
      case 0x28:
        state.autoLeave = reader.value !== 0;
        break;
      default:
        skipFound(reader);
    }
  }
  return state;
}

function metadataSize(metadata: SnapshotMetadata): number {
  return (
    (metadata.confState === emptyConfState ? 0 : lengthDelimitedSize(confStateSize(metadata.confState))) +
    (metadata.index === 0 ? 0 : 1 + varintSize(metadata.index)) +
    (metadata.term === 0 ? 0 : 1 + varintSize(metadata.term))
  );
}

function writeMetadata(target: Uint8Array, start: number, metadata: SnapshotMetadata): number {
  let pos = start;
  if (metadata.confState !== emptyConfState) {
    pos = writeNumberField(target, pos, 0x0a, confStateSize(metadata.confState));
    pos = writeConfState(target, pos, metadata.confState);
  }
  if (metadata.index !== 0) pos = writeNumberField(target, pos, 0x10, metadata.index);
  if (metadata.term !== 0) pos = writeNumberField(target, pos, 0x18, metadata.term);
  return pos;
}

function readMetadata(reader: ByteReader, end: number, base: SnapshotMetadata): SnapshotMetadata {
  let { confState, index, term } = base;
  while (reader.nextField(end)) {
    switch (reader.tag) {
      case 0x0a:
        confState = readConfState(reader, reader.pos + reader.value, confState === emptyConfState ? null : (confState as ReadConfState));
        break;
      case 0x10:
        index = reader.foundNumber();
        break;
      case 0x18:
        term = reader.foundNumber();
        break;
      default:
        skipFound(reader);
    }
  }
  return { confState, index, term };
}

/** Encoded size in bytes of a snapshot, without tag and length. */
export function encodedSnapshotSize(snapshot: Snapshot): number {
  const { data, metadata } = snapshot;
  return (
    bytesFieldSize(data) + (metadata === emptySnapshot.metadata ? 0 : lengthDelimitedSize(metadataSize(metadata)))
  );
}

/** Writes a snapshot; returns the position after it. */
export function writeSnapshot(target: Uint8Array, start: number, snapshot: Snapshot): number {
  const { data, metadata } = snapshot;
  const pos = writeBytesField(target, start, 0x0a, data);
  if (metadata === emptySnapshot.metadata) return pos;
  return writeMetadata(target, writeNumberField(target, pos, 0x12, metadataSize(metadata)), metadata);
}

/** Reads the snapshot from `reader.pos` to `end` on top of `base`: protobuf merges a record that comes twice. */
export function readSnapshot(reader: ByteReader, end: number, base: Snapshot): Snapshot {
  let { data, metadata } = base;
  while (reader.nextField(end)) {
    switch (reader.tag) {
      case 0x0a:
        data = reader.takeBytes(reader.pos, reader.value);
        reader.pos += reader.value;
        break;
      case 0x12:
        metadata = readMetadata(reader, reader.pos + reader.value, metadata);
        break;
      default:
        skipFound(reader);
    }
  }
  return { data, metadata };
}

/** A snapshot as protobuf bytes. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  return encodeRecord(snapshot, encodedSnapshotSize, writeSnapshot);
}

/** The snapshot that the bytes are. */
export function decodeSnapshot(bytes: Uint8Array, options?: DecodeOptions): Snapshot {
  const reader = new ByteReader(bytes, options);
  const snapshot = readSnapshot(reader, reader.end, emptySnapshot);
  reader.finish();
  return snapshot;
}

/** A configuration as protobuf bytes. */
export function encodeConfState(state: ConfState): Uint8Array {
  return encodeRecord(state, confStateSize, writeConfState);
}

/** The configuration that the bytes are. Ids are as they were written: order, repetitions and zeros included. */
export function decodeConfState(bytes: Uint8Array): ConfState {
  const reader = new ByteReader(bytes, undefined);
  return readConfState(reader, reader.end, null);
}

function hardStateSize({ term, vote, commit }: HardState): number {
  return (term === 0 ? 0 : 1 + varintSize(term)) + (vote === None ? 0 : 1 + idSize(vote)) + (commit === 0 ? 0 : 1 + varintSize(commit));
}

function writeHardState(target: Uint8Array, start: number, { term, vote, commit }: HardState): number {
  let pos = start;
  if (term !== 0) pos = writeNumberField(target, pos, 0x08, term);
  if (vote !== None) pos = writeIdField(target, pos, 0x10, vote);
  return commit === 0 ? pos : writeNumberField(target, pos, 0x18, commit);
}

/** A hard state as protobuf bytes. */
export function encodeHardState(state: HardState): Uint8Array {
  return encodeRecord(state, hardStateSize, writeHardState);
}

/** The hard state that the bytes are. */
export function decodeHardState(bytes: Uint8Array): HardState {
  const reader = new ByteReader(bytes, undefined);
  const end = reader.end;
  let term = 0;
  let vote: NodeId = None;
  let commit = 0;
  while (reader.nextField(end)) {
    switch (reader.tag) {
      case 0x08:
        term = reader.foundNumber();
        break;
      case 0x10:
        vote = reader.foundId();
        break;
      case 0x18:
        commit = reader.foundNumber();
        break;
      default:
        skipFound(reader);
    }
  }
  reader.finish();
  return { term, vote, commit };
}
