/** One run of a row: yields a value in its unit. */
export type Run = () => number | Promise<number>;

/** One line of the table: what is measured, and how one run of it goes. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  /** Whether a bigger value is the better one; only decides which way the spread is read. */
  readonly higherIsBetter: boolean;
  /** Prepares everything and returns one run. `milliseconds` is how long a run should take, about. */
  readonly prepare: (milliseconds: number) => Run | Promise<Run>;
  /** What the machine can do at most, in the same unit; measured in turns with the row, so that noise hits both alike. */
  readonly limit?: { readonly name: string; readonly prepare: (milliseconds: number) => Run | Promise<Run> };
}

/** What came out of a row. */
export interface Measured {
  readonly name: string;
  readonly unit: string;
  /** Median of the runs. */
  readonly value: number;
  /** Lowest and highest run, as shares of the median: `-3 % +2 %`. */
  readonly spread: string;
  /** The row's limit, if it has one, and which share of it was reached: the median over pairs of runs. */
  readonly limit?: Measured & { readonly share: number };
}

/** How often and how long. */
export interface Effort {
  readonly warmups: number;
  readonly runs: number;
  readonly milliseconds: number;
}

export const fullEffort: Effort = { warmups: 2, runs: 7, milliseconds: 700 };
export const quickEffort: Effort = { warmups: 1, runs: 3, milliseconds: 50 };

/** Runs a row: warm-up, then the runs that count. */
export async function measure(row: Row, effort: Effort): Promise<Measured> {
  const { name, unit, limit } = row;
  const run = await row.prepare(effort.milliseconds);
  const most = await limit?.prepare(effort.milliseconds);
  const values: number[] = [];
  const limits: number[] = [];
  for (let i = -effort.warmups; i < effort.runs; i++) {
    const value = await run();
    const reached = await most?.();
    if (i < 0) continue;
    values.push(value);
    if (reached !== undefined) limits.push(reached);
  }
  const shares = limits.map((reached, i) => values[i]! / reached);
  const measured = { name, unit, ...summary(values) };
  return limit === undefined ? measured : { ...measured, limit: { name: limit.name, unit, ...summary(limits), share: median(shares) } };
}

function summary(values: readonly number[]): { readonly value: number; readonly spread: string } {
  const value = median(values);
  const share = (other: number): string => `${other >= value ? '+' : ''}${((100 * (other - value)) / value).toFixed(0)} %`;
  return { value, spread: `${share(Math.min(...values))} ${share(Math.max(...values))}` };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
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

/** As {@link seconds}, for work that waits. */
export async function secondsOf(work: () => Promise<void>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}
