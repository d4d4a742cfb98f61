import { RaftError, RaftErrorCode } from '../../core/errors.js';
import { isEntryType, type Entry } from '../../core/raftpb/entry.js';
import { hardStatesEqual, type HardState, type Snapshot } from '../../core/raftpb/state.js';
import { isCanonicalNodeId, type Index } from '../../core/types.js';
import type { LogWrite } from '../shared/durableLog.js';
import { entryBytes, maxBatchPayload, maxMetadataBytes } from './format.js';
import type { LogState } from './logState.js';
import { WalError, WalErrorCode } from './walError.js';

/** A write of the log, with what only this one can keep. */
export interface WalWrite extends LogWrite {
  /** Bytes of the application, at most 64 KiB, that replace those kept before: its addresses, its version, what it likes. */
  readonly metadata?: Uint8Array | null;
}

/** A write that was checked, taken apart. */
export interface WritePlan {
  readonly snapshot: Snapshot | null;
  /** Where the log is cut off first; 0 if it is not. */
  readonly truncateFrom: Index;
  /** What of the entries is not compacted. */
  readonly entries: readonly Entry[];
  /** Null if it says nothing new. */
  readonly hardState: HardState | null;
  readonly metadata: Uint8Array | null;
  /** Whether term or vote change. */
  readonly votes: boolean;
  /** Bytes of the records of its entries. */
  readonly entryBytes: number;
  /** Bytes of all its records. */
  readonly bytes: number;
}

/** Room for the records that are not entries. */
const otherBytes = 128;

/**
 * Checks a write against what is in the log and says what has to be done. Changes nothing.
 *
 * @throws WalError `ERR_WAL_ARGUMENT_INVALID`, RaftError `ERR_RAFT_SNAPSHOT_OUT_OF_DATE`.
 */
export function planWrite(state: LogState, write: WalWrite): WritePlan {
  const snapshot = write.snapshot ?? null;
  const hardState = write.hardState ?? null;
  const metadata = write.metadata ?? null;
  if (snapshot !== null) checkSnapshot(state, snapshot);
  if (metadata !== null && (!(metadata instanceof Uint8Array) || metadata.length > maxMetadataBytes)) {
    throw invalid(`metadata must be a Uint8Array of at most ${maxMetadataBytes} bytes`);
  }
  const offset = snapshot === null ? state.offset : snapshot.metadata;
  const lastBefore = snapshot === null ? state.lastIndex : offset.index;
  const entries = usefulEntries(write.entries ?? [], offset.index);
  const first = entries[0];
  let last = lastBefore;
  let truncateFrom = 0;
  if (first !== undefined) {
    if (first.index > lastBefore + 1) throw invalid(`appending at ${first.index} leaves a gap after the last entry ${lastBefore}`);
    if (first.index <= lastBefore) {
      truncateFrom = first.index;
      const problem = state.truncateProblem(truncateFrom);
      if (problem !== null) throw invalid(problem);
    }
    const before = first.index - 1 === offset.index ? offset.term : state.term(first.index - 1);
    if (first.term < before) throw invalid(`entry ${first.index} has term ${first.term}, and the one before it ${before}`);
    last = entries[entries.length - 1]!.index;
  }
  if (hardState !== null) checkHardState(state, hardState, last);
  const ofEntries = bytesOf(entries);
  const bytes = otherBytes + (metadata?.length ?? 0) + ofEntries;
  if (bytes > maxBatchPayload) throw invalid(`a write of ${bytes} bytes is larger than ${maxBatchPayload}, the most that is written at once`);
  return {
    snapshot,
    truncateFrom,
    entries,
    hardState: hardState === null || hardStatesEqual(hardState, state.hardState) ? null : hardState,
    metadata,
    votes: hardState !== null && (hardState.term !== state.hardState.term || hardState.vote !== state.hardState.vote),
    entryBytes: ofEntries,
    bytes,
  };
}

function bytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) bytes += entryBytes(entries[i]!);
  return bytes;
}

/** The entries behind `offset`: what is compacted says nothing about the log behind it. Checks each one and their order. */
function usefulEntries(entries: readonly Entry[], offset: Index): readonly Entry[] {
  for (let i = 0; i < entries.length; i++) {
    const { index, term, type, data } = entries[i]!;
    if (!Number.isSafeInteger(index) || index < 1 || !Number.isSafeInteger(term) || term < 0 || !isEntryType(type) || !(data instanceof Uint8Array)) {
      throw invalid(`entry ${String(index)} of term ${String(term)} is not an entry`);
    }
    if (i === 0) continue;
    const before = entries[i - 1]!;
    if (index !== before.index + 1) throw invalid(`entry ${index} stands behind entry ${before.index}: not contiguous`);
    if (term < before.term) throw invalid(`entry ${index} has term ${term}, and the one before it ${before.term}`);
  }
  const first = entries[0];
  if (first === undefined || first.index > offset) return entries;
  return entries.slice(offset + 1 - first.index);
}

function checkSnapshot(state: LogState, { data, metadata }: Snapshot): void {
  const { index, term } = metadata;
  if (!Number.isSafeInteger(index) || index < 0 || !Number.isSafeInteger(term) || term < 0 || !(data instanceof Uint8Array)) {
    throw invalid(`the snapshot at ${String(index)} of term ${String(term)} is not a snapshot`);
  }
  const problem = state.installProblem(metadata);
  if (problem !== null) throw new RaftError(RaftErrorCode.SnapshotOutOfDate, problem);
}

function checkHardState(state: LogState, hardState: HardState, last: Index): void {
  const { term, vote, commit } = hardState;
  if (!Number.isSafeInteger(term) || term < 0 || !isCanonicalNodeId(vote) || !Number.isSafeInteger(commit) || commit < 0) {
    throw invalid(`term ${String(term)}, vote ${String(vote)}, commit ${String(commit)} is not a hard state`);
  }
  const problem = state.hardStateProblem(hardState, last);
  if (problem !== null) throw invalid(problem);
}

function invalid(message: string): WalError {
  return new WalError(WalErrorCode.ArgumentInvalid, message);
}
