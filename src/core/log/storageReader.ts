import { isRaftError, RaftError, RaftErrorCode } from '../errors.js';
import type { Entry } from '../raftpb/entry.js';
import type { Snapshot } from '../raftpb/state.js';
import type { InitialState, Storage } from '../storage/storage.js';
import type { Index, Term } from '../types.js';

/** "This term is not known": the index is compacted, or after the last entry. 0 is an answer, that of index 0. */
export const unknownTerm = -1;

/**
 * Reads a Storage and holds it to its contract. The one place that catches what a storage throws:
 * what is ordinary (compacted, not there, not ready) becomes a value, everything else, and every
 * answer that would corrupt the log, a RaftError `ERR_RAFT_STORAGE_FAILED`.
 */
export class StorageReader {
  private readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** See {@link Storage.initialState}. */
  initialState(): InitialState {
    let state: InitialState;
    try {
      state = this.storage.initialState();
    } catch (error) {
      throw threw('initialState', error);
    }
    // A promise, the likeliest mistake, has neither part.
    const { term = -1, commit = -1 } = state?.hardState ?? {};
    if (!isCount(term) || !isCount(commit) || !state.confState) throw outside(`initialState answered ${String(term)} and ${String(commit)}`);
    return state;
  }

  /** See {@link Storage.firstIndex}. */
  firstIndex(): Index {
    let index: Index;
    try {
      index = this.storage.firstIndex();
    } catch (error) {
      throw threw('firstIndex', error);
    }
    if (!isCount(index) || index === 0) throw outside(`firstIndex answered ${String(index)}`);
    return index;
  }

  /** See {@link Storage.lastIndex}. */
  lastIndex(): Index {
    let index: Index;
    try {
      index = this.storage.lastIndex();
    } catch (error) {
      throw threw('lastIndex', error);
    }
    if (!isCount(index)) throw outside(`lastIndex answered ${String(index)}`);
    return index;
  }

  /** Term of the entry at `index`, unknownTerm if the storage does not have it. */
  term(index: Index): Term {
    let term: Term;
    try {
      term = this.storage.term(index);
    } catch (error) {
      if (isRaftError(error, RaftErrorCode.Compacted) || isRaftError(error, RaftErrorCode.Unavailable)) return unknownTerm;
      throw threw(`term(${index})`, error);
    }
    if (!isCount(term)) throw outside(`term(${index}) answered ${String(term)}`);
    return term;
  }

  /**
   * Entries of [lo, hi), at least one; null if `lo` is compacted. That they fit into `maxBytes` is
   * taken on trust: exceeding it harms nothing but the size of a message.
   */
  entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[] | null {
    let entries: readonly Entry[];
    try {
      entries = this.storage.entries(lo, hi, maxBytes);
    } catch (error) {
      if (isRaftError(error, RaftErrorCode.Compacted)) return null;
      // The log ends at `hi` or later, so "not there" means that durable entries are gone.
      throw threw(`entries(${lo}, ${hi})`, error);
    }
    checkEntries(entries, lo, hi);
    return entries;
  }

  /** The newest snapshot; null while it is not ready. */
  snapshot(): Snapshot | null {
    let snapshot: Snapshot;
    try {
      snapshot = this.storage.snapshot();
    } catch (error) {
      if (isRaftError(error, RaftErrorCode.SnapshotTemporarilyUnavailable)) return null;
      throw threw('snapshot', error);
    }
    const { index = 0, term = 0 } = snapshot?.metadata ?? {};
    if (!isCount(index) || index === 0 || !isCount(term)) throw outside(`snapshot answered index ${String(index)} and term ${String(term)}`);
    return snapshot;
  }
}

/** A storage whose answer cannot be worked with; the node stops. */
export function storageFailed(message: string, cause?: unknown): RaftError {
  return new RaftError(RaftErrorCode.StorageFailed, message, { cause });
}

function threw(call: string, error: unknown): RaftError {
  return storageFailed(`storage.${call} threw: ${error instanceof Error ? error.message : String(error)}`, error);
}

function outside(what: string): RaftError {
  return storageFailed(`storage.${what}, which its contract does not allow`);
}

/** The first index of a compacted log may be one above the highest. */
function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function checkEntries(entries: readonly Entry[], lo: Index, hi: Index): void {
  const count = Array.isArray(entries) ? entries.length : 0;
  if (count === 0 || count > hi - lo) throw outside(`entries(${lo}, ${hi}) answered ${count} entries`);
  for (let i = 0; i < count; i++) {
    const entry = entries[i];
    if (entry?.index !== lo + i) throw outside(`entries answered index ${String(entry?.index)} in the place of ${lo + i}`);
    if (!isCount(entry.term)) throw outside(`entries answered term ${String(entry.term)} at index ${lo + i}`);
  }
}
