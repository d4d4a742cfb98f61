import { describe, expect, test } from '@jest/globals';
import { describeProgress } from '../../../src/core/describe.js';
import { Inflights } from '../../../src/core/tracker/inflights.js';
import { Progress, ProgressState, progressStateName, type ProgressFields } from '../../../src/core/tracker/progress.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';

const { Probe, Replicate, Snapshot } = ProgressState;

function progressWith(fields: Partial<ProgressFields> = {}, window: readonly number[] = []): Progress {
  const inflights = new Inflights(3, Infinity);
  for (const index of window) inflights.add(index, 10);
  return new Progress({ next: (fields.match ?? 0) + 1, recentActive: true, inflights, ...fields });
}

const replicating = () => progressWith({ state: Replicate, match: 5, next: 8, sentCommit: 7 }, [6, 7]);
const waiting = () => progressWith({ state: Snapshot, match: 5, next: 11, pendingSnapshot: 10, sentCommit: 10 });

describe('changes of state', () => {
  test.each([
    { from: progressWith({ match: 5, next: 9, sentCommit: 8 }), next: 6, why: 'a probe starts after match' },
    { from: replicating(), next: 6, why: 'what was sent ahead counts as lost' },
    { from: waiting(), next: 11, why: 'a snapshot that was received is above match' },
    { from: progressWith({ state: Snapshot, match: 20, next: 21, pendingSnapshot: 10 }), next: 21, why: 'match is above the snapshot' },
  ])('E10, E11: becomeProbe goes on at $next: $why', ({ from, next }) => {
    from.pauseFlow();

    from.becomeProbe();

    expect(from).toMatchObject({ state: Probe, next, pendingSnapshot: 0, msgAppFlowPaused: false });
    expect(from.sentCommit).toBeLessThan(next);
    expect(from.inflights.count).toBe(0);
  });

  test.each([
    { from: progressWith({ match: 5, next: 9 }), why: 'from Probe' },
    { from: replicating(), why: 'again, which clears the window' },
    { from: progressWith({ state: Snapshot, match: 5, next: 11, pendingSnapshot: 10 }), why: 'from Snapshot' },
  ])('E10: becomeReplicate sends from match+1 on: $why', ({ from }) => {
    from.pauseFlow();

    from.becomeReplicate();

    expect(from).toMatchObject({ state: Replicate, match: 5, next: 6, pendingSnapshot: 0, msgAppFlowPaused: false });
    expect(from.inflights.count).toBe(0);
  });

  test('E11: becomeSnapshot sends nothing until the outcome is known', () => {
    const progress = replicating();

    progress.becomeSnapshot(12);

    expect(progress).toMatchObject({ state: Snapshot, match: 5, next: 13, pendingSnapshot: 12, sentCommit: 12 });
    expect(progress.inflights.count).toBe(0);
    expect(progress.isPaused()).toBe(true);
    progress.resumeFlow();
    expect(progress.isPaused()).toBe(true);
  });

  test('a snapshot below match never brings next down to it', () => {
    const progress = progressWith({ match: 9 });

    progress.becomeSnapshot(4);

    expect(progress).toMatchObject({ match: 9, next: 10, pendingSnapshot: 4 });
  });

  test('E11: a failed snapshot is probed for after match, not after the snapshot', () => {
    const progress = waiting();

    progress.snapshotFailed();

    expect(progress).toMatchObject({ state: Probe, next: 6, pendingSnapshot: 0, sentCommit: 5 });
  });

  test.each([
    { match: 7, sentCommit: 10, why: 'the snapshot told commit 10' },
    { match: 12, sentCommit: 10, why: 'what it told does not grow with match' },
  ])('E11: an ack of $match that the log reaches replicates from there: $why', ({ match, sentCommit }) => {
    const progress = waiting();
    progress.maybeUpdate(match);

    progress.becomeReplicateAfterSnapshot();

    expect(progress).toMatchObject({ state: Replicate, match, next: match + 1, pendingSnapshot: 0, sentCommit });
  });

  test('outcomes of a snapshot belong to Snapshot only', () => {
    expect(() => replicating().snapshotFailed()).toThrow('no snapshot was sent');
    expect(() => replicating().becomeReplicateAfterSnapshot()).toThrow('no snapshot was sent');
    expect(() => replicating().becomeSnapshot(0)).toThrow('a snapshot without index');
  });

  test('reset keeps the role alone', () => {
    const progress = progressWith({ state: Replicate, match: 5, next: 8, sentCommit: 7, isLearner: true }, [7]);

    progress.reset(0, 30);

    expect(progress).toEqual(progressWith({ match: 0, next: 30, isLearner: true, recentActive: false, inflights: progress.inflights }));
    expect(progress.inflights.count).toBe(0);
  });
});

describe('sending', () => {
  test('E5: in Replicate every message with entries takes a slot, and a full window pauses', () => {
    const progress = progressWith({ state: Replicate, match: 5 });

    progress.sentEntries(2, 20);
    progress.sentEntries(0, 0);
    expect(progress).toMatchObject({ next: 8, msgAppFlowPaused: false });
    expect(progress.inflights.count).toBe(1);

    progress.sentEntries(1, 10);
    progress.sentEntries(1, 10);
    expect(progress).toMatchObject({ next: 10, msgAppFlowPaused: true });
    expect(progress.isPaused()).toBe(true);
  });

  test('E6: with a full window one empty message may go out after the flow was resumed', () => {
    const progress = progressWith({ state: Replicate, match: 5, next: 9, msgAppFlowPaused: true }, [6, 7, 8]);

    progress.resumeFlow();
    expect(progress.isPaused()).toBe(false);
    progress.sentEntries(0, 0);

    expect(progress).toMatchObject({ next: 9, msgAppFlowPaused: true });
  });

  test('E5: entries into a full window are a bug and panic', () => {
    const progress = progressWith({ state: Replicate, match: 5, next: 9 }, [6, 7, 8]);

    expect(() => progress.sentEntries(1, 1)).toThrow('added to a full window');
  });

  test.each([
    { entries: 3, paused: true, why: 'one message with entries for each heartbeat' },
    { entries: 0, paused: false, why: 'an empty message pauses nothing' },
  ])('E10: in Probe a message with $entries entries pauses: $paused, $why', ({ entries, paused }) => {
    const progress = progressWith({ match: 5 });

    progress.sentEntries(entries, 30);

    expect(progress).toMatchObject({ next: 6, msgAppFlowPaused: paused });
    expect(progress.inflights.count).toBe(0);
  });

  test('a MsgApp while a snapshot is pending is a bug and panics', () => {
    expect(() => waiting().sentEntries(1, 1)).toThrow('during a snapshot');
  });

  test.each([
    { sentCommit: 3, commit: 5, can: true, why: 'news, within what was sent' },
    { sentCommit: 3, commit: 99, can: true, why: 'commits up to next-1 at least' },
    { sentCommit: 5, commit: 5, can: false, why: 'no news' },
    { sentCommit: 7, commit: 9, can: false, why: 'it knows that all it was sent is committed' },
  ])('telling commit $commit after $sentCommit helps: $can, $why', ({ sentCommit, commit, can }) => {
    const progress = progressWith({ state: Replicate, match: 5, next: 8 });
    progress.sentCommitTo(sentCommit);

    expect(progress.canBumpCommit(commit)).toBe(can);
  });
});

describe('acknowledgements', () => {
  test.each([
    { index: 4, updated: false, match: 5, next: 8, why: 'older than match' },
    { index: 5, updated: false, match: 5, next: 8, why: 'known' },
    { index: 6, updated: true, match: 6, next: 8, why: 'part of what is in flight' },
    { index: 9, updated: true, match: 9, next: 10, why: 'more than was sent' },
  ])('of $index: updated $updated, $why', ({ index, updated, match, next }) => {
    const progress = replicating();
    progress.pauseFlow();

    expect(progress.maybeUpdate(index)).toBe(updated);

    expect(progress).toMatchObject({ match, next, msgAppFlowPaused: !updated, state: Replicate });
  });

  test.each([
    { rejected: 5, decreased: false, next: 8, state: Replicate, why: 'match is known to be there: stale' },
    { rejected: 3, decreased: false, next: 8, state: Replicate, why: 'below match: stale' },
    { rejected: 6, decreased: true, next: 6, state: Probe, why: 'something in flight was lost' },
  ])('E10: a rejection of $rejected in Replicate goes to next $next: $why', ({ rejected, decreased, next, state }) => {
    const progress = replicating();

    expect(progress.maybeDecrTo(rejected, 2)).toBe(decreased);

    expect(progress).toMatchObject({ match: 5, next, state, sentCommit: decreased ? 5 : 7 });
  });

  test.each([
    { rejected: 8, hint: 5, decreased: false, next: 10, why: 'not the last probe: stale' },
    { rejected: 9, hint: 5, decreased: true, next: 6, why: 'goes on after the hint' },
    { rejected: 9, hint: 9, decreased: true, next: 9, why: 'a hint that contradicts the rejection still goes down' },
    { rejected: 9, hint: 1, decreased: true, next: 4, why: 'never at or below match' },
  ])('E10: a rejection of $rejected in Probe goes to next $next: $why', ({ rejected, hint, decreased, next }) => {
    const progress = progressWith({ match: 3, next: 10, sentCommit: 9, msgAppFlowPaused: true });

    expect(progress.maybeDecrTo(rejected, hint)).toBe(decreased);

    expect(progress).toMatchObject({ match: 3, next, state: Probe, msgAppFlowPaused: !decreased });
    expect(progress.sentCommit).toBe(decreased ? next - 1 : 9);
  });

  test('a rejection of the very beginning leaves next at 1', () => {
    const progress = progressWith({ match: 0, next: 1 });

    expect(progress.maybeDecrTo(0, 0)).toBe(true);

    expect(progress.next).toBe(1);
  });
});

describe('invariants', () => {
  test.each([
    { fields: { match: 5, next: 5 }, message: 'match 5 is not below next 5' },
    { fields: { match: -1, next: 5 }, message: 'match -1 is not below next 5' },
    { fields: { match: 5, pendingSnapshot: 9 }, message: 'stale pendingSnapshot' },
  ])('refuses $message', ({ fields, message }) => {
    expect(() => progressWith(fields)).toThrow(message);
  });

  test('nothing is in flight unless it replicates', () => {
    expect(() => progressWith({ match: 5, next: 9 }, [6])).toThrow('in flight while not replicating');
  });

  /**
   * Goal: no order of calls breaks match < next, or leaves a snapshot or a window behind.
   * Method: random calls, as a leader could make them for whatever a follower sends.
   */
  test('hold after random calls', () => {
    const random = seededRandom(announceSeed('progress invariants'));
    // Not an `expect` for each: they take far longer than what they look at.
    const broken: string[] = [];
    for (let round = 0; round < 300; round++) {
      const progress = progressWith({ next: 1 + random(10) });
      for (let step = 0; step < 60; step++) {
        const matchBefore = progress.match;
        randomCall(progress, random);

        progress.checkInvariants();
        const isRight = progress.match >= matchBefore && (progress.state !== Snapshot || progress.isPaused()) && (!progress.inflights.full() || progress.state === Replicate);
        if (!isRight) broken.push(`round ${round}, step ${step}: match was ${matchBefore}, ${describeProgress(progress)}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

function randomCall(progress: Progress, random: (bound: number) => number): void {
  const calls: (() => void)[] = [
    () => progress.becomeProbe(),
    () => progress.becomeReplicate(),
    () => progress.becomeSnapshot(1 + random(40)),
    () => {
      if (progress.state === Snapshot) progress.snapshotFailed();
    },
    () => {
      if (progress.state === Snapshot) progress.becomeReplicateAfterSnapshot();
    },
    () => {
      const room = progress.state !== Replicate || !progress.inflights.full();
      if (!progress.isPaused()) progress.sentEntries(room ? random(4) : 0, 10);
    },
    () => {
      const index = random(40);
      progress.maybeUpdate(index);
      progress.inflights.freeLE(index);
    },
    () => progress.maybeDecrTo(random(40), random(40)),
    () => progress.maybeDecrTo(progress.next - 1, random(40)),
    () => progress.resumeFlow(),
    () => progress.sentCommitTo(random(40)),
  ];
  calls[random(calls.length)]!();
}

describe('copies', () => {
  test('a clone is equal and shares nothing', () => {
    const progress = replicating();
    const copy = progress.withRole(progress.isLearner);

    expect(copy).toEqual(progress);
    copy.sentEntries(1, 10);
    expect(progress).toEqual(replicating());
  });

  test('another role changes nothing else', () => {
    const progress = replicating();

    const learner = progress.withRole(true);

    expect(learner.isLearner).toBe(true);
    expect(learner.withRole(false)).toEqual(progress);
    expect(learner.inflights).not.toBe(progress.inflights);
  });
});

test.each([
  { progress: progressWith({ match: 7 }), text: 'StateProbe match=7 next=8' },
  { progress: progressWith({ match: 7, msgAppFlowPaused: true }), text: 'StateProbe match=7 next=8 paused' },
  { progress: progressWith({ recentActive: false, isLearner: true }), text: 'StateProbe match=0 next=1 learner inactive' },
  { progress: replicating(), text: 'StateReplicate match=5 next=8 inflight=2' },
  {
    progress: progressWith({ state: Replicate, match: 5, next: 9, msgAppFlowPaused: true }, [6, 7, 8]),
    text: 'StateReplicate match=5 next=9 paused inflight=3[full]',
  },
  {
    progress: progressWith({ state: Snapshot, match: 7, next: 11, pendingSnapshot: 10, isLearner: true, recentActive: false }),
    text: 'StateSnapshot match=7 next=11 learner paused pendingSnap=10 inactive',
  },
])('is described as "$text"', ({ progress, text }) => {
  expect(describeProgress(progress)).toBe(text);
});

test('states have names', () => {
  expect([Probe, Replicate, Snapshot].map(progressStateName)).toEqual(['StateProbe', 'StateReplicate', 'StateSnapshot']);
});
