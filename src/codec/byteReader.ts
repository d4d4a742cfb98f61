import { RaftError, RaftErrorCode } from '../core/errors.js';
import type { NodeId } from '../core/types.js';
import { maxHeapBytes } from './byteBlocks.js';
import { CopiedBytes } from './copiedBytes.js';
import { checkDecodeOptions, codecLimits, type DecodeOptions } from './limits.js';
import { exactVarint } from './uint64.js';

/** What {@link ByteReader.readVarint} returns for a value above 2^53-1. */
export const tooLarge = -1;

/**
 * The data of a field that is on the wire and empty. `emptyBytes` stands for a field that is not there.
 * Both mean the same; they are two objects so that encoding again gives the same bytes.
 */
const presentEmptyBytes: Uint8Array = new Uint8Array(0);

/**
 * The engine's own typed array over the same memory: a Buffer slices differently.
 *
 * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` if the argument is not a Uint8Array.
 */
export function plainBytes(input: Uint8Array): Uint8Array {
  if (input?.constructor === Uint8Array) return input;
  // Not `instanceof`, which an array of another realm fails, such as one from a frame.
  if (!ArrayBuffer.isView(input) || input.BYTES_PER_ELEMENT !== 1) {
    throw new RaftError(RaftErrorCode.ArgumentInvalid, 'only a Uint8Array can be decoded');
  }
  return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
}

/**
 * Reads protobuf from bytes that may be hostile. Every method ends in time linear to what it reads, and
 * throws nothing but `ERR_RAFT_MALFORMED` with the offset.
 *
 * Records that are rare are read with {@link nextField}. Messages and entries have loops of their own,
 * with the position in a local variable, and come here for what those loops do not do; {@link pos} then
 * tells where to go on.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Where in them the outermost record ends. */
  readonly end: number;
  /** Position after what was read last. */
  pos = 0;
  /** Tag of the field that {@link nextField} found. */
  tag = 0;
  /** Its value or length. */
  value = 0;
  private readonly alias: boolean;
  private entriesLeft: number;
  private responsesLeft: number = codecLimits.maxResponses;
  /** Where the first term or index above 2^53-1 stands, or -1. */
  private outOfRangeAt = -1;
  private copied: CopiedBytes | null = null;

  /**
   * @param end where the outermost record ends, if not with the input.
   * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` if the input is no bytes, or the options are none.
   */
  constructor(input: Uint8Array, options: DecodeOptions | undefined, end?: number) {
    checkDecodeOptions(options);
    this.bytes = plainBytes(input);
    this.end = end ?? this.bytes.length;
    this.alias = options?.alias === true;
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
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (pos >= end) this.malformed(start, 'a number is cut off');
      const byte = bytes[pos++]!;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.pos = pos;
        return low;
      }
    }
    return this.readLongVarint(start, pos, end, low);
  }

  /** Reads on from the fifth byte. */
  private readLongVarint(start: number, fifth: number, end: number, low: number): number {
    const bytes = this.bytes;
    let pos = fifth;
    let middle = 0;
    let high = 0;
    for (let i = 4, more = true; more; i++) {
      if (pos >= end) this.malformed(start, 'a number is cut off');
      const byte = bytes[pos++]!;
      if (i < 8) middle |= (byte & 0x7f) << (7 * (i - 4));
      else if (i === 8 || byte <= 1) high |= byte & 0x7f;
      else this.malformed(start, 'a number has more than 64 bits');
      more = byte >= 0x80;
    }
    this.pos = pos;
    return high === 0 && middle < 0x200_0000 ? middle * 0x1000_0000 + low : tooLarge;
  }

  /** The term or index just found. One that is too large is refused by {@link finish}. */
  foundNumber(): number {
    if (this.value !== tooLarge) return this.value;
    if (this.outOfRangeAt < 0) this.outOfRangeAt = this.pos - 1;
    return 0;
  }

  /** The node id just found, exactly. */
  foundId(): NodeId {
    return this.value !== tooLarge ? this.value : exactVarint(this.bytes, this.pos);
  }

  /** The enum number just found: its low 32 bits, as protobuf defines it. */
  foundEnum(): number {
    if (this.value !== tooLarge) return this.value | 0;
    return Number(BigInt.asIntN(32, BigInt(exactVarint(this.bytes, this.pos))));
  }

  /**
   * The tag at `start` of a field with a number or a byte string. A field of any other wire type is
   * skipped, because the schema has none, and the answer is 0. {@link pos} is after what was read.
   */
  private readTag(start: number, end: number): number {
    const tag = this.readVarint(start, end);
    this.checkTag(tag, start);
    if ((tag & 5) === 0) return tag;
    this.pos = this.skipField(tag, start, this.pos, end);
    return 0;
  }

  /**
   * Moves to the next field that ends before `end`. For a number, {@link value} is its value and
   * {@link pos} is after it; for a byte string, its length (already checked) and where it starts.
   *
   * @returns false at the end.
   */
  nextField(end: number): boolean {
    while (this.pos < end) {
      this.tag = this.readTag(this.pos, end);
      if (this.tag === 0) continue;
      this.value = this.readVarint(this.pos, end);
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

  /** Position after a field of any other wire type; `start` is its tag's position, `pos` the one after it. */
  private skipField(tag: number, start: number, pos: number, end: number): number {
    switch (tag & 7) {
      case 1:
        this.checkLength(8, pos, end);
        return pos + 8;
      case 5:
        this.checkLength(4, pos, end);
        return pos + 4;
      case 3:
        return this.skipGroup(tag, start, pos, end);
      case 4:
        return this.malformed(start, 'the end of a group that was not begun');
      default:
        return this.malformed(start, `wire type ${tag & 7}`);
    }
  }

  /** Groups are nested by hand and not by recursion: the depth comes from the peer. */
  private skipGroup(tag: number, start: number, from: number, end: number): number {
    const open: number[] = [tag + 1];
    let pos = from;
    while (open.length > 0) {
      const at = pos;
      if (at >= end) this.malformed(start, 'a group is not ended');
      const inner = this.readVarint(at, end);
      this.checkTag(inner, at);
      pos = this.pos;
      if ((inner & 7) === 3) {
        if (open.length === codecLimits.maxGroupDepth) this.malformed(at, 'groups are nested too deep');
        open.push(inner + 1);
      } else if ((inner & 7) === 4) {
        if (open.pop() !== inner) this.malformed(at, 'the end of another group');
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
    if (length === 0) return presentEmptyBytes;
    if (this.alias && length > maxHeapBytes) {
      return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + pos, length);
    }
    if (this.copied === null) this.copied = new CopiedBytes(this.bytes, this.end);
    return this.copied.take(pos, length);
  }
}
