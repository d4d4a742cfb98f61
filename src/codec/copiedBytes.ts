import { ByteBlocks } from './byteBlocks.js';

// Shared by all decodes of the program, which cannot interfere: no piece is handed out twice. Small
// blocks, because decoded entries stay in the log for long.
const decodedBlocks = new ByteBlocks(0x4000);

/** Byte strings that are copied by a loop, which is faster for them than a call. */
const maxLoopBytes = 48;

/** Longer byte strings get memory of their own. */
const maxSharedBytes = 0x1000;

/**
 * Copies byte strings out of one record. The first one copies the rest of the record, as far as it fits
 * into the block, in one go; those that follow only need a view each. So 64 entries cost one copy.
 */
export class CopiedBytes {
  private readonly input: Uint8Array;
  private readonly inputEnd: number;
  // The input up to `end`, from the byte string on that was taken first, is in `buffer`, `shift` bytes further on.
  private buffer: ArrayBuffer = decodedBlocks.buffer;
  private end = 0;
  private shift = 0;

  /** @param inputEnd where the record ends in `input`. */
  constructor(input: Uint8Array, inputEnd: number) {
    this.input = input;
    this.inputEnd = inputEnd;
  }

  /** A copy of `length` bytes at `pos`, which must be inside the record and not before the ones taken so far. */
  take(pos: number, length: number): Uint8Array {
    const input = this.input;
    if (length > maxSharedBytes) return input.slice(pos, pos + length);
    if (pos + length > this.end) {
      if (length <= maxLoopBytes && this.inputEnd - pos <= 128) return copySmall(input, pos, length);
      this.fill(pos, length);
    }
    return new Uint8Array(this.buffer, pos + this.shift, length);
  }

  private fill(wanted: number, length: number): void {
    const { input, inputEnd } = this;
    decodedBlocks.reserve(length);
    const { block, buffer, used } = decodedBlocks;
    const room = block.length - used;
    // A view of the input costs as much as copying 1 KiB, so a short head in front is copied too.
    const isWhole = wanted < 0x200 && inputEnd === input.length && inputEnd <= room;
    const pos = isWhole ? 0 : wanted;
    const size = Math.min(inputEnd - pos, room);
    block.set(isWhole ? input : input.subarray(pos, pos + size), used);
    decodedBlocks.used = used + size;
    this.buffer = buffer;
    this.end = pos + size;
    this.shift = used - pos;
  }
}

/** A view of a block, even of few bytes: an array on the heap of the engine is three objects for the garbage collector to move, and not one. */
function copySmall(input: Uint8Array, pos: number, length: number): Uint8Array {
  decodedBlocks.reserve(length);
  const { block, used } = decodedBlocks;
  for (let i = 0; i < length; i++) block[used + i] = input[pos + i]!;
  return decodedBlocks.cut(length);
}
