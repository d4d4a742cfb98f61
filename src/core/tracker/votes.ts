import type { JointConfig } from '../quorum/joint.js';
import type { VoteResult } from '../quorum/quorum.js';
import type { NodeId } from '../types.js';

/** Votes of one election (Raft §5.2) or pre-election (dissertation §9.6). */
export class VoteTracker {
  private readonly answers = new Map<NodeId, boolean>();

  /** The answers so far; true is yes. They may come from nodes that are no voters. */
  get votes(): ReadonlyMap<NodeId, boolean> {
    return this.answers;
  }

  /** Takes in an answer. The first one of a node counts, so that repeated and reordered answers do no harm. */
  record(id: NodeId, granted: boolean): void {
    if (!this.answers.has(id)) this.answers.set(id, granted);
  }

  /** Forgets all answers. */
  reset(): void {
    this.answers.clear();
  }

  /** Whether the answers decide the election. */
  result(voters: JointConfig): VoteResult {
    return voters.voteResult(this.answers);
  }
}
