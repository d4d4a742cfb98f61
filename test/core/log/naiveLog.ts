import type { Entry } from '../../../src/core/raftpb/entry.js';
import { entrySize } from '../../../src/core/raftpb/entry.js';
import type { Index, Term } from '../../../src/core/types.js';

/**
 * A log as one would write it without a thought on storage or speed: an array, and a few numbers.
 * What RaftLog answers is compared with it.
 */
export class NaiveLog {
  /** Every entry since the beginning; null where a snapshot has replaced one that was never seen. */
  private readonly all: (Entry | null)[] = [];
  /** Terms by index; terms are kept where entries are not. */
  private readonly terms: Term[] = [0];
  /** Last index that cannot be read any more. */
  compacted: Index = 0;
  committed: Index = 0;
  applied: Index = 0;
  /** Last index that is durable and has not been replaced since. */
  stable: Index = 0;

  get last(): Index {
    return this.all.length;
  }

  /** -1 where RaftLog does not know it. */
  term(index: Index): Term {
    return index >= this.compacted && index <= this.last ? this.terms[index]! : -1;
  }

  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const kept = entries[0]!.index - 1;
    this.all.length = kept;
    this.terms.length = kept + 1;
    this.stable = Math.min(this.stable, kept);
    for (const entry of entries) {
      this.all.push(entry);
      this.terms.push(entry.term);
    }
  }

  restore(index: Index, term: Term): void {
    this.all.length = 0;
    this.terms.length = 1;
    while (this.all.length < index) {
      this.all.push(null);
      this.terms.push(-1);
    }
    this.terms[index] = term;
    this.compacted = index;
    this.committed = index;
    this.stable = index;
  }

  /** Last new index, or -1 without a match; what Figure 2 says, one entry after the other. */
  maybeAppend(prevIndex: Index, prevTerm: Term, entries: readonly Entry[], committed: Index): Index {
    if (this.term(prevIndex) !== prevTerm) return -1;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (entry.index > this.last || this.term(entry.index) !== entry.term) {
        this.append(entries.slice(i));
        break;
      }
    }
    const last = prevIndex + entries.length;
    this.committed = Math.max(this.committed, Math.min(committed, last));
    return last;
  }

  /** Walks down as Raft §5.3 describes it. */
  findConflictByTerm(index: Index, term: Term): { index: Index; term: Term } {
    for (let at = index; at > 0; at--) {
      const own = this.term(at);
      if (own === -1) return { index: at, term: 0 };
      if (own <= term) return { index: at, term: own };
    }
    return { index: 0, term: 0 };
  }

  slice(lo: Index, hi: Index, maxBytes: number): Entry[] | null {
    if (lo === hi) return [];
    if (lo <= this.compacted) return null;
    const found: Entry[] = [];
    let size = 0;
    for (let index = lo; index < hi; index++) {
      const entry = this.all[index - 1]!;
      size += entrySize(entry);
      if (found.length > 0 && size > maxBytes) break;
      found.push(entry);
    }
    return found;
  }
}
