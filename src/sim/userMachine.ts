import type { Index } from '../core/types.js';
import type { Prng } from './prng.js';

/**
 * A replicated state machine under test: yours, or the registers of the default workload. It must be
 * deterministic, and done when it returns.
 *
 * The simulator makes a new one whenever a node starts or installs a snapshot of its leader, and restores into it
 * what there is. In runs with `durableMachine` it stands for a state that is on a disk of its own: it stays over a
 * restart as it is, also over a power loss, unless that disk was lost or holds less than the newest snapshot or more
 * than the log.
 */
export interface UserMachine {
  /**
   * Carries out a command, which has been committed at `index`. Every command is applied once at most,
   * however often the network has repeated it.
   *
   * @param request a copy, but must not be changed: a real host would hand out bytes of its log.
   * @returns the answer for the client. Must not be changed afterwards.
   */
  apply(request: Uint8Array, index: Index): unknown;
  /** Answers a read, without changing anything. */
  query(request: Uint8Array): unknown;
  /** The whole state as bytes, for a snapshot. They are copied at once. */
  save(): Uint8Array;
  /** Replaces the whole state by that of a snapshot. As for `apply`, the bytes are a copy and must not be changed. */
  restore(data: Uint8Array): void;
  /** A safe integer that is equal for equal states and, most likely, for no others. */
  hash(): number;
}

/** One request of a client. */
export interface WorkloadRequest {
  /** What the state machine gets. */
  readonly request: Uint8Array;
  /** The same before it was encoded, for your checks. */
  readonly command: unknown;
}

/** What the clients ask for. How often they read and write is up to the configuration of the run. */
export interface Workload {
  /**
   * The next command, which goes through the log.
   *
   * @param random the only source of chance it may use.
   * @param id number of the operation, unique in the run and above 0.
   */
  nextWrite(random: Prng, id: number): WorkloadRequest;
  /** The next question, which is answered by one node's state machine. */
  nextRead(random: Prng, id: number): WorkloadRequest;
  /** A state machine in its first state; never one that was returned before. */
  newMachine(): UserMachine;
}
