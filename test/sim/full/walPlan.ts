import { Prng } from '../../../src/sim/prng.js';

/** How the logs of a run are set up, and what their disks do to them. Drawn from the seed; every value may be set by hand. */
export interface WalPlan {
  /** As in `WalOptions`. Small ones, so that segments are filled, copied and removed all the time. */
  readonly segmentBytes: number;
  /** As in `WalOptions`. Mostly so small that entries are read back from the disk. */
  readonly cacheBytes: number;
  /** As in `WalOptions`. */
  readonly maxBatchBytes: number;
  /** Mean time of an operation that is no sync, in microseconds. */
  readonly quickLatency: number;
  /** Probability that a sync fails. */
  readonly syncErrors: number;
  /** Probability that another operation fails. */
  readonly errors: number;
  /** Probability that a read or a write does a part only. */
  readonly shortened: number;
  /** Probability that a process that opens its log does not live to see it open. */
  readonly openCrash: number;
}

/** Draws the plan of a run. @param quiet whether nothing may fail. */
export function drawWalPlan(seed: number, quiet: boolean): WalPlan {
  const random = new Prng(seed, 'wal plan');
  const bad = random.chance(0.7) && !quiet;
  return {
    segmentBytes: random.pick([4096, 4096, 4096, 4096, 6144, 8192, 32_768]),
    cacheBytes: random.pick([0, 0, 0, 200, 2000, 1 << 20]),
    maxBatchBytes: random.pick([1, 300, 2000, 4 << 20, 4 << 20]),
    quickLatency: random.pick([0, 5, 20]),
    syncErrors: bad ? random.pick([0, 0.0003, 0.001, 0.003]) : 0,
    errors: bad ? random.pick([0, 0, 0.0003, 0.001]) : 0,
    shortened: bad ? random.pick([0, 0, 0.01, 0.1]) : 0,
    openCrash: quiet ? 0 : random.pick([0, 0.1, 0.3]),
  };
}
