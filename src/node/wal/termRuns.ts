import type { Index, Term } from '../../core/types.js';

/**
 * Terms of a stretch of the log, as runs of equal terms: terms change at elections, so a log of millions of
 * entries has few runs.
 */
export class TermRuns {
  /** First index of each run, ascending. */
  private readonly starts: Index[] = [];
  private readonly terms: Term[] = [];

  /** Term of an entry; the caller knows that it is there. */
  at(index: Index): Term {
    const { starts, terms } = this;
    // Nearly every question is about the end of the log.
    let low = starts.length - 1;
    if (low >= 0 && starts[low]! <= index) return terms[low]!;
    let high = low;
    low = 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (starts[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : terms[low - 1]!;
  }

  /** Term of the last entry that is known; undefined if none is. */
  get newest(): Term | undefined {
    return this.terms[this.terms.length - 1];
  }

  /** Adds the entry behind the last. */
  push(index: Index, term: Term): void {
    const { terms } = this;
    if (this.newest === term) return;
    this.starts.push(index);
    terms.push(term);
  }

  /** Takes away everything from `index` on. */
  truncate(index: Index): void {
    const { starts, terms } = this;
    while (starts.length > 0 && starts[starts.length - 1]! >= index) {
      starts.pop();
      terms.pop();
    }
  }

  /** Forgets everything before `index`, whose own term stays known. */
  forgetBefore(index: Index): void {
    const { starts, terms } = this;
    let gone = 0;
    while (gone + 1 < starts.length && starts[gone + 1]! <= index) gone++;
    if (gone > 0) {
      starts.splice(0, gone);
      terms.splice(0, gone);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.starts.length = 0;
    this.terms.length = 0;
  }
}
