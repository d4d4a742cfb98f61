import { RaftError, RaftErrorCode } from '../core/errors.js';
import type { NodeId } from '../core/types.js';
import { ByteBlocks, maxHeapBytes, maxSharedBytes } from './byteBlocks.js';
import { codecLimits, type DecodeOptions } from './limits.js';

/** What {@link ByteReader.readVarint} returns for a value above 2^53-1; the value itself is in the reader. */
export const tooLarge = -1;

/**
 * The data of a field that is on the wire and empty. `emptyBytes` stands for a field that is not there.
 * Both mean the same; they are two objects so that encoding again gives the same bytes.
 */
const presentEmptyBytes: Uint8Array = new Uint8Array(0);

// Shared by all decodes of the program, which cannot interfere: no piece is handed out twice.
const decodedBlocks = new ByteBlocks();

/** The engine's own typed array over the same memory; a Buffer would answer `slice` and `constructor` differently. */
function plainBytes(input: Uint8Array): Uint8Array {
  if (input.constructor === Uint8Array) return input;
  // Not `instanceof`: the array may come from another realm, such as a frame or a test sandbox.
  if (!ArrayBuffer.isView(input) || input.BYTES_PER_ELEMENT !== 1) {
    throw new RaftError(RaftErrorCode.ArgumentInvalid, 'only a Uint8Array can be decoded');
  }
  return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
}

/**
 * Reads protobuf from bytes that may be hostile. Every method ends in time linear to what it reads, and
 * throws nothing but `ERR_RAFT_MALFORMED` with the offset.
 *
 * The hot loops keep their position in a local variable, where it lives in a register, and read one-byte
 * varints themselves; {@link pos} is how the slow paths here tell them where to go on. Decoding an
 * empty MsgApp so takes half the time of a reader that owns the position.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Position after what was read last. */
  pos = 0;
  /** Tag and value of the field that {@link nextField} found. */
  tag = 0;
  value = 0;
  private readonly alias: boolean;
  private entriesLeft: number;
  private responsesLeft: number = codecLimits.maxResponses;
  /** Where the first term or index above 2^53-1 stands, or -1. */
  private outOfRangeAt = -1;
  // The last varint: bits 0 to 27, 28 to 55, 56 to 63.
  private low = 0;
  private middle = 0;
  private high = 0;
  // The part of the input, from windowStart to windowEnd, that was copied to `block` at windowStart + shift.
  private windowStart = 0;
  private windowEnd = 0;
  private windowShift = 0;

  constructor(input: Uint8Array, options: DecodeOptions | undefined) {
    this.bytes = plainBytes(input);
    this.alias = options?.alias ?? false;
    this.entriesLeft = options?.maxEntries ?? codecLimits.maxEntries;
  }

  /** Refuses the input. */
  malformed(offset: number, what: string): never {
    throw new RaftError(RaftErrorCode.Malformed, `malformed protobuf at byte ${offset}: ${what}`, { offset });
  }

  /**
   * Ends a decode. Numbers out of range are reported only here, so that bytes which are not protobuf
   * at all are always called malformed.
   *
   * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` with the offset.
   */
  finish(): void {
    if (this.outOfRangeAt < 0) return;
    const offset = this.outOfRangeAt;
    throw new RaftError(RaftErrorCode.OutOfRange, `a term or index above 2^53-1 at byte ${offset}`, { offset });
  }

  /** Reads the varint at `start`: its value, or {@link tooLarge}. */
  readVarint(start: number, end: number): number {
    const bytes = this.bytes;
    let pos = start;
    if (pos >= end) this.malformed(start, 'a number is cut off');
    let byte = bytes[pos++]!;
    let low = byte & 0x7f;
    if (byte >= 0x80) {
      if (pos >= end) this.malformed(start, 'a number is cut off');
      byte = bytes[pos++]!;
      low |= (byte & 0x7f) << 7;
      if (byte >= 0x80) {
        if (pos >= end) this.malformed(start, 'a number is cut off');
        byte = bytes[pos++]!;
        low |= (byte & 0x7f) << 14;
        if (byte >= 0x80) {
          if (pos >= end) this.malformed(start, 'a number is cut off');
          byte = bytes[pos++]!;
          low |= (byte & 0x7f) << 21;
          if (byte >= 0x80) return this.readLongVarint(start, pos, end, low);
        }
      }
    }
    this.pos = pos;
    return low;
  }

  private readLongVarint(start: number, fifth: number, end: number, low: number): number {
    const bytes = this.bytes;
    let pos = fifth;
    let middle = 0;
    let high = 0;
    for (let i = 4, more = true; more; i++) {
      if (pos >= end) this.malformed(start, 'a number is cut off');
      const byte = bytes[pos++]!;
      if (i < 8) middle |= (byte & 0x7f) << (7 * (i - 4));
      else if (i === 8) high = byte & 0x7f;
      else if (byte > 1) this.malformed(start, 'a number has more than 64 bits');
      else high |= byte << 7;
      more = byte >= 0x80;
    }
    this.pos = pos;
    this.low = low;
    this.middle = middle;
    this.high = high;
    return high === 0 && middle < 0x200_0000 ? middle * 0x1000_0000 + low : tooLarge;
  }

  /** A term or index that {@link readVarint} found too large. Decoding goes on; {@link finish} throws. */
  refuseLater(offset: number): number {
    if (this.outOfRangeAt < 0) this.outOfRangeAt = offset;
    return 0;
  }

  /** The exact id of a varint that was just read. */
  idOf(value: number): NodeId {
    if (value !== tooLarge) return value;
    return (BigInt(this.high) << 56n) | (BigInt(this.middle) << 28n) | BigInt(this.low);
  }

  /** The enum number of a varint that was just read: its low 32 bits, as protobuf defines it. */
  enumOf(value: number): number {
    return value !== tooLarge ? value | 0 : this.low | (this.middle << 28);
  }

  /**
   * Moves to the next field that ends before `end`. For a number, {@link value} is its value and
   * {@link pos} is after it; for a byte string, its length (already checked) and where it starts.
   * Fields of other wire types are skipped, because the schema has none.
   *
   * @returns false at the end.
   */
  nextField(end: number): boolean {
    while (this.pos < end) {
      const start = this.pos;
      this.tag = this.readVarint(start, end);
      if ((this.tag & 5) !== 0) {
        this.pos = this.skipField(this.tag, start, this.pos, end);
        continue;
      }
      this.value = this.readVarint(this.pos, end);
      this.checkTag(this.tag, start);
      if ((this.tag & 2) !== 0) this.checkLength(this.value, this.pos, end);
      return true;
    }
    return false;
  }

  private checkTag(tag: number, offset: number): void {
    if (tag < 8 || tag > 0xffff_ffff) this.malformed(offset, 'not a field number');
  }

  /** Refuses a byte string that does not end before `end`. */
  checkLength(length: number, pos: number, end: number): void {
    if (length < 0 || length > end - pos) this.malformed(pos, 'a length goes beyond the end');
  }

  /** Position after an unknown field with a number or a byte string, `value` being that number or its length. */
  skipValue(tag: number, value: number, start: number, pos: number, end: number): number {
    this.checkTag(tag, start);
    if ((tag & 2) === 0) return pos;
    this.checkLength(value, pos, end);
    return pos + value;
  }

  /** Position after an unknown field of any other wire type; `start` is its tag's position, `pos` the one after it. */
  skipField(tag: number, start: number, pos: number, end: number): number {
    this.checkTag(tag, start);
    switch (tag & 7) {
      case 1:
        return this.skipBytes(8, pos, end);
      case 5:
        return this.skipBytes(4, pos, end);
      case 3:
        return this.skipGroup(tag, start, pos, end);
      case 4:
        return this.malformed(start, 'the end of a group that was not begun');
      default:
        return this.malformed(start, `wire type ${tag & 7}`);
    }
  }

  private skipBytes(length: number, pos: number, end: number): number {
    if (length > end - pos) this.malformed(pos, 'a field goes beyond the end');
    return pos + length;
  }

  /** Groups are nested by hand and not by recursion: the depth comes from the peer. */
  private skipGroup(tag: number, start: number, from: number, end: number): number {
    const open: number[] = [Math.floor(tag / 8)];
    let pos = from;
    while (open.length > 0) {
      if (pos >= end) this.malformed(start, 'a group is not ended');
      const at = pos;
      const inner = this.readVarint(pos, end);
      pos = this.pos;
      this.checkTag(inner, at);
      const field = Math.floor(inner / 8);
      if ((inner & 7) === 3) {
        if (open.length === codecLimits.maxGroupDepth) this.malformed(at, 'groups are nested too deep');
        open.push(field);
      } else if ((inner & 7) === 4) {
        if (open.pop() !== field) this.malformed(at, 'the end of another group');
      } else if ((inner & 5) !== 0) {
        pos = this.skipField(inner, at, pos, end);
      } else {
        const value = this.readVarint(pos, end);
        pos = this.skipValue(inner, value, at, this.pos, end);
      }
    }
    return pos;
  }

  /** Counts an entry against the limit. */
  countEntry(offset: number): void {
    if (--this.entriesLeft < 0) this.malformed(offset, 'too many entries');
  }

  /** Counts a response at `depth` against the limits. */
  countResponse(offset: number, depth: number): void {
    if (depth > codecLimits.maxResponseDepth) this.malformed(offset, 'responses are nested too deep');
    if (--this.responsesLeft < 0) this.malformed(offset, 'too many responses');
  }

  /** The byte string at `pos`, whose length was checked: a copy, or a view of the input if that was asked for. */
  takeBytes(pos: number, length: number): Uint8Array {
    if (length <= maxHeapBytes) return this.takeSmall(pos, length);
    if (this.alias) return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + pos, length);
    if (length > maxSharedBytes) return this.bytes.slice(pos, pos + length);
    if (pos < this.windowStart || pos + length > this.windowEnd) this.openWindow(pos, length);
    return new Uint8Array(decodedBlocks.block.buffer, pos + this.windowShift, length);
  }

  private takeSmall(pos: number, length: number): Uint8Array {
    if (length === 0) return presentEmptyBytes;
    const bytes = this.bytes;
    // Measured: below about 20 bytes the loop is faster than the call.
    if (length > 20) return bytes.slice(pos, pos + length);
    const copy = new Uint8Array(length);
    for (let i = 0; i < length; i++) copy[i] = bytes[pos + i]!;
    return copy;
  }

  /**
   * Copies the input from `pos` on, as far as it fits into the block, in one go: the byte strings that
   * follow then only need a view each. A block has 16 KiB, so that is what one of them can keep alive.
   */
  private openWindow(pos: number, length: number): void {
    decodedBlocks.reserve(length);
    const { block, used } = decodedBlocks;
    const size = Math.min(this.bytes.length - pos, block.length - used);
    block.set(new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + pos, size), used);
    decodedBlocks.used = used + size;
    this.windowStart = pos;
    this.windowEnd = pos + size;
    this.windowShift = used - pos;
  }
}
