import { addMarks, addRun, emptyRange, type RangeResult, type SeedRange } from '../runSeeds.js';
import { diskEventName, diskEvents } from './diskEvent.js';
import { simulateFull } from './simulateFull.js';
import type { WalPlan } from './walPlan.js';

/** Which seeds to run in full mode, and how. */
export interface FullRange extends SeedRange {
  readonly wal?: Partial<WalPlan>;
}

/** Runs every seed of a range with real logs. */
export async function runFullSeeds(range: FullRange, progress: (done: RangeResult) => void = () => undefined): Promise<RangeResult> {
  const { from, seeds, steps, profile, config = {}, wal = {} } = range;
  const total: RangeResult = { ...emptyRange(), diskMarks: new Array<number>(diskEvents).fill(0) };
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await simulateFull({ seed, steps, profile, config, wal });
    addRun(total, result);
    addMarks(total.diskMarks, result.diskMarks);
    progress(total);
  }
  return total;
}

/** Events of disks that happened in fewer of the seeds than `share`, with how often they did. */
export function rareDiskEvents({ diskMarks, seeds }: RangeResult, share: number): string[] {
  return diskMarks.flatMap((count, event) => (count < seeds * share ? [`${diskEventName(event)}: ${count} of ${seeds} seeds`] : []));
}

/** In how many of the seeds each event happened, for people. */
export function describeDiskEvents({ diskMarks }: RangeResult): string {
  return `logs and their disks:\n  ${diskMarks.map((seeds, event) => `${diskEventName(event)} ${seeds}`).join(', ')}`;
}
