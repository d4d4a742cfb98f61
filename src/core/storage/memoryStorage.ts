import { RaftError, RaftErrorCode } from '../errors.js';
import type { Entry } from '../raftpb/entry.js';
import { emptyHardState, emptySnapshot, hasConfStateShape, type ConfState, type HardState, type Snapshot } from '../raftpb/state.js';
import { isBytes, isCanonicalNodeId, isCount, type Index, type Term } from '../types.js';
import { EntryBlocks } from './entryBlocks.js';
import type { InitialState, Storage } from './storage.js';

/**
 * A {@link Storage} in memory: for tests, for examples, and as the reading half of a storage that
 * writes a log file. Nothing survives the process.
 *
 * A method that throws has changed nothing. What is not what its type says is refused with
 * `ERR_RAFT_ARGUMENT_INVALID`, except for what an entry holds besides its index, which only its readers look at.
 */
export class MemoryStorage implements Storage {
  #hardState: HardState = emptyHardState;
  #snapshot: Snapshot = emptySnapshot;
  /** Position before the first entry: what was compacted last, or the snapshot the log starts after. */
  #offset: Index = 0;
  /** Term of the entry at `#offset`. */
  #offsetTerm: Term = 0;
  /** The entry at position i has index `#offset` + 1 + i. */
  #entries = new EntryBlocks();

  initialState(): InitialState {
    return { hardState: this.#hardState, confState: this.#snapshot.metadata.confState };
  }

  /** @throws RaftError `ERR_RAFT_COMPACTED`, `ERR_RAFT_UNAVAILABLE`; `ERR_RAFT_ARGUMENT_INVALID` if `lo` > `hi`. */
  entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    if (!isCount(lo) || !Number.isSafeInteger(hi) || typeof maxBytes !== 'number' || !(maxBytes >= 0)) throw invalid(`entries from ${String(lo)} to before ${String(hi)}, ${String(maxBytes)} bytes: no numbers`);
    const from = lo - this.#offset - 1;
    const to = hi - this.#offset - 1;
    if (from < 0) throw compacted(lo, this.#offset);
    if (to > this.#entries.length) throw unavailable(hi - 1, this.lastIndex());
    if (from > to) throw invalid(`entries from ${lo} to before ${hi}: the range is reversed`);
    return from === to ? [] : this.#entries.slice(from, to, maxBytes);
  }

  term(index: Index): Term {
    if (index === this.#offset) return this.#offsetTerm;
    checkIndex(index);
    if (index < this.#offset) throw compacted(index, this.#offset);
    const entry = this.#entries.at(index - this.#offset - 1);
    if (entry === undefined) throw unavailable(index, this.lastIndex());
    return entry.term;
  }

  firstIndex(): Index {
    return this.#offset + 1;
  }

  lastIndex(): Index {
    return this.#offset + this.#entries.length;
  }

  /** The snapshot made or applied last; the empty one if there never was any. */
  snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Replaces the hard state. */
  setHardState(hardState: HardState): void {
    checkHardState(hardState);
    this.#hardState = hardState;
  }

  /**
   * Appends `entries`, which follow one another. Where they overlap the log, the log is cut off
   * before the first of them: nothing of the old tail remains behind the new entries (V7). What is
   * compacted already is skipped. Costs O(entries), however long the log is.
   *
   * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` if they are not contiguous, or would leave a gap after the log.
   */
  append(entries: readonly Entry[]): void {
    if (!(entries?.length >= 0)) throw invalid('these are no entries');
    if (entries.length === 0) return;
    const first = entries[0]?.index ?? NaN;
    checkIndex(first);
    for (let i = 1; i < entries.length; i++) {
      if (entries[i]?.index !== first + i) throw invalid(`entry ${String(entries[i]?.index)} stands in the place of ${first + i}: not contiguous`);
    }
    if (first > this.lastIndex() + 1) throw invalid(`appending at ${first} leaves a gap after the last entry ${this.lastIndex()}`);
    const skipped = Math.max(0, this.#offset + 1 - first);
    // All of it is compacted, so all of it was applied: it says nothing about the log behind it.
    if (skipped >= entries.length) return;

    const at = first + skipped - this.#offset - 1;
    if (at < this.#entries.length) this.#entries.truncate(at);
    this.#entries.append(entries, skipped);
  }

  /**
   * Replaces the whole log by `snapshot`, received from a leader. On a storage that is still empty,
   * index 0 is allowed: it sets the membership that a group starts with.
   *
   * @throws RaftError `ERR_RAFT_SNAPSHOT_OUT_OF_DATE` if the storage holds a snapshot, or has compacted, up to there or further.
   */
  applySnapshot(snapshot: Snapshot): void {
    if (!isBytes(snapshot?.data) || !isCount(snapshot.metadata?.index) || !isCount(snapshot.metadata.term) || !hasConfStateShape(snapshot.metadata.confState)) throw invalid('this is no snapshot');
    const { index, term } = snapshot.metadata;
    const reached = Math.max(this.#snapshot.metadata.index, this.#offset);
    const fresh = reached === 0 && this.#entries.length === 0;
    if (index <= reached && !fresh) throw outOfDate(index, reached);
    this.#snapshot = snapshot;
    this.#offset = index;
    this.#offsetTerm = term;
    this.#entries = new EntryBlocks();
  }

  /**
   * Makes `data` the snapshot as of `index`. The log stays as it is; {@link compact} shortens it.
   *
   * @param index an applied index, after the last snapshot.
   * @param confState membership as of `index`, the last answer of `applyConfChange`; null if it is still that of the last snapshot.
   * @throws RaftError `ERR_RAFT_SNAPSHOT_OUT_OF_DATE` if `index` is not after the last snapshot,
   * `ERR_RAFT_COMPACTED` if its term is not known any more, `ERR_RAFT_UNAVAILABLE` if it is after the last entry.
   */
  createSnapshot(index: Index, confState: ConfState | null, data: Uint8Array): Snapshot {
    checkIndex(index);
    if (!isBytes(data) || (confState !== null && !hasConfStateShape(confState))) throw invalid('a snapshot has bytes for data, and a configuration or null');
    const previous = this.#snapshot.metadata;
    if (index <= previous.index) throw outOfDate(index, previous.index);
    // The term of the entry, and not that of the hard state: the entry may be older than the term we are in.
    const term = this.term(index);
    this.#snapshot = { data, metadata: { confState: confState ?? previous.confState, index, term } };
    return this.#snapshot;
  }

  /**
   * Discards the entries up to and including `index`. Make a snapshot that covers them first: a
   * follower that still needs them gets it instead. Costs little, however long the log is.
   *
   * @param index an applied index.
   * @throws RaftError `ERR_RAFT_COMPACTED` if that was done before, `ERR_RAFT_UNAVAILABLE` if it is after the last entry.
   */
  compact(index: Index): void {
    checkIndex(index);
    if (index <= this.#offset) throw compacted(index, this.#offset);
    const term = this.term(index);
    this.#entries.drop(index - this.#offset);
    this.#offset = index;
    this.#offsetTerm = term;
  }
}

function checkHardState(state: HardState): void {
  if (!isCount(state?.term) || !isCanonicalNodeId(state.vote) || !isCount(state.commit)) throw invalid('this is no hard state');
}

function checkIndex(index: Index): void {
  if (!isCount(index)) throw invalid(`index ${String(index)} is none`);
}

function invalid(message: string): RaftError {
  return new RaftError(RaftErrorCode.ArgumentInvalid, message);
}

function compacted(index: Index, offset: Index): RaftError {
  return new RaftError(RaftErrorCode.Compacted, `index ${index}: the log is compacted up to ${offset}`);
}

function unavailable(index: Index, last: Index): RaftError {
  return new RaftError(RaftErrorCode.Unavailable, `index ${index}: the last entry is ${last}`);
}

function outOfDate(index: Index, reached: Index): RaftError {
  return new RaftError(RaftErrorCode.SnapshotOutOfDate, `snapshot at ${index}: the storage has reached ${reached}`);
}
