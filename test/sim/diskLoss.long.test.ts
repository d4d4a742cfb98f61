import { describe, expect, test } from '@jest/globals';
import { describeDetection, runDiskLosses } from './diskLossRuns.js';
import { describeFailure, runSeeds } from './runSeeds.js';

const minutes = 60_000;

describe('disks that forget, for long', () => {
  test.each([{ profile: 'wipe' }, { profile: 'permit' }, { profile: 'o15' }] as const)(
    'O12 O13 O15: 10,000 seeds x 2,000 steps of the profile $profile',
    ({ profile }) => {
      const range = runDiskLosses({ from: 2_000_000, seeds: 10_000, steps: 2000, profile });

      console.log(`${profile}: ${describeDetection(range)}`);
      expect(range.failures.map((failure) => describeFailure(failure))).toEqual([]);
      expect(range.times.length).toBeGreaterThan(5000);
    },
    20 * minutes,
  );
});

test(
  'A24: 10,000 seeds x 2,000 steps of the profile lease: no stale read where clocks keep to what the margin tolerates',
  () => {
    const result = runSeeds({ from: 3_000_000, seeds: 10_000, steps: 2000, profile: 'lease' });

    console.log(`lease: ${result.seeds} seeds, ${result.steps} events, ${result.violations} violations`);
    expect(result.failures.map((failure) => describeFailure(failure))).toEqual([]);
  },
  20 * minutes,
);
