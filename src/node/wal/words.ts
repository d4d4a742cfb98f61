import { canonicalNodeId, type NodeId } from '../../core/types.js';

const twoTo32 = 0x1_0000_0000;

/** Writes a safe integer as a u64. Two halves, because a bigint on the way costs an allocation for each number. */
export function writeU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / twoTo32), true);
}

/** Reads a u64 that must be a safe integer; -1 if it is larger. */
export function readU64(view: DataView, offset: number): number {
  const value = view.getUint32(offset + 4, true) * twoTo32 + view.getUint32(offset, true);
  return Number.isSafeInteger(value) ? value : -1;
}

/** Writes a node id, any uint64. */
export function writeId(view: DataView, offset: number, id: NodeId): void {
  if (typeof id === 'number') writeU64(view, offset, id);
  else view.setBigUint64(offset, id, true);
}

/** Reads a node id in canonical form. */
export function readId(view: DataView, offset: number): NodeId {
  const small = readU64(view, offset);
  return small >= 0 ? small : canonicalNodeId(view.getBigUint64(offset, true));
}

/** A view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Index of the first byte in [start, end) that is not zero, or `end`. */
export function firstNonZero(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  // Eight bytes a step where the buffer allows it: segments are mostly zeros.
  const lead = (8 - ((bytes.byteOffset + i) & 7)) & 7;
  for (const stop = Math.min(i + lead, end); i < stop; i++) if (bytes[i] !== 0) return i;
  const words = (end - i) >>> 3;
  if (words > 0) {
    const wide = new Float64Array(bytes.buffer, bytes.byteOffset + i, words);
    let w = 0;
    // -0 is a non-zero bit pattern that compares as zero, so it is asked for.
    while (w < words && wide[w] === 0 && !Object.is(wide[w], -0)) w++;
    i += w << 3;
  }
  while (i < end && bytes[i] === 0) i++;
  return i;
}
