import { assert, panic } from '../errors.js';
import type { Index } from '../types.js';

/** The ring of every window that was never used. Never written to: it has no capacity. */
const emptyRing: number[] = [];

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
  /** Messages in the window. */
  count = 0;
  /** Bytes of the messages in the window. */
  bytes = 0;

  // A ring of pairs: last index and bytes of a message. Its capacity in messages is a power of two, and
  // grows as needed, because a process may track thousands of followers of which few ever fill their window.
  private ring: number[] = emptyRing;
  private start = 0;

  constructor(size: number, maxBytes: number) {
    assert(size > 0 && maxBytes > 0, 'inflights: limits must be positive');
    this.size = size;
    this.maxBytes = maxBytes;
  }

  /** Whether nothing more may be sent before an acknowledgement. */
  full(): boolean {
    return this.count >= this.size || this.bytes >= this.maxBytes;
  }

  /**
   * Puts a sent MsgApp into the window. Panics if the window is full or `index` is not higher than all in it.
   *
   * @param index its last entry.
   * @param bytes payload of its entries.
   */
  add(index: Index, bytes: number): void {
    assert(!this.full(), 'inflights: added to a full window');
    if (2 * this.count === this.ring.length) this.grow();
    const mask = this.ring.length / 2 - 1;
    if (this.count > 0) {
      const newest = this.ring[2 * ((this.start + this.count - 1) & mask)]!;
      if (index <= newest) panic(`inflights: index ${index} added after ${newest}`);
    }
    const slot = 2 * ((this.start + this.count) & mask);
    this.ring[slot] = index;
    this.ring[slot + 1] = bytes;
    this.count++;
    this.bytes += bytes;
  }

  /** Removes every message whose last entry is at or before `index`. */
  freeLE(index: Index): void {
    const mask = this.ring.length / 2 - 1;
    while (this.count > 0 && this.ring[2 * this.start]! <= index) {
      this.bytes -= this.ring[2 * this.start + 1]!;
      this.start = (this.start + 1) & mask;
      this.count--;
    }
  }

  /** Empties the window. */
  reset(): void {
    this.start = 0;
    this.count = 0;
    this.bytes = 0;
  }

  /** A copy that shares nothing with this one. */
  clone(): Inflights {
    const copy = new Inflights(this.size, this.maxBytes);
    copy.ring = this.ring.length === 0 ? emptyRing : this.ring.slice();
    copy.start = this.start;
    copy.count = this.count;
    copy.bytes = this.bytes;
    return copy;
  }

  private grow(): void {
    const length = this.ring.length;
    // The second half of the new ring continues the first, so what wrapped around only has to be unrolled.
    const ring = this.ring.slice(2 * this.start).concat(this.ring.slice(0, 2 * this.start));
    for (let i = Math.max(length, 2); i > 0; i--) ring.push(0);
    this.ring = ring;
    this.start = 0;
  }
}
