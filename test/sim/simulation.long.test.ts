import { describe, expect, test } from '@jest/globals';
import { profiles, simulate } from '../../src/sim/index.js';
import { describeFailure, rareFaults, runSeeds } from './runSeeds.js';

const minutes = 60_000;

describe('the simulator, for long', () => {
  test(
    '10,000 seeds x 2,000 steps: no invariant is broken, every fault happens in 0.5 % of the seeds, and all recover within 10 and 20 election timeouts (L1 to L3)',
    () => {
      const startedAt = performance.now();
      const result = runSeeds({ from: 0, seeds: 10_000, steps: 2000, profile: 'default' });
      const seconds = (performance.now() - startedAt) / 1000;
      console.log(`${result.seeds} seeds, ${result.steps} events, ${Math.round(result.steps / seconds)} events/s, ${result.violations} violations, slowest recovery ${JSON.stringify(result.slowest)}`);

      expect(result.failures.map((failure) => describeFailure(failure))).toEqual([]);
      expect(rareFaults(result, 0.005)).toEqual([]);
      // Closer than the bounds of the checkers, which have to hold in all seeds that there are: see livenessBounds.ts.
      expect(result.slowest).toMatchObject({ electedLate: 0, inOrderLate: 0 });
      expect(result.slowest.elected).toBeGreaterThan(0);
    },
    20 * minutes,
  );

  test.each(profiles.map((profile) => ({ profile })))(
    '1,000 seeds x 2,000 steps of the profile $profile',
    ({ profile }) => {
      const result = runSeeds({ from: 1_000_000, seeds: 1000, steps: 2000, profile });

      expect(result.failures.map((failure) => describeFailure(failure))).toEqual([]);
    },
    5 * minutes,
  );

  test(
    '1,000 seeds run twice have the same trace hashes',
    () => {
      for (let seed = 0; seed < 1000; seed++) {
        const run = (): string => simulate({ seed, steps: 1000, invariants: false }).traceHash;
        expect(`${seed} ${run()}`).toBe(`${seed} ${run()}`);
      }
    },
    5 * minutes,
  );
});
