import { describe, expect, test } from '@jest/globals';
import { hasId, MajorityConfig, majorityIndex, sortedIds } from '../../../src/core/quorum/majority.js';
import { VoteResult, voteResultName, type AckedIndexer } from '../../../src/core/quorum/quorum.js';
import type { Index, NodeId } from '../../../src/core/types.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';
import { slowCommittedIndex, slowVoteResult } from '../../support/slowQuorum.js';
import { describeQuorum } from '../../support/describeQuorum.js';

const big = 2n ** 63n;
const { VotePending, VoteLost, VoteWon } = VoteResult;

function indexer(acked: ReadonlyMap<NodeId, Index>): AckedIndexer {
  return { ackedIndex: (id) => acked.get(id) ?? -1 };
}

describe('ids', () => {
  test('are sorted by number, each once, numbers and bigints mixed', () => {
    const ids: NodeId[] = [big + 1n, 10, 9, big, 9, big, Number.MAX_SAFE_INTEGER];

    expect(sortedIds(ids)).toEqual([9, 10, Number.MAX_SAFE_INTEGER, big, big + 1n]);
  });

  test.each<{ id: NodeId; found: boolean }>([
    { id: 1, found: true },
    { id: 5, found: true },
    { id: big, found: true },
    { id: 0, found: false },
    { id: 4, found: false },
    { id: big - 1n, found: false },
    { id: big + 1n, found: false },
  ])('$id is found: $found', ({ id, found }) => {
    expect(hasId([1, 3, 5, big], id)).toBe(found);
    expect(new MajorityConfig([big, 5, 3, 1]).has(id)).toBe(found);
  });

  test('are in hex as text', () => {
    expect(String(new MajorityConfig([31, 2, big]))).toBe('(2 1f 8000000000000000)');
    expect(String(new MajorityConfig())).toBe('()');
  });
});

describe('committedIndex', () => {
  test.each<{ acked: number[]; committed: Index; why: string }>([
    { acked: [], committed: Infinity, why: 'no voters hold nothing back' },
    { acked: [-1], committed: 0, why: 'nothing is known of the only voter' },
    { acked: [7], committed: 7, why: 'the only voter is a majority' },
    { acked: [7, 5], committed: 5, why: 'two voters need both' },
    { acked: [7, -1], committed: 0, why: 'the other one is needed' },
    { acked: [9, 5, 7], committed: 7, why: 'two of three hold 7' },
    { acked: [9, -1, -1], committed: 0, why: 'one of three is no majority' },
    { acked: [4, 3, 2, 1], committed: 2, why: 'four voters need three' },
    { acked: [5, 4, 3, 2, 1], committed: 3, why: 'five voters need three' },
    { acked: [8, 8, 8], committed: 8, why: 'all the same' },
    { acked: [2 ** 52, 2 ** 53 - 1, 1], committed: 2 ** 52, why: 'indexes above 32 bits' },
  ])('of $acked is $committed: $why', ({ acked, committed }) => {
    const config = new MajorityConfig(acked.map((_, i) => i + 1));

    expect(config.committedIndex(indexer(new Map(acked.map((index, i) => [i + 1, index]))))).toBe(committed);
  });

  test('of one configuration does not depend on what it was asked before', () => {
    const config = new MajorityConfig([1, 2, 3]);

    config.committedIndex(indexer(new Map([[1, 100], [2, 100], [3, 100]])));

    expect(config.committedIndex(indexer(new Map([[1, 5]])))).toBe(0);
  });

  test('majorityIndex sorts in place and needs no order', () => {
    const acked = [3, 1, 2, 5, 4];

    expect(majorityIndex(acked)).toBe(3);
    expect(acked).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('voteResult', () => {
  test.each<{ voters: number; votes: string; result: VoteResult; why: string }>([
    { voters: 0, votes: '', result: VoteWon, why: 'an empty half of a joint configuration agrees' },
    { voters: 1, votes: '_', result: VotePending, why: 'the only vote is missing' },
    { voters: 1, votes: 'y', result: VoteWon, why: 'the only vote' },
    { voters: 1, votes: 'n', result: VoteLost, why: 'the only vote' },
    { voters: 2, votes: 'y_', result: VotePending, why: 'two voters need both' },
    { voters: 2, votes: 'n_', result: VoteLost, why: 'two voters need both' },
    { voters: 3, votes: 'yy_', result: VoteWon, why: 'the third does not matter' },
    { voters: 3, votes: 'nn_', result: VoteLost, why: 'the third does not matter' },
    { voters: 3, votes: 'yn_', result: VotePending, why: 'the third decides' },
    { voters: 4, votes: 'yynn', result: VoteLost, why: 'a tie is not a majority' },
  ])('$votes is $result: $why', ({ voters, votes, result }) => {
    const config = new MajorityConfig(Array.from({ length: voters }, (_, i) => i + 1));
    const byVoter = new Map<NodeId, boolean>();
    [...votes].forEach((vote, i) => {
      if (vote !== '_') byVoter.set(i + 1, vote === 'y');
    });

    expect(config.voteResult(byVoter)).toBe(result);
  });

  test('does not count votes of other nodes', () => {
    expect(new MajorityConfig([1, 2, 3]).voteResult(new Map([[1, true], [4, true], [5, true]]))).toBe(VotePending);
  });

  test('has names', () => {
    expect([VotePending, VoteLost, VoteWon].map(voteResultName)).toEqual(['VotePending', 'VoteLost', 'VoteWon']);
  });
});

describe('describe', () => {
  test('shows by the length of the bar who is ahead of how many', () => {
    const acked = new Map<NodeId, Index>([[1, 100], [2, 102], [3, 102], [11, 0]]);

    expect(describeQuorum([1, 2, 3, 11, 12], indexer(acked))).toBe(
      '         idx\n' +
        'xx>      100    (id=1)\n' +
        'xxx>     102    (id=2)\n' +
        'xxx>     102    (id=3)\n' +
        '>          0    (id=b)\n' +
        '?          0    (id=c)\n',
    );
  });

  test('says so without voters', () => {
    expect(describeQuorum([], indexer(new Map()))).toBe('<empty majority quorum>');
  });
});

/**
 * Goal: index and vote follow from the definition of a majority.
 * Method: random voters with number and bigint ids and random answers, against the slow twin.
 */
test('random majorities agree with the definition', () => {
  const random = seededRandom(announceSeed('random majorities'));
  for (let round = 0; round < 2_000; round++) {
    const voters = Array.from({ length: random(10) }, (): NodeId => (random(2) === 0 ? 1 + random(12) : big + BigInt(random(12))));
    const acked = new Map<NodeId, Index>();
    const votes = new Map<NodeId, boolean>();
    for (const id of voters) {
      if (random(4) > 0) acked.set(id, random(voters.length));
      if (random(3) > 0) votes.set(id, random(2) === 0);
    }

    const config = new MajorityConfig(voters);

    expect({ voters, acked, index: config.committedIndex(indexer(acked)) }).toEqual({ voters, acked, index: slowCommittedIndex(voters, acked) });
    expect({ voters, votes, result: config.voteResult(votes) }).toEqual({ voters, votes, result: slowVoteResult(voters, votes) });
  }
});
