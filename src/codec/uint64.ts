import { RaftError, RaftErrorCode } from '../core/errors.js';
import { varintSize } from '../core/raftpb/varint.js';
import { isCanonicalNodeId, type Index, type NodeId, type Term } from '../core/types.js';

/**
 * uint64 as protobuf varints. Numbers up to 2^53-1 never become a bigint on their way; ids above are
 * exact bigints. Everything is written backwards, from the last byte to the first: a length prefix is
 * then known when its turn comes, and nothing is measured twice.
 *
 * The size functions check the range, so the write functions, which run after them, need not.
 */

function refuseNumber(value: unknown, what: string): never {
  throw new RaftError(RaftErrorCode.OutOfRange, `${what} ${String(value)} is not an integer from 0 to 2^53-1`);
}

function largeNumberSize(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) refuseNumber(value, 'a term or index');
  return varintSize(value);
}

/**
 * Bytes of a term or index.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if it is not an integer from 0 to 2^53-1.
 */
export function numberSize(value: Term | Index): number {
  // `&` is exact below 2^31 and turns anything else into a different value, so one comparison tests
  // type, sign, integrity and range.
  if ((value & 0x7f) === value) return 1;
  if ((value & 0x3fff) === value) return 2;
  if ((value & 0x1f_ffff) === value) return 3;
  if ((value & 0xfff_ffff) === value) return 4;
  return largeNumberSize(value);
}

/**
 * Bytes of a node id.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if it is not a canonical uint64.
 */
export function idSize(id: NodeId): number {
  if (typeof id === 'number') return numberSize(id);
  if (!isCanonicalNodeId(id)) {
    throw new RaftError(RaftErrorCode.OutOfRange, `node id ${String(id)} is not a canonical uint64`);
  }
  return id < 1n << 56n ? 8 : id < 1n << 63n ? 9 : 10;
}

/**
 * Bytes of the number of an enum. Negative ones, which only a foreign writer produces, take ten.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if it is not an int32.
 */
export function enumSize(value: number): number {
  if ((value & 0x7f) === value) return 1;
  if ((value | 0) !== value) refuseNumber(value, 'a type');
  return value < 0 ? 10 : varintSize(value);
}

/** Writes `value` so that it ends before `end`; returns where it starts. */
export function writeNumber(target: Uint8Array, end: number, value: number): number {
  if (value < 0x80) {
    target[end - 1] = value;
    return end - 1;
  }
  if (value < 0x4000) {
    target[end - 2] = value | 0x80;
    target[end - 1] = value >>> 7;
    return end - 2;
  }
  if (value < 0x20_0000) {
    target[end - 3] = value | 0x80;
    target[end - 2] = (value >>> 7) | 0x80;
    target[end - 1] = value >>> 14;
    return end - 3;
  }
  if (value < 0x1000_0000) {
    target[end - 4] = value | 0x80;
    target[end - 3] = (value >>> 7) | 0x80;
    target[end - 2] = (value >>> 14) | 0x80;
    target[end - 1] = value >>> 21;
    return end - 4;
  }
  const low = value % 0x1000_0000;
  return writeLow28(target, writeNumber(target, end, (value - low) / 0x1000_0000), low);
}

/** Writes 28 bits as four bytes with more to come. */
function writeLow28(target: Uint8Array, end: number, bits: number): number {
  target[end - 4] = bits | 0x80;
  target[end - 3] = (bits >>> 7) | 0x80;
  target[end - 2] = (bits >>> 14) | 0x80;
  target[end - 1] = (bits >>> 21) | 0x80;
  return end - 4;
}

const low28 = 0xfff_ffffn;

function writeBigint(target: Uint8Array, end: number, value: bigint): number {
  // A canonical bigint has more than 53 bits, so all of its low eight bytes are needed.
  const middle =
    value < 1n << 56n
      ? writeNumber(target, end, Number(value >> 28n))
      : writeLow28(target, writeNumber(target, end, Number(value >> 56n)), Number((value >> 28n) & low28));
  return writeLow28(target, middle, Number(value & low28));
}

/** As {@link writeNumber}, for a node id. */
export function writeId(target: Uint8Array, end: number, id: NodeId): number {
  return typeof id === 'number' ? writeNumber(target, end, id) : writeBigint(target, end, id);
}

/** As {@link writeNumber}, for the number of an enum. */
export function writeEnum(target: Uint8Array, end: number, value: number): number {
  return value < 0 ? writeBigint(target, end, BigInt.asUintN(64, BigInt(value))) : writeNumber(target, end, value);
}
