import { describe, expect, test } from '@jest/globals';
import { announceSeed } from '../support/seededRandom.js';
import { describeDetection, hasFailure, huntLoss, huntStaleRead, runDiskLosses } from './diskLossRuns.js';
import { describeFailure } from './runSeeds.js';

describe('disks that forget', () => {
  test.each([{ profile: 'wipe' }, { profile: 'permit' }, { profile: 'o15' }] as const)('O12 O13 O15: 25 seeds of the profile $profile: nothing is lost, nobody is suspected wrongly, and a leader notices in time', ({ profile }) => {
    const from = announceSeed('diskLoss');
    const range = runDiskLosses({ from, seeds: 25, steps: 1200, profile });

    expect(range.failures.map((failure) => describeFailure(failure))).toEqual([]);
    // Otherwise they would prove little.
    expect(range.times.length).toBeGreaterThan(5);
    console.log(describeDetection(range));
  });

  test('O15: with a permission given in that situation the simulator finds the loss', () => {
    const loss = huntLoss(40);

    expect(loss).not.toBeNull();
    expect(['I3', 'I4', 'I5']).toContain(loss!.failure!.invariant);
    // The same seed with the quarantine loses nothing.
    expect(hasFailure({ seed: loss!.config.seed, profile: 'o15' })).toBe(false);
  });
});

test('A24: a stale lease read is found where clocks differ by more than the margin tolerates', () => {
  const stale = huntStaleRead(60);

  expect(stale).not.toBeNull();
  expect(['I15', 'linearizability']).toContain(stale!.failure!.invariant);
});
