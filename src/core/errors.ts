/** What went wrong, for programs. Codes are stable; messages are for people and may change. */
export const RaftErrorCode = {
  /** Refused: see {@link RaftError.reason}. Nothing was appended; the caller may retry later. */
  ProposalDropped: 'ERR_RAFT_PROPOSAL_DROPPED',
  /** An option of `Config` is missing, out of range or contradicts another. */
  ConfigInvalid: 'ERR_RAFT_CONFIG_INVALID',
  /** An argument of a call is not what its documentation asks for. Nothing was changed. */
  ArgumentInvalid: 'ERR_RAFT_ARGUMENT_INVALID',
  /** A call came at a moment at which it is not allowed, such as a second `ready` before `advance`. */
  CallOrder: 'ERR_RAFT_CALL_ORDER',
  /** `bootstrap` was called on a node that has a log or a configuration already. */
  AlreadyBootstrapped: 'ERR_RAFT_ALREADY_BOOTSTRAPPED',
  /** The index is at or before the last snapshot. Send a snapshot instead. */
  Compacted: 'ERR_RAFT_COMPACTED',
  /** The index is after the last entry. */
  Unavailable: 'ERR_RAFT_UNAVAILABLE',
  /** A snapshot is being made and can be had later. */
  SnapshotTemporarilyUnavailable: 'ERR_RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE',
  /** The storage holds a newer snapshot than the one given. */
  SnapshotOutOfDate: 'ERR_RAFT_SNAPSHOT_OUT_OF_DATE',
  /** The storage threw, or answered outside of its contract. The node stops. */
  StorageFailed: 'ERR_RAFT_STORAGE_FAILED',
  /** `allowNextRevert` was refused: see {@link RaftError.reason}. */
  RevertRefused: 'ERR_RAFT_REVERT_REFUSED',
  /** Bytes are not the protobuf message they should be; see {@link RaftError.offset}. */
  Malformed: 'ERR_RAFT_MALFORMED',
  /** A number is outside of what can be held exactly, such as a term above 2^53-1. */
  OutOfRange: 'ERR_RAFT_OUT_OF_RANGE',
  /** A Raft invariant does not hold. Discard the node and restart it from storage. */
  InvariantViolated: 'ERR_RAFT_INVARIANT_VIOLATED',
  /** The node stopped after an earlier error, which is the `cause`. Restart it from storage. */
  NodeStopped: 'ERR_RAFT_NODE_STOPPED',
} as const;
export type RaftErrorCode = (typeof RaftErrorCode)[keyof typeof RaftErrorCode];

/** Details that some errors carry. */
export interface RaftErrorDetail {
  /** Why a proposal was dropped, such as `noLeader`. */
  readonly reason?: string;
  /** Byte position at which decoding failed. */
  readonly offset?: number;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/**
 * What the core and the codec throw, and nothing else. Test {@link code}, not `instanceof`: a program may hold
 * two copies of the library.
 */
export class RaftError extends Error {
  /** What went wrong; stable, unlike the message. */
  readonly code: RaftErrorCode;
  /** Why a proposal was dropped, such as `noLeader`; undefined for other errors. */
  readonly reason: string | undefined;
  /** Byte position at which decoding failed; undefined for other errors. */
  readonly offset: number | undefined;

  /**
   * Made by the library, and by storages of the user that have to report one of its codes.
   *
   * @param message a sentence for people.
   * @param detail what else is known.
   */
  constructor(code: RaftErrorCode, message: string, detail: RaftErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'RaftError';
    this.code = code;
    this.reason = detail.reason;
    this.offset = detail.offset;
  }
}

/** Whether `error` is a RaftError of the given code, from whichever copy of the library. */
export function isRaftError(error: unknown, code: RaftErrorCode): boolean {
  return typeof error === 'object' && error !== null && (error as { code?: unknown }).code === code;
}

/**
 * Stops the node because a Raft invariant is broken. There is no recovery inside the process: the
 * state in memory can no longer be trusted to vote or to acknowledge.
 */
export function panic(message: string): never {
  throw new RaftError(RaftErrorCode.InvariantViolated, message);
}

/** Panics with a fixed text. Where the text has values in it, test first and call {@link panic}: building it costs more than the test. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) panic(message);
}
