import { checkInvariants } from '../../src/core/checkInvariants.js';
import { describeConfState } from '../../src/core/describe.js';
import { quoteBytes } from '../../src/core/quoteBytes.js';
import { internalRaft } from '../../src/core/rawNode.js';
import { StateType, type Index, type NodeId, type Term } from '../../src/core/types.js';
import type { InteractionEnv } from './interactionEnv.js';

/** Watches a cluster from command to command for what must never happen (Raft Figure 3). */
export class ClusterSafety {
  private readonly leaders = new Map<Term, NodeId>();
  private readonly states = new Map<Index, string>();

  /** @throws Error that names the property and the nodes. */
  check(env: InteractionEnv): void {
    for (const node of env.nodes) {
      checkInvariants(node.rawNode);
      const raft = internalRaft(node.rawNode);
      if (raft.state === StateType.Leader) this.checkLeader(raft.term, node.id);
      const { data, metadata } = node.storage.newest;
      this.checkState(metadata.index, `${quoteBytes(data)} term ${metadata.term} ${describeConfState(metadata.confState)}`);
    }
  }

  /** Election Safety: at most one leader can be elected in a given term. */
  private checkLeader(term: Term, id: NodeId): void {
    const known = this.leaders.get(term);
    if (known !== undefined && known !== id) throw new Error(`both ${known} and ${id} lead in term ${term}`);
    this.leaders.set(term, id);
  }

  /** State Machine Safety: what was applied up to an index, and the configuration there, is the same everywhere. */
  private checkState(index: Index, state: string): void {
    const known = this.states.get(index);
    if (known !== undefined && known !== state) throw new Error(`at index ${index} there are two states:\n${known}\n${state}`);
    this.states.set(index, state);
  }
}
