import type { Entry } from '../../core/raftpb/entry.js';
import type { Index, Term } from '../../core/types.js';

const { imul } = Math;

const indexes = 2 ** 27;
const twoTo32 = 2 ** 32;

/** A pair of index and term as one number. Exact for indexes below 2^27 and terms below 2^26. */
export function entryKey(index: Index, term: Term): number {
  return term * indexes + index;
}

/**
 * A hash for every log that any node has ever had, under the index and the term of its last entry. By the Log
 * Matching Property (Raft §5.3) there is only one log for each of them.
 */
export class PrefixTable {
  private readonly hashes = new Map<number, number>([[entryKey(0, 0), 1]]);

  /** Hash of the log up to the entry, 53 bits; 0 if no node ever had it. */
  get(index: Index, term: Term): number {
    return this.hashes.get(entryKey(index, term)) ?? 0;
  }

  /** Hash of the log that has `entry` after a log of hash `prefix`. */
  extend(prefix: number, entry: Entry): number {
    const { data } = entry;
    // Two hashes at once, of 32 and of 21 bits: together they still fit into a number.
    let low = imul((prefix >>> 0) ^ (entry.type + 1), 0x01000193) ^ entry.index;
    let high = imul(((prefix / twoTo32) >>> 0) ^ entry.term, 0x85ebca6b) ^ data.length;
    for (let i = 0; i < data.length; i++) {
      low = imul(low ^ data[i]!, 0x01000193);
      high = imul(high + data[i]!, 0xc2b2ae35) ^ (high >>> 15);
    }
    low ^= low >>> 16;
    // Never 0, which stands for "unknown".
    return (((high ^ (high >>> 11)) & 0x1fffff) * twoTo32 + (low >>> 0)) || 1;
  }

  /** Notes a log. Returns false if another one is known for that index and term. */
  note(index: Index, term: Term, hash: number): boolean {
    const key = entryKey(index, term);
    const known = this.hashes.get(key);
    if (known === undefined) {
      this.hashes.set(key, hash);
      return true;
    }
    return known === hash;
  }
}
