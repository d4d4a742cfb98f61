import { VoteResult } from '../../src/core/quorum/quorum.js';
import type { Index, NodeId } from '../../src/core/types.js';

/**
 * The definition of a committed index, tried out: the highest index that more than half of the voters
 * hold. Slow, and too simple to be wrong. Infinity without voters.
 *
 * @param acked what each voter holds; a voter that is not there holds nothing.
 */
export function slowCommittedIndex(voters: Iterable<NodeId>, acked: ReadonlyMap<NodeId, Index>): Index {
  const all = [...new Set(voters)];
  if (all.length === 0) return Infinity;
  const isCommitted = (index: Index): boolean =>
    all.filter((id) => (acked.get(id) ?? 0) >= index).length * 2 > all.length;
  return [...acked.values(), 0].filter(isCommitted).reduce((a, b) => Math.max(a, b));
}

/**
 * The definition of a vote result, tried out: it is decided if every way in which the missing voters
 * could answer ends the same.
 */
export function slowVoteResult(voters: Iterable<NodeId>, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const all = [...new Set(voters)];
  const missing = all.filter((id) => !votes.has(id));
  const granted = all.filter((id) => votes.get(id) === true).length;
  const outcomes = new Set<boolean>();
  for (let more = 0; more <= missing.length; more++) {
    outcomes.add(all.length === 0 || (granted + more) * 2 > all.length);
  }
  if (outcomes.size === 2) return VoteResult.VotePending;
  return outcomes.has(true) ? VoteResult.VoteWon : VoteResult.VoteLost;
}

/** Both halves must agree; an empty half agrees to everything. */
export function slowJointVoteResult(
  halves: readonly (readonly NodeId[])[],
  votes: ReadonlyMap<NodeId, boolean>,
): VoteResult {
  const results = halves.map((half) => slowVoteResult(half, votes));
  if (results.includes(VoteResult.VoteLost)) return VoteResult.VoteLost;
  return results.includes(VoteResult.VotePending) ? VoteResult.VotePending : VoteResult.VoteWon;
}
