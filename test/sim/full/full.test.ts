import { describe, expect, test } from '@jest/globals';

import { announceSeed } from '../../support/seededRandom.js';
import { describeFailure } from '../runSeeds.js';
import { DiskEvent, diskEventName } from './diskEvent.js';
import { runFullSeeds } from './runFullSeeds.js';
import { simulateFull, type FullOptions } from './simulateFull.js';

const minutes = 60_000;

/** What a slice of this size cannot do without. The long test asks for all of them. */
const expected = [
  DiskEvent.SyncFailed,
  DiskEvent.Shortened,
  DiskEvent.LogEnded,
  DiskEvent.OpenFailed,
  DiskEvent.DiedOpening,
  DiskEvent.PowerLossOpening,
  DiskEvent.DiedWriting,
  DiskEvent.UnsyncedLost,
  DiskEvent.UnsyncedKept,
  DiskEvent.UnacknowledgedFound,
  DiskEvent.UnacknowledgedGone,
  DiskEvent.Rotation,
  DiskEvent.SegmentRemoved,
  DiskEvent.CopiedForward,
  DiskEvent.ReadBack,
  DiskEvent.SnapshotWritten,
  DiskEvent.SnapshotInstalled,
  DiskEvent.SeveralUnderWay,
  DiskEvent.Unsynced,
];

/**
 * Goal: the real write-ahead log under real nodes breaks no invariant, whatever their disks do (A15, A22, V1 to V8).
 * Method: as the simulator, with the log that ships on a disk in memory that fails, and that loses power at any
 * operation, also while a log is opened.
 */
describe('the simulator in full mode', () => {
  test(
    '20 known seeds x 1,000 steps: no invariant is broken, and disks do what they can',
    async () => {
      const result = await runFullSeeds({ from: 120, seeds: 20, steps: 1000, profile: 'default' });

      expect(result.failures.map((failure) => describeFailure(failure, {}, true))).toEqual([]);
      expect(result.served / result.seeds).toBeGreaterThan(30);
      const never = expected.filter((event) => result.diskMarks[event] === 0);
      expect(never.map(diskEventName)).toEqual([]);
    },
    minutes,
  );

  // The log failed while its node was opening, or right before it was read: the simulator let the process live on.
  // A disk that does not bring the name of the log's own directory to the platter, which no log can help, is not simulated.
  test.each([456, 550, 582, 981])('pinned: seed %d', async (from) => {
    const result = await runFullSeeds({ from, seeds: 1, steps: 5000, profile: 'default' });

    expect(result.failures.map((failure) => describeFailure(failure, {}, true))).toEqual([]);
  });

  test(
    '10 seeds x 1,000 steps: no invariant is broken',
    async () => {
      const from = announceSeed('full simulation');

      const result = await runFullSeeds({ from, seeds: 10, steps: 1000, profile: 'default' });

      expect(result.failures.map((failure) => describeFailure(failure, {}, true))).toEqual([]);
    },
    minutes,
  );

  test.each([{ profile: 'async' }, { profile: 'powerloss' }, { profile: 'snap' }] as const)('one seed is one run, to the last byte on each disk: $profile', async ({ profile }) => {
    const run = async (): Promise<string> => (await simulateFull({ seed: 11, steps: 500, profile })).traceHash;

    const first = await run();
    expect(await run()).toBe(first);
    expect((await simulateFull({ seed: 12, steps: 500, profile })).traceHash).not.toBe(first);
  });

  test('checks and observers change nothing', async () => {
    let events = 0;
    const options: FullOptions = { seed: 3, steps: 500 };
    const watched = await simulateFull({ ...options, onEvent: () => events++ });
    const alone = await simulateFull({ ...options, invariants: false });

    expect(watched.traceHash).toBe(alone.traceHash);
    expect(events).toBeGreaterThan(1000);
  });
});
