import type { Entry } from '../raftpb/entry.js';
import type { ConfState, HardState, Snapshot } from '../raftpb/state.js';
import type { Index, Term } from '../types.js';

/** What a storage knows when a node starts. */
export interface InitialState {
  /** As it was last saved; `emptyHardState` if it never was. */
  readonly hardState: HardState;
  /** Membership as of the last snapshot; `emptyConfState` if there is none. */
  readonly confState: ConfState;
}

/**
 * Where a node reads what the host has made durable. The core only reads; writing is up to the host,
 * as each `Ready` asks.
 *
 * The storage holds a snapshot position and the entries after it, without a gap:
 *
 *     firstIndex()-1        firstIndex() ... lastIndex()
 *     covered, term known   entries
 *
 * - Every method answers at once, from memory or a fast local read. A promise is not an answer.
 * - What was reported durable (by `advance`, or by the answer of a storage thread) stays readable
 *   until it is compacted or overwritten as a later `Ready` asks.
 * - The host may compact at any moment, also between two reads, but never beyond what was applied.
 * - Entries, snapshots and arrays that were handed out are never changed afterwards, by neither side.
 *
 * A method throws only what it is documented to throw. Anything else, and any answer outside of this
 * contract, stops the node with `ERR_RAFT_STORAGE_FAILED`: a log that cannot be read cannot be
 * trusted to vote or to acknowledge.
 */
export interface Storage {
  /** Read once, when a node is made. */
  initialState(): InitialState;

  /**
   * The entries in [lo, hi), from `lo` on and without a gap: as many as fit into `maxBytes`, but at
   * least one (E12). Called with firstIndex() <= lo < hi <= lastIndex()+1, unless the log was
   * compacted in the meantime.
   *
   * @param maxBytes limit on the sum of `entrySize` of the result, in bytes; Infinity is no limit.
   * @throws RaftError `ERR_RAFT_COMPACTED` if `lo` is before firstIndex().
   * @throws RaftError `ERR_RAFT_UNAVAILABLE` if `hi` is after lastIndex()+1.
   */
  entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[];

  /**
   * Term of the entry at `index`, which is in [firstIndex()-1, lastIndex()]. The position before the
   * first entry is answered too, because the first MsgApp after a snapshot refers to it; it is 0 at
   * index 0.
   *
   * @throws RaftError `ERR_RAFT_COMPACTED` if `index` is before firstIndex()-1.
   * @throws RaftError `ERR_RAFT_UNAVAILABLE` if `index` is after lastIndex().
   */
  term(index: Index): Term;

  /** Index of the first entry that is not compacted: at least 1, at most lastIndex()+1. Never goes back. */
  firstIndex(): Index;

  /** Index of the last entry; firstIndex()-1 if there is none. */
  lastIndex(): Index;

  /**
   * The newest snapshot, for a follower that needs entries which are compacted. Only called once
   * something was compacted, so there is one, and it reaches at least to firstIndex()-1.
   *
   * Its configuration must contain the follower, which ignores it otherwise: after adding a member, make a
   * new one before compacting, or at the latest when this is called.
   *
   * @throws RaftError `ERR_RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE` while it is being made; the leader asks again later.
   */
  snapshot(): Snapshot;
}
