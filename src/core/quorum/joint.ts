import type { Index, NodeId } from '../types.js';
import { hasId, MajorityConfig, sortedIds } from './majority.js';
import { VoteResult, type AckedIndexer } from './quorum.js';

const nobody = new MajorityConfig();

/**
 * Two sets of voters that must agree (dissertation §4.3). While the outgoing one is empty it is an
 * ordinary configuration of the incoming one. Never changed once it is made.
 */
export class JointConfig {
  /** Voters of the configuration, or of the one being entered. */
  readonly incoming: MajorityConfig;
  /** Voters of the configuration being left; empty unless joint. */
  readonly outgoing: MajorityConfig;
  /** Voters of either half in ascending order. */
  readonly ids: readonly NodeId[];

  constructor(incoming = nobody, outgoing = nobody) {
    this.incoming = incoming;
    // One object for all empty halves: a process may hold thousands of idle groups.
    this.outgoing = outgoing.size === 0 ? nobody : outgoing;
    this.ids = outgoing.size === 0 ? incoming.ids : sortedIds([...incoming.ids, ...outgoing.ids]);
  }

  /** Whether two majorities are needed. */
  get isJoint(): boolean {
    return this.outgoing.size > 0;
  }

  /** Whether one voter decides alone. */
  get isSingleton(): boolean {
    return this.incoming.size === 1 && this.outgoing.size === 0;
  }

  /** Whether the node votes in either half. */
  has(id: NodeId): boolean {
    return hasId(this.ids, id);
  }

  /** Highest index that a majority of each half has acknowledged; Infinity without any voter. */
  committedIndex(acked: AckedIndexer): Index {
    const incoming = this.incoming.committedIndex(acked);
    const outgoing = this.outgoing.committedIndex(acked);
    return incoming < outgoing ? incoming : outgoing;
  }

  /** Result of the votes so far: won if won in both halves, lost if lost in one. */
  voteResult(votes: ReadonlyMap<NodeId, boolean>): VoteResult {
    return jointResult(this.incoming.voteResult(votes), this.outgoing.voteResult(votes));
  }

  /** Both halves in hex, such as `(1 2 3)&&(1 2)`; only the first unless joint. */
  toString(): string {
    return this.isJoint ? `${this.incoming}&&${this.outgoing}` : this.incoming.toString();
  }
}

/** What the results of the two halves mean together. */
function jointResult(incoming: VoteResult, outgoing: VoteResult): VoteResult {
  if (incoming === outgoing) return incoming;
  if (incoming === VoteResult.VoteLost || outgoing === VoteResult.VoteLost) return VoteResult.VoteLost;
  return VoteResult.VotePending;
}
