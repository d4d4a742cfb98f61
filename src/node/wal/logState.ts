import type { Entry } from '../../core/raftpb/entry.js';
import { emptyHardState, type HardState } from '../../core/raftpb/state.js';
import { None, type EntryId, type Index, type Term } from '../../core/types.js';
import type { LogSummary } from './segmentHeader.js';
import { TermRuns } from './termRuns.js';

const beginning: EntryId = { index: 0, term: 0 };

/**
 * What a log says, without the bytes of its entries: the rules of what may follow what. Both sides obey them.
 * A write that breaks one is refused before it is begun; a record that breaks one on the way back is damage.
 *
 * Each `…Problem` tells what would be wrong, or null; each other method assumes that nothing is.
 */
export class LogState {
  hardState: HardState = emptyHardState;
  /** The newest snapshot; index 0 if there is none. */
  snapshot: EntryId = beginning;
  /** The position before the first entry. */
  offset: EntryId = beginning;
  lastIndex: Index = 0;
  /** Entries up to here are not at hand, because the segments that held them are gone. Below `offset` once everything was read. */
  missingThrough: Index = 0;
  /** Terms of the entries behind `missingThrough`. */
  readonly terms = new TermRuns();
  /** What the application keeps here. */
  metadata: Uint8Array | null = null;

  /** Goes on from what a segment says. */
  resume({ hardState, snapshot, offset, last }: LogSummary): void {
    this.hardState = hardState;
    this.snapshot = snapshot;
    this.offset = offset;
    this.lastIndex = last.index;
    this.missingThrough = last.index;
    this.terms.clear();
    if (last.index > offset.index) this.terms.push(last.index, last.term);
  }

  get summary(): LogSummary {
    const { hardState, snapshot, offset, lastIndex } = this;
    return { hardState, snapshot, offset, last: { index: lastIndex, term: this.term(lastIndex) } };
  }

  /** Term of an entry at hand, or of the position before the first. */
  term(index: Index): Term {
    return index === this.offset.index ? this.offset.term : this.terms.at(index);
  }

  /** @param last the last entry, once the write that it comes with is done. */
  hardStateProblem(next: HardState, last = this.lastIndex): string | null {
    const { term, vote, commit } = this.hardState;
    if (next.term < term) return `the term goes from ${term} back to ${next.term}`;
    if (next.term === term && vote !== None && next.vote !== vote) return `the vote in term ${term} changes from ${vote} to ${next.vote}`;
    if (next.commit < commit) return `the commit index goes from ${commit} back to ${next.commit}`;
    if (next.commit > last) return `the commit index ${next.commit} is behind the last entry, ${last}`;
    return null;
  }

  entryProblem(index: Index, term: Term): string | null {
    if (index !== this.lastIndex + 1) return `entry ${index} does not follow the last one, ${this.lastIndex}`;
    const before = this.term(this.lastIndex);
    if (term < before) return `entry ${index} has term ${term}, and the one before it ${before}`;
    return null;
  }

  pushEntry(index: Index, term: Term): void {
    this.terms.push(index, term);
    this.lastIndex = index;
  }

  /** Several entries behind the last: not empty, and they break no rule. */
  pushEntries(entries: readonly Entry[]): void {
    const last = entries[entries.length - 1]!;
    // Terms only grow, so if the last one is of the newest term that is known, all are.
    if (last.term !== this.terms.newest) for (const { index, term } of entries) this.terms.push(index, term);
    this.lastIndex = last.index;
  }

  truncateProblem(from: Index): string | null {
    if (from > this.lastIndex || from <= this.offset.index) return `the log from ${this.offset.index + 1} to ${this.lastIndex} cannot be cut off at ${from}`;
    if (from <= this.snapshot.index) return `the log would be cut off at ${from}, and there is a snapshot at ${this.snapshot.index}`;
    if (from <= this.hardState.commit) return `the log would be cut off at ${from}, and is committed up to ${this.hardState.commit}`;
    return null;
  }

  truncate(from: Index): void {
    this.terms.truncate(from);
    this.lastIndex = from - 1;
    if (this.missingThrough > this.lastIndex) this.missingThrough = this.lastIndex;
  }

  /** Of a snapshot that came from a leader. */
  installProblem({ index }: EntryId): string | null {
    const reached = Math.max(this.snapshot.index, this.offset.index);
    const fresh = reached === 0 && this.lastIndex === 0;
    if (index <= reached && !fresh) return `a snapshot at ${index} is not newer than what is there, at ${reached}`;
    if (index < this.hardState.commit) return `a snapshot at ${index} would take the place of a log that is committed up to ${this.hardState.commit}`;
    return null;
  }

  install(snapshot: EntryId): void {
    this.snapshot = snapshot;
    this.offset = snapshot;
    this.lastIndex = snapshot.index;
    this.missingThrough = snapshot.index;
    this.terms.clear();
  }

  /** Of a snapshot of the node's own state. */
  snapshotProblem({ index, term }: EntryId): string | null {
    if (index <= this.snapshot.index) return `a snapshot at ${index} is not newer than the one at ${this.snapshot.index}`;
    if (index < this.offset.index || index > this.lastIndex) return `a snapshot at ${index} lies outside of the log, from ${this.offset.index} to ${this.lastIndex}`;
    if (index > this.missingThrough && term !== this.term(index)) return `a snapshot at ${index} has term ${term}, and the entry there ${this.term(index)}`;
    return null;
  }

  compactProblem({ index, term }: EntryId): string | null {
    if (index <= this.offset.index) return `the log is compacted up to ${this.offset.index}, and not to ${index}`;
    if (index > this.snapshot.index) return `the log cannot be compacted up to ${index}: the newest snapshot is at ${this.snapshot.index}`;
    if (index > this.lastIndex) return `the log cannot be compacted up to ${index}: the last entry is ${this.lastIndex}`;
    if (index > this.missingThrough && term !== this.term(index)) return `the entry at ${index} has term ${this.term(index)}, and not ${term}`;
    return null;
  }

  compact(to: EntryId): void {
    this.offset = to;
    this.terms.forgetBefore(to.index + 1);
  }
}
