import { inspect } from 'node:util';
import { codecLimits } from '../../codec/limits.js';
import { RaftError, RaftErrorCode } from '../../core/errors.js';
import { isEntryType, type Entry } from '../../core/raftpb/entry.js';
import { hardStatesEqual, hasConfStateShape, type ConfState, type HardState, type Snapshot } from '../../core/raftpb/state.js';
import { isBytes, isCanonicalNodeId, isCount, type Index } from '../../core/types.js';
import type { LogWrite } from '../shared/durableLog.js';
import { entryBytes, maxBatchPayload, maxMetadataBytes } from './format.js';
import type { LogState } from './logState.js';
import { invalidArgument } from './walError.js';

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
  if (!isObject(write)) throw invalidArgument('a write must be an object');
  if (typeof (write.sync ?? true) !== 'boolean') throw invalidArgument('sync must be true or false');
  const snapshot = write.snapshot ?? null;
  const hardState = write.hardState ?? null;
  const metadata = write.metadata ?? null;
  if (snapshot !== null) checkSnapshot(state, snapshot);
  if (metadata !== null && (!isBytes(metadata) || metadata.length > maxMetadataBytes)) {
    throw invalidArgument(`metadata must be a Uint8Array of at most ${maxMetadataBytes} bytes`);
  }
  const offset = snapshot === null ? state.offset : snapshot.metadata;
  const lastBefore = snapshot === null ? state.lastIndex : offset.index;
  const entries = usefulEntries(write.entries ?? [], offset.index);
  const first = entries[0];
  let last = lastBefore;
  let truncateFrom = 0;
  if (first !== undefined) {
    if (first.index > lastBefore + 1) throw invalidArgument(`appending at ${first.index} leaves a gap after the last entry ${lastBefore}`);
    if (first.index <= lastBefore) {
      truncateFrom = first.index;
      const problem = state.truncateProblem(truncateFrom);
      if (problem !== null) throw invalidArgument(problem);
    }
    const before = first.index - 1 === offset.index ? offset.term : state.term(first.index - 1);
    if (first.term < before) throw invalidArgument(`entry ${first.index} has term ${first.term}, and the one before it ${before}`);
    last = entries[entries.length - 1]!.index;
  }
  if (hardState !== null) checkHardState(state, hardState, last);
  const ofEntries = bytesOf(entries);
  const bytes = otherBytes + (metadata?.length ?? 0) + ofEntries;
  if (bytes > maxBatchPayload) throw invalidArgument(`a write of ${bytes} bytes is larger than ${maxBatchPayload}, the most that is written at once`);
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
  if (!Array.isArray(entries)) throw invalidArgument('entries must be an array');
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (!isEntry(entry)) throw invalidArgument(`entries[${i}] is not an entry`);
    if (i === 0) continue;
    const { index, term } = entry;
    const before = entries[i - 1]!;
    if (index !== before.index + 1) throw invalidArgument(`entry ${index} stands behind entry ${before.index}: not contiguous`);
    if (term < before.term) throw invalidArgument(`entry ${index} has term ${term}, and the one before it ${before.term}`);
  }
  const first = entries[0];
  if (first === undefined || first.index > offset) return entries;
  return entries.slice(offset + 1 - first.index);
}

function isEntry(entry: Entry | null | undefined): entry is Entry {
  if (!isObject(entry)) return false;
  const { index, term, type, data } = entry;
  return isCount(index) && index > 0 && isCount(term) && isEntryType(type) && isBytes(data);
}

function checkSnapshot(state: LogState, snapshot: Snapshot): void {
  const metadata = isObject(snapshot) ? snapshot.metadata : null;
  if (!isObject(metadata) || !isCount(metadata.index) || !isCount(metadata.term)) throw invalidArgument('the metadata of a snapshot must have an index and a term');
  checkSnapshotContent(metadata.confState, snapshot.data);
  const problem = state.installProblem(metadata);
  if (problem !== null) throw new RaftError(RaftErrorCode.SnapshotOutOfDate, problem);
}

/**
 * Checks what a snapshot's file is made of: that it can be written, and be read again.
 *
 * @throws WalError `ERR_WAL_ARGUMENT_INVALID`.
 */
export function checkSnapshotContent(confState: ConfState, data: Uint8Array): void {
  if (!hasConfStateShape(confState) || !canBeReadAgain(confState)) throw invalidArgument(`the confState of a snapshot must have four lists of at most ${codecLimits.maxIds} node ids, and autoLeave`);
  if (!isBytes(data)) throw invalidArgument('the data of a snapshot must be a Uint8Array');
}

function canBeReadAgain(confState: ConfState): boolean {
  const { voters, learners, votersOutgoing, learnersNext } = confState;
  return [voters, learners, votersOutgoing, learnersNext].every(({ length }) => length <= codecLimits.maxIds);
}

function checkHardState(state: LogState, hardState: HardState, last: Index): void {
  const { term, vote, commit } = hardState;
  if (!isCount(term) || !isCanonicalNodeId(vote) || !isCount(commit)) throw invalidArgument(`term ${inspect(term)}, vote ${inspect(vote)}, commit ${inspect(commit)} is not a hard state`);
  const problem = state.hardStateProblem(hardState, last);
  if (problem !== null) throw invalidArgument(problem);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
