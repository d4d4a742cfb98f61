import { countWithinSize, entrySize, type Entry } from '../raftpb/entry.js';

/**
 * Entries in a full block. An array of more than 16,000 elements would be a large object to V8: memory
 * from the system, page by page, which is given back and never used again.
 */
const blockLength = 8192;

/** Entries that are pushed one by one. That costs up to 15 ns for each, copying the block and all of them 1 ns. */
const maxPushed = 64;

/** The block that a place is in. A shift, as a division takes longer than all the rest of a look-up; wrong only beyond 2^31, where nothing is. */
function blockOf(place: number): number {
  return place >> 13;
}

/**
 * A list of entries that grows at its end, and can be cut off at both ends.
 *
 * It is kept in blocks, so that growing never moves what is there already. In one array each entry is
 * copied about four times while a million come in, into memory that is new each time; for a follower that
 * catches up, that was a third of all its time.
 */
export class EntryBlocks {
  /** Entries in the list. */
  length = 0;
  /** Full ones, but for the last, and for the first, which lacks `missing` entries in front. Never handed out. */
  private blocks: Entry[][] = [];
  private missing = 0;

  // A "place" is a position counted from where the first block would begin if it were full.

  /** The entry at `position`, which is not negative; undefined behind the end. */
  at(position: number): Entry | undefined {
    const place = position + this.missing;
    const number = blockOf(place);
    return this.blocks[number]?.[place - this.firstPlace(number)];
  }

  /**
   * The entries in [from, to), as many as fit into `maxBytes`, but at least one (E12), in an array of their own.
   *
   * @param from below `to`, which is at most `length`.
   */
  slice(from: number, to: number, maxBytes: number): Entry[] {
    const place = from + this.missing;
    const number = blockOf(place);
    const block = this.blocks[number]!;
    const start = place - this.firstPlace(number);
    const stop = start + to - from;
    if (stop > block.length) return this.sliceOfSeveral(number, start, to - from, maxBytes);
    return block.slice(start, start + countWithinSize(block, start, stop, maxBytes));
  }

  /** {@link slice} of `count` entries that begin at position `start` of a block and go on in the next. */
  private sliceOfSeveral(number: number, start: number, count: number, maxBytes: number): Entry[] {
    const parts: Entry[][] = [];
    let room = maxBytes;
    let left = count;
    for (let i = number, at = start; left > 0 && room >= 0; i++, at = 0) {
      const block = this.blocks[i]!;
      const stop = Math.min(block.length, at + left);
      let end = at;
      for (; end < stop; end++) {
        room -= entrySize(block[end]!);
        if (room < 0 && (end > at || parts.length > 0)) break;
      }
      parts.push(end - at === block.length ? block : block.slice(at, end));
      left -= end - at;
    }
    return ([] as Entry[]).concat(...parts);
  }

  /** Appends the entries from position `from` of an array on, which stays the caller's. */
  append(entries: readonly Entry[], from: number): void {
    const used = (this.missing + this.length) % blockLength;
    const count = entries.length - from;
    const last = this.blocks[this.blocks.length - 1];
    if (last === undefined || used === 0 || used + count > blockLength || count > maxPushed) {
      this.appendLong(entries, from);
      return;
    }
    for (let i = from; i < entries.length; i++) last.push(entries[i]!);
    this.length += count;
  }

  // Apart, so that the short way above is small enough to be compiled into its callers.
  private appendLong(entries: readonly Entry[], from: number): void {
    let next = from;
    while (next < entries.length) {
      const blocks = this.blocks;
      const last = blocks.length - 1;
      const used = (this.missing + this.length) % blockLength;
      const end = Math.min(next + blockLength - used, entries.length);
      this.length += end - next;
      if (last < 0) {
        // Not a push, which makes room for 17: a process may hold many logs that are nearly empty.
        this.blocks = [entries.slice(next, end)];
      } else if (used === 0) {
        blocks.push(entries.slice(next, end));
      } else {
        blocks[last] = blocks[last]!.concat(entries.slice(next, end));
      }
      next = end;
    }
  }

  /** Leaves the first `length` entries, which are no more than there are. */
  truncate(length: number): void {
    const end = length + this.missing;
    const number = blockOf(end);
    const kept = end - this.firstPlace(number);
    this.blocks.length = kept > 0 ? number + 1 : number;
    if (kept > 0) this.blocks[number]!.length = kept;
    this.length = length;
  }

  /** Removes the first `count` entries, which are no more than there are. */
  drop(count: number): void {
    const place = count + this.missing;
    const number = blockOf(place);
    const removed = place - this.firstPlace(number);
    this.blocks.splice(0, number);
    if (this.blocks.length > 0) this.blocks[0] = this.blocks[0]!.slice(removed);
    this.missing = place % blockLength;
    this.length -= count;
  }

  private firstPlace(number: number): number {
    return number === 0 ? this.missing : number * blockLength;
  }
}
