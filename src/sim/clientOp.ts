import type { Index, NodeId } from '../core/types.js';

/** How an operation of a client ended. */
export const OpOutcome = {
  /** Not known yet. */
  Pending: 0,
  /** Done; the answer is in the operation. */
  Ok: 1,
  /** Surely not done, now or later: it was refused before anything was sent or appended. */
  Failed: 2,
  /** The client gave up waiting: done, not done, or still to be done. */
  Unknown: 3,
} as const;
export type OpOutcome = (typeof OpOutcome)[keyof typeof OpOutcome];

/** One operation of a simulated client: a write that goes through the log, or a read by ReadIndex. */
export interface ClientOp {
  /** Unique in the run, from 1 on. Travels in front of every proposal and as the context of every read. */
  readonly id: number;
  /** Number of the client, from 0 on. A client has one operation at a time. */
  readonly client: number;
  /** Node that the client talks to. */
  readonly node: NodeId;
  /** Whether it goes through the log. */
  readonly write: boolean;
  /** What the workload asks for, as the state machine gets it. */
  readonly request: Uint8Array;
  /** The request before it was encoded, for checks: a `KvCommand` in the default workload. */
  readonly command: unknown;
  /** Virtual times in microseconds; `returnedAt` is Infinity until it ended, and stays so for an unknown outcome. */
  readonly invokedAt: number;
  /** Virtual time at which it ended; see `invokedAt`. */
  returnedAt: number;
  /** How it ended. */
  outcome: OpOutcome;
  /** Index at which the write was applied or the read confirmed; 0 before that. */
  index: Index;
  /** What the state machine answered; undefined before that. A `KvAnswer` in the default workload. */
  answer: unknown;
}
