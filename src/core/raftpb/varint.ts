import type { NodeId } from '../types.js';

/** Bytes that a uint64 up to 2^53-1 takes as a protobuf varint: 1 to 8. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  if (value < 0x8_0000_0000) return 5;
  if (value < 0x400_0000_0000) return 6;
  if (value < 0x2_0000_0000_0000) return 7;
  return 8;
}

/** Bytes that a node id takes as a varint: 1 to 10. */
export function nodeIdSize(id: NodeId): number {
  if (typeof id === 'number') return varintSize(id);
  // Canonical bigints are above 2^53-1, so at least 8 bytes.
  if (id < 1n << 56n) return 8;
  return id < 1n << 63n ? 9 : 10;
}
