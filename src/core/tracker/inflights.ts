import { assert, panic } from '../errors.js';
import type { Index } from '../types.js';

/**
 * The MsgApps that one follower has not acknowledged yet, oldest first: a window that is limited by
 * their number and by their bytes (E5). A message may exceed the limit on bytes, if it was not
 * reached before.
 */
export class Inflights {
  /** Most messages in the window: a positive integer. */
  readonly size: number;
  /** Bytes at which the window counts as full; Infinity for no limit. */
  readonly maxBytes: number;

  // A ring whose length is a power of two. It grows as needed, because a process may track thousands
  // of followers of which few ever fill their window.
  private lastIndexes: number[] = [];
  private byteCounts: number[] = [];
  private start = 0;
  private messageCount = 0;
  private byteSum = 0;

  constructor(size: number, maxBytes: number) {
    assert(size > 0 && maxBytes > 0, 'inflights: limits must be positive');
    this.size = size;
    this.maxBytes = maxBytes;
  }

  /** Messages in the window. */
  get count(): number {
    return this.messageCount;
  }

  /** Bytes of the messages in the window. */
  get bytes(): number {
    return this.byteSum;
  }

  /** Whether nothing more may be sent before an acknowledgement. */
  full(): boolean {
    return this.messageCount >= this.size || this.byteSum >= this.maxBytes;
  }

  /**
   * Puts a sent MsgApp into the window. Panics if the window is full or `index` is not higher than all in it.
   *
   * @param index its last entry.
   * @param bytes payload of its entries.
   */
  add(index: Index, bytes: number): void {
    assert(!this.full(), 'inflights: added to a full window');
    if (this.messageCount === this.lastIndexes.length) this.grow();
    const mask = this.lastIndexes.length - 1;
    if (this.messageCount > 0) {
      const newest = this.lastIndexes[(this.start + this.messageCount - 1) & mask]!;
      if (index <= newest) panic(`inflights: index ${index} added after ${newest}`);
    }
    const slot = (this.start + this.messageCount) & mask;
    this.lastIndexes[slot] = index;
    this.byteCounts[slot] = bytes;
    this.messageCount++;
    this.byteSum += bytes;
  }

  /** Removes every message whose last entry is at or before `index`. */
  freeLE(index: Index): void {
    const mask = this.lastIndexes.length - 1;
    while (this.messageCount > 0 && this.lastIndexes[this.start]! <= index) {
      this.byteSum -= this.byteCounts[this.start]!;
      this.start = (this.start + 1) & mask;
      this.messageCount--;
    }
  }

  /** Empties the window. */
  reset(): void {
    this.start = 0;
    this.messageCount = 0;
    this.byteSum = 0;
  }

  /** A copy that shares nothing with this one. */
  clone(): Inflights {
    const copy = new Inflights(this.size, this.maxBytes);
    copy.lastIndexes = this.lastIndexes.slice();
    copy.byteCounts = this.byteCounts.slice();
    copy.start = this.start;
    copy.messageCount = this.messageCount;
    copy.byteSum = this.byteSum;
    return copy;
  }

  private grow(): void {
    const length = this.lastIndexes.length;
    // The second half of the new ring continues the first, so what wrapped around only has to be unrolled.
    const lastIndexes = this.lastIndexes.slice(this.start).concat(this.lastIndexes.slice(0, this.start));
    const byteCounts = this.byteCounts.slice(this.start).concat(this.byteCounts.slice(0, this.start));
    for (let i = Math.max(length, 1); i > 0; i--) {
      lastIndexes.push(0);
      byteCounts.push(0);
    }
    this.lastIndexes = lastIndexes;
    this.byteCounts = byteCounts;
    this.start = 0;
  }
}
