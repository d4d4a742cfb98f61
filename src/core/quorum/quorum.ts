import type { Index, NodeId } from '../types.js';

/** State of an election or of any other question put to a quorum. */
export const VoteResult = {
  /** Votes that are still missing decide. */
  VotePending: 1,
  /** Enough voted no; nothing can change it. */
  VoteLost: 2,
  /** A quorum voted yes. */
  VoteWon: 3,
} as const;
export type VoteResult = (typeof VoteResult)[keyof typeof VoteResult];

const voteResultNames = ['', 'VotePending', 'VoteLost', 'VoteWon'] as const;

/** Name of a result, such as `VoteWon`. */
export function voteResultName(result: VoteResult): string {
  return voteResultNames[result];
}

/** Tells how far each voter has acknowledged the log. */
export interface AckedIndexer {
  /** Highest index that the voter is known to hold, or -1 if nothing is known of it. */
  ackedIndex(id: NodeId): Index;
}
