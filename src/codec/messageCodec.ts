import { panic, RaftError, RaftErrorCode } from '../core/errors.js';
import type { Entry } from '../core/raftpb/entry.js';
import { newMessage, type Message } from '../core/raftpb/message.js';
import { MessageType } from '../core/raftpb/messageType.js';
import { emptySnapshot } from '../core/raftpb/state.js';
import { None } from '../core/types.js';
import { ByteBlocks, maxHeapBytes, maxSharedBytes } from './byteBlocks.js';
import { ByteReader } from './byteReader.js';
import { codecLimits, type DecodeOptions } from './limits.js';
import {
  bytesFieldSize,
  encodedEntrySize,
  encodedSnapshotSize,
  lengthDelimitedSize,
  readEntry,
  readSnapshot,
  writeBytesField,
  writeEntry,
  writeSnapshot,
  writeTagAndLength,
} from './stateCodec.js';
import { enumSize, idSize, numberSize, writeEnum, writeId, writeNumber } from './uint64.js';

function sizeAt(m: Message, depth: number): number {
  let size = 0;
  if (m.type !== 0) size += 1 + enumSize(m.type);
  if (m.to !== None) size += 1 + idSize(m.to);
  if (m.from !== None) size += 1 + idSize(m.from);
  if (m.term !== 0) size += 1 + numberSize(m.term);
  if (m.logTerm !== 0) size += 1 + numberSize(m.logTerm);
  if (m.index !== 0) size += 1 + numberSize(m.index);
  const entries = m.entries;
  for (let i = 0; i < entries.length; i++) size += lengthDelimitedSize(encodedEntrySize(entries[i]!));
  if (m.commit !== 0) size += 1 + numberSize(m.commit);
  if (m.snapshot !== null) size += lengthDelimitedSize(encodedSnapshotSize(m.snapshot));
  if (m.reject) size += 2;
  if (m.rejectHint !== 0) size += 1 + numberSize(m.rejectHint);
  size += bytesFieldSize(m.context);
  if (m.vote !== None) size += 1 + idSize(m.vote);
  if (m.responses.length > 0) size += responsesSize(m.responses, depth + 1);
  return size;
}

function responsesSize(responses: readonly Message[], depth: number): number {
  if (depth > codecLimits.maxResponseDepth) {
    throw new RaftError(RaftErrorCode.ArgumentInvalid, 'responses are nested too deep to be encoded');
  }
  let size = 0;
  for (let i = 0; i < responses.length; i++) size += lengthDelimitedSize(sizeAt(responses[i]!, depth));
  return size;
}

/** Writes `m` so that it ends before `end`; returns where it starts. */
function writeMessage(target: Uint8Array, end: number, m: Message): number {
  let pos = end;
  if (m.responses.length > 0) pos = writeResponses(target, pos, m.responses);
  if (m.vote !== None) {
    pos = writeId(target, pos, m.vote) - 1;
    target[pos] = 0x68;
  }
  pos = writeBytesField(target, pos, 0x62, m.context);
  if (m.rejectHint !== 0) {
    pos = writeNumber(target, pos, m.rejectHint) - 1;
    target[pos] = 0x58;
  }
  if (m.reject) {
    target[pos - 1] = 1;
    target[pos - 2] = 0x50;
    pos -= 2;
  }
  if (m.snapshot !== null) {
    const stop = pos;
    pos = writeSnapshot(target, stop, m.snapshot);
    pos = writeTagAndLength(target, pos, 0x4a, stop - pos);
  }
  if (m.commit !== 0) {
    pos = writeNumber(target, pos, m.commit) - 1;
    target[pos] = 0x40;
  }
  const entries = m.entries;
  for (let i = entries.length - 1; i >= 0; i--) {
    const stop = pos;
    pos = writeEntry(target, stop, entries[i]!);
    pos = writeTagAndLength(target, pos, 0x3a, stop - pos);
  }
  return writeHead(target, pos, m);
}

/** Writes the six numbers in front of the entries. */
function writeHead(target: Uint8Array, end: number, m: Message): number {
  let pos = end;
  if (m.index !== 0) {
    pos = writeNumber(target, pos, m.index) - 1;
    target[pos] = 0x30;
  }
  if (m.logTerm !== 0) {
    pos = writeNumber(target, pos, m.logTerm) - 1;
    target[pos] = 0x28;
  }
  if (m.term !== 0) {
    pos = writeNumber(target, pos, m.term) - 1;
    target[pos] = 0x20;
  }
  if (m.from !== None) {
    pos = writeId(target, pos, m.from) - 1;
    target[pos] = 0x18;
  }
  if (m.to !== None) {
    pos = writeId(target, pos, m.to) - 1;
    target[pos] = 0x10;
  }
  if (m.type !== 0) {
    pos = writeEnum(target, pos, m.type) - 1;
    target[pos] = 0x08;
  }
  return pos;
}

function writeResponses(target: Uint8Array, end: number, responses: readonly Message[]): number {
  let pos = end;
  for (let i = responses.length - 1; i >= 0; i--) {
    const stop = pos;
    pos = writeMessage(target, stop, responses[i]!);
    pos = writeTagAndLength(target, pos, 0x72, stop - pos);
  }
  return pos;
}

// Encoded messages live a short time, decoded data a long one; so they do not share blocks.
const encodedBlocks = new ByteBlocks();

function bytesFor(size: number): Uint8Array {
  return size <= maxHeapBytes || size > maxSharedBytes ? new Uint8Array(size) : encodedBlocks.take(size);
}

/**
 * Bytes that {@link encodeMessage} makes of `m`.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if a number of the message is not what its type says,
 *   `ERR_RAFT_ARGUMENT_INVALID` if its responses are nested deeper than `codecLimits.maxResponseDepth`.
 */
export function encodedMessageSize(m: Message): number {
  return sizeAt(m, 0);
}

/**
 * A message as protobuf bytes, the same as etcd raft 3.7 writes.
 *
 * Up to 4 KiB the result shares its ArrayBuffer with other results, as Node's Buffers do, because an
 * ArrayBuffer of its own costs more than all the encoding. So never transfer or look at
 * `result.buffer`; for a buffer of your own use {@link encodeMessageInto}.
 *
 * @throws RaftError as {@link encodedMessageSize}.
 */
export function encodeMessage(m: Message): Uint8Array {
  const size = sizeAt(m, 0);
  const bytes = bytesFor(size);
  if (writeMessage(bytes, size, m) !== 0) panic('codec: the size of a message changed while it was written');
  return bytes;
}

/**
 * Writes a message into `target` from `offset` on, after a frame header for example.
 *
 * @param size what `encodedMessageSize(m)` returned, if the caller knows it already.
 * @returns the position after the last byte.
 * @throws RaftError as {@link encodedMessageSize}, and `ERR_RAFT_ARGUMENT_INVALID` if it does not fit.
 */
export function encodeMessageInto(
  m: Message,
  target: Uint8Array,
  offset: number,
  size: number = encodedMessageSize(m),
): number {
  const end = offset + size;
  if (!Number.isSafeInteger(end) || offset < 0 || size < 0 || end > target.length) {
    throw new RaftError(
      RaftErrorCode.ArgumentInvalid,
      `a message of ${size} bytes does not fit into ${target.length} bytes at ${offset}`,
    );
  }
  if (writeMessage(target, end, m) !== offset) panic('codec: not the size of the message');
  return end;
}

/** Reads the message between two positions. */
function readMessage(reader: ByteReader, start: number, end: number, depth: number): Message {
  const bytes = reader.bytes;
  const m = newMessage(MessageType.MsgHup, None);
  let entries: Entry[] | null = null;
  let responses: Message[] | null = null;
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
    // Both wire types that the schema has go on with a varint: the number, or the length.
    let value = pos < end ? bytes[pos++]! : reader.readVarint(pos, end);
    if (value >= 0x80) {
      value = reader.readVarint(pos - 1, end);
      pos = reader.pos;
    }
    switch (tag) {
      case 0x08:
        m.type = reader.enumOf(value) as MessageType;
        break;
      case 0x10:
        m.to = reader.idOf(value);
        break;
      case 0x18:
        m.from = reader.idOf(value);
        break;
      case 0x20:
        m.term = value >= 0 ? value : reader.refuseLater(at);
        break;
      case 0x28:
        m.logTerm = value >= 0 ? value : reader.refuseLater(at);
        break;
      case 0x30:
        m.index = value >= 0 ? value : reader.refuseLater(at);
        break;
      case 0x3a:
        reader.checkLength(value, pos, end);
        reader.countEntry(at);
        if (entries === null) m.entries = entries = [];
        entries.push(readEntry(reader, pos, pos + value));
        pos += value;
        break;
      case 0x40:
        m.commit = value >= 0 ? value : reader.refuseLater(at);
        break;
      case 0x4a:
        reader.checkLength(value, pos, end);
        reader.pos = pos;
        m.snapshot = readSnapshot(reader, pos + value, m.snapshot ?? emptySnapshot);
        pos += value;
        break;
      case 0x50:
        m.reject = value !== 0;
        break;
      case 0x58:
        m.rejectHint = value >= 0 ? value : reader.refuseLater(at);
        break;
      case 0x62:
        reader.checkLength(value, pos, end);
        m.context = reader.takeBytes(pos, value);
        pos += value;
        break;
      case 0x68:
        m.vote = reader.idOf(value);
        break;
      case 0x72:
        reader.checkLength(value, pos, end);
        reader.countResponse(at, depth + 1);
        if (responses === null) m.responses = responses = [];
        responses.push(readMessage(reader, pos, pos + value, depth + 1));
        pos += value;
        break;
      default:
        pos = reader.skipValue(tag, value, at, pos, end);
    }
  }
  return m;
}

/**
 * The message that the bytes are. Any bytes end in a message or in a RaftError; what the message says
 * is checked later, by `step`. Unknown fields are skipped. A type that is none of `MessageType` or
 * `EntryType` stays the number it is, so that a message of a newer version reaches the check in
 * `step`, which refuses it, and does not cost the connection.
 *
 * **Ownership.** Unless `options.alias` is set, the result holds no reference to `bytes`: the input may
 * be overwritten or freed at once. Each byte string of the result keeps at most 16 KiB alive, or its
 * own size if that is more than 4 KiB; never transfer its `.buffer`, which it may share with others.
 * Results are plain Uint8Arrays even if the input is a Buffer.
 *
 * @throws RaftError `ERR_RAFT_MALFORMED` if the bytes are not a Message or exceed {@link codecLimits};
 *   `ERR_RAFT_OUT_OF_RANGE` if they are one with a term or index above 2^53-1, which is never rounded.
 *   Both give the byte offset. `ERR_RAFT_ARGUMENT_INVALID` if `bytes` is not a Uint8Array.
 */
export function decodeMessage(bytes: Uint8Array, options?: DecodeOptions): Message {
  const reader = new ByteReader(bytes, options);
  const m = readMessage(reader, 0, reader.bytes.length, 0);
  reader.finish();
  return m;
}
