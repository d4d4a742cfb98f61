import { compareNodeIds, emptyBytes, isCanonicalNodeId, None, type Index, type NodeId, type Term } from '../types.js';

/** What must be durable before a node speaks (Raft Figure 2, "persistent state"), without the log. */
export interface HardState {
  /** Latest term seen. */
  readonly term: Term;
  /** Candidate that got the vote in this term, or `None`. */
  readonly vote: NodeId;
  /** Highest index known to be committed. Saved so that a restart can apply it at once. */
  readonly commit: Index;
}

/** Hard state of a node that never ran. */
export const emptyHardState: HardState = { term: 0, vote: None, commit: 0 };

/** Whether both say the same. */
export function hardStatesEqual(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.vote === b.vote && a.commit === b.commit;
}

/** Whether nothing is set, as on a node that never ran. */
export function isEmptyHardState(state: HardState): boolean {
  return state.term === 0 && state.vote === None && state.commit === 0;
}

/** Membership of a group (Raft §6). Joint exactly while `votersOutgoing` is not empty. */
export interface ConfState {
  /** Voters of the configuration, or of its incoming half. */
  readonly voters: readonly NodeId[];
  /** Members that receive the log and do not count (dissertation §4.2.1). */
  readonly learners: readonly NodeId[];
  /** Voters of the outgoing half of a joint configuration (Raft §6). */
  readonly votersOutgoing: readonly NodeId[];
  /** Voters of the outgoing half that become learners when it is left. */
  readonly learnersNext: readonly NodeId[];
  /** Whether the leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;
}

/** Configuration of a node that belongs to no group yet. */
export const emptyConfState: ConfState = {
  voters: [],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

/** A configuration; what is not given is empty. */
export function newConfState(fields: Partial<ConfState> = {}): ConfState {
  return {
    voters: fields.voters ?? [],
    learners: fields.learners ?? [],
    votersOutgoing: fields.votersOutgoing ?? [],
    learnersNext: fields.learnersNext ?? [],
    autoLeave: fields.autoLeave ?? false,
  };
}

function sameIds(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  if (a.length !== b.length) return false;
  const left = [...a].sort(compareNodeIds);
  const right = [...b].sort(compareNodeIds);
  return left.every((id, i) => id === right[i]);
}

/** Whether a value has the fields of a ConfState, with ids in the form that can be compared. */
export function hasConfStateShape(state: ConfState): boolean {
  return (
    areNodeIds(state?.voters) &&
    areNodeIds(state.learners) &&
    areNodeIds(state.votersOutgoing) &&
    areNodeIds(state.learnersNext) &&
    typeof state.autoLeave === 'boolean'
  );
}

/** `every` passes over holes, and `includes` stops at the first one, however many there are. */
function areNodeIds(ids: readonly NodeId[]): boolean {
  return Array.isArray(ids) && !ids.includes(undefined) && ids.every(isCanonicalNodeId);
}

/** Whether both name the same members in the same roles, in whichever order. */
export function confStatesEquivalent(a: ConfState, b: ConfState): boolean {
  return (
    a.autoLeave === b.autoLeave &&
    sameIds(a.voters, b.voters) &&
    sameIds(a.learners, b.learners) &&
    sameIds(a.votersOutgoing, b.votersOutgoing) &&
    sameIds(a.learnersNext, b.learnersNext)
  );
}

/** Where in the log a snapshot stands (Raft §7). */
export interface SnapshotMetadata {
  /** Configuration as of {@link index}. */
  readonly confState: ConfState;
  /** Last entry that the snapshot covers. */
  readonly index: Index;
  /** Term of that entry. */
  readonly term: Term;
}

/** State of the application at an index, in place of the log up to there (Raft §7). Never changed once it is made. */
export interface Snapshot {
  /** Opaque to the core. */
  readonly data: Uint8Array;
  /** What it covers. */
  readonly metadata: SnapshotMetadata;
}

/** "No snapshot": index 0. */
export const emptySnapshot: Snapshot = {
  data: emptyBytes,
  metadata: { confState: emptyConfState, index: 0, term: 0 },
};

/** Whether it stands for "no snapshot". */
export function isEmptySnapshot(snapshot: Snapshot): boolean {
  return snapshot.metadata.index === 0;
}
