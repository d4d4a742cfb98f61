import { internalRaft } from '../../../src/core/rawNode.js';
import { stateTypeName } from '../../../src/core/types.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `raft-state`: role, term and leader of every node, as it sees itself. */
export function raftState(env: InteractionEnv): void {
  for (const node of env.nodes) {
    const raft = internalRaft(node.rawNode);
    const voter = raft.tracker.config.voters.has(node.id) ? '(Voter)' : '(Non-Voter)';
    env.output.print(`${node.id}: ${stateTypeName(raft.state)} ${voter} Term:${raft.term} Lead:${raft.lead}\n`);
  }
}
