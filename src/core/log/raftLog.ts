import { panic } from '../errors.js';
import type { Logger } from '../logger.js';
import { countWithinSize, entriesSize, entrySize, type Entry } from '../raftpb/entry.js';
import type { Snapshot } from '../raftpb/state.js';
import type { InitialState, Storage } from '../storage/storage.js';
import { emptyList, noLimit, type EntryId, type Index, type Term } from '../types.js';
import { ApplyCursor } from './applyCursor.js';
import { storageFailed, StorageReader, unknownTerm } from './storageReader.js';
import { Unstable } from './unstable.js';

export { unknownTerm } from './storageReader.js';

/**
 * The log of a node as the protocol sees it (Raft §5.3): what the storage holds, with the unstable
 * end on top of it, and how far it is committed and applied.
 *
 *     compacted | storage: [firstIndex, offset) | unstable: [offset, lastIndex]
 *
 * "Compacted", "not there" and "not ready" are values here and never exceptions. What is thrown is
 * `ERR_RAFT_STORAGE_FAILED`, if the storage cannot be worked with, and a broken invariant.
 * Arrays that are handed out are never changed afterwards.
 */
export class RaftLog {
  private readonly storage: StorageReader;
  /** The end that is not durable. Only for the log itself, for Readys and their answers, and for what checks it. */
  readonly unstable: Unstable;
  /** How far the log is committed and applied. Only for the log itself and for what checks it. */
  readonly cursor: ApplyCursor;
  private readonly logger: Logger;

  /**
   * @param maxApplyingEntriesSize soft limit on the bytes that are handed out and not yet applied; Infinity is no limit, 0 hands out nothing.
   * @param maxEntriesPerReady as in {@link Config}.
   */
  constructor(storage: Storage, logger: Logger, maxApplyingEntriesSize: number = noLimit, maxEntriesPerReady: number = noLimit) {
    const reader = new StorageReader(storage);
    const first = reader.firstIndex();
    const last = reader.lastIndex();
    if (last < first - 1) throw storageFailed(`storage.lastIndex answered ${last} before firstIndex ${first}`);
    this.storage = reader;
    this.logger = logger;
    this.unstable = new Unstable(last + 1, reader.term(last), maxEntriesPerReady);
    // What is compacted was applied. The raft layer raises this to the saved commit index.
    this.cursor = new ApplyCursor(first - 1, maxApplyingEntriesSize);
  }

  /** Highest index known to be durable on a quorum. */
  get committed(): Index {
    return this.cursor.committed;
  }

  /** Highest index handed out for application. */
  get applying(): Index {
    return this.cursor.applying;
  }

  /** Highest index the application has applied. */
  get applied(): Index {
    return this.cursor.applied;
  }

  /** What the storage knows at the start. */
  initialState(): InitialState {
    return this.storage.initialState();
  }

  /** Index of the first entry that can still be read. Asks the storage, because the host may compact at any moment. */
  firstIndex(): Index {
    const snapshot = this.unstable.snapshot;
    if (snapshot !== null) return snapshot.metadata.index + 1;
    const first = this.storage.firstIndex();
    const last = this.unstable.lastIndex();
    if (first > last + 1) throw storageFailed(`storage.firstIndex answered ${first}, beyond the last entry ${last}`);
    return first;
  }

  /**
   * Index of the last entry; of the snapshot that the log starts after if there is none.
   *
   * Never asks the storage. While there are unstable entries the log ends with them, wherever the
   * storage ends. When there are none, `offset` - 1 is where the storage ends: so it was set at
   * construction; `stableTo` empties the unstable part only by moving `offset` behind an entry that
   * is durable, and whose write cut off what was behind it; and a snapshot leaves nothing but itself.
   * Compaction does not move the end.
   */
  lastIndex(): Index {
    return this.unstable.lastIndex();
  }

  /** Term of the last entry. */
  lastTerm(): Term {
    const term = this.term(this.unstable.lastIndex());
    if (term === unknownTerm) throw storageFailed(`storage has no term for its last entry ${this.unstable.lastIndex()}`);
    return term;
  }

  /**
   * Term of the entry at `index`, from firstIndex()-1 to lastIndex(); outside of that, and if the log
   * was compacted between two reads (E8), unknownTerm, which is -1.
   */
  term(index: Index): Term {
    const unstable = this.unstable;
    const position = index - unstable.offset;
    if (position >= 0) return unstable.term(position);
    if (position === -1 && unstable.prevTerm !== unknownTerm) return unstable.prevTerm;
    // Entries behind a snapshot can be durable before it is reported so; the storage may not know it yet.
    if (unstable.snapshot !== null && unstable.snapshot.metadata.index === index) return unstable.snapshot.metadata.term;
    if (index < 0 || index + 1 < this.firstIndex()) return unknownTerm;
    return this.storage.term(index);
  }

  /** Whether the entry at `index` is known to have this term: then both logs agree up to there (Log Matching, Raft §5.3). */
  matchTerm(index: Index, term: Term): boolean {
    return term >= 0 && this.term(index) === term;
  }

  /** Whether a log that ends with this entry holds at least what ours does: the later last term wins, then the longer log (Raft §5.4.1). */
  isUpToDate(index: Index, term: Term): boolean {
    const lastTerm = this.lastTerm();
    return term > lastTerm || (term === lastTerm && index >= this.unstable.lastIndex());
  }

  /**
   * Entries from `lo` to the end, as many as fit into `maxBytes`, but at least one (E12). Empty if
   * the log ends before `lo`; null if `lo` is compacted, so that the follower needs a snapshot (E8).
   */
  entriesFrom(lo: Index, maxBytes: number): readonly Entry[] | null {
    const end = this.unstable.lastIndex() + 1;
    return lo >= end ? emptyList : this.slice(lo, end, maxBytes);
  }

  /**
   * Entries in [lo, hi), as many as fit into `maxBytes`, but at least one unless `lo` is `hi` (E12);
   * null if `lo` is compacted. Panics unless lo <= hi <= lastIndex()+1.
   */
  slice(lo: Index, hi: Index, maxBytes: number): readonly Entry[] | null {
    const unstable = this.unstable;
    if (lo > hi || hi > unstable.lastIndex() + 1) panic(`log: no entries [${lo}, ${hi}), it ends at ${unstable.lastIndex()}`);
    if (lo === hi) return emptyList;
    if (lo >= unstable.offset) return unstable.slice(lo, hi, maxBytes);
    if (lo < this.firstIndex()) return null;
    if (hi <= unstable.offset) return this.storage.entries(lo, hi, maxBytes);

    const stable = this.storage.entries(lo, unstable.offset, maxBytes);
    if (stable === null || stable.length < unstable.offset - lo) return stable;
    const room = maxBytes - entriesSize(stable);
    const count = countWithinSize(unstable.entries, 0, hi - unstable.offset, room);
    // The rule of at least one entry is met already, so here the first has to fit like any other.
    if (count === 1 && entrySize(unstable.entries[0]!) > room) return stable;
    return stable.concat(unstable.entries.slice(0, count));
  }

  /**
   * The receiver's side of AppendEntries (Raft Figure 2, steps 2 to 5): if the log has the entry
   * `prevIndex` of term `prevTerm`, adds what is new of `entries`, cuts the log off only where an
   * entry conflicts, and commits up to `committed`, but only what was verified by this call.
   *
   * Panics if a committed entry conflicts. A peer cannot cause that as long as the caller does not
   * come here with a `prevIndex` below `committed` (D9).
   *
   * @param entries as `isLogSlice` accepts them. The array is not kept.
   * @returns `prevIndex` + entries.length, which is what may be acknowledged: not our last index,
   * whose entries may come from another leader (V14). -1 if the previous entry does not match.
   */
  maybeAppend(prevIndex: Index, prevTerm: Term, entries: readonly Entry[], committed: Index): Index {
    if (!this.matchTerm(prevIndex, prevTerm)) return -1;
    const last = prevIndex + entries.length;
    const known = this.countKnown(prevIndex, entries);
    if (known < entries.length) {
      const from = prevIndex + 1 + known;
      this.checkUncommitted(from);
      // Copies: the array belongs to the message, and so to whoever sent it.
      if (from > this.unstable.lastIndex()) {
        this.unstable.append(entries, known);
      } else {
        this.logger.info(`log: cut off from ${from} on`);
        this.unstable.truncateAndAppend(entries.slice(known));
      }
    }
    this.cursor.commitTo(committed < last ? committed : last, this.unstable.lastIndex());
    return last;
  }

  /**
   * Appends `entries` after cutting off what is at or behind the first of them. The log takes the
   * array over: it must not be changed afterwards. Panics if a committed entry would be lost.
   *
   * @returns the new last index.
   */
  append(entries: readonly Entry[]): Index {
    if (entries.length > 0) {
      this.checkUncommitted(entries[0]!.index);
      this.unstable.truncateAndAppend(entries);
    }
    return this.unstable.lastIndex();
  }

  /**
   * The last position up to `index` at which this log may agree with one that has `term` at `index`:
   * where our term is not above `term`. Terms never fall along a log, so behind it they differ for
   * certain. Term 0 means "not known", or the start of the log.
   *
   * Both sides use it to skip a whole conflicting term per round trip (Raft §5.3, last paragraphs).
   * Costs O(log n) reads, so that a peer cannot make us walk a long log.
   */
  findConflictByTerm(index: Index, term: Term): EntryId {
    if (index <= 0) return { term: 0, index: 0 };
    const own = this.term(index);
    if (own === unknownTerm) return { term: 0, index };
    if (own <= term) return { term: own, index };

    // Invariant: the term at `high` is above `term`, that at `low` is not, or is compacted.
    let high = index;
    let low = 0;
    let lowTerm = 0;
    while (high - low > 1) {
      const middle = low + Math.floor((high - low) / 2);
      const found = this.term(middle);
      if (found > term) {
        high = middle;
      } else {
        low = middle;
        lowTerm = found === unknownTerm ? 0 : found;
      }
    }
    return { term: lowTerm, index: low };
  }

  /** Raises the commit index to `index`; a lower one changes nothing. Panics beyond the last entry: callers check what comes from a peer. */
  commitTo(index: Index): void {
    this.cursor.commitTo(index, this.unstable.lastIndex());
  }

  /** Replaces the log by a snapshot from the leader (Raft §7). */
  restore(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    this.logger.info(`log: replaced by the snapshot at ${index} of term ${term}`);
    this.cursor.restore(index);
    this.unstable.restore(snapshot);
  }

  /** The newest snapshot, to be sent to a follower; null while it is not ready (E8). */
  snapshot(): Snapshot | null {
    return this.unstable.snapshot ?? this.storage.snapshot();
  }

  /**
   * Committed entries to apply next, as far as the limit on what is outstanding allows.
   *
   * @param allowUnstable whether entries may be included that are durable on a quorum and not yet here.
   */
  nextCommittedEntries(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommittedEntries(allowUnstable)) return emptyList;
    const lo = this.cursor.applying + 1;
    return this.sliceUnapplied(lo, this.appliable(allowUnstable) + 1, this.cursor.room());
  }

  /** Whether there are {@link nextCommittedEntries}, without reading them. */
  hasNextCommittedEntries(allowUnstable: boolean): boolean {
    if (this.cursor.paused) return false;
    // A pending snapshot is ahead of every entry here, and has to be applied first.
    if (this.unstable.snapshot !== null) return false;
    return this.cursor.applying < this.appliable(allowUnstable);
  }

  /** {@link nextCommittedEntries} were handed out: up to `index`, `size` bytes by `entriesSize`. */
  acceptApplying(index: Index, size: number, allowUnstable: boolean): void {
    this.cursor.acceptApplying(index, size, this.appliable(allowUnstable));
  }

  /** The application has applied everything up to `index`; `size` bytes of what was handed out are done. */
  appliedTo(index: Index, size: number): void {
    this.cursor.appliedTo(index, size);
  }

  /**
   * Visits the entries in [lo, hi) in order, a page of about `pageBytes` at a time, until `visit`
   * returns true. They must not be compacted: begin after what is applied, and with the first entry of the log at the earliest.
   */
  scan(lo: Index, hi: Index, pageBytes: number, visit: (entries: readonly Entry[]) => boolean): void {
    let from = lo;
    while (from < hi) {
      const page = this.sliceUnapplied(from, hi, pageBytes);
      if (visit(page)) return;
      from += page.length;
    }
  }

  private sliceUnapplied(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    const entries = this.slice(lo, hi, maxBytes);
    if (entries === null) throw storageFailed(`storage compacted unapplied entry ${lo}`);
    return entries;
  }

  private checkUncommitted(from: Index): void {
    if (from <= this.cursor.committed) panic(`log: appending from ${from} on would undo the commit of ${this.cursor.committed}`);
  }

  /** Highest index that may be handed out for application if there were no limit. */
  private appliable(allowUnstable: boolean): Index {
    const { committed } = this.cursor;
    if (allowUnstable) return committed;
    const stable = this.unstable.offset - 1;
    return committed < stable ? committed : stable;
  }

  /** How many of the entries after `prevIndex`, counted from the first, the log has already. */
  private countKnown(prevIndex: Index, entries: readonly Entry[]): number {
    let count = 0;
    while (count < entries.length && this.term(prevIndex + 1 + count) === entries[count]!.term) count++;
    return count;
  }
}
