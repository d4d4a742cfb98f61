/** One line of the table: what is measured, and how one run of it goes. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  /** Whether a bigger value is the better one; only decides which way the spread is read. */
  readonly higherIsBetter: boolean;
  /** Prepares everything and returns one run, which yields a value in `unit`. `milliseconds` is how long a run should take, about. */
  readonly prepare: (milliseconds: number) => () => number;
}

/** What came out of a row. */
export interface Measured {
  readonly name: string;
  readonly unit: string;
  /** Median of the runs. */
  readonly value: number;
  /** Lowest and highest run, as shares of the median: `-3 % +2 %`. */
  readonly spread: string;
}

/** How often and how long. */
export interface Effort {
  readonly warmups: number;
  readonly runs: number;
  readonly milliseconds: number;
}

export const fullEffort: Effort = { warmups: 2, runs: 7, milliseconds: 700 };
export const quickEffort: Effort = { warmups: 1, runs: 3, milliseconds: 120 };

/** Runs a row: warm-up, then the runs that count. */
export function measure(row: Row, effort: Effort): Measured {
  const run = row.prepare(effort.milliseconds);
  for (let i = 0; i < effort.warmups; i++) run();
  const values: number[] = [];
  for (let i = 0; i < effort.runs; i++) values.push(run());
  values.sort((a, b) => a - b);
  const median = values[values.length >> 1]!;
  const share = (value: number): string => `${value >= median ? '+' : ''}${((100 * (value - median)) / median).toFixed(0)} %`;
  return { name: row.name, unit: row.unit, value: median, spread: `${share(values[0]!)} ${share(values[values.length - 1]!)}` };
}

/** Seconds that `work` takes. */
export function seconds(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/**
 * Nanoseconds per call of `work`.
 *
 * @param milliseconds how long to go on, about.
 */
export function nanosecondsPerCall(work: () => void, milliseconds: number): number {
  // Reading the clock takes as long as some of the work, so it is read once in about 50 microseconds.
  const trial = seconds(() => {
    for (let i = 0; i < 64; i++) work();
  });
  const batch = Math.max(1, Math.ceil((64 * 50e-6) / trial));
  let calls = 0;
  const start = process.hrtime.bigint();
  const end = start + BigInt(Math.round(milliseconds * 1e6));
  let now = start;
  while (now < end) {
    for (let i = 0; i < batch; i++) work();
    calls += batch;
    now = process.hrtime.bigint();
  }
  return Number(now - start) / calls;
}
