import { assert, panic } from '../errors.js';
import { concatEntries, countWithinSize, type Entry } from '../raftpb/entry.js';
import type { Snapshot } from '../raftpb/state.js';
import type { Index, Term } from '../types.js';
import { unknownTerm } from './storageReader.js';

/** Stands for "no entries". Never grows: the first append replaces it. */
const noEntries: Entry[] = [];

/**
 * The end of the log that is not known to be durable yet: the entries from `offset` on, and a
 * snapshot if one was received. It answers for them from their creation until the storage does.
 *
 * `offset` may lie inside of what the storage holds. The entries here then replace those.
 *
 * Arrays handed out are never changed afterwards. Mostly a whole array is handed out once, written
 * and dropped, so it is handed out itself and copied only if something is appended before that.
 */
export class Unstable {
  /** The entry at position i has index `offset` + i. */
  entries: Entry[] = noEntries;
  /** First index that is not durable. Everything before is in the storage, or covered by `snapshot`. */
  offset: Index;
  /** Term of the entry at `offset` - 1; unknownTerm if it has to be looked up. */
  prevTerm: Term;
  /** First index that nobody was told to write. Invariant: offset <= nextToWrite <= offset + entries.length. */
  nextToWrite: Index;
  /** Received and not yet durable, else null. Invariant: snapshot index < offset. */
  snapshot: Snapshot | null = null;
  /** Whether somebody was told to write `snapshot`. */
  snapshotInProgress = false;

  /** Whether somebody outside holds `entries` itself. */
  private shared = false;
  // The last answer of `slice`. A leader asks for the same range once per follower.
  private slicedLo: Index = 0;
  private slicedHi: Index = 0;
  private slicedMaxBytes = 0;
  private sliced: readonly Entry[] = noEntries;

  /** @param prevTerm term of the entry at `offset` - 1, the last of the storage. */
  constructor(offset: Index, prevTerm: Term) {
    this.offset = offset;
    this.nextToWrite = offset;
    this.prevTerm = prevTerm;
  }

  /** Last index of the log, with or without unstable entries. */
  lastIndex(): Index {
    return this.offset + this.entries.length - 1;
  }

  /** Entries that nobody was told to write yet. */
  nextEntries(): readonly Entry[] {
    if (this.nextToWrite === this.offset) {
      this.shared = true;
      return this.entries;
    }
    return this.entries.slice(this.nextToWrite - this.offset);
  }

  /** Whether {@link nextEntries} has any. */
  hasNextEntries(): boolean {
    return this.nextToWrite - this.offset < this.entries.length;
  }

  /** The snapshot, if there is one that nobody was told to write yet. */
  nextSnapshot(): Snapshot | null {
    return this.snapshotInProgress ? null : this.snapshot;
  }

  /** Everything here has been handed out for writing. */
  acceptInProgress(): void {
    this.nextToWrite = this.offset + this.entries.length;
    this.snapshotInProgress = this.snapshot !== null;
  }

  /**
   * The entries up to `index` are durable. Returns false, and does nothing, unless the entry at
   * `index` is here and has this term.
   *
   * The term is needed because an acknowledgement can be late. Entry 7 of term 2 is being written
   * when a leader of term 3 replaces it by its own entry 7. "7 is durable" then arrives, and is true
   * of an entry that is no longer in the log. Taken by index alone, the new entry 7 would count as
   * durable, be acknowledged to the leader, and be lost in a crash.
   *
   * The pair is not enough when the entry comes back: a leader of term 4, whose log has kept entry 7
   * of term 2, may replace 7 a second time. The late answer to the first write now matches, although
   * the second write (of term 3) may still be under way and end up on the disk. Hence the caller lets
   * only answers through that were asked for in the current term of the node. The leader that brings
   * the entry back has a higher term than the one that replaced it, so the first write is refused.
   */
  stableTo(index: Index, term: Term): boolean {
    const count = index + 1 - this.offset;
    if (count <= 0 || count > this.entries.length) return false;
    if (this.entries[count - 1]!.term !== term) return false;
    this.entries = count === this.entries.length ? noEntries : this.entries.slice(count);
    this.shared = false;
    this.offset = index + 1;
    this.prevTerm = term;
    if (this.nextToWrite < this.offset) this.nextToWrite = this.offset;
    this.forgetSliced();
    return true;
  }

  /** The snapshot at `index` is durable. Does nothing if that is not the one here: a newer one may have come meanwhile. */
  stableSnapshotTo(index: Index): boolean {
    if (this.snapshot === null || this.snapshot.metadata.index !== index) return false;
    this.snapshot = null;
    this.snapshotInProgress = false;
    return true;
  }

  /** Replaces everything by a snapshot. */
  restore(snapshot: Snapshot): void {
    this.entries = noEntries;
    this.shared = false;
    this.offset = snapshot.metadata.index + 1;
    this.prevTerm = snapshot.metadata.term;
    this.nextToWrite = this.offset;
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
    this.forgetSliced();
  }

  /**
   * Appends `entries` after cutting off everything from their first index on (V7). Takes the array
   * over: nobody changes it from here on.
   *
   * @param entries not empty, contiguous, from at most `lastIndex` + 1 on.
   */
  truncateAndAppend(entries: readonly Entry[]): void {
    const from = entries[0]!.index;
    const kept = from - this.offset;
    assert(kept <= this.entries.length, 'unstable: append leaves a gap');
    if (kept <= 0) {
      // Whoever gave the array may keep reading it: treated as shared, it is never changed in place.
      this.entries = entries as Entry[];
      this.shared = true;
      this.offset = from;
      this.nextToWrite = from;
      // The storage still has the entry before `from`, and is the one to ask.
      if (kept < 0) this.prevTerm = unknownTerm;
    } else if (kept < this.entries.length) {
      this.entries = this.entries.slice(0, kept).concat(entries);
      this.shared = false;
      // What is being written before `from` is still right; what is being written after it has to be written again.
      if (this.nextToWrite > from) this.nextToWrite = from;
    } else {
      this.extend(entries, 0);
    }
    this.forgetSliced();
  }

  /**
   * Appends copies of `entries` from position `known` on, which follow the last one here. Unlike
   * {@link truncateAndAppend} it leaves the array to its owner, at no cost: what is appended is copied anyway.
   */
  append(entries: readonly Entry[], known: number): void {
    assert(entries[known]!.index === this.lastIndex() + 1, 'unstable: append leaves a gap');
    if (this.entries.length === 0) this.entries = entries.slice(known);
    else this.extend(entries, known);
    this.forgetSliced();
  }

  private extend(entries: readonly Entry[], known: number): void {
    if (this.shared) this.entries = this.entries.slice();
    this.shared = false;
    this.entries = concatEntries(this.entries, entries, known);
  }

  /**
   * The entries in [lo, hi), as many as fit into `maxBytes`, but at least one (E12).
   * Panics unless offset <= lo < hi <= lastIndex + 1.
   */
  slice(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    if (lo === this.slicedLo && hi === this.slicedHi && maxBytes === this.slicedMaxBytes) return this.sliced;
    if (lo < this.offset || lo >= hi || hi > this.offset + this.entries.length) {
      panic(`unstable: no entries [${lo}, ${hi}), it has ${this.offset} to ${this.lastIndex()}`);
    }
    const from = lo - this.offset;
    const count = countWithinSize(this.entries, from, hi - this.offset, maxBytes);
    if (count === this.entries.length) {
      this.shared = true;
      this.sliced = this.entries;
    } else {
      this.sliced = this.entries.slice(from, from + count);
    }
    this.slicedLo = lo;
    this.slicedHi = hi;
    this.slicedMaxBytes = maxBytes;
    return this.sliced;
  }

  private forgetSliced(): void {
    this.slicedLo = 0;
    this.slicedHi = 0;
    this.sliced = noEntries;
  }
}
