import { describe, expect, test } from '@jest/globals';
import { describeProgress } from '../../../src/core/describe.js';
import { Changer, type Changed } from '../../../src/core/confchange/changer.js';
import { checkConfigInvariants } from '../../../src/core/confchange/invariants.js';
import { restoreConfig } from '../../../src/core/confchange/restore.js';
import {
  ConfChangeTransition,
  newConfChangeV2,
  parseConfChanges,
  type ConfChangeType,
  type ConfChangeV2,
} from '../../../src/core/raftpb/confChange.js';
import { newConfState, type ConfState } from '../../../src/core/raftpb/state.js';
import { TrackerConfig } from '../../../src/core/tracker/config.js';
import { Progress, ProgressState } from '../../../src/core/tracker/progress.js';
import { ProgressTracker } from '../../../src/core/tracker/progressTracker.js';
import { LocalAppendThread, LocalApplyThread, noLimit, type NodeId } from '../../../src/core/types.js';

const { Auto, JointImplicit, JointExplicit } = ConfChangeTransition;
const big = 2n ** 63n;

function trackerOf(state: Partial<ConfState>): ProgressTracker {
  const tracker = new ProgressTracker(4, noLimit);
  accept(tracker, restoreConfig(tracker, 10, newConfState(state)));
  return tracker;
}

function accept(tracker: ProgressTracker, changed: Changed | string): Changed {
  if (typeof changed === 'string') throw new Error(changed);
  tracker.setConfig(changed.config, changed.progress);
  return changed;
}

function change(text: string, transition: ConfChangeTransition = Auto): ConfChangeV2 {
  return newConfChangeV2({ transition, changes: parseConfChanges(text) });
}

function outcome(changed: Changed | string): string {
  return typeof changed === 'string' ? changed : String(changed.config);
}

describe('apply chooses how to change', () => {
  test.each([
    { text: 'v4', transition: Auto, outcome: 'voters=(1 2 3 4)', why: 'a single change is simple' },
    { text: 'v4 r1', transition: Auto, outcome: 'voters=(2 3 4)&&(1 2 3) autoleave', why: 'several changes are joint' },
    { text: 'l4 l5', transition: Auto, outcome: 'voters=(1 2 3)&&(1 2 3) learners=(4 5) autoleave', why: 'several learners as well' },
    { text: 'v4', transition: JointImplicit, outcome: 'voters=(1 2 3 4)&&(1 2 3) autoleave', why: 'joint on demand' },
    { text: 'v4', transition: JointExplicit, outcome: 'voters=(1 2 3 4)&&(1 2 3)', why: 'joint until it is left' },
    { text: '', transition: JointExplicit, outcome: 'voters=(1 2 3)&&(1 2 3)', why: 'joint without a change' },
    { text: 'l3', transition: JointImplicit, outcome: 'voters=(1 2)&&(1 2 3) learners_next=(3) autoleave', why: 'a demoted voter waits' },
    { text: '', transition: Auto, outcome: "can't leave a non-joint config", why: 'the empty change leaves' },
    { text: 'r1 r2 r3', transition: Auto, outcome: 'removed all voters', why: 'somebody must decide' },
    { text: 'v0', transition: Auto, outcome: 'voters=(1 2 3)', why: 'id 0 changes nothing' },
  ])('"$text" with transition $transition gives $outcome: $why', ({ text, transition, outcome: expected }) => {
    expect(outcome(new Changer(trackerOf({ voters: [1, 2, 3] }), 10).apply(change(text, transition)))).toBe(expected);
  });

  test.each([
    { text: '', transition: Auto, outcome: 'voters=(1 2) learners=(3)', why: 'leaves' },
    { text: 'v4', transition: Auto, outcome: "can't apply simple config change in joint config", why: 'one at a time' },
    { text: 'v4', transition: JointExplicit, outcome: 'config is already joint', why: 'one at a time' },
    { text: '', transition: JointExplicit, outcome: 'config is already joint', why: 'D8: crashes replicas of others' },
  ])('"$text" with transition $transition in a joint group gives $outcome: $why', ({ text, transition, outcome: expected }) => {
    const tracker = trackerOf({ voters: [1, 2], votersOutgoing: [1, 2, 3], learnersNext: [3] });

    expect(outcome(new Changer(tracker, 10).apply(change(text, transition)))).toBe(expected);
  });
});

describe('D8: what another implementation may have committed is refused, not thrown', () => {
  test.each<{ bad: ConfChangeV2; refusal: string }>([
    { bad: { ...change('v4'), transition: 3 as ConfChangeTransition }, refusal: 'unknown transition 3' },
    { bad: { ...change('v4'), transition: -1 as ConfChangeTransition }, refusal: 'unknown transition -1' },
    { bad: { ...change(''), changes: [{ type: 9 as ConfChangeType, nodeId: 4 }] }, refusal: 'unexpected conf type 9' },
    { bad: { ...change(''), changes: [{ type: 0, nodeId: LocalAppendThread }] }, refusal: 'node id 18446744073709551615 is reserved' },
    { bad: { ...change(''), changes: [{ type: 3, nodeId: LocalApplyThread }] }, refusal: 'node id 18446744073709551614 is reserved' },
  ])('$refusal', ({ bad, refusal }) => {
    expect(new Changer(trackerOf({ voters: [1, 2, 3] }), 10).apply(bad)).toBe(refusal);
  });
});

describe('simple changes', () => {
  test.each([
    { text: 'v4 l5 l6', outcome: 'voters=(1 2 3 4) learners=(5 6)', why: 'learners are not voters' },
    { text: 'v4 r3', outcome: 'more than one voter changed without entering joint config', why: 'two voters differ' },
    { text: 'v4 r4 v5', outcome: 'voters=(1 2 3 5)', why: 'the result counts, not the way' },
    { text: 'l1 l2', outcome: 'more than one voter changed without entering joint config', why: 'two demotions' },
    { text: 'u1 u2', outcome: 'voters=(1 2 3)', why: 'updates change nothing here' },
    { text: `v${big}`, outcome: 'voters=(1 2 3 8000000000000000)', why: 'ids above 2^53' },
  ])('"$text" gives $outcome: $why', ({ text, outcome: expected }) => {
    expect(outcome(new Changer(trackerOf({ voters: [1, 2, 3] }), 10).simple(parseConfChanges(text)))).toBe(expected);
  });

  test.each([
    { lastIndex: 0, next: 1, why: 'an empty log' },
    { lastIndex: 1, next: 1, why: 'one entry' },
    { lastIndex: 7, next: 7, why: 'the last entry is probed' },
  ])('a new member is probed at $next with last index $lastIndex: $why', ({ lastIndex, next }) => {
    const changed = new Changer(trackerOf({ voters: [1] }), lastIndex).simple(parseConfChanges('v2 l3'));

    if (typeof changed === 'string') throw new Error(changed);
    expect(changed.progress.get(2)).toMatchObject({ state: ProgressState.Probe, match: 0, next, recentActive: true, isLearner: false });
    expect(changed.progress.get(3)).toMatchObject({ state: ProgressState.Probe, match: 0, next, recentActive: true, isLearner: true });
    expect(changed.progress.get(2)?.inflights).not.toBe(changed.progress.get(3)?.inflights);
  });

  test('members that stay keep their progress, also in another role', () => {
    const tracker = trackerOf({ voters: [1, 2, 3] });
    tracker.get(2)!.maybeUpdate(9);
    tracker.get(2)!.becomeReplicate();
    tracker.get(2)!.sentEntries(2, 10);
    const before = tracker.get(1);

    accept(tracker, new Changer(tracker, 10).simple(parseConfChanges('l2')));

    expect(tracker.get(1)).toBe(before);
    expect(describeProgress(tracker.get(2)!)).toBe('StateReplicate match=9 next=12 learner inflight=1');
  });

  test('a member that leaves and comes back starts anew', () => {
    const tracker = trackerOf({ voters: [1, 2, 3] });
    tracker.get(2)!.maybeUpdate(9);

    accept(tracker, new Changer(tracker, 10).simple(parseConfChanges('r2 v2')));

    expect(tracker.get(2)).toMatchObject({ match: 0, next: 10 });
  });
});

/** Dissertation §4.3, with the demotion of voters: both halves keep their votes until the joint configuration is left. */
describe('joint changes', () => {
  test('a demoted voter becomes a learner only when the joint configuration is left, and keeps its progress', () => {
    const tracker = trackerOf({ voters: [1, 2, 3] });
    tracker.get(3)!.maybeUpdate(9);

    accept(tracker, new Changer(tracker, 10).enterJoint(false, parseConfChanges('l3 v4')));
    expect(String(tracker.config)).toBe('voters=(1 2 4)&&(1 2 3) learners_next=(3)');
    expect(tracker.get(3)).toMatchObject({ isLearner: false, match: 9 });

    accept(tracker, new Changer(tracker, 20).leaveJoint());
    expect(String(tracker.config)).toBe('voters=(1 2 4) learners=(3)');
    expect(tracker.get(3)).toMatchObject({ isLearner: true, match: 9 });
  });

  test('a removed voter keeps its progress until the joint configuration is left', () => {
    const tracker = trackerOf({ voters: [1, 2, 3] });

    accept(tracker, new Changer(tracker, 10).enterJoint(true, parseConfChanges('r3 r2')));
    expect(tracker.ids).toEqual([1, 2, 3]);

    accept(tracker, new Changer(tracker, 10).leaveJoint());
    expect(tracker.ids).toEqual([1]);
    expect(tracker.config.autoLeave).toBe(false);
  });

  test('a learner that is promoted votes in the incoming half at once', () => {
    const tracker = trackerOf({ voters: [1], learners: [2] });

    accept(tracker, new Changer(tracker, 10).enterJoint(true, parseConfChanges('v2')));

    expect(String(tracker.config)).toBe('voters=(1 2)&&(1) autoleave');
    expect(tracker.get(2)!.isLearner).toBe(false);
  });

  test('section 6: a snapshot restored in a joint configuration with future learners leaves correctly', () => {
    const tracker = trackerOf({ voters: [1, 2], votersOutgoing: [1, 2, 3, 4], learners: [5], learnersNext: [3], autoLeave: true });

    accept(tracker, new Changer(tracker, 10).apply(change('')));

    expect(tracker.confState()).toEqual(newConfState({ voters: [1, 2], learners: [3, 5] }));
    expect(tracker.ids).toEqual([1, 2, 3, 5]);
    expect(tracker.get(3)!.isLearner).toBe(true);
  });
});

describe('invariants of a configuration', () => {
  test.each<{ state: Partial<ConfState>; broken: string }>([
    { state: { voters: [1, 2], learners: [2] }, broken: '2 is a learner and a voter' },
    { state: { voters: [1], votersOutgoing: [1, 2], learners: [2] }, broken: '2 is a learner and a voter' },
    { state: { voters: [1], votersOutgoing: [1], learnersNext: [2] }, broken: '2 is to become a learner, but is no outgoing voter' },
    { state: { voters: [1], votersOutgoing: [1], learnersNext: [1] }, broken: '1 is to become a learner, but is an incoming voter' },
    { state: { voters: [1], learnersNext: [1] }, broken: '1 is to become a learner, but is no outgoing voter' },
    { state: { voters: [1], autoLeave: true }, broken: 'autoleave without a joint configuration' },
    { state: { voters: [1, 3] }, broken: 'voter 3 has no progress of a voter' },
    { state: { voters: [1, 2], learners: [9] }, broken: 'learner 9 has no progress of a learner' },
    { state: { voters: [1], learners: [4, 5] }, broken: 'learner 5 has no progress of a learner' },
    { state: { voters: [1, 4] }, broken: 'voter 4 has no progress of a voter' },
    { state: { voters: [1] }, broken: 'progress for 2, which is no member' },
  ])('$broken', ({ state, broken }) => {
    const tracker = new ProgressTracker(4, noLimit);
    const progress = new Map<NodeId, Progress>();
    for (const [id, isLearner] of [[1, false], [2, false], [4, true], [5, false]] as const) {
      progress.set(id, new Progress({ next: 1, inflights: tracker.newInflights(), isLearner }));
    }

    expect(checkConfigInvariants(TrackerConfig.fromConfState(newConfState(state)), progress)).toBe(broken);
  });

  test('a changer that starts from a broken configuration refuses to go on', () => {
    const tracker = trackerOf({ voters: [1] });
    const input = { ...tracker, progress: new Map(tracker.progress), newInflights: () => tracker.newInflights() };
    input.progress.set(7, tracker.get(1)!.withRole(false));

    expect(new Changer(input, 10).simple(parseConfChanges('v2'))).toBe('progress for 7, which is no member');
  });
});
