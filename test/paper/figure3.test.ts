import { describe, expect, test } from '@jest/globals';
import { EntryType, newEntry } from '../../src/core/raftpb/entry.js';
import { StateType, type Term } from '../../src/core/types.js';
import { bytes, entries } from '../support/builders.js';
import { announceSeed, seededRandom } from '../support/seededRandom.js';
import {
  electionSafety,
  leaderAppendOnly,
  leaderCompleteness,
  logMatching,
  stateMachineSafety,
  type Property,
  type ServerView,
} from './figure3Properties.js';
import { RandomSchedule } from './randomSchedule.js';

const { Follower, Leader } = StateType;

/** Schedules for each kind of group. */
const runs = 30;

function server(id: number, state: StateType, term: Term, log: readonly Term[] = [], appliedCount = 0): ServerView {
  const all = entries(...log);
  return { id, state, term, log: all, applied: all.slice(0, appliedCount) };
}

const differing = { ...server(2, Follower, 1), log: [newEntry(EntryType.EntryNormal, bytes('other'), 1, 1), ...entries(1, 1).slice(1)] };

/**
 * Goal: the five properties that Raft Figure 3 promises hold after every event of any schedule.
 * Method: from one seed, groups run through losses, reordering, duplicates, uneven clocks and crashes;
 * each property looks at all servers after each event. The seed replays everything.
 */
describe('Raft Figure 3, the properties hold at all times', () => {
  const seed = announceSeed('paper/figure3');

  test.each([
    { size: 3, options: {}, why: 'the basic algorithm, three servers' },
    { size: 5, options: {}, why: 'five servers' },
    { size: 3, options: { preVote: true, checkQuorum: true }, why: 'with pre-vote and check-quorum' },
    { size: 4, options: { maxSizePerMsg: 0, maxInflightMsgs: 2 }, why: 'an even number, one entry per message' },
  ])('$size servers, $why', ({ size, options }) => {
    const total = { terms: 0, committed: 0, overwritten: 0, crashes: 0 };
    for (let run = 0; run < runs; run++) {
      const schedule = new RandomSchedule(size, seededRandom(seed + run), options);
      const properties = [electionSafety(), leaderAppendOnly(), logMatching(), leaderCompleteness(), stateMachineSafety()];

      for (let event = 0; event < 1000; event++) {
        schedule.step();
        const { servers } = schedule;
        for (const property of properties) {
          const violation = property.observe(servers);
          if (violation !== null) throw new Error(`${property.name}, run ${run}, event ${event}: ${violation}`);
        }
      }
      for (const key of ['terms', 'committed', 'overwritten', 'crashes'] as const) total[key] += schedule.coverage[key];
    }

    // Schedules in which little happens and nothing conflicts would prove nothing.
    expect(total.terms).toBeGreaterThan(2 * runs);
    expect(total.committed).toBeGreaterThan(3 * runs);
    expect(total.crashes).toBeGreaterThan(runs);
    expect(total.overwritten).toBeGreaterThan(0);
  });
});

describe('Raft Figure 3, a broken history is noticed', () => {
  test.each<{ make: () => Property; history: ServerView[][]; says: RegExp; why: string }>([
    {
      make: electionSafety,
      history: [[server(1, Leader, 2)], [server(1, Follower, 2), server(2, Leader, 2)]],
      says: /both lead term 2/,
      why: 'two leaders in one term, one after the other',
    },
    {
      make: leaderAppendOnly,
      history: [[server(1, Leader, 3, [1, 2, 3])], [server(1, Leader, 3, [1, 3, 3])]],
      says: /leader 1 of term 3 has lost entry 2\/2/,
      why: 'an entry was overwritten',
    },
    {
      make: leaderAppendOnly,
      history: [[server(1, Leader, 3, [1, 2, 3])], [server(1, Leader, 3, [1, 2])]],
      says: /has lost entry 3\/3/,
      why: 'an entry was deleted',
    },
    {
      make: logMatching,
      history: [[server(1, Follower, 2, [1, 1, 2]), server(2, Follower, 2, [1, 2, 2])]],
      says: /agree at 3 and differ at 2/,
      why: 'different terms before a common entry',
    },
    { make: logMatching, history: [[server(1, Follower, 1, [1, 1]), differing]], says: /agree at 2 and differ at 1/, why: 'different data before a common entry' },
    {
      make: leaderCompleteness,
      history: [[server(1, Leader, 2, [1, 2], 2)], [server(2, Leader, 3, [1, 3])]],
      says: /leader 2 of term 3 lacks 2\/2/,
      why: 'a committed entry is missing',
    },
    {
      make: stateMachineSafety,
      history: [[server(1, Follower, 2, [1, 2], 2), server(2, Follower, 3, [1, 3], 2)]],
      says: /2 applied 3\/2, somebody else 2\/2/,
      why: 'two servers applied different entries',
    },
  ])('$make.name: $why', ({ make, history, says }) => {
    const property = make();

    const verdicts = history.map((servers) => property.observe(servers));

    expect(verdicts.slice(0, -1)).toEqual(verdicts.slice(0, -1).map(() => null));
    expect(verdicts.at(-1)).toMatch(says);
  });

  test.each([electionSafety, leaderAppendOnly, logMatching, leaderCompleteness, stateMachineSafety].map((make) => ({ make })))(
    '$make.name: what Raft allows is not complained about',
    ({ make }) => {
      const property = make();

      const verdicts = [
        [server(1, Leader, 2, [1, 2], 1), server(2, Follower, 2, [1])],
        [server(1, Follower, 3, [1, 2], 1), server(2, Leader, 3, [1, 3], 2)],
        [server(1, Follower, 3, [1, 3], 2), server(2, Leader, 3, [1, 3, 3], 2)],
      ].map((servers) => property.observe(servers));

      expect(verdicts).toEqual([null, null, null]);
    },
  );
});
