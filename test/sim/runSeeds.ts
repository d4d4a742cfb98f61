import { diskLossFaults, FaultKind, faultName, shrink, simulate, type Profile, type SimConfig, type SimResult } from '../../src/sim/index.js';
import { replayCommand } from './commandLine.js';

/** Which seeds to run, and how. */
export interface SeedRange {
  readonly from: number;
  readonly seeds: number;
  readonly steps: number;
  readonly profile: Profile;
  readonly config?: Partial<SimConfig>;
}

/** The slowest recoveries of a range, in election timeouts, and the seeds beyond what L1, and L2 with L3, name. */
export interface Slowest {
  elected: number;
  inOrder: number;
  electedLate: number;
  inOrderLate: number;
}

/** What came of a range of seeds. */
export interface RangeResult {
  seeds: number;
  steps: number;
  /** Virtual microseconds. */
  time: number;
  /** Operations of clients that were answered. */
  served: number;
  /** Seeds in which each fault happened, by kind. */
  marks: number[];
  /** In full mode: seeds in which each `DiskEvent` happened, by number. Else empty. */
  diskMarks: number[];
  /** How long the slowest seeds took after the heal. */
  slowest: Slowest;
  /** Runs that failed, at most ten. */
  failures: SimResult[];
  violations: number;
  /** Trace hash of the last run. */
  lastHash: string;
}

/** Nothing yet. */
export function emptyRange(): RangeResult {
  return { seeds: 0, steps: 0, time: 0, served: 0, marks: Object.keys(FaultKind).map(() => 0), diskMarks: [], slowest: { elected: 0, inOrder: 0, electedLate: 0, inOrderLate: 0 }, failures: [], violations: 0, lastHash: '' };
}

/** Runs every seed of a range. */
export function runSeeds(range: SeedRange, progress: (done: RangeResult) => void = () => undefined): RangeResult {
  const total = emptyRange();
  for (let seed = range.from; seed < range.from + range.seeds; seed++) {
    const result = simulate({ seed, steps: range.steps, profile: range.profile, config: range.config ?? {} });
    addRun(total, result);
    progress(total);
  }
  return total;
}

/** Counts one more run. */
export function addRun(total: RangeResult, result: SimResult): void {
  total.seeds++;
  total.lastHash = result.traceHash;
  total.steps += result.steps;
  total.time += result.time;
  total.served += result.cluster.ops.reduce((sum, op) => sum + (op.outcome === 1 ? 1 : 0), 0);
  addMarks(total.marks, result.marks);
  const { elected, inOrder } = result.recovery ?? { elected: null, inOrder: null };
  addSlowest(total.slowest, { elected: elected ?? 0, inOrder: inOrder ?? 0, electedLate: (elected ?? 0) > 10 ? 1 : 0, inOrderLate: (inOrder ?? 0) > 20 ? 1 : 0 });
  if (result.failure === null) return;
  total.violations++;
  if (total.failures.length < 10) total.failures.push(result);
}

/** Puts the slowest recoveries of two ranges together. */
export function addSlowest(total: Slowest, more: Slowest): void {
  total.elected = Math.max(total.elected, more.elected);
  total.inOrder = Math.max(total.inOrder, more.inOrder);
  total.electedLate += more.electedLate;
  total.inOrderLate += more.inOrderLate;
}

/** Counts what has happened at all in a run. */
export function addMarks(seeds: number[], marks: Uint32Array): void {
  marks.forEach((times, kind) => {
    if (times > 0) seeds[kind] = (seeds[kind] ?? 0) + 1;
  });
}

/** Faults that happened in fewer of the seeds than `share`, with how often they did. Disks forget only in profiles of their own. */
export function rareFaults(range: RangeResult, share: number): string[] {
  const passedOver: readonly number[] = diskLossFaults;
  return range.marks.flatMap((seeds, kind) => (seeds < range.seeds * share && !passedOver.includes(kind) ? [`${faultName(kind)}: ${seeds} of ${range.seeds} seeds`] : []));
}

/** A failing run for people: what is wrong, the configuration, the last events, and how to repeat it. @param full whether it has real logs. */
export function describeFailure(result: SimResult, given: Partial<SimConfig> = {}, full = false): string {
  const { config, failure } = result;
  const { seed, steps, profile } = config;
  return [
    `seed ${seed}: ${failure?.message}`,
    `configuration: ${JSON.stringify(config)}`,
    `the last events:`,
    ...result.recent(),
    `${failure?.error instanceof Error ? failure.error.stack : ''}`,
    `replay: ${replayCommand(seed, given.steps ?? steps, profile as Profile, given, full)}`,
  ].join('\n');
}

/** Makes a failing run smaller, and says how to repeat the smaller one. */
export function describeShrunk(result: SimResult, given: Partial<SimConfig>): string {
  const { seed, steps, profile } = result.config;
  const options = { seed, steps, profile: profile as Profile, config: given };
  const { config, result: smaller, tried } = shrink(options);
  return [
    `smaller, after ${tried} tries: ${smaller.steps} events, ${JSON.stringify(config)}`,
    `  ${smaller.failure?.message}`,
    `replay: ${replayCommand(seed, steps, profile as Profile, config)}`,
  ].join('\n');
}
