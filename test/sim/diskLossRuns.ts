import { allCheckers, DetectionChecker, drawConfig, simulate, type SimOptions, type SimResult } from '../../src/sim/index.js';
import type { SeedRange } from './runSeeds.js';

/** What came of runs with disks that forget. */
export interface DiskLossRange {
  readonly seeds: number;
  steps: number;
  /** Runs that failed, at most ten. */
  readonly failures: SimResult[];
  /** How long each detection took, in election timeouts. */
  readonly times: number[];
  /** Losses that a leader had a chance to notice, and how many of them were made up for before. */
  losses: number;
  healed: number;
}

/** Runs every seed of a range, and measures how long it takes until a leader notices that a log went back. */
export function runDiskLosses({ from, seeds, steps, profile }: SeedRange): DiskLossRange {
  const range: DiskLossRange = { seeds, steps: 0, failures: [], times: [], losses: 0, healed: 0 };
  for (let seed = from; seed < from + seeds; seed++) {
    const measure = new DetectionChecker(Infinity);
    const result = simulate({ seed, steps, profile, checkers: () => [measure] });
    range.steps += result.steps;
    range.losses += measure.losses;
    range.healed += measure.healed;
    range.times.push(...measure.times);
    if (result.failure !== null && range.failures.length < 10) range.failures.push(result);
  }
  return range;
}

/** Losses and detection times for people. */
export function describeDetection({ seeds, steps, times, losses, healed }: DiskLossRange): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(2);
  return (
    `${seeds} seeds, ${steps} events, ${losses} losses: ${times.length} found, ${healed} made up for before, for the others the leadership ended; ` +
    `found after ${at(0.5)} (median), ${at(0.99)} (p99), ${at(1)} (at most) election timeouts`
  );
}

/** Whether a run fails. */
export function hasFailure(options: SimOptions): boolean {
  return simulate(options).failure !== null;
}

/** The first seed in which something is lost, if operators permit the reversion of O15 at the wrong time; null if there is none. */
export function huntLoss(seeds: number): SimResult | null {
  return hunt(seeds, (seed) => ({ seed, profile: 'o15', config: { diskLoss: { ...drawConfig(seed, 2000, 'o15').diskLoss, permission: 'reckless' } } }));
}

/** The first seed with a stale read, although leases are said to hold, in clocks that no margin tolerates; null if there is none. */
export function huntStaleRead(seeds: number): SimResult | null {
  return hunt(seeds, (seed) => ({ seed, profile: 'drift', steps: 3000, config: { leasesHold: true }, invariants: false, checkers: () => allCheckers() }));
}

function hunt(seeds: number, options: (seed: number) => SimOptions): SimResult | null {
  for (let seed = 0; seed < seeds; seed++) {
    const result = simulate(options(seed));
    if (result.failure !== null) return result;
  }
  return null;
}
