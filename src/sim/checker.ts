import type { Raft } from '../core/raft/raft.js';
import type { RawNode } from '../core/rawNode.js';
import type { ConfState, HardState } from '../core/raftpb/state.js';
import type { Storage } from '../core/storage/storage.js';
import type { Index, NodeId, ReadOnlyOption, Term } from '../core/types.js';
import type { ClientOp } from './clientOp.js';
import type { SimEvent, SimEventKind, SimPhase } from './simEvent.js';

/**
 * Watches a run for what must never happen. It sees every event of the kinds it names, in order, and
 * the cluster as it is at that moment. Make a new one for every run: it may keep state of its own.
 *
 * It must not change anything it sees, and should cost O(1) per event: a run has a hundred thousand.
 */
export interface Checker {
  /** Short name, such as `I1 election safety`. */
  readonly name: string;
  /** Kinds of events that it wants. */
  readonly kinds: readonly SimEventKind[];
  /**
   * Looks at an event.
   *
   * @throws Violation if an invariant is broken. Any other error ends the run as well.
   */
  onEvent(event: SimEvent, view: ClusterView): void;
}

/** A broken invariant. Ends the run. */
export class Violation extends Error {
  /** Name of the invariant, such as `I1`. */
  readonly invariant: string;

  /**
   * A violation of an invariant.
   *
   * @param message what is wrong, with nodes, terms and indexes.
   */
  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.name = 'Violation';
    this.invariant = invariant;
  }
}

/** The cluster as a checker sees it. Everything is read-only and belongs to the run. */
export interface ClusterView {
  /** Virtual time in microseconds. */
  readonly now: number;
  /** Scheduled events handled so far. */
  readonly steps: number;
  /** Phase of the run. */
  readonly phase: SimPhase;
  /** All nodes that ever existed, in order of creation; an array, for plain loops. */
  readonly nodes: readonly NodeView[];
  /** The node with that id, or undefined. */
  node(id: NodeId): NodeView | undefined;
  /** Base election timeout in microseconds of a clock that runs true. */
  readonly electionTimeout: number;
  /** How the members of this run are configured. */
  readonly settings: ViewSettings;
  /** All operations of clients so far, by order of invocation. */
  readonly ops: readonly ClientOp[];
  /** Nodes that must be live in the liveness phase: up, connected, and a quorum of the configuration. Empty before. */
  readonly core: readonly NodeId[];
}

/** What all members have in common, as far as checks depend on it. */
export interface ViewSettings {
  /** As in `Config`. */
  readonly preVote: boolean;
  /** As in `Config`. */
  readonly checkQuorum: boolean;
  /** As in `Config`. */
  readonly asyncStorageWrites: boolean;
  /** As in `Config`. */
  readonly readOnlyOption: ReadOnlyOption;
  /** Whether clocks, pauses and operators stay within what lease reads tolerate, so that these must be linearizable. */
  readonly leasesHold: boolean;
  /** As in `Config`. */
  readonly maxInflightMsgs: number;
  /** As in `Config`. */
  readonly electionTick: number;
  /** As in `Config`. */
  readonly heartbeatTick: number;
  /** As in `Config`. */
  readonly stepDownOnRemoval: boolean;
}

/** One node as a checker sees it. */
export interface NodeView {
  /** Its id. */
  readonly id: NodeId;
  /** Whether the process runs; also while it is paused. */
  readonly up: boolean;
  /** Number of restarts so far. */
  readonly incarnation: number;
  /** The node itself; null while it is not up. Only for reading: status, withProgress. */
  readonly rawNode: RawNode | null;
  /** The record inside of the node; null while it is not up. Only for reading. */
  readonly raft: Raft | null;
  /** What the node reads: everything written, synced or not. */
  readonly storage: Storage;
  /** What would be left after a power loss right now. */
  readonly durable: DurableView;
  /** Highest index that the state machine has applied. */
  readonly applied: Index;
  /** Configuration as the application knows it: the last answer of `applyConfChange`, or that of a snapshot. */
  readonly confState: ConfState;
  /** Hash of the state machine. Costs a walk over its state. */
  stateHash(): number;
}

/** What the disk of a node holds for certain. */
export interface DurableView {
  /** Hard state on the disk. */
  readonly hardState: HardState;
  /** Index of the newest snapshot on the disk, 0 for none. */
  readonly snapshotIndex: Index;
  /** Index before the first entry on the disk. */
  readonly offset: Index;
  /** Last index on the disk. */
  readonly lastIndex: Index;
  /** Term of the last entry on the disk. */
  readonly lastTerm: Term;
  /** Term of the entry at `index`; -1 if it is below `offset` or beyond the end. */
  term(index: Index): Term;
}
