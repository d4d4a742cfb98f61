import { describe, expect, test } from '@jest/globals';
import { JointConfig } from '../../../src/core/quorum/joint.js';
import { MajorityConfig } from '../../../src/core/quorum/majority.js';
import { VoteResult, type AckedIndexer } from '../../../src/core/quorum/quorum.js';
import type { Index, NodeId } from '../../../src/core/types.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';
import { slowCommittedIndex, slowJointVoteResult } from '../../support/slowQuorum.js';
import { describeQuorum } from '../../support/describeQuorum.js';

const big = 2n ** 63n;

function joint(incoming: NodeId[], outgoing: NodeId[] = []): JointConfig {
  return new JointConfig(new MajorityConfig(incoming), new MajorityConfig(outgoing));
}

function indexer(acked: ReadonlyMap<NodeId, Index>): AckedIndexer {
  return { ackedIndex: (id) => acked.get(id) ?? -1 };
}

describe('JointConfig', () => {
  test.each<{ config: JointConfig; ids: NodeId[]; isJoint: boolean; isSingleton: boolean; text: string }>([
    { config: new JointConfig(), ids: [], isJoint: false, isSingleton: false, text: '()' },
    { config: joint([1]), ids: [1], isJoint: false, isSingleton: true, text: '(1)' },
    { config: joint([2, 1]), ids: [1, 2], isJoint: false, isSingleton: false, text: '(1 2)' },
    { config: joint([1], [1]), ids: [1], isJoint: true, isSingleton: false, text: '(1)&&(1)' },
    { config: joint([10, big], [3, 10]), ids: [3, 10, big], isJoint: true, isSingleton: false, text: '(a 8000000000000000)&&(3 a)' },
  ])('$text', ({ config, ids, isJoint, isSingleton, text }) => {
    expect(config.ids).toEqual(ids);
    expect(config.isJoint).toBe(isJoint);
    expect(config.isSingleton).toBe(isSingleton);
    expect(String(config)).toBe(text);
    expect(ids.every((id) => config.has(id))).toBe(true);
    expect(config.has(99)).toBe(false);
  });

  /** Dissertation §4.3: agreement needs separate majorities of the old and of the new configuration. */
  test.each<{ acked: [NodeId, Index][]; committed: Index; why: string }>([
    { acked: [[1, 9], [2, 9], [3, 9]], committed: 0, why: 'the old half alone' },
    { acked: [[3, 9], [4, 9], [5, 9]], committed: 0, why: 'the new half alone' },
    { acked: [[1, 9], [3, 7], [4, 8]], committed: 7, why: 'node 3 counts in both halves' },
    { acked: [[1, 9], [2, 9], [4, 5], [5, 6]], committed: 5, why: 'the slower half decides' },
  ])('commits $committed: $why', ({ acked, committed }) => {
    expect(joint([3, 4, 5], [1, 2, 3]).committedIndex(indexer(new Map(acked)))).toBe(committed);
  });

  test.each<{ votes: [NodeId, boolean][]; result: VoteResult; why: string }>([
    { votes: [[1, true], [2, true]], result: VoteResult.VotePending, why: 'only one half is won' },
    { votes: [[1, true], [3, true], [4, true]], result: VoteResult.VoteWon, why: 'both halves are won' },
    { votes: [[1, true], [2, true], [4, false], [5, false]], result: VoteResult.VoteLost, why: 'one half is lost' },
    { votes: [[4, false], [5, false]], result: VoteResult.VoteLost, why: 'one half is lost, the other one open' },
  ])('votes end in $result: $why', ({ votes, result }) => {
    expect(joint([3, 4, 5], [1, 2, 3]).voteResult(new Map(votes))).toBe(result);
  });

  test('describes the voters of both halves in one picture', () => {
    expect(describeQuorum(joint([1], [2]).ids, indexer(new Map([[1, 13], [2, 100]])))).toBe(
      '      idx\n>      13    (id=1)\nx>    100    (id=2)\n',
    );
  });
});

/**
 * Goal: a joint configuration decides exactly what both of its halves decide.
 * Method: random overlapping halves and answers, against the slow twin.
 */
test('random joint configurations agree with the definition', () => {
  const random = seededRandom(announceSeed('random joint configurations'));
  const half = () => Array.from({ length: random(6) }, (): NodeId => (random(2) === 0 ? 1 + random(5) : big + BigInt(random(5))));
  for (let round = 0; round < 2_000; round++) {
    const incoming = half();
    const outgoing = half();
    const acked = new Map<NodeId, Index>();
    const votes = new Map<NodeId, boolean>();
    for (const id of [...incoming, ...outgoing]) {
      if (random(4) > 0) acked.set(id, random(8));
      if (random(3) > 0) votes.set(id, random(3) > 0);
    }

    const config = joint(incoming, outgoing);

    const index = Math.min(slowCommittedIndex(incoming, acked), slowCommittedIndex(outgoing, acked));
    expect({ incoming, outgoing, acked, index: config.committedIndex(indexer(acked)) }).toEqual({ incoming, outgoing, acked, index });
    const result = slowJointVoteResult([incoming, outgoing], votes);
    expect({ incoming, outgoing, votes, result: config.voteResult(votes) }).toEqual({ incoming, outgoing, votes, result });
  }
});
