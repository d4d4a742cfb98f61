import { newEntry, type Entry, type EntryType } from '../core/raftpb/entry.js';
import { varintSize } from '../core/raftpb/varint.js';
import { emptyBytes } from '../core/types.js';
import { ByteReader, tooLarge } from './byteReader.js';
import { bytesFieldSize, writeBytesField } from './bytesField.js';
import { encodeRecord } from './encodeRecord.js';
import type { DecodeOptions } from './limits.js';
import { enumSize, writeEnum, writeNumberField } from './uint64.js';

/** Encoded size in bytes of an entry, without tag and length. */
export function encodedEntrySize(entry: Entry): number {
  return (
    (entry.type === 0 ? 0 : 1 + enumSize(entry.type)) +
    (entry.term === 0 ? 0 : 1 + varintSize(entry.term)) +
    (entry.index === 0 ? 0 : 1 + varintSize(entry.index)) +
    bytesFieldSize(entry.data)
  );
}

/** Writes an entry; returns the position after it. */
export function writeEntry(target: Uint8Array, start: number, entry: Entry): number {
  const term = entry.term;
  let pos = start;
  if (entry.type !== 0) {
    target[pos] = 0x08;
    pos = writeEnum(target, pos + 1, entry.type);
  }
  if ((term & 0x7f) !== term) {
    pos = writeNumberField(target, pos, 0x10, term);
  } else if (term !== 0) {
    // One byte without a call: the usual case, and 4 ns less for each entry.
    target[pos] = 0x10;
    target[pos + 1] = term;
    pos += 2;
  }
  if (entry.index !== 0) pos = writeNumberField(target, pos, 0x18, entry.index);
  return writeBytesField(target, pos, 0x22, entry.data);
}

/** Writes an entry with tag and length; returns the position after it. */
export function writeEntryField(target: Uint8Array, start: number, tag: number, entry: Entry): number {
  // The entry is written first and its length afterwards, where the data alone tells how many bytes the
  // length will take: measuring the entry would cost half as much as writing it. The other fields of an
  // entry take at most 35 bytes.
  const length = entry.data.length;
  const lengthSize =
    length < 0x80 - 35 ? 1 : length >= 0x80 && length < 0x4000 - 35 ? 2 : varintSize(encodedEntrySize(entry));
  const first = start + 1 + lengthSize;
  const end = writeEntry(target, first, entry);
  writeNumberField(target, start, tag, end - first);
  return end;
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
    let value = pos < end ? bytes[pos++]! : tooLarge;
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
        value = tooLarge;
      }
    }
    if (value < 0 || (tag & 0x85) !== 0) {
      reader.pos = at;
      if (!reader.nextField(end)) break;
      tag = reader.tag;
      value = reader.value;
      pos = reader.pos;
    }
    switch (tag) {
      case 0x08:
        type = value >= 0 ? value | 0 : reader.foundEnum();
        break;
      case 0x10:
        term = value >= 0 ? value : reader.foundNumber();
        break;
      case 0x18:
        index = value >= 0 ? value : reader.foundNumber();
        break;
      case 0x22:
        reader.checkLength(value, pos, end);
        data = reader.takeBytes(pos, value);
        pos += value;
        break;
      default:
        pos = reader.skipValue(tag, value, at, pos, end);
    }
  }
  return newEntry(type as EntryType, data, term, index);
}

/**
 * An entry as protobuf bytes.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if a number is not what its type says, `ERR_RAFT_ARGUMENT_INVALID` if a field
 *   is missing, a number a bigint, or the data no bytes; so do all encoders.
 */
export function encodeEntry(entry: Entry): Uint8Array {
  return encodeRecord(entry, encodedEntrySize, writeEntry);
}

/**
 * The entry that the bytes are. A type that is none of `EntryType` stays the number it is.
 *
 * @throws RaftError `ERR_RAFT_MALFORMED` or `ERR_RAFT_OUT_OF_RANGE` with the offset; so do all decoders.
 */
export function decodeEntry(bytes: Uint8Array, options?: DecodeOptions): Entry {
  const reader = new ByteReader(bytes, options);
  const entry = readEntry(reader, 0, reader.end);
  reader.finish();
  return entry;
}
