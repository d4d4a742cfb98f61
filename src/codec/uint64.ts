import { RaftError, RaftErrorCode } from '../core/errors.js';
import { nodeIdSize, varintSize } from '../core/raftpb/varint.js';
import { canonicalNodeId, isCanonicalNodeId, type NodeId } from '../core/types.js';

/**
 * uint64 as protobuf varints. Numbers up to 2^53-1 never become a bigint on their way; ids above are
 * exact bigints. The write functions check what they write, so that nothing is ever rounded or
 * truncated silently; each returns the position after the last byte.
 */

function outOfRange(what: string, value: unknown): RaftError {
  return new RaftError(RaftErrorCode.OutOfRange, `${what} ${String(value)} cannot be encoded exactly`);
}

/** Writes the 28 lowest bits as four bytes with more to come. */
function writeLow28(target: Uint8Array, pos: number, bits: number): number {
  target[pos] = bits | 0x80;
  target[pos + 1] = (bits >>> 7) | 0x80;
  target[pos + 2] = (bits >>> 14) | 0x80;
  target[pos + 3] = (bits >>> 21) | 0x80;
  return pos + 4;
}

function writeLargeNumber(target: Uint8Array, start: number, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw outOfRange('number', value);
  const low = value % 0x1000_0000;
  let pos = writeLow28(target, start, low);
  let high = (value - low) / 0x1000_0000;
  while (high >= 0x80) {
    target[pos++] = high | 0x80;
    high >>>= 7;
  }
  target[pos++] = high;
  return pos;
}

/**
 * Writes an integer from 0 to 2^53-1.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if it is anything else.
 */
export function writeNumber(target: Uint8Array, start: number, value: number): number {
  // `&` is exact below 2^31 and makes anything else a different value: one comparison tests that it is
  // an integer, not negative and below 2^28.
  if ((value & 0xfff_ffff) !== value) return writeLargeNumber(target, start, value);
  // One length after the other: a loop takes a tenth more of the time of an entry.
  if (value < 0x80) {
    target[start] = value;
    return start + 1;
  }
  target[start] = value | 0x80;
  if (value < 0x4000) {
    target[start + 1] = value >>> 7;
    return start + 2;
  }
  target[start + 1] = (value >>> 7) | 0x80;
  if (value < 0x20_0000) {
    target[start + 2] = value >>> 14;
    return start + 3;
  }
  target[start + 2] = (value >>> 14) | 0x80;
  target[start + 3] = value >>> 21;
  return start + 4;
}

/** Writes a tag of one byte and a number after it. */
export function writeNumberField(target: Uint8Array, pos: number, tag: number, value: number): number {
  target[pos] = tag;
  return writeNumber(target, pos + 1, value);
}

const low28 = 0xfff_ffffn;

/** Writes a bigint above 2^53-1 and below 2^64, which so has at least eight bytes. */
function writeBigint(target: Uint8Array, start: number, value: bigint): number {
  const pos = writeLow28(target, start, Number(value & low28));
  if (value < 1n << 56n) return writeNumber(target, pos, Number(value >> 28n));
  return writeNumber(target, writeLow28(target, pos, Number((value >> 28n) & low28)), Number(value >> 56n));
}

/**
 * Writes a node id.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if it is not a uint64 in canonical form.
 */
export function writeId(target: Uint8Array, start: number, id: NodeId): number {
  if (typeof id === 'number') return writeNumber(target, start, id);
  if (!isCanonicalNodeId(id)) throw outOfRange('node id', id);
  return writeBigint(target, start, id);
}

/** Writes a tag of one byte and a node id after it. */
export function writeIdField(target: Uint8Array, pos: number, tag: number, id: NodeId): number {
  target[pos] = tag;
  return writeId(target, pos + 1, id);
}

/** Bytes that {@link writeId} writes. */
export function idSize(id: NodeId): number {
  return typeof id === 'number' ? varintSize(id) : nodeIdSize(id);
}

/** Bytes that {@link writeEnum} writes. A negative number, which only a foreign writer produces, takes ten. */
export function enumSize(value: number): number {
  return value < 0 ? 10 : varintSize(value);
}

/**
 * Writes the number of an enum.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if it is not an int32.
 */
export function writeEnum(target: Uint8Array, start: number, value: number): number {
  if ((value | 0) !== value) throw outOfRange('type', value);
  return value < 0
    ? writeBigint(target, start, BigInt.asUintN(64, BigInt(value)))
    : writeNumber(target, start, value);
}

/**
 * The uint64 of the varint that ends before `end`, exactly. For those that are too large for a number,
 * which are rare enough to be read a second time.
 */
export function exactVarint(bytes: Uint8Array, end: number): NodeId {
  let pos = end - 1;
  let value = BigInt(bytes[pos]!);
  // The byte before a varint is the last one of a tag, a length or another varint.
  while (pos > 0 && bytes[pos - 1]! >= 0x80) value = (value << 7n) | BigInt(bytes[--pos]! & 0x7f);
  return canonicalNodeId(BigInt.asUintN(64, value));
}
