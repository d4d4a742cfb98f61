import { describe, expect, test } from '@jest/globals';

import { profiles } from '../../../src/sim/index.js';
import { describeFailure, rareFaults } from '../runSeeds.js';
import { describeDiskEvents, rareDiskEvents, runFullSeeds } from './runFullSeeds.js';
import { simulateFull } from './simulateFull.js';

const minutes = 60_000;

describe('the simulator in full mode, for long', () => {
  test(
    '1,000 seeds x 5,000 steps: no invariant is broken, and everything happens to logs and disks',
    async () => {
      const startedAt = performance.now();
      const result = await runFullSeeds({ from: 0, seeds: 1000, steps: 5000, profile: 'default' });
      const seconds = (performance.now() - startedAt) / 1000;
      console.log(`${result.seeds} seeds, ${result.steps} events, ${Math.round(result.steps / seconds)} events/s, ${result.violations} violations\n${describeDiskEvents(result)}`);

      expect(result.failures.map((failure) => describeFailure(failure, {}, true))).toEqual([]);
      expect(rareDiskEvents(result, 0.01)).toEqual([]);
      expect(rareFaults(result, 0.005)).toEqual([]);
    },
    60 * minutes,
  );

  test.each(profiles.map((profile) => ({ profile })))(
    '60 seeds x 5,000 steps of the profile $profile',
    async ({ profile }) => {
      const result = await runFullSeeds({ from: 1_000_000, seeds: 60, steps: 5000, profile });

      expect(result.failures.map((failure) => describeFailure(failure, {}, true))).toEqual([]);
    },
    10 * minutes,
  );

  test(
    '100 seeds run twice have the same trace hashes',
    async () => {
      for (let seed = 0; seed < 100; seed++) {
        const run = async (): Promise<string> => (await simulateFull({ seed, steps: 1000, invariants: false })).traceHash;
        expect(`${seed} ${await run()}`).toBe(`${seed} ${await run()}`);
      }
    },
    10 * minutes,
  );
});
