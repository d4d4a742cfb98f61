import { assert, panic } from '../errors.js';
import { countWithinSize, type Entry } from '../raftpb/entry.js';
import type { Snapshot } from '../raftpb/state.js';
import { emptyList, type Index, type Term } from '../types.js';
import { unknownTerm } from './storageReader.js';

/**
 * The end of the log that is not known to be durable yet: the entries from `offset` on, and a
 * snapshot if one was received. It answers for them from their creation until the storage does.
 *
 * `offset` may lie inside of what the storage holds. The entries here then replace those.
 *
 * Arrays handed out are never changed afterwards. Mostly a whole array is handed out once, written
 * and dropped, so it is handed out itself.
 *
 * The entries are kept in pieces, one for each long append, that are joined when somebody reads them all.
 * A follower that gets 16 MiB of entries in messages of 1 MiB writes them piece by piece, and nothing is
 * joined. An array of all of them is memory that comes new from the system each time: that took a third of
 * the time of a follower that catches up, and arrays that grow took another third.
 */
export class Unstable {
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

  /** How many entries there are. */
  count = 0;
  /** All pieces but the last, in order. */
  private older: readonly (readonly Entry[])[] = emptyList;
  /** The last piece, and mostly the only one. */
  private newest: readonly Entry[] = emptyList;
  /** Whether `newest` may be held by somebody outside, so that it must not grow in place. */
  private shared = true;
  // The last answer of `slice`. A leader asks for the same range once per follower.
  private slicedLo: Index = 0;
  private slicedHi: Index = 0;
  private slicedMaxBytes = 0;
  private sliced: readonly Entry[] = emptyList;
  /** How many entries there were when the last write left some; else 0. */
  private countBefore = 0;
  private readonly maxPerWrite: number;

  /**
   * @param prevTerm term of the entry at `offset` - 1, the last of the storage.
   * @param maxPerWrite if there are more entries, and they came in pieces, the first piece is written alone.
   */
  constructor(offset: Index, prevTerm: Term, maxPerWrite = Infinity) {
    this.maxPerWrite = maxPerWrite;
    this.offset = offset;
    this.nextToWrite = offset;
    this.prevTerm = prevTerm;
  }

  /** All entries: the one at position i has index `offset` + i. */
  get entries(): readonly Entry[] {
    if (this.older.length > 0) {
      this.newest = ([] as Entry[]).concat(...this.older, this.newest);
      this.older = emptyList;
      this.shared = false;
    }
    return this.newest;
  }

  /** Term of the entry at `position`; unknownTerm behind the last. In the first piece, and in the last, which every MsgApp asks for, nothing is joined. */
  term(position: number): Term {
    if (position >= this.count) return unknownTerm;
    const start = this.count - this.newest.length;
    return (this.older[0]?.[position] ?? this.newest[position - start] ?? this.entries[position]!).term;
  }

  /** Last index of the log, with or without unstable entries. */
  lastIndex(): Index {
    return this.offset + this.count - 1;
  }

  /** Entries that nobody was told to write yet: the first piece if there are very many; all of them if they come faster than they are written so. */
  nextEntries(): readonly Entry[] {
    if (this.count > this.maxPerWrite && !(this.count >= this.countBefore && this.countBefore > 0) && this.nextToWrite === this.offset && this.older.length > 0) {
      return this.older[0]!;
    }
    const entries = this.entries;
    if (this.nextToWrite > this.offset) return entries.slice(this.nextToWrite - this.offset);
    this.shared = true;
    return entries;
  }

  /** Whether {@link nextEntries} has any. */
  hasNextEntries(): boolean {
    return this.nextToWrite <= this.lastIndex();
  }

  /** The snapshot, if there is one that nobody was told to write yet. */
  nextSnapshot(): Snapshot | null {
    return this.snapshotInProgress ? null : this.snapshot;
  }

  /** The entries up to `index` have been handed out for writing, and the snapshot. */
  acceptInProgress(index: Index): void {
    this.nextToWrite = index + 1;
    this.countBefore = index < this.lastIndex() ? this.count : 0;
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
    if (count <= 0 || count > this.count) return false;
    if (this.term(count - 1) !== term) return false;
    if (count === this.older[0]?.length) {
      this.older = this.older.slice(1);
      this.count -= count;
      this.slicedLo = 0;
      this.sliced = emptyList;
    } else {
      this.replace(count === this.count ? emptyList : this.entries.slice(count));
    }
    this.offset = index + 1;
    this.prevTerm = term;
    if (this.nextToWrite < this.offset) this.nextToWrite = this.offset;
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
    this.replace(emptyList);
    this.offset = snapshot.metadata.index + 1;
    this.prevTerm = snapshot.metadata.term;
    this.nextToWrite = this.offset;
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
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
    if (kept <= 0) {
      this.replace(entries);
      this.offset = from;
      this.nextToWrite = from;
      // The storage still has the entry before `from`, and is the one to ask.
      if (kept < 0) this.prevTerm = unknownTerm;
    } else if (kept < this.count) {
      this.replace(this.entries.slice(0, kept).concat(entries));
      // What is being written before `from` is still right; what is being written after it has to be written again.
      if (this.nextToWrite > from) this.nextToWrite = from;
    } else {
      this.append(entries, 0);
    }
  }

  /**
   * Appends `entries` from position `known` on, which follow the last one here. Unlike
   * {@link truncateAndAppend} it leaves the array to its owner, and copies it.
   */
  append(entries: readonly Entry[], known: number): void {
    assert(entries[known]!.index === this.lastIndex() + 1, 'unstable: append leaves a gap');
    const added = entries.length - known;
    // A short append is no piece of its own, or joining would cost more than its length allows, unless the last piece is as long as a write may be.
    if (this.shared || added > 64 + this.count / 64 || this.newest.length >= this.maxPerWrite) {
      if (this.count > 0) this.older = this.older.concat([this.newest]);
      this.newest = entries.slice(known);
    } else {
      for (let i = known; i < entries.length; i++) (this.newest as Entry[]).push(entries[i]!);
    }
    this.count += added;
    this.shared = false;
  }

  /** Takes an array in place of all pieces. Whoever gave it may keep reading it, so it is treated as shared. */
  private replace(entries: readonly Entry[]): void {
    this.older = emptyList;
    this.newest = entries;
    this.count = entries.length;
    this.shared = true;
    this.slicedLo = 0;
    this.sliced = emptyList;
  }

  /**
   * The entries in [lo, hi), as many as fit into `maxBytes`, but at least one (E12).
   * Panics unless offset <= lo < hi <= lastIndex + 1.
   */
  slice(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    if (lo === this.slicedLo && hi === this.slicedHi && maxBytes === this.slicedMaxBytes) return this.sliced;
    if (lo < this.offset || lo >= hi || hi > this.lastIndex() + 1) {
      panic(`unstable: no entries [${lo}, ${hi}), it has ${this.offset} to ${this.lastIndex()}`);
    }
    const from = lo - this.offset;
    const entries = this.entries;
    const count = countWithinSize(entries, from, hi - this.offset, maxBytes);
    if (count === this.count) {
      this.shared = true;
      this.sliced = entries;
    } else {
      this.sliced = entries.slice(from, from + count);
    }
    this.slicedLo = lo;
    this.slicedHi = hi;
    this.slicedMaxBytes = maxBytes;
    return this.sliced;
  }

}
