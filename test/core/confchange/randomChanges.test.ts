import { expect, test } from '@jest/globals';
import { describeProgress } from '../../../src/core/describe.js';
import { Changer, type Changed } from '../../../src/core/confchange/changer.js';
import { checkConfigInvariants } from '../../../src/core/confchange/invariants.js';
import { restoreConfig, validateConfState } from '../../../src/core/confchange/restore.js';
import { ConfChangeType, newConfChangeV2, type ConfChangeSingle, type ConfChangeTransition, type ConfChangeV2 } from '../../../src/core/raftpb/confChange.js';
import { decodeConfChangeV2, encodeConfChange } from '../../../src/core/raftpb/confChangeWire.js';
import type { ConfState } from '../../../src/core/raftpb/state.js';
import type { RandomSource } from '../../../src/core/random.js';
import { ProgressTracker } from '../../../src/core/tracker/progressTracker.js';
import { noLimit, type NodeId } from '../../../src/core/types.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';

const ids: readonly NodeId[] = [0, 1, 2, 3, 4, 5, 2n ** 63n, 2n ** 64n - 3n];

const { ConfChangeAddNode, ConfChangeRemoveNode, ConfChangeUpdateNode, ConfChangeAddLearnerNode } = ConfChangeType;
// Mostly additions and demotions, because groups without voters lead nowhere.
const types = [ConfChangeAddNode, ConfChangeAddNode, ConfChangeAddNode, ConfChangeRemoveNode, ConfChangeUpdateNode, ConfChangeAddLearnerNode, ConfChangeAddLearnerNode];

function randomChange(random: RandomSource): ConfChangeV2 {
  if (random(3) === 0) return newConfChangeV2();
  const changes = Array.from({ length: random(6) }, (): ConfChangeSingle => ({
    type: types[random(types.length)]!,
    nodeId: ids[random(ids.length)]!,
  }));
  return newConfChangeV2({ transition: random(3) as ConfChangeTransition, changes });
}

/** All that the tracker knows, as values: two equal pictures show that nothing was changed in between. */
function picture(tracker: ProgressTracker): string[] {
  return [String(tracker.config), ...tracker.ids.map((id, i) => `${id} ${describeProgress(tracker.progresses[i]!)}`)];
}

/** A leader that works between the changes, so that progress differs from member to member. */
function someTraffic(tracker: ProgressTracker, random: RandomSource, lastIndex: number): void {
  for (const progress of tracker.progresses) {
    if (progress.maybeUpdate(random(lastIndex + 1))) progress.becomeReplicate();
    else if (!progress.isPaused() && !progress.inflights.full()) progress.sentEntries(random(3), 1);
  }
}

/**
 * Goal: every configuration that changes can lead to is a legal one, can be restored from its
 * ConfState, and can be left; a refused change changes nothing; one that is only tried neither (D1).
 * Method: random walks over single and joint changes from one voter on.
 */
test('random walks stay within legal configurations', () => {
  const random = seededRandom(announceSeed('random changes'));
  const seen = { accepted: 0, refused: 0, withFutureLearners: 0 };
  for (let walk = 0; walk < 100; walk++) {
    const tracker = new ProgressTracker(4, noLimit);
    accept(tracker, new Changer(tracker, 0).simple([{ type: ConfChangeAddNode, nodeId: 1 }]));
    let lastIndex = 0;
    for (let step = 0; step < 30; step++) {
      lastIndex += random(4);
      someTraffic(tracker, random, lastIndex);
      const change = randomChange(random);
      const before = picture(tracker);

      const changed = new Changer(tracker, lastIndex).apply(change);

      expect(picture(tracker)).toEqual(before);
      if (typeof changed === 'string') {
        seen.refused++;
        continue;
      }
      seen.accepted++;
      tracker.setConfig(changed.config, changed.progress);
      if (tracker.config.learnersNext.length > 0) seen.withFutureLearners++;
      expectLegal(tracker, lastIndex);
    }
  }

  // A walk that went nowhere would prove nothing.
  expect(seen.accepted).toBeGreaterThan(500);
  expect(seen.refused).toBeGreaterThan(500);
  expect(seen.withFutureLearners).toBeGreaterThan(50);
});

function expectLegal(tracker: ProgressTracker, lastIndex: number): void {
  const confState = tracker.confState();
  expect(checkConfigInvariants(tracker.config, tracker.progress)).toBeNull();
  expect(validateConfState(confState)).toBeNull();

  const restored = restoreConfig(tracker, lastIndex, confState);
  if (typeof restored === 'string') throw new Error(`${JSON.stringify(String(tracker.config))}: ${restored}`);
  expect(restored.config.toConfState()).toEqual(confState);
  expect(rebuilt(confState)).toEqual(confState);
  expect([...restored.progress.keys()].sort()).toEqual([...tracker.ids].sort());

  if (!tracker.config.voters.isJoint) return;
  const left = new Changer({ ...restored, newInflights: () => tracker.newInflights() }, lastIndex).leaveJoint();
  if (typeof left === 'string') throw new Error(left);
  expect(left.config.toConfState()).toEqual({
    voters: confState.voters,
    votersOutgoing: [],
    learners: [...confState.learners, ...confState.learnersNext].sort((a, b) => (a < b ? -1 : 1)),
    learnersNext: [],
    autoLeave: false,
  });
}

/** The slow way to a configuration: from nothing by changes alone, first to the outgoing half, then to the rest. */
function rebuilt(state: ConfState): ConfState {
  const tracker = new ProgressTracker(4, noLimit);
  const make = (type: ConfChangeType, members: readonly NodeId[]) => members.map((nodeId) => ({ type, nodeId }));
  const joint = state.votersOutgoing.length > 0;
  const learners = make(ConfChangeAddLearnerNode, [...state.learners, ...state.learnersNext]);
  const first = make(ConfChangeAddNode, joint ? state.votersOutgoing : state.voters);
  for (const single of joint ? first : [...first, ...learners]) accept(tracker, new Changer(tracker, 0).simple([single]));
  if (joint) {
    const changes = [...make(ConfChangeRemoveNode, state.votersOutgoing), ...make(ConfChangeAddNode, state.voters), ...learners];
    accept(tracker, new Changer(tracker, 0).enterJoint(state.autoLeave, changes));
  }
  return tracker.confState();
}

function accept(tracker: ProgressTracker, changed: Changed | string): void {
  if (typeof changed === 'string') throw new Error(changed);
  tracker.setConfig(changed.config, changed.progress);
}

/** Goal: two replicas that apply the same committed bytes end with the same members. Method: one of them restarts all the time. */
test('a replica that is restored after every change stays in step', () => {
  const random = seededRandom(announceSeed('random changes with restores'));
  for (let walk = 0; walk < 50; walk++) {
    const lasting = new ProgressTracker(4, noLimit);
    const restarting = new ProgressTracker(4, noLimit);
    for (const tracker of [lasting, restarting]) {
      accept(tracker, new Changer(tracker, 0).simple([{ type: ConfChangeAddNode, nodeId: 1 }]));
    }
    for (let step = 0; step < 30; step++) {
      const change = decodeConfChangeV2(encodeConfChange(randomChange(random)));
      const first = new Changer(lasting, step).apply(change);
      const second = new Changer(restarting, step).apply(change);
      if (typeof first === 'string' || typeof second === 'string') {
        expect(second).toEqual(first);
        continue;
      }
      lasting.setConfig(first.config, first.progress);
      const restored = restoreConfig(restarting, step, second.config.toConfState());
      if (typeof restored === 'string') throw new Error(restored);
      restarting.setConfig(restored.config, restored.progress);
      expect(restarting.confState()).toEqual(lasting.confState());
    }
  }
});
