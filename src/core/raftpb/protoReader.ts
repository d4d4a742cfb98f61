import { RaftError, RaftErrorCode } from '../errors.js';
import { isBytes, type NodeId } from '../types.js';

/** How protobuf writes the value of a field; 6 and 7 do not exist. */
export const WireType = { Varint: 0, Fixed64: 1, Bytes: 2, StartGroup: 3, EndGroup: 4, Fixed32: 5 } as const;

/** Groups inside of groups that are still skipped; the same depth as the Go decoder of protobuf. */
const maxGroupDepth = 10_001;

/** Highest field number of protobuf. */
const maxFieldNumber = 0x1fff_ffff;

/**
 * Reads protobuf fields from bytes without copying them. For what the core itself must understand, the
 * configuration changes; messages are read by the codec.
 *
 * Every method throws RaftError `ERR_RAFT_MALFORMED` with the offset of the item that is damaged.
 */
export class ProtoReader {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private position: number;
  private field = 0;
  private wireType = 0;

  /**
   * Reads `bytes` from `start` to `end`, `end` excluded. Offsets in errors count from the first of all bytes.
   *
   * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` if they are no bytes.
   */
  constructor(bytes: Uint8Array, start = 0, end?: number) {
    if (!isBytes(bytes)) throw new RaftError(RaftErrorCode.ArgumentInvalid, 'not bytes');
    this.bytes = bytes;
    this.position = start;
    this.end = end ?? bytes.length;
  }

  /** Reads the next tag; false at the end of the bytes. */
  nextField(): boolean {
    if (this.position >= this.end) return false;
    this.readTag();
    if (this.wireType === WireType.EndGroup) throw malformed('a group ends', this.position - 1);
    return true;
  }

  /** Whether the tag read last has this field number and wire type. */
  isAt(field: number, wireType: number): boolean {
    return this.field === field && this.wireType === wireType;
  }

  /** A uint64, exact. */
  uint64(): NodeId {
    const start = this.position;
    let value = 0;
    let scale = 1;
    // Seven bytes hold 49 bits, which a number can add up exactly.
    for (let i = 0; i < 7; i++) {
      const byte = this.byte(start);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    let high = BigInt(this.byte(start));
    if (high >= 0x80n) high = (high & 0x7fn) | (this.highestBits(start) << 7n);
    const exact = BigInt(value) | (high << 49n);
    return exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : exact;
  }

  /** Bits 56 to 63 of a varint, whose last byte may only hold the highest of them. */
  private highestBits(start: number): bigint {
    const ninth = this.byte(start);
    if (ninth < 0x80) return BigInt(ninth);
    const tenth = this.byte(start);
    if (tenth > 1) throw malformed('a varint is longer than 64 bits', start);
    return BigInt(ninth & 0x7f) | (BigInt(tenth) << 7n);
  }

  /** An enum: the low 32 bits of a varint with their sign, as protobuf decoders agree on. */
  enum(): number {
    const value = this.uint64();
    return typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value));
  }

  /** The next field's bytes; they share memory with the input. */
  bytesView(): Uint8Array {
    const start = this.length();
    return this.bytes.subarray(start, this.position);
  }

  /** A reader over the next field's bytes. */
  message(): ProtoReader {
    const start = this.length();
    return new ProtoReader(this.bytes, start, this.position);
  }

  /** Passes the value of the tag read last, which may be of any field. Errors name the offset of the damage. */
  skip(): void {
    if (this.wireType !== WireType.StartGroup) {
      this.skipValue();
      return;
    }
    // A stack of our own: the depth is the sender's choice, the call stack is not.
    const groups = [this.field];
    while (groups.length > 0) {
      const start = this.position;
      this.readTag();
      if (this.wireType === WireType.StartGroup) {
        if (groups.length >= maxGroupDepth) throw malformed('groups are nested too deep', start);
        groups.push(this.field);
      } else if (this.wireType === WireType.EndGroup) {
        if (groups.pop() !== this.field) throw malformed('a group ends', start);
      } else {
        this.skipValue();
      }
    }
  }

  private skipValue(): void {
    switch (this.wireType) {
      case WireType.Varint:
        this.uint64();
        return;
      case WireType.Fixed64:
        this.advance(8, this.position);
        return;
      case WireType.Bytes:
        this.length();
        return;
      default:
        this.advance(4, this.position);
    }
  }

  private readTag(): void {
    const start = this.position;
    const tag = this.uint64();
    const field = typeof tag === 'number' ? Math.floor(tag / 8) : Infinity;
    if (field === 0 || field > maxFieldNumber) throw malformed('not a field number', start);
    this.field = field;
    this.wireType = Number(tag) & 7;
    if (this.wireType > WireType.Fixed32) throw malformed(`wire type ${this.wireType}`, start);
  }

  /** Reads a length, passes that many bytes and returns where they start. */
  private length(): number {
    const start = this.position;
    const length = this.uint64();
    this.advance(length, start);
    return this.position - Number(length);
  }

  /** @param start of what is being read, for the error. */
  private advance(count: NodeId, start: number): void {
    if (count > this.end - this.position) throw malformed('the bytes end inside of a field', start);
    this.position += Number(count);
  }

  private byte(start: number): number {
    this.advance(1, start);
    return this.bytes[this.position - 1]!;
  }
}

function malformed(what: string, offset: number): RaftError {
  return new RaftError(RaftErrorCode.Malformed, `malformed protobuf at byte ${offset}: ${what}`, { offset });
}
