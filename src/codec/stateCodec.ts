import { newEntry, type Entry, type EntryType } from '../core/raftpb/entry.js';
import {
  emptyConfState,
  emptySnapshot,
  type ConfState,
  type HardState,
  type Snapshot,
  type SnapshotMetadata,
} from '../core/raftpb/state.js';
import { varintSize } from '../core/raftpb/varint.js';
import { emptyBytes, None, type NodeId } from '../core/types.js';
import { ByteReader, tooLarge } from './byteReader.js';
import { codecLimits, type DecodeOptions } from './limits.js';
import { enumSize, idSize, numberSize, writeEnum, writeId, writeNumber } from './uint64.js';

/**
 * Entry, Snapshot, ConfState and HardState on the wire. For each: its size, writing it backwards to
 * end before a position, reading it from a range.
 *
 * What is left out, exactly as etcd raft 3.7 does it: numbers that are zero, false, and the shared
 * constants `emptyBytes`, `emptyConfState` and the metadata of `emptySnapshot`, which stand for a
 * field that is not there. Any other byte string or record is written even if it is empty. Both mean
 * the same to every reader (E14).
 */

/** Bytes of a field of up to 15 that holds `length` bytes, with tag and length. */
export function lengthDelimitedSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Bytes of an optional byte string. */
export function bytesFieldSize(bytes: Uint8Array): number {
  return bytes === emptyBytes ? 0 : lengthDelimitedSize(bytes.length);
}

/** Writes an optional byte string so that it ends before `end`; returns where its tag stands. */
export function writeBytesField(target: Uint8Array, end: number, tag: number, bytes: Uint8Array): number {
  if (bytes === emptyBytes) return end;
  const length = bytes.length;
  const start = end - length;
  // Measured: a call of `set` costs as much as this loop over 16 bytes.
  if (length > 16) target.set(bytes, start);
  else for (let i = 0; i < length; i++) target[start + i] = bytes[i]!;
  return writeTagAndLength(target, start, tag, length);
}

/** Writes tag and length in front of what starts at `start`. */
export function writeTagAndLength(target: Uint8Array, start: number, tag: number, length: number): number {
  const pos = writeNumber(target, start, length) - 1;
  target[pos] = tag;
  return pos;
}

/** Encoded size in bytes of an entry, without tag and length. */
export function encodedEntrySize(entry: Entry): number {
  return (
    (entry.type === 0 ? 0 : 1 + enumSize(entry.type)) +
    (entry.term === 0 ? 0 : 1 + numberSize(entry.term)) +
    (entry.index === 0 ? 0 : 1 + numberSize(entry.index)) +
    bytesFieldSize(entry.data)
  );
}

/** Writes an entry so that it ends before `end`; returns where it starts. */
export function writeEntry(target: Uint8Array, end: number, entry: Entry): number {
  let pos = writeBytesField(target, end, 0x22, entry.data);
  if (entry.index !== 0) {
    pos = writeNumber(target, pos, entry.index) - 1;
    target[pos] = 0x18;
  }
  if (entry.term !== 0) {
    pos = writeNumber(target, pos, entry.term) - 1;
    target[pos] = 0x10;
  }
  if (entry.type !== 0) {
    pos = writeEnum(target, pos, entry.type) - 1;
    target[pos] = 0x08;
  }
  return pos;
}

/** Reads the entry between two positions. */
export function readEntry(reader: ByteReader, start: number, end: number): Entry {
  const bytes = reader.bytes;
  let type = 0;
  let term = 0;
  let index = 0;
  let data = emptyBytes;
  let pos = start;
  while (pos < end) {
    const at = pos;
    let tag = bytes[pos++]!;
    if (tag >= 0x80) {
      tag = reader.readVarint(at, end);
      pos = reader.pos;
    }
    if ((tag & 5) !== 0) {
      pos = reader.skipField(tag, at, pos, end);
      continue;
    }
    let value = pos < end ? bytes[pos++]! : reader.readVarint(pos, end);
    if (value >= 0x80) {
      value = reader.readVarint(pos - 1, end);
      pos = reader.pos;
    }
    switch (tag) {
      case 0x10:
        term = value >= 0 ? value : reader.refuseLater(at);
        break;
      case 0x18:
        index = value >= 0 ? value : reader.refuseLater(at);
        break;
      case 0x22:
        reader.checkLength(value, pos, end);
        data = reader.takeBytes(pos, value);
        pos += value;
        break;
      case 0x08:
        type = reader.enumOf(value);
        break;
      default:
        pos = reader.skipValue(tag, value, at, pos, end);
    }
  }
  return newEntry(type as EntryType, data, term, index);
}

function idsSize(ids: readonly NodeId[]): number {
  let size = 0;
  for (let i = 0; i < ids.length; i++) size += 1 + idSize(ids[i]!);
  return size;
}

function writeIds(target: Uint8Array, end: number, tag: number, ids: readonly NodeId[]): number {
  let pos = end;
  for (let i = ids.length - 1; i >= 0; i--) {
    pos = writeId(target, pos, ids[i]!) - 1;
    target[pos] = tag;
  }
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

function writeConfState(target: Uint8Array, end: number, state: ConfState): number {
  let pos = end;
  if (state.autoLeave) {
    target[pos - 1] = 1;
    target[pos - 2] = 0x28;
    pos -= 2;
  }
  pos = writeIds(target, pos, 0x20, state.learnersNext);
  pos = writeIds(target, pos, 0x18, state.votersOutgoing);
  pos = writeIds(target, pos, 0x10, state.learners);
  return writeIds(target, pos, 0x08, state.voters);
}

/** Appends the id, or the packed ids, of the field just found. */
function readIds(reader: ByteReader, ids: NodeId[]): void {
  if ((reader.tag & 2) === 0) {
    if (ids.length === codecLimits.maxIds) reader.malformed(reader.pos, 'too many ids');
    ids.push(reader.idOf(reader.value));
    return;
  }
  const end = reader.pos + reader.value;
  while (reader.pos < end) {
    if (ids.length === codecLimits.maxIds) reader.malformed(reader.pos, 'too many ids');
    ids.push(reader.idOf(reader.readVarint(reader.pos, end)));
  }
}

/** Skips the byte string or number of the field just found. */
function skipFound(reader: ByteReader): void {
  if ((reader.tag & 2) !== 0) reader.pos += reader.value;
}

/** The term or index of the field just found. */
function foundNumber(reader: ByteReader): number {
  return reader.value !== tooLarge ? reader.value : reader.refuseLater(reader.pos);
}

/** Reads up to `end` on top of `base`: protobuf merges a record that comes twice. */
function readConfState(reader: ByteReader, end: number, base: ConfState): ConfState {
  const voters = base.voters.slice();
  const learners = base.learners.slice();
  const votersOutgoing = base.votersOutgoing.slice();
  const learnersNext = base.learnersNext.slice();
  let autoLeave = base.autoLeave;
  while (reader.nextField(end)) {
    switch (reader.tag) {
      case 0x08:
      case 0x0a:
        readIds(reader, voters);
        break;
      case 0x10:
      case 0x12:
        readIds(reader, learners);
        break;
      case 0x18:
      case 0x1a:
        readIds(reader, votersOutgoing);
        break;
      case 0x20:
      case 0x22:
        readIds(reader, learnersNext);
        break;
      case 0x28:
        autoLeave = reader.value !== 0;
        break;
      default:
        skipFound(reader);
    }
  }
  return { voters, learners, votersOutgoing, learnersNext, autoLeave };
}

function metadataSize(metadata: SnapshotMetadata): number {
  return (
    (metadata.confState === emptyConfState ? 0 : lengthDelimitedSize(confStateSize(metadata.confState))) +
    (metadata.index === 0 ? 0 : 1 + numberSize(metadata.index)) +
    (metadata.term === 0 ? 0 : 1 + numberSize(metadata.term))
  );
}

function writeMetadata(target: Uint8Array, end: number, metadata: SnapshotMetadata): number {
  let pos = end;
  if (metadata.term !== 0) {
    pos = writeNumber(target, pos, metadata.term) - 1;
    target[pos] = 0x18;
  }
  if (metadata.index !== 0) {
    pos = writeNumber(target, pos, metadata.index) - 1;
    target[pos] = 0x10;
  }
  if (metadata.confState !== emptyConfState) {
    const stop = pos;
    pos = writeConfState(target, stop, metadata.confState);
    pos = writeTagAndLength(target, pos, 0x0a, stop - pos);
  }
  return pos;
}

function readMetadata(reader: ByteReader, end: number, base: SnapshotMetadata): SnapshotMetadata {
  let { confState, index, term } = base;
  while (reader.nextField(end)) {
    switch (reader.tag) {
      case 0x0a:
        confState = readConfState(reader, reader.pos + reader.value, confState);
        break;
      case 0x10:
        index = foundNumber(reader);
        break;
      case 0x18:
        term = foundNumber(reader);
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

/** Writes a snapshot so that it ends before `end`; returns where it starts. */
export function writeSnapshot(target: Uint8Array, end: number, snapshot: Snapshot): number {
  let pos = end;
  if (snapshot.metadata !== emptySnapshot.metadata) {
    pos = writeMetadata(target, end, snapshot.metadata);
    pos = writeTagAndLength(target, pos, 0x12, end - pos);
  }
  return writeBytesField(target, pos, 0x0a, snapshot.data);
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

/**
 * An entry as protobuf bytes.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if a number is not what its type says; so do all encoders.
 */
export function encodeEntry(entry: Entry): Uint8Array {
  const size = encodedEntrySize(entry);
  const bytes = new Uint8Array(size);
  writeEntry(bytes, size, entry);
  return bytes;
}

/**
 * The entry that the bytes are. A type that is none of `EntryType` stays the number it is.
 *
 * @throws RaftError `ERR_RAFT_MALFORMED` or `ERR_RAFT_OUT_OF_RANGE` with the offset; so do all decoders.
 */
export function decodeEntry(bytes: Uint8Array, options?: DecodeOptions): Entry {
  const reader = new ByteReader(bytes, options);
  const entry = readEntry(reader, 0, reader.bytes.length);
  reader.finish();
  return entry;
}

/** A snapshot as protobuf bytes. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const size = encodedSnapshotSize(snapshot);
  const bytes = new Uint8Array(size);
  writeSnapshot(bytes, size, snapshot);
  return bytes;
}

/** The snapshot that the bytes are. */
export function decodeSnapshot(bytes: Uint8Array, options?: DecodeOptions): Snapshot {
  const reader = new ByteReader(bytes, options);
  const snapshot = readSnapshot(reader, reader.bytes.length, emptySnapshot);
  reader.finish();
  return snapshot;
}

/** A configuration as protobuf bytes. */
export function encodeConfState(state: ConfState): Uint8Array {
  const size = confStateSize(state);
  const bytes = new Uint8Array(size);
  writeConfState(bytes, size, state);
  return bytes;
}

/** The configuration that the bytes are. Ids are as they were written: order, repetitions and zeros included. */
export function decodeConfState(bytes: Uint8Array): ConfState {
  const reader = new ByteReader(bytes, undefined);
  return readConfState(reader, reader.bytes.length, emptyConfState);
}

/** A hard state as protobuf bytes. */
export function encodeHardState(state: HardState): Uint8Array {
  const size =
    (state.term === 0 ? 0 : 1 + numberSize(state.term)) +
    (state.vote === None ? 0 : 1 + idSize(state.vote)) +
    (state.commit === 0 ? 0 : 1 + numberSize(state.commit));
  const bytes = new Uint8Array(size);
  let pos = size;
  if (state.commit !== 0) {
    pos = writeNumber(bytes, pos, state.commit) - 1;
    bytes[pos] = 0x18;
  }
  if (state.vote !== None) {
    pos = writeId(bytes, pos, state.vote) - 1;
    bytes[pos] = 0x10;
  }
  if (state.term !== 0) {
    pos = writeNumber(bytes, pos, state.term) - 1;
    bytes[pos] = 0x08;
  }
  return bytes;
}

/** The hard state that the bytes are. */
export function decodeHardState(bytes: Uint8Array): HardState {
  const reader = new ByteReader(bytes, undefined);
  const end = reader.bytes.length;
  let term = 0;
  let vote: NodeId = None;
  let commit = 0;
  while (reader.nextField(end)) {
    switch (reader.tag) {
      case 0x08:
        term = foundNumber(reader);
        break;
      case 0x10:
        vote = reader.idOf(reader.value);
        break;
      case 0x18:
        commit = foundNumber(reader);
        break;
      default:
        skipFound(reader);
    }
  }
  reader.finish();
  return { term, vote, commit };
}
