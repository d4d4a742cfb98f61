import type { ConfState } from '../core/raftpb/state.js';
import type { NodeId } from '../core/types.js';

/** Whether a node has any role in a configuration. */
export function isMember(confState: ConfState, id: NodeId): boolean {
  return confState.voters.includes(id) || confState.learners.includes(id) || confState.votersOutgoing.includes(id);
}

/** Whether every member of `current` is a member of `known` as well. */
export function knowsAll(known: ConfState, current: ConfState): boolean {
  return known === current || [...current.voters, ...current.votersOutgoing, ...current.learners].every((id) => isMember(known, id));
}
