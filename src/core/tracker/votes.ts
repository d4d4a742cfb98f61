import type { JointConfig } from '../quorum/joint.js';
import type { VoteResult } from '../quorum/quorum.js';
import type { NodeId } from '../types.js';

/** How an election stands. */
export interface VoteTally {
  /** Voters that said yes. */
  readonly granted: number;
  /** Voters that said no. */
  readonly rejected: number;
  readonly result: VoteResult;
}

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

  /** Answers of the voters of either half, and what they decide. */
  tally(voters: JointConfig): VoteTally {
    let granted = 0;
    let rejected = 0;
    for (const id of voters.ids) {
      const vote = this.answers.get(id);
      if (vote === true) granted++;
      else if (vote === false) rejected++;
    }
    return { granted, rejected, result: this.result(voters) };
  }
}
