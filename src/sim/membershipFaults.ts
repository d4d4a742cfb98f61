import { ConfChangeTransition, ConfChangeType, newConfChange, newConfChangeV2, type ConfChange, type ConfChangeSingle, type ConfChangeV2 } from '../core/raftpb/confChange.js';
import { encodeConfChange } from '../core/raftpb/confChangeWire.js';
import type { ConfState } from '../core/raftpb/state.js';
import { StepResult } from '../core/raft/stepResult.js';
import { StateType, type NodeId } from '../core/types.js';
import { FaultKind } from './faultKind.js';
import type { Prng } from './prng.js';
import type { SimConfig } from './simConfig.js';
import type { SimNode } from './simNode.js';

/** What changes of the membership need of the run. */
export interface MembershipHost {
  readonly config: SimConfig;
  readonly faultRandom: Prng;
  /** Makes a node with an empty disk and starts it; null if there are enough. */
  addNode(): SimNode | null;
  /** Starts a node again that has retired, if it has. */
  revive(id: NodeId): void;
  node(id: NodeId): SimNode | undefined;
  readonly nodes: readonly SimNode[];
  /** The newest configuration that any node has applied so far. */
  readonly newestConfState: ConfState;
  mark(kind: FaultKind): void;
}

const { ConfChangeAddNode, ConfChangeRemoveNode, ConfChangeAddLearnerNode } = ConfChangeType;

/** Most voters that a run lets a group have. */
const maxVoters = 7;
/** Proposes a random change of the membership to a node, sensible as far as that node knows. */
export function changeMembership(host: MembershipHost, node: SimNode): void {
  const random = host.faultRandom;
  const current = node.raft!.tracker.confState();
  if (random.chance(0.06)) return proposeImpossible(host, node, current);
  if (current.votersOutgoing.length > 0) {
    // Joint: what is left to do is to leave, or to try what must be refused.
    if (random.chance(0.8)) propose(host, node, newConfChangeV2(), FaultKind.LeaveJoint);
    else propose(host, node, newConfChangeV2({ changes: [{ type: ConfChangeAddLearnerNode, nodeId: random.pick(host.nodes).id }] }), null);
    return;
  }
  const count = random.chance(0.5) ? 1 : random.between(2, 4);
  const changes: ConfChangeSingle[] = [];
  const marks: FaultKind[] = [];
  let voters = [...current.voters];
  for (let i = 0; i < count; i++) {
    const single = drawSingle(host, current, voters, changes, marks);
    if (single === null) continue;
    changes.push(single);
    voters = voters.filter((id) => id !== single.nodeId);
    if (single.type === ConfChangeAddNode) voters.push(single.nodeId);
  }
  // A leader of two that removes the other one knows it, and needs nobody to tell, as long as no crash makes it forget what is committed.
  const { weights, readyCrash } = host.config;
  const forgets = weights.crash > 0 || weights.crashAll > 0 || readyCrash > 0;
  const staysAlone = !forgets && node.isLeader && voters.length === 1 && voters[0] === node.id;
  if (changes.length === 0 || !(canElect(current.voters, voters) || staysAlone)) return;
  // A node that lags behind may think of another group than the one its proposal will meet.
  const newest = host.newestConfState.voters;
  if (newest.length !== current.voters.length && !canElect(newest, votersAfter(newest, changes))) return;
  proposeChanges(host, node, changes, marks);
}

function votersAfter(before: readonly NodeId[], changes: readonly ConfChangeSingle[]): NodeId[] {
  let voters = [...before];
  for (const { type, nodeId } of changes) {
    voters = voters.filter((id) => id !== nodeId);
    if (type === ConfChangeAddNode) voters.push(nodeId);
  }
  return voters;
}

/**
 * Whether those who stay can elect one of them with the configuration of before. Where they cannot, a group may
 * never have a leader again: those who were removed know it, and may not lead; the others do not know it, and
 * may not get the votes of those, whose logs can be longer. Operators do not make such changes in one step.
 */
function canElect(before: readonly NodeId[], after: readonly NodeId[]): boolean {
  return before.filter((id) => after.includes(id)).length * 2 > before.length;
}

function proposeChanges(host: MembershipHost, node: SimNode, changes: readonly ConfChangeSingle[], marks: readonly FaultKind[]): void {
  const random = host.faultRandom;
  const transition = random.pick([ConfChangeTransition.Auto, ConfChangeTransition.JointImplicit, ConfChangeTransition.JointExplicit]);
  let change: ConfChange | ConfChangeV2;
  let kind: FaultKind;
  if (changes.length === 1 && random.chance(0.6)) {
    kind = FaultKind.SimpleChange;
    change = random.chance(0.5) ? newConfChange(changes[0]) : newConfChangeV2({ changes });
  } else {
    change = newConfChangeV2({ transition, changes });
    kind = transition === ConfChangeTransition.Auto ? FaultKind.JointAuto : transition === ConfChangeTransition.JointImplicit ? FaultKind.JointImplicit : FaultKind.JointExplicit;
    if (transition === ConfChangeTransition.Auto && changes.length === 1) kind = FaultKind.SimpleChange;
  }
  if (propose(host, node, change, kind)) for (const mark of marks) host.mark(mark);
}

/** One step of a change, which makes sense after `before`. */
function drawSingle(host: MembershipHost, current: ConfState, voters: readonly NodeId[], before: readonly ConfChangeSingle[], marks: FaultKind[]): ConfChangeSingle | null {
  const random = host.faultRandom;
  const untouched = (id: NodeId): boolean => !before.some(({ nodeId }) => nodeId === id);
  const learners = current.learners.filter(untouched);
  const ownVoters = voters.filter(untouched);
  switch (random.below(5)) {
    case 0: {
      const outsiders = host.nodes.filter(({ id }) => untouched(id) && !current.voters.includes(id) && !current.learners.includes(id));
      const back = outsiders.length > 0 && random.chance(0.6) ? random.pick(outsiders) : null;
      const joining = back ?? host.addNode();
      if (joining === null || voters.length >= maxVoters) return null;
      if (back !== null) host.revive(back.id);
      marks.push(back !== null ? FaultKind.ReaddSameId : FaultKind.AddNewId);
      const learner = random.chance(0.4);
      if (learner) marks.push(FaultKind.AddLearner);
      return { type: learner ? ConfChangeAddLearnerNode : ConfChangeAddNode, nodeId: joining.id };
    }
    case 1:
      if (learners.length === 0 || voters.length >= maxVoters) return null;
      marks.push(FaultKind.Promote);
      return { type: ConfChangeAddNode, nodeId: random.pick(learners) };
    case 2:
      if (ownVoters.length === 0 || voters.length <= 1) return null;
      marks.push(FaultKind.Demote);
      return { type: ConfChangeAddLearnerNode, nodeId: random.pick(ownVoters) };
    default: {
      const members = [...(voters.length > 1 ? ownVoters : []), ...learners];
      if (members.length === 0) return null;
      marks.push(FaultKind.Remove);
      return { type: ConfChangeRemoveNode, nodeId: random.pick(members) };
    }
  }
}

/** Something that must be refused, or have no effect. */
function proposeImpossible(host: MembershipHost, node: SimNode, current: ConfState): void {
  const joint = current.votersOutgoing.length > 0;
  const removeAll = newConfChangeV2({
    transition: ConfChangeTransition.JointExplicit,
    changes: current.voters.map((nodeId) => ({ type: ConfChangeRemoveNode, nodeId })),
  });
  const change = joint || host.faultRandom.chance(0.5) ? removeAll : newConfChangeV2();
  host.mark(FaultKind.ImpossibleChange);
  propose(host, node, change, null);
}

/** Returns whether the node has taken the proposal. */
function propose(host: MembershipHost, node: SimNode, change: ConfChange | ConfChangeV2, kind: FaultKind | null): boolean {
  if (!mayPropose(node)) return false;
  const result = node.proposeConfChange(change, encodeConfChange(change));
  if (result === StepResult.ConfChangePending || result === StepResult.Joint) host.mark(FaultKind.ConcurrentChange);
  const taken = typeof result !== 'string';
  if (taken && kind !== null) host.mark(kind);
  return taken;
}

/** Where the core does not check it, the operator has to see to it that one change is applied before the next one is proposed. */
function mayPropose({ raft }: SimNode): boolean {
  return !raft!.config.disableConfChangeValidation || (raft!.state === StateType.Leader && raft!.pendingConfIndex <= raft!.log.applied);
}

/** Leaves a joint configuration, as an operator does who watches over it. */
export function leaveJoint(node: SimNode): void {
  if (!mayPropose(node)) return;
  const change = newConfChangeV2();
  node.proposeConfChange(change, encodeConfChange(change));
}
