import { runInside, type RawNode } from './rawNode.js';
import { checkRaft } from './raft/invariants.js';

/**
 * Checks every invariant of a node's memory, for tests and simulators. Costs time in the order of the members.
 * A node of which one does not hold is stopped, like one that finds out by itself.
 *
 * @throws RaftError `ERR_RAFT_INVARIANT_VIOLATED` that names the one that does not hold; `ERR_RAFT_NODE_STOPPED` or
 *   `ERR_RAFT_CALL_ORDER` like every call of the node.
 */
export function checkInvariants(node: RawNode): void {
  runInside(node, checkRaft);
}
