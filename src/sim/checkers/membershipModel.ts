import { ConfChangeType, enterJoint, leaveJoint, type ConfChangeV2 } from '../../core/raftpb/confChange.js';
import { newConfState, type ConfState } from '../../core/raftpb/state.js';
import { None, type NodeId } from '../../core/types.js';

// What a member is, as a sum. The core keeps four sets and a progress map; this is the same said differently.
const votesIn = 1;
const votesOut = 2;
const learns = 4;
const willLearn = 8;

/**
 * What a configuration change leads to (Raft §6, dissertation §4.1 and §4.3), worked out in another way than
 * the core does.
 *
 * @returns null if the change cannot be carried out.
 */
export function changedConfig(before: ConfState, change: ConfChangeV2): ConfState | null {
  const joint = before.votersOutgoing.length > 0;
  const roles = rolesOf(before);
  if (leaveJoint(change)) return joint ? left(roles) : null;
  const entering = enterJoint(change);
  if (joint || (entering !== null && before.voters.length === 0)) return null;
  if (entering !== null) for (const id of before.voters) roles.set(id, votesIn | votesOut);

  for (const { type, nodeId } of change.changes) {
    if (nodeId === None) continue;
    const role = changedRole(roles.get(nodeId) ?? 0, type);
    if (role === null) return null;
    roles.set(nodeId, role);
  }
  const after = confStateOf(roles, entering?.autoLeave ?? false);
  if (after.voters.length === 0) return null;
  if (entering === null && difference(before.voters, after.voters) > 1) return null;
  return after;
}

function changedRole(role: number, type: ConfChangeType): number | null {
  const out = role & votesOut;
  switch (type) {
    case ConfChangeType.ConfChangeAddNode:
      return out | votesIn;
    case ConfChangeType.ConfChangeAddLearnerNode:
      return out !== 0 ? out | willLearn : learns;
    case ConfChangeType.ConfChangeRemoveNode:
      return out;
    case ConfChangeType.ConfChangeUpdateNode:
      return role;
    default:
      return null;
  }
}

function rolesOf(state: ConfState): Map<NodeId, number> {
  const roles = new Map<NodeId, number>();
  const add = (ids: readonly NodeId[], role: number): void => {
    for (const id of ids) roles.set(id, (roles.get(id) ?? 0) | role);
  };
  add(state.voters, votesIn);
  add(state.votersOutgoing, votesOut);
  add(state.learners, learns);
  add(state.learnersNext, willLearn);
  return roles;
}

function left(roles: ReadonlyMap<NodeId, number>): ConfState {
  const after = new Map<NodeId, number>();
  for (const [id, role] of roles) after.set(id, (role & willLearn) !== 0 ? learns : role & ~votesOut);
  return confStateOf(after, false);
}

function confStateOf(roles: ReadonlyMap<NodeId, number>, autoLeave: boolean): ConfState {
  const having = (role: number): NodeId[] => [...roles].filter(([, sum]) => (sum & role) !== 0).map(([id]) => id);
  return newConfState({
    voters: having(votesIn),
    votersOutgoing: having(votesOut),
    learners: having(learns),
    learnersNext: having(willLearn),
    autoLeave,
  });
}

/** How many ids are in one of the two lists only. */
function difference(a: readonly NodeId[], b: readonly NodeId[]): number {
  return a.filter((id) => !b.includes(id)).length + b.filter((id) => !a.includes(id)).length;
}
