import type { ConfState, HardState } from './raftpb/state.js';
import { hexId, type Raft } from './raft/raft.js';
import type { StepResult } from './raft/stepResult.js';
import { ProgressState, progressStateName, type Progress } from './tracker/progress.js';
import { StateType, stateTypeName, type Index, type NodeId } from './types.js';

/** What a leader knows about one member. A copy: it does not follow the node. */
export interface ProgressStatus {
  /** Whether single messages are sent, streams, or a snapshot. */
  readonly state: ProgressState;
  /** Highest index known to be durable there. */
  readonly match: Index;
  /** Next index to send. */
  readonly next: Index;
  /** Index of the snapshot being sent; 0 for none. */
  readonly pendingSnapshot: Index;
  /** Whether it was heard since the leader last checked its quorum. */
  readonly recentActive: boolean;
  /** Whether nothing is sent to it right now. */
  readonly paused: boolean;
  /** MsgApps on their way to it. */
  readonly inflight: number;
  readonly isLearner: boolean;
}

/** State of a node without what costs time to collect. A copy. */
export interface BasicStatus {
  readonly id: NodeId;
  readonly hardState: HardState;
  /** Leader as far as this node knows, or `None`. */
  readonly lead: NodeId;
  readonly state: StateType;
  /** Last index that the host has reported as applied. */
  readonly applied: Index;
  readonly lastIndex: Index;
  /** Member that leadership is being handed to, or `None`. */
  readonly leadTransferee: NodeId;
  /** Messages refused so far, by reason. */
  readonly refused: ReadonlyMap<StepResult, number>;
  /** Committed configuration changes that had no effect so far, because they were invalid (D8). */
  readonly ignoredConfChanges: number;
}

/** A {@link Status} as JSON: ids in hex, states by name. */
export interface StatusJson {
  readonly id: string;
  readonly term: number;
  readonly vote: string;
  readonly commit: Index;
  readonly applied: Index;
  readonly lastIndex: Index;
  readonly lead: string;
  readonly raftState: string;
  readonly leadTransferee: string;
  readonly config: {
    readonly voters: readonly string[];
    readonly learners: readonly string[];
    readonly votersOutgoing: readonly string[];
    readonly learnersNext: readonly string[];
    readonly autoLeave: boolean;
  };
  readonly progress: Readonly<Record<string, Omit<ProgressStatus, 'state'> & { readonly state: string }>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly ignoredConfChanges: number;
}

/** State of a node, with its configuration and, on a leader, the progress of every member. A copy. */
export class Status implements BasicStatus {
  readonly id: NodeId;
  readonly hardState: HardState;
  readonly lead: NodeId;
  readonly state: StateType;
  readonly applied: Index;
  readonly lastIndex: Index;
  readonly leadTransferee: NodeId;
  readonly refused: ReadonlyMap<StepResult, number>;
  readonly ignoredConfChanges: number;
  /** Active configuration. */
  readonly config: ConfState;
  /** Progress by member, in ascending order of ids; empty unless this node leads. */
  readonly progress: ReadonlyMap<NodeId, ProgressStatus>;

  /** @internal */
  constructor(basic: BasicStatus, config: ConfState, progress: ReadonlyMap<NodeId, ProgressStatus>) {
    this.id = basic.id;
    this.hardState = basic.hardState;
    this.lead = basic.lead;
    this.state = basic.state;
    this.applied = basic.applied;
    this.lastIndex = basic.lastIndex;
    this.leadTransferee = basic.leadTransferee;
    this.refused = basic.refused;
    this.ignoredConfChanges = basic.ignoredConfChanges;
    this.config = config;
    this.progress = progress;
  }

  /** What `JSON.stringify` writes: ids as hex strings, because JSON numbers cannot hold all of them. */
  toJSON(): StatusJson {
    const progress: Record<string, Omit<ProgressStatus, 'state'> & { state: string }> = {};
    for (const [id, p] of this.progress) progress[hexId(id)] = { ...p, state: progressStateName(p.state) };
    return {
      id: hexId(this.id),
      term: this.hardState.term,
      vote: hexId(this.hardState.vote),
      commit: this.hardState.commit,
      applied: this.applied,
      lastIndex: this.lastIndex,
      lead: hexId(this.lead),
      raftState: stateTypeName(this.state),
      leadTransferee: hexId(this.leadTransferee),
      config: {
        voters: this.config.voters.map(hexId),
        learners: this.config.learners.map(hexId),
        votersOutgoing: this.config.votersOutgoing.map(hexId),
        learnersNext: this.config.learnersNext.map(hexId),
        autoLeave: this.config.autoLeave,
      },
      progress,
      refused: Object.fromEntries(this.refused),
      ignoredConfChanges: this.ignoredConfChanges,
    };
  }
}

/** Copies the progress of one member. */
export function progressStatus(progress: Progress): ProgressStatus {
  return {
    state: progress.state,
    match: progress.match,
    next: progress.next,
    pendingSnapshot: progress.pendingSnapshot,
    recentActive: progress.recentActive,
    paused: progress.isPaused(),
    inflight: progress.inflights.count,
    isLearner: progress.isLearner,
  };
}

/** Copies the state of a node, without configuration and progress. */
export function basicStatus(raft: Raft): BasicStatus {
  return {
    id: raft.id,
    hardState: { term: raft.term, vote: raft.vote, commit: raft.log.committed },
    lead: raft.lead,
    state: raft.state,
    applied: raft.log.applied,
    lastIndex: raft.log.lastIndex(),
    leadTransferee: raft.leadTransferee,
    refused: new Map(raft.refused),
    ignoredConfChanges: raft.ignoredConfChanges,
  };
}

/** Copies the state of a node. */
export function status(raft: Raft): Status {
  const progress = new Map<NodeId, ProgressStatus>();
  if (raft.state === StateType.Leader) {
    const { ids, progresses } = raft.tracker;
    for (let i = 0; i < ids.length; i++) progress.set(ids[i]!, progressStatus(progresses[i]!));
  }
  return new Status(basicStatus(raft), raft.tracker.confState(), progress);
}
