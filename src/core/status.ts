import type { ConfState, HardState } from './raftpb/state.js';
import { hexId, type Raft } from './raft/raft.js';
import { hasLostLog } from './raft/reversion.js';
import type { StepResult } from './raft/stepResult.js';
import type { ProgressState} from './tracker/progress.js';
import { progressStateName, type Progress } from './tracker/progress.js';
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
  /** Whether it receives the log and does not count. */
  readonly isLearner: boolean;
  /** Whether its log went back, so that nothing is sent to it and nothing from it counts (O12). */
  readonly quarantined: boolean;
}

/** State of a node without what costs time to collect. A copy. */
export interface BasicStatus {
  /** This node. */
  readonly id: NodeId;
  /** Term, vote and commit index. */
  readonly hardState: HardState;
  /** Leader as far as this node knows, or `None`. */
  readonly lead: NodeId;
  /** Role of this node. */
  readonly state: StateType;
  /** Last index that the host has reported as applied. */
  readonly applied: Index;
  /** Last index of the log, durable or not. */
  readonly lastIndex: Index;
  /** Member that leadership is being handed to, or `None`. */
  readonly leadTransferee: NodeId;
  /** Messages refused so far, by reason. */
  readonly refused: ReadonlyMap<StepResult, number>;
  /** Committed configuration changes that had no effect so far, because they were invalid (D8). */
  readonly ignoredConfChanges: number;
  /** Followers found, as a leader, to have lost entries that they had acknowledged, so far (O12). */
  readonly quarantines: number;
  /** This node has lost entries up to here that it had acknowledged, and does not vote until it has caught up; 0 if not (O12). */
  readonly lostUpTo: Index;
}

/** A {@link Status} as JSON: ids in hex, states by name. */
export interface StatusJson {
  /** This node. */
  readonly id: string;
  /** Latest term seen. */
  readonly term: number;
  /** Candidate that got the vote in this term; `0` for none. */
  readonly vote: string;
  /** Highest index known to be committed. */
  readonly commit: Index;
  /** Last index that the host has reported as applied. */
  readonly applied: Index;
  /** Last index of the log. */
  readonly lastIndex: Index;
  /** Leader as far as this node knows; `0` for none. */
  readonly lead: string;
  /** Role of this node, such as `StateLeader`. */
  readonly raftState: string;
  /** Member that leadership is being handed to; `0` for none. */
  readonly leadTransferee: string;
  /** Active configuration. */
  readonly config: {
    readonly voters: readonly string[];
    readonly learners: readonly string[];
    readonly votersOutgoing: readonly string[];
    readonly learnersNext: readonly string[];
    readonly autoLeave: boolean;
  };
  /** Progress by member; empty unless this node leads. */
  readonly progress: Readonly<Record<string, Omit<ProgressStatus, 'state'> & { readonly state: string }>>;
  /** Messages refused so far, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Committed configuration changes that had no effect so far (D8). */
  readonly ignoredConfChanges: number;
  /** Followers found to have lost entries that they had acknowledged, so far (O12). */
  readonly quarantines: number;
  /** Entries up to here were acknowledged and lost; 0 if none were (O12). */
  readonly lostUpTo: Index;
}

/** State of a node, with its configuration and, on a leader, the progress of every member. A copy. */
export interface Status extends BasicStatus {
  /** Active configuration. */
  readonly config: ConfState;
  /** Progress by member, in ascending order of ids; empty unless this node leads. */
  readonly progress: ReadonlyMap<NodeId, ProgressStatus>;
  /** What `JSON.stringify` writes: ids as hex strings, because JSON numbers cannot hold all of them. */
  toJSON(): StatusJson;
}

function toJSON(this: Status): StatusJson {
  const progress: Record<string, Omit<ProgressStatus, 'state'> & { state: string }> = {};
  for (const [id, p] of this.progress) progress[hexId(id)] = { ...p, state: progressStateName(p.state) };
  const { hardState, config } = this;
  return {
    id: hexId(this.id),
    term: hardState.term,
    vote: hexId(hardState.vote),
    commit: hardState.commit,
    applied: this.applied,
    lastIndex: this.lastIndex,
    lead: hexId(this.lead),
    raftState: stateTypeName(this.state),
    leadTransferee: hexId(this.leadTransferee),
    config: {
      voters: config.voters.map(hexId),
      learners: config.learners.map(hexId),
      votersOutgoing: config.votersOutgoing.map(hexId),
      learnersNext: config.learnersNext.map(hexId),
      autoLeave: config.autoLeave,
    },
    progress,
    refused: Object.fromEntries(this.refused),
    ignoredConfChanges: this.ignoredConfChanges,
    quarantines: this.quarantines,
    lostUpTo: this.lostUpTo,
  };
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
    quarantined: progress.quarantined,
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
    quarantines: raft.quarantines,
    lostUpTo: hasLostLog(raft) ? raft.lostUpTo : 0,
  };
}

/** Copies the state of a node. */
export function status(raft: Raft): Status {
  const progress = new Map<NodeId, ProgressStatus>();
  if (raft.state === StateType.Leader) {
    const { ids, progresses } = raft.tracker;
    for (let i = 0; i < ids.length; i++) progress.set(ids[i]!, progressStatus(progresses[i]!));
  }
  // Not by spreading, which takes microseconds.
  return Object.assign(basicStatus(raft), { config: raft.tracker.confState(), progress, toJSON });
}
