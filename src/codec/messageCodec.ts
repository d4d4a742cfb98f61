import { panic, RaftError, RaftErrorCode } from '../core/errors.js';
import type { Entry } from '../core/raftpb/entry.js';
import { messageWith, newMessage, type Message } from '../core/raftpb/message.js';
import { MessageType } from '../core/raftpb/messageType.js';
import { emptySnapshot } from '../core/raftpb/state.js';
import { varintSize } from '../core/raftpb/varint.js';
import { emptyBytes, isBytes, None } from '../core/types.js';
import { ByteBlocks } from './byteBlocks.js';
import { ByteReader, plainBytes } from './byteReader.js';
import { bytesFieldSize, lengthDelimitedSize, writeBytesField } from './bytesField.js';
import { unencodable } from './encodeRecord.js';
import { encodedEntrySize, readEntry, writeEntryField } from './entryCodec.js';
import { checkDecodeOptions, codecLimits, type DecodeOptions } from './limits.js';
import { encodedSnapshotSize, readSnapshot, writeSnapshot } from './stateCodec.js';
import { enumSize, idSize, writeEnum, writeIdField, writeNumberField } from './uint64.js';

function sizeAt(m: Message, depth: number): number {
  let size = bytesFieldSize(m.context);
  if (m.type !== 0) size += 1 + enumSize(m.type);
  if (m.to !== None) size += 1 + idSize(m.to);
  if (m.from !== None) size += 1 + idSize(m.from);
  if (m.term !== 0) size += 1 + varintSize(m.term);
  if (m.logTerm !== 0) size += 1 + varintSize(m.logTerm);
  if (m.index !== 0) size += 1 + varintSize(m.index);
  if (m.commit !== 0) size += 1 + varintSize(m.commit);
  if (m.reject) size += 2;
  if (m.rejectHint !== 0) size += 1 + varintSize(m.rejectHint);
  if (m.vote !== None) size += 1 + idSize(m.vote);
  const entries = m.entries;
  for (let i = 0; i < entries.length; i++) size += lengthDelimitedSize(encodedEntrySize(entries[i]!));
  if (m.snapshot !== null) size += lengthDelimitedSize(encodedSnapshotSize(m.snapshot));
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

/**
 * Writes a message; returns the position after it.
 *
 * Fields that usually take one byte are written here and not by a call: an empty MsgApp takes 30 ns so,
 * and 42 with calls.
 */
function writeMessage(target: Uint8Array, start: number, m: Message): number {
  const { type, to, from, term, logTerm } = m;
  let pos = start;
  if ((type & 0x7f) !== type) {
    target[pos] = 0x08;
    pos = writeEnum(target, pos + 1, type);
  } else if (type !== 0) {
    target[pos] = 0x08;
    target[pos + 1] = type;
    pos += 2;
  }
  if (typeof to !== 'number' || (to & 0x7f) !== to) {
    pos = writeIdField(target, pos, 0x10, to);
  } else if (to !== None) {
    target[pos] = 0x10;
    target[pos + 1] = to;
    pos += 2;
  }
  if (typeof from !== 'number' || (from & 0x7f) !== from) {
    pos = writeIdField(target, pos, 0x18, from);
  } else if (from !== None) {
    target[pos] = 0x18;
    target[pos + 1] = from;
    pos += 2;
  }
  if ((term & 0x7f) !== term) {
    pos = writeNumberField(target, pos, 0x20, term);
  } else if (term !== 0) {
    target[pos] = 0x20;
    target[pos + 1] = term;
    pos += 2;
  }
  if ((logTerm & 0x7f) !== logTerm) {
    pos = writeNumberField(target, pos, 0x28, logTerm);
  } else if (logTerm !== 0) {
    target[pos] = 0x28;
    target[pos + 1] = logTerm;
    pos += 2;
  }
  if (m.index !== 0) pos = writeNumberField(target, pos, 0x30, m.index);
  const entries = m.entries;
  for (let i = 0; i < entries.length; i++) pos = writeEntryField(target, pos, 0x3a, entries[i]!);
  if (m.commit !== 0) pos = writeNumberField(target, pos, 0x40, m.commit);
  return hasRest(m) ? writeRest(target, pos, m) : pos;
}

function hasRest(m: Message): boolean {
  return (
    m.context !== emptyBytes ||
    m.reject ||
    m.rejectHint !== 0 ||
    m.vote !== None ||
    m.snapshot !== null ||
    m.responses.length > 0
  );
}

/** Writes what few messages have. */
function writeRest(target: Uint8Array, start: number, m: Message): number {
  let pos = start;
  if (m.snapshot !== null) {
    pos = writeNumberField(target, pos, 0x4a, encodedSnapshotSize(m.snapshot));
    pos = writeSnapshot(target, pos, m.snapshot);
  }
  if (m.reject) {
    target[pos] = 0x50;
    target[pos + 1] = 1;
    pos += 2;
  }
  if (m.rejectHint !== 0) pos = writeNumberField(target, pos, 0x58, m.rejectHint);
  pos = writeBytesField(target, pos, 0x62, m.context);
  if (m.vote !== None) pos = writeIdField(target, pos, 0x68, m.vote);
  for (let i = 0; i < m.responses.length; i++) {
    const response = m.responses[i]!;
    pos = writeMessage(target, writeNumberField(target, pos, 0x72, sizeAt(response, 0)), response);
  }
  return pos;
}

// Encoded messages live a short time, so these blocks can be larger than those of decoded data.
const encodedBlocks = new ByteBlocks(0x2_0000);

/** Longer messages get memory of their own. */
const maxSharedBytes = 0x4000;

/** All fields of a message but records and bytes, at their longest. */
const maxHeadSize = 100;

/** All fields of an entry, tag and length included, but not its data, at their longest. */
const maxEntryHeadSize = 42;

/** A bound on the size of a message that is quick to find, or Infinity if it is not worth looking for. */
function sizeBound(m: Message): number {
  const entries = m.entries;
  const count = entries.length;
  if (m.snapshot !== null || m.responses.length > 0 || count * maxEntryHeadSize > maxSharedBytes) return Infinity;
  let bound = maxHeadSize + m.context.length + count * maxEntryHeadSize;
  for (let i = 0; i < count; i++) bound += entries[i]!.data.length;
  return bound;
}

/**
 * Bytes that {@link encodeMessage} makes of `m`, if it can be encoded. Whether every number is one is only seen then.
 *
 * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` if a field is missing, or the responses are nested deeper than
 *   `codecLimits.maxResponseDepth`. What is no list may count as an empty one.
 */
export function encodedMessageSize(m: Message): number {
  try {
    return sizeAt(m, 0);
  } catch (error) {
    throw unencodable(error);
  }
}

/**
 * A message as protobuf bytes, the same as etcd raft 3.7 writes.
 *
 * Up to 16 KiB the result shares its ArrayBuffer, of 128 KiB, with other results, as Node's Buffers do,
 * because an ArrayBuffer of its own costs more than all the encoding. So never transfer or look at
 * `result.buffer`; for a buffer of your own use {@link encodeMessageInto}.
 *
 * @throws RaftError as {@link encodedMessageSize}, also for numbers that are bigints and bytes that are none, and
 *   `ERR_RAFT_OUT_OF_RANGE` if a number of the message is not what its type says.
 */
export function encodeMessage(m: Message): Uint8Array {
  try {
    const bound = sizeBound(m);
    if (bound > maxSharedBytes) return encodeAlone(m);
    // Written first and cut off afterwards: that saves measuring it, a quarter of the time.
    encodedBlocks.reserve(bound);
    const start = encodedBlocks.used;
    return encodedBlocks.cut(writeMessage(encodedBlocks.block, start, m) - start);
  } catch (error) {
    throw unencodable(error);
  }
}

function encodeAlone(m: Message): Uint8Array {
  const bytes = new Uint8Array(sizeAt(m, 0));
  if (writeMessage(bytes, 0, m) !== bytes.length) panic('codec: not the size of the message');
  return bytes;
}

/**
 * Writes a message into `target` from `offset` on, after a frame header for example. The way to encode that takes no
 * memory: a connection has one buffer for all of its messages. After an error there may be a part of the message in it,
 * beyond `offset + size` as well if that was too small.
 *
 * @param size what `encodedMessageSize(m)` returned, if the caller knows it already.
 * @returns the position after the last byte.
 * @throws RaftError as {@link encodeMessage}, and `ERR_RAFT_ARGUMENT_INVALID` if it does not fit, or `size` is not its size.
 */
export function encodeMessageInto(m: Message, target: Uint8Array, offset: number, size?: number): number {
  try {
    // Not measured where it fits in any case: a quarter of the time.
    if (size === undefined && target instanceof Uint8Array && Number.isSafeInteger(offset) && offset >= 0 && offset + sizeBound(m) <= target.length) {
      return writeMessage(target, offset, m);
    }
    return encodeExactly(m, target, offset, size ?? sizeAt(m, 0));
  } catch (error) {
    throw unencodable(error);
  }
}

function encodeExactly(m: Message, target: Uint8Array, offset: number, size: number): number {
  const end = offset + size;
  if (!isBytes(target)) throw new RaftError(RaftErrorCode.ArgumentInvalid, 'a message can only be encoded into a Uint8Array');
  if (!Number.isSafeInteger(end) || offset < 0 || size < 0 || end > target.length) {
    throw new RaftError(
      RaftErrorCode.ArgumentInvalid,
      `a message of ${size} bytes does not fit into ${target.length} bytes at ${offset}`,
    );
  }
  if (writeMessage(target, offset, m) !== end) throw new RaftError(RaftErrorCode.ArgumentInvalid, `${size} bytes is not the size of the message`);
  return end;
}

/** The last position that a message may begin at: 2^30-1. */
const maxStart = 0x3fff_ffff;

/**
 * Reads a message, from no later than {@link maxStart} on.
 *
 * Writers write fields in the order of their numbers. So what nearly every message begins with is read
 * here without a loop, one field after the other, as long as each is short and in its place;
 * {@link readFields} goes on from there. An empty MsgApp takes less than half the time so that it takes in
 * the loop. Calls for what is spelled out twice here would lose most of that.
 */
function readMessage(bytes: Uint8Array, start: number, end: number, options: DecodeOptions | undefined): Message {
  let type = 0;
  let to = 0;
  let from = 0;
  let term = 0;
  let logTerm = 0;
  let index = 0;
  let commit = 0;
  // The compiler cannot know that no sum below overflows; with this it does, and an empty MsgApp takes 25 ns in place of 28.
  let pos = start & maxStart;
  // Ten bytes hold what is read without a look at the end.
  if (end - start >= 10) {
    if (bytes[pos] === 0x08 && bytes[pos + 1]! < 0x80) {
      type = bytes[pos + 1]!;
      pos += 2;
    }
    if (bytes[pos] === 0x10 && bytes[pos + 1]! < 0x80) {
      to = bytes[pos + 1]!;
      pos += 2;
    }
    if (bytes[pos] === 0x18 && bytes[pos + 1]! < 0x80) {
      from = bytes[pos + 1]!;
      pos += 2;
    }
    if (bytes[pos] === 0x20 && bytes[pos + 1]! < 0x80) {
      term = bytes[pos + 1]!;
      pos += 2;
    }
    if (bytes[pos] === 0x28 && bytes[pos + 1]! < 0x80) {
      logTerm = bytes[pos + 1]!;
      pos += 2;
    }
    if (pos + 3 < end && bytes[pos] === 0x30) {
      const first = bytes[pos + 1]!;
      const second = bytes[pos + 2]!;
      const third = bytes[pos + 3]!;
      if (first < 0x80) {
        index = first;
        pos += 2;
      } else if (second < 0x80) {
        index = (first & 0x7f) | (second << 7);
        pos += 3;
      } else if (third < 0x80) {
        index = (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14);
        pos += 4;
      } else if (pos + 4 < end && bytes[pos + 4]! < 0x80) {
        index = (first & 0x7f) | ((second & 0x7f) << 7) | ((third & 0x7f) << 14) | (bytes[pos + 4]! << 21);
        pos += 5;
      }
    }
    if (pos + 3 < end && bytes[pos] === 0x40) {
      const first = bytes[pos + 1]!;
      const second = bytes[pos + 2]!;
      const third = bytes[pos + 3]!;
      if (first < 0x80) {
        commit = first;
        pos += 2;
      } else if (second < 0x80) {
        commit = (first & 0x7f) | (second << 7);
        pos += 3;
      } else if (third < 0x80) {
        commit = (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14);
        pos += 4;
      } else if (pos + 4 < end && bytes[pos + 4]! < 0x80) {
        commit = (first & 0x7f) | ((second & 0x7f) << 7) | ((third & 0x7f) << 14) | (bytes[pos + 4]! << 21);
        pos += 5;
      }
    }
  }
  const m = messageWith(type as MessageType, to, from, term, logTerm, index, commit);
  return pos === end ? m : readFields(m, bytes, options, null, pos, end, 0);
}

/**
 * Reads the fields between two positions into a message.
 *
 * Here is what most messages have: numbers of up to four bytes, and entries. A reader is only made when
 * something else turns up, and {@link readField} then reads that field.
 *
 * @param given the reader of the message around this one, or null.
 */
function readFields(
  m: Message,
  bytes: Uint8Array,
  options: DecodeOptions | undefined,
  given: ByteReader | null,
  start: number,
  end: number,
  depth: number,
): Message {
  let reader = given;
  let pos = start;
  while (pos < end) {
    const at = pos;
    const tag = bytes[pos++]!;
    let value = pos < end ? bytes[pos++]! : -1;
    if (value >= 0x80) {
      const second = pos < end ? bytes[pos]! : 0xff;
      if (second < 0x80) {
        value = (value & 0x7f) | (second << 7);
        pos++;
      } else if (pos + 1 < end && bytes[pos + 1]! < 0x80) {
        value = (value & 0x7f) | ((second & 0x7f) << 7) | (bytes[pos + 1]! << 14);
        pos += 2;
      } else if (pos + 2 < end && bytes[pos + 2]! < 0x80) {
        value = (value & 0x7f) | ((second & 0x7f) << 7) | ((bytes[pos + 1]! & 0x7f) << 14) | (bytes[pos + 2]! << 21);
        pos += 3;
      } else {
        value = -1;
      }
    }
    if (value >= 0) {
      switch (tag) {
        case 0x08:
          m.type = value as MessageType;
          continue;
        case 0x10:
          m.to = value;
          continue;
        case 0x18:
          m.from = value;
          continue;
        case 0x20:
          m.term = value;
          continue;
        case 0x28:
          m.logTerm = value;
          continue;
        case 0x30:
          m.index = value;
          continue;
        case 0x3a: {
          if (reader === null) reader = new ByteReader(bytes, options, end);
          m.entries = append(m.entries, readCountedEntry(reader, at, pos, value, end));
          pos += value;
          continue;
        }
        case 0x40:
          m.commit = value;
          continue;
      }
    }
    if (reader === null) reader = new ByteReader(bytes, options, end);
    pos = readField(reader, m, at, end, depth);
  }
  if (depth === 0 && reader !== null) reader.finish();
  return m;
}

/** Adds to a list of the message being read. The empty list is shared by all messages, any other is its own. */
function append<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length === 0) return [item];
  (list as T[]).push(item);
  return list;
}

function readCountedEntry(reader: ByteReader, at: number, pos: number, length: number, end: number): Entry {
  reader.checkLength(length, pos, end);
  reader.countEntry(at);
  return readEntry(reader, pos, pos + length);
}

/** Reads any field at all of a message, or skips an unknown one; returns the position after it. */
function readField(reader: ByteReader, m: Message, at: number, end: number, depth: number): number {
  reader.pos = at;
  if (!reader.nextField(end)) return end;
  const start = reader.pos;
  const next = (reader.tag & 2) !== 0 ? start + reader.value : start;
  switch (reader.tag) {
    case 0x08:
      m.type = reader.foundEnum() as MessageType;
      break;
    case 0x10:
      m.to = reader.foundId();
      break;
    case 0x18:
      m.from = reader.foundId();
      break;
    case 0x20:
      m.term = reader.foundNumber();
      break;
    case 0x28:
      m.logTerm = reader.foundNumber();
      break;
    case 0x30:
      m.index = reader.foundNumber();
      break;
    case 0x3a:
      m.entries = append(m.entries, readCountedEntry(reader, at, start, reader.value, end));
      break;
    case 0x40:
      m.commit = reader.foundNumber();
      break;
    case 0x4a:
      m.snapshot = readSnapshot(reader, next, m.snapshot ?? emptySnapshot);
      break;
    case 0x50:
      m.reject = reader.value !== 0;
      break;
    case 0x58:
      m.rejectHint = reader.foundNumber();
      break;
    case 0x62:
      m.context = reader.takeBytes(start, reader.value);
      break;
    case 0x68:
      m.vote = reader.foundId();
      break;
    case 0x72:
      reader.countResponse(at, depth + 1);
      m.responses = append(m.responses, readFields(newMessage(MessageType.MsgHup, None), reader.bytes, undefined, reader, start, next, depth + 1));
      break;
  }
  return next;
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
 *   Both give the byte offset. `ERR_RAFT_ARGUMENT_INVALID` if `bytes` is not a Uint8Array, or an option not what it must be.
 */
export function decodeMessage(bytes: Uint8Array, options?: DecodeOptions): Message {
  // Not plainBytes for all: asking an array for its constructor takes 3 ns, a tenth of a small message.
  const input = bytes instanceof Uint8Array ? bytes : plainBytes(bytes);
  if (options !== undefined) checkDecodeOptions(options);
  return readMessage(input, 0, input.length, options);
}

/**
 * The message from `start` up to `end` of `source`, for frames that follow one another in the buffer of a connection:
 * {@link decodeMessage} without a view of each frame, which costs more than reading an empty MsgApp. The byte offset of
 * an error counts from the beginning of `source`. With `options.alias` every view keeps all of `source` alive.
 *
 * @param start below 2^30.
 * @throws RaftError as {@link decodeMessage}, and `ERR_RAFT_ARGUMENT_INVALID` if there are no such bytes in `source`.
 */
export function decodeMessageFrom(source: Uint8Array, start: number, end: number, options?: DecodeOptions): Message {
  const input = source instanceof Uint8Array ? source : plainBytes(source);
  if (options !== undefined) checkDecodeOptions(options);
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end || end > input.length || start > maxStart) {
    throw new RaftError(RaftErrorCode.ArgumentInvalid, `no message can be read from ${start} to ${end} of ${input.length} bytes`);
  }
  return readMessage(input, start, end, options);
}
