import { describe, expect, test } from '@jest/globals';
import { describeProgress } from '../../../src/core/describe.js';
import { JointConfig } from '../../../src/core/quorum/joint.js';
import { MajorityConfig } from '../../../src/core/quorum/majority.js';
import { VoteResult } from '../../../src/core/quorum/quorum.js';
import { newConfState, type ConfState } from '../../../src/core/raftpb/state.js';
import { TrackerConfig } from '../../../src/core/tracker/config.js';
import { Progress } from '../../../src/core/tracker/progress.js';
import { ProgressTracker } from '../../../src/core/tracker/progressTracker.js';
import { VoteTracker } from '../../../src/core/tracker/votes.js';
import type { Index, NodeId } from '../../../src/core/types.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';
import { slowCommittedIndex, slowJointVoteResult } from '../../support/slowQuorum.js';

const big = 2n ** 63n;

function trackerOf(state: Partial<ConfState>, matches: ReadonlyMap<NodeId, Index> = new Map()): ProgressTracker {
  const tracker = new ProgressTracker(4, Infinity);
  const config = TrackerConfig.fromConfState(newConfState(state));
  const progress = new Map<NodeId, Progress>();
  for (const id of [...config.voters.ids, ...config.learners]) {
    const match = matches.get(id) ?? 0;
    progress.set(id, new Progress({ match, next: match + 1, inflights: tracker.newInflights(), isLearner: config.learners.includes(id) }));
  }
  tracker.setConfig(config, progress);
  return tracker;
}

describe('TrackerConfig', () => {
  test.each<{ state: Partial<ConfState>; text: string }>([
    { state: {}, text: 'voters=()' },
    { state: { voters: [3, 1, 2] }, text: 'voters=(1 2 3)' },
    {
      state: { voters: [1, 2, 3], votersOutgoing: [2, 1, 5], learners: [4], learnersNext: [5], autoLeave: true },
      text: 'voters=(1 2 3)&&(1 2 5) learners=(4) learners_next=(5) autoleave',
    },
    { state: { voters: [10], learners: [big, 11] }, text: 'voters=(a) learners=(b 8000000000000000)' },
  ])('"$text"', ({ state, text }) => {
    expect(String(TrackerConfig.fromConfState(newConfState(state)))).toBe(text);
  });

  test('turns into a sorted ConfState and back', () => {
    const state: ConfState = { voters: [2, 1], votersOutgoing: [5, big], learners: [9, 4], learnersNext: [5], autoLeave: true };

    const sorted = TrackerConfig.fromConfState(state).toConfState();

    expect(sorted).toEqual({ voters: [1, 2], votersOutgoing: [5, big], learners: [4, 9], learnersNext: [5], autoLeave: true });
    expect(TrackerConfig.fromConfState(sorted).toConfState()).toEqual(sorted);
  });

  test('is empty without fields', () => {
    expect(new TrackerConfig().toConfState()).toEqual(newConfState());
  });
});

describe('ProgressTracker', () => {
  test('keeps members in the order of their ids, numbers before larger bigints', () => {
    const tracker = trackerOf({ voters: [big, 3, 1], learners: [2] });

    expect(tracker.ids).toEqual([1, 2, 3, big]);
    expect(tracker.progresses).toEqual(tracker.ids.map((id) => tracker.get(id)));
    expect(tracker.voterIds).toEqual([1, 3, big]);
    expect(tracker.config.learners).toEqual([2]);
    expect(tracker.get(big - 1n)).toBeUndefined();
  });

  test('O8: learners count neither for commits nor for the lease of a leader', () => {
    const tracker = trackerOf({ voters: [1, 2, 3], learners: [4, 5, 6] }, new Map([[1, 9], [4, 9], [5, 9], [6, 9]]));
    for (const id of [1, 4, 5, 6]) tracker.get(id)!.recentActive = true;

    expect(tracker.committed()).toBe(0);
    expect(tracker.quorumActive()).toBe(false);
  });

  test.each([
    { state: { voters: [1] }, isSingleton: true },
    { state: { voters: [1], learners: [2] }, isSingleton: true },
    { state: { voters: [1], votersOutgoing: [1] }, isSingleton: false },
    { state: { voters: [1, 2] }, isSingleton: false },
    { state: {}, isSingleton: false },
  ])('$state decides alone: $isSingleton', ({ state, isSingleton }) => {
    expect(trackerOf(state).isSingleton).toBe(isSingleton);
  });

  test('commits follow acknowledgements that arrive later', () => {
    const tracker = trackerOf({ voters: [1, 2, 3] });
    expect(tracker.committed()).toBe(0);

    tracker.get(1)!.maybeUpdate(7);
    tracker.get(3)!.maybeUpdate(5);

    expect(tracker.committed()).toBe(5);
  });

  test('no voters hold nothing back', () => {
    expect(trackerOf({}).committed()).toBe(Infinity);
    expect(new ProgressTracker(1, 1).committed()).toBe(Infinity);
  });

  test('resetProgress keeps what the node itself holds', () => {
    const tracker = trackerOf({ voters: [1, 2], learners: [3] }, new Map([[1, 9], [2, 8]]));
    tracker.get(2)!.recentActive = true;

    tracker.resetProgress(1, 12);

    expect(tracker.progresses.map(describeProgress)).toEqual([
      'StateProbe match=12 next=13 inactive',
      'StateProbe match=0 next=13 inactive',
      'StateProbe match=0 next=13 learner inactive',
    ]);
  });

  test('refuses a configuration with a member of unknown progress', () => {
    const config = new TrackerConfig({ voters: new JointConfig(new MajorityConfig([1])) });

    expect(() => new ProgressTracker(1, 1).setConfig(config, new Map())).toThrow('no progress of member 1');
  });

  test('new windows have the limits of the tracker', () => {
    expect(new ProgressTracker(7, 99).newInflights()).toMatchObject({ size: 7, maxBytes: 99, count: 0 });
  });

  test('two trackers in one process do not disturb each other', () => {
    const first = trackerOf({ voters: [1, 2, 3] }, new Map([[1, 5], [2, 6], [3, 7]]));
    const second = trackerOf({ voters: [1, 2, 3] }, new Map([[1, 50], [2, 60], [3, 70]]));

    expect([first.committed(), second.committed(), first.committed()]).toEqual([6, 60, 6]);
  });

  /**
   * Goal: the fast paths over arrays decide what the definition of the two majorities says.
   * Method: random, mostly joint configurations against the slow twin and against JointConfig.
   */
  test('random trackers agree with the definition', () => {
    const random = seededRandom(announceSeed('random trackers'));
    const half = () => Array.from({ length: random(5) }, (): NodeId => (random(2) === 0 ? 1 + random(5) : big + BigInt(random(5))));
    for (let round = 0; round < 1_000; round++) {
      const voters = half();
      const votersOutgoing = half();
      const members = [...voters, ...votersOutgoing];
      const matches = new Map(members.map((id) => [id, random(3) === 0 ? 0 : random(9) + 2 ** 40]));
      const active = new Map(members.map((id) => [id, random(3) > 0]));
      const tracker = trackerOf({ voters, votersOutgoing, learners: [99] }, matches);
      for (const [id, isActive] of active) tracker.get(id)!.recentActive = isActive;

      const index = Math.min(slowCommittedIndex(voters, matches), slowCommittedIndex(votersOutgoing, matches));
      expect({ voters, votersOutgoing, matches, index: tracker.committed() }).toEqual({ voters, votersOutgoing, matches, index });
      expect(tracker.config.voters.committedIndex({ ackedIndex: (id) => matches.get(id)! })).toBe(index);
      const won = slowJointVoteResult([voters, votersOutgoing], active) === VoteResult.VoteWon;
      expect({ voters, votersOutgoing, active, won: tracker.quorumActive() }).toEqual({ voters, votersOutgoing, active, won });
    }
  });
});

describe('votes', () => {
  test('the first answer of a node counts', () => {
    const votes = new VoteTracker();

    votes.record(1, false);
    votes.record(1, true);
    votes.record(2, true);

    expect(votes.votes).toEqual(new Map([[1, false], [2, true]]));
  });

  test('are counted for the voters of either half alone', () => {
    const tracker = trackerOf({ voters: [1, 2, 3], votersOutgoing: [3, 4, big], learners: [6] });

    tracker.votes.record(1, true);
    tracker.votes.record(3, true);
    tracker.votes.record(4, false);
    tracker.votes.record(6, true);
    tracker.votes.record(7, false);
    expect(tracker.votes.result(tracker.config.voters)).toBe(VoteResult.VotePending);

    tracker.votes.record(big, true);
    expect(tracker.votes.result(tracker.config.voters)).toBe(VoteResult.VoteWon);
  });

  test('end with the election', () => {
    const tracker = trackerOf({ voters: [1] });
    tracker.votes.record(1, true);

    tracker.votes.reset();

    expect(tracker.votes.votes.size).toBe(0);
    expect(tracker.votes.result(tracker.config.voters)).toBe(VoteResult.VotePending);
  });
});
