import { compareNodeIds, emptyList, type Index, type NodeId } from '../types.js';
import { VoteResult, type AckedIndexer } from './quorum.js';

/**
 * Highest index that more than half of the given ones reach. Sorts the array in place, by insertion:
 * it is short, and usually almost in order since the last call with the same array.
 *
 * @param acked one index for each voter, at least one.
 */
export function majorityIndex(acked: number[]): Index {
  const count = acked.length;
  for (let i = 1; i < count; i++) {
    const index = acked[i]!;
    let j = i - 1;
    while (j >= 0 && acked[j]! > index) {
      acked[j + 1] = acked[j]!;
      j--;
    }
    acked[j + 1] = index;
  }
  // From here to the end there are floor(count / 2) + 1 voters.
  return acked[(count - 1) >> 1]!;
}

/** Ids in ascending order, each once. */
export function sortedIds(ids: Iterable<NodeId>): readonly NodeId[] {
  const unique = new Set(ids);
  return unique.size === 0 ? emptyList : [...unique].sort(compareNodeIds);
}

/** Whether `id` is among ids in ascending order. */
export function hasId(ids: readonly NodeId[], id: NodeId): boolean {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id;
}

/** A set of voters that decides by more than half of them (Raft §5.2, §5.3). Never changed once it is made. */
export class MajorityConfig {
  /** The voters in ascending order. */
  readonly ids: readonly NodeId[];
  private readonly scratch: number[];

  constructor(ids: Iterable<NodeId> = []) {
    this.ids = sortedIds(ids);
    this.scratch = this.ids.map(() => 0);
  }

  /** Number of voters. */
  get size(): number {
    return this.ids.length;
  }

  /** Whether the node is one of the voters. */
  has(id: NodeId): boolean {
    return hasId(this.ids, id);
  }

  /**
   * Highest index that a majority has acknowledged; a voter without information counts as 0. Infinity
   * without voters, so that an empty half of a joint configuration holds nothing back.
   */
  committedIndex(acked: AckedIndexer): Index {
    const ids = this.ids;
    if (ids.length === 0) return Infinity;
    const scratch = this.scratch;
    for (let i = 0; i < ids.length; i++) {
      const index = acked.ackedIndex(ids[i]!);
      scratch[i] = index < 0 ? 0 : index;
    }
    return majorityIndex(scratch);
  }

  /** Result of the votes so far; votes of other nodes do not count. Won without voters, for the same reason. */
  voteResult(votes: ReadonlyMap<NodeId, boolean>): VoteResult {
    const ids = this.ids;
    let granted = 0;
    let rejected = 0;
    for (let i = 0; i < ids.length; i++) {
      const vote = votes.get(ids[i]!);
      if (vote === true) granted++;
      else if (vote === false) rejected++;
    }
    return majorityResult(ids.length, granted, rejected);
  }

  /** The voters in hex, such as `(1 2 a)`. */
  toString(): string {
    return describeIds(this.ids);
  }
}

/** Result of a vote among `size` voters of which so many said yes and no. Won without voters. */
function majorityResult(size: number, granted: number, rejected: number): VoteResult {
  if (size === 0) return VoteResult.VoteWon;
  const quorum = (size >> 1) + 1;
  if (granted >= quorum) return VoteResult.VoteWon;
  return size - rejected >= quorum ? VoteResult.VotePending : VoteResult.VoteLost;
}

/** Ids in hex and in brackets, such as `(1 2 a)`. */
export function describeIds(ids: readonly NodeId[]): string {
  return `(${ids.map((id) => id.toString(16)).join(' ')})`;
}
