import { RaftError, RaftErrorCode } from './errors.js';

/**
 * Identity of a node: any uint64 except 0 ({@link None}) and the two reserved local targets.
 *
 * Canonical form: a `number` when it is a safe integer, else a `bigint`. Two ids are the same node
 * exactly when they are `===`, so a NodeId can be a Map key. Convert foreign ids with
 * {@link canonicalNodeId} where they enter; code inside the core never converts.
 */
export type NodeId = number | bigint;

/** A Raft term (Raft §5.1): a safe integer, 0 before the first election. */
export type Term = number;

/** Position of an entry in the log: a safe integer, the first entry has index 1 (Raft §5.3). */
export type Index = number;

/** Where an entry stands and which leader created it; equal pairs name equal entries (Log Matching, Raft §5.3). */
export interface EntryId {
  /** Term of the leader that created the entry. */
  readonly term: Term;
  /** Position in the log. */
  readonly index: Index;
}

/** "No node": no leader is known, no vote was cast. Never the id of a node. */
export const None = 0;

const maxUint64 = 0xffff_ffff_ffff_ffffn;

/** Address of the thread that writes the log, used as `to` of MsgStorageAppend. 2^64-1, never a node's id. */
export const LocalAppendThread: NodeId = maxUint64;

/** Address of the thread that applies entries, used as `to` of MsgStorageApply. 2^64-2, never a node's id. */
export const LocalApplyThread: NodeId = maxUint64 - 1n;

/** Whether `id` addresses a local storage thread and not a node. */
export function isLocalThread(id: NodeId): boolean {
  return id === LocalAppendThread || id === LocalApplyThread;
}

/**
 * The one form of a node id that the core understands.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if `id` is not a uint64.
 */
export function canonicalNodeId(id: number | bigint): NodeId {
  const canonical = typeof id === 'bigint' && id >= 0n && id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : id;
  if (isCanonicalNodeId(canonical)) return canonical;
  throw new RaftError(RaftErrorCode.OutOfRange, `node id ${String(id)} is not a uint64`);
}

/** Whether `id` is a uint64 in canonical form. */
export function isCanonicalNodeId(id: unknown): id is NodeId {
  if (typeof id === 'number') return Number.isSafeInteger(id) && id >= 0;
  return typeof id === 'bigint' && id > BigInt(Number.MAX_SAFE_INTEGER) && id <= maxUint64;
}

/** Whether `id` can be that of a node: in canonical form, and not reserved. */
export function isNodeId(id: unknown): id is NodeId {
  return isCanonicalNodeId(id) && id !== None && !isLocalThread(id);
}

/** Ascending numeric order, for `sort`. Numbers and bigints compare exactly. */
export function compareNodeIds(a: NodeId, b: NodeId): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Role of a node (Raft Figure 4, plus the pre-candidate of dissertation §9.6). */
export const StateType = {
  Follower: 0,
  Candidate: 1,
  Leader: 2,
  PreCandidate: 3,
} as const;
export type StateType = (typeof StateType)[keyof typeof StateType];

const stateTypeNames = ['StateFollower', 'StateCandidate', 'StateLeader', 'StatePreCandidate'] as const;

/** Name of a role as scripts and logs print it, such as `StateLeader`. */
export function stateTypeName(state: StateType): string {
  return stateTypeNames[state];
}

/** How a leader makes sure that it still leads before it answers a read (dissertation §6.4). */
export const ReadOnlyOption = {
  /** Asks a quorum for every batch of reads. Needs no assumption on clocks. */
  Safe: 0,
  /**
   * Answers at once while a quorum has acknowledged a recent heartbeat. Correct only as long as no
   * clock runs faster than the leader's by more than `leaseMarginTicks` in an election timeout. A member
   * that was restarted does not vote for an election timeout, as `strictReads` says.
   */
  LeaseBased: 1,
} as const;
export type ReadOnlyOption = (typeof ReadOnlyOption)[keyof typeof ReadOnlyOption];

/** Outcome of sending a snapshot, for `RawNode.reportSnapshot`. */
export const SnapshotStatus = {
  /** The follower has received the snapshot. */
  Finish: 1,
  /** The follower did not get it; it will be tried again. */
  Failure: 2,
} as const;
export type SnapshotStatus = (typeof SnapshotStatus)[keyof typeof SnapshotStatus];

/** Highest term and index that every part of the library can hold and still add one to. */
export const maxTerm: Term = Number.MAX_SAFE_INTEGER - 1;

/** Whether a value can be a term or an index: a safe integer to which one can still be added. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= maxTerm;
}

/**
 * Whether a value is a Uint8Array, or a subclass such as Buffer. Not only `instanceof`: the bytes may
 * come from another realm, such as a worker or a test runner. Other views hold elements that are no bytes.
 */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || (ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === 'Uint8Array');
}

/** A size or count without an upper bound. Infinity, so that `limit - size` needs no special case. */
export const noLimit = Infinity;

/** The empty byte string; shared, because an empty Uint8Array cannot be changed. */
export const emptyBytes: Uint8Array = new Uint8Array(0);

/** The empty list of anything; shared, and never changed. Not frozen: that costs a group of three a sixth of its throughput. */
export const emptyList: readonly never[] = [];
