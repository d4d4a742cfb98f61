import { describe, expect, test } from '@jest/globals';
import { drawConfig, profiles, simulate } from '../../src/sim/index.js';
import { announceSeed } from '../support/seededRandom.js';
import { pinnedSeeds } from './pinnedSeeds.js';
import { describeFailure, runSeeds } from './runSeeds.js';

describe('the simulator', () => {
  test('300 seeds x 1000 steps: no invariant is broken', () => {
    const from = announceSeed('simulation');
    const result = runSeeds({ from, seeds: 300, steps: 1000, profile: 'default' });

    expect(result.failures.map((failure) => describeFailure(failure))).toEqual([]);
    // Runs in which nothing gets done would prove nothing.
    expect(result.served / result.seeds).toBeGreaterThan(40);
  });

  // Disks that forget have a test of their own.
  test.each(profiles.filter((profile) => drawConfig(0, 1, profile).diskLoss.interval === 0).map((profile) => ({ profile })))('20 seeds of the profile $profile: no invariant is broken', ({ profile }) => {
    const result = runSeeds({ from: 500_000, seeds: 20, steps: 1000, profile });

    expect(result.failures.map((failure) => describeFailure(failure))).toEqual([]);
  });

  test.each(pinnedSeeds)('pinned: $profile $seed, $why', ({ seed, steps, profile, config = {} }) => {
    const result = runSeeds({ from: seed, seeds: 1, steps, profile, config });

    expect(result.failures.map((failure) => describeFailure(failure, config))).toEqual([]);
  });

  test('one seed is one run, event by event', () => {
    const hashes = (): string[] => profiles.flatMap((profile, at) => [1, 2, 3].map((seed) => simulate({ seed: 3 * at + seed, steps: 500, profile, invariants: false }).traceHash));

    const first = hashes();
    expect(hashes()).toEqual(first);
    // All of them differ, or the hash would say nothing.
    expect(new Set(first).size).toBe(first.length);
  });

  test('checks and observers change nothing', () => {
    let events = 0;
    const watched = simulate({ seed: 7, steps: 500, onEvent: () => events++ });
    const alone = simulate({ seed: 7, steps: 500, invariants: false });

    expect(watched.traceHash).toBe(alone.traceHash);
    expect(events).toBeGreaterThan(1000);
  });
});
