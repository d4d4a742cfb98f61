/** Up to this many bytes V8 keeps a typed array on its own heap, where making one takes 12 ns and not 300 or more. */
export const maxHeapBytes = 64;

/** Byte strings above this many bytes get memory of their own. */
export const maxSharedBytes = 4096;

const blockBytes = 16384;

/**
 * Memory for byte strings that are too large for the heap of the engine and too small for an
 * ArrayBuffer of their own: they are cut off the front of a common block, one after the other. Memory
 * that was handed out is never handed out again; a block is freed when nothing refers to it.
 */
export class ByteBlocks {
  /** The block from which the next piece is cut. Empty until the first one is wanted. */
  block: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Bytes of {@link block} that are handed out. */
  used = 0;

  /** Makes sure that at least `size` bytes, at most {@link maxSharedBytes}, are free in {@link block}. */
  reserve(size: number): void {
    // A block that somebody transferred to another thread has length 0, and so counts as full.
    if (this.block.length - this.used >= size) return;
    this.block = new Uint8Array(blockBytes);
    this.used = 0;
  }

  /** A zeroed byte string of `size` bytes, which shares its ArrayBuffer with others. */
  take(size: number): Uint8Array<ArrayBuffer> {
    this.reserve(size);
    const start = this.used;
    this.used = start + size;
    return new Uint8Array(this.block.buffer, start, size);
  }
}
