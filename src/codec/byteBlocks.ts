/** Up to this many bytes V8 keeps a typed array on its own heap, where making one takes 12 ns and not 300 or more. */
export const maxHeapBytes = 64;

/**
 * Memory for byte strings that are too large for the heap of the engine and too small for an
 * ArrayBuffer of their own: they are cut off the front of a common block, one after the other. Memory
 * that was handed out is never handed out again; a block is freed when nothing refers to it.
 */
export class ByteBlocks {
  /** Length of a block in bytes: what one piece can keep alive. */
  readonly blockBytes: number;
  /** The block from which the next piece is cut. Empty until the first one is wanted. */
  block: Uint8Array = new Uint8Array(0);
  /** The memory of {@link block}; asking the block for it takes 10 ns each time. */
  buffer: ArrayBuffer = new ArrayBuffer(0);
  /** Bytes of {@link block} that are handed out. */
  used = 0;

  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
  }

  /** Makes sure that at least `size` bytes, and no more than a block has, are free in {@link block}. */
  reserve(size: number): void {
    // A block that somebody transferred to another thread has length 0, and so counts as full.
    if (this.block.length - this.used >= size) return;
    this.buffer = new ArrayBuffer(this.blockBytes);
    this.block = new Uint8Array(this.buffer);
    this.used = 0;
  }

  /** The next `size` bytes, which were reserved. */
  cut(size: number): Uint8Array {
    const start = this.used;
    this.used = start + size;
    return new Uint8Array(this.buffer, start, size);
  }
}
