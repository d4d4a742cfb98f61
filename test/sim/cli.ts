/**
 * The simulator on the command line; see `usage`. Ends with status 1 if a run fails, 2 for a wrong call.
 */
import { fork } from 'node:child_process';

import { faultName } from '../../src/sim/index.js';
import { parseCommand, usage, type SimCommand } from './commandLine.js';
import { describeDiskEvents, runFullSeeds } from './full/runFullSeeds.js';
import { addSlowest, describeFailure, describeShrunk, emptyRange, rareFaults, runSeeds, type RangeResult } from './runSeeds.js';

/** What a worker tells: seeds done so far, and at the end the seeds that failed. */
interface WorkerReport {
  readonly done: Omit<RangeResult, 'failures'>;
  readonly failed: readonly number[];
  readonly finished: boolean;
}

const startedAt = performance.now();
const terminal = process.stderr.isTTY;
let shownAt = 0;

async function main(): Promise<void> {
  let command: SimCommand;
  try {
    command = parseCommand(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exitCode = 2;
    return;
  }
  if (process.send !== undefined) await work(command);
  else if (command.jobs > 1) share(command);
  else {
    const result = await run(command, (done) => show(done, command));
    finish(result, command);
    if (command.seeds === 1) console.log(`trace hash ${result.lastHash}`);
    tell(result, command);
  }
}

/** Runs seeds in this process. */
async function run(command: SimCommand, progress?: (done: RangeResult) => void): Promise<RangeResult> {
  return command.full ? runFullSeeds(command, progress) : runSeeds(command, progress);
}

/** Tells what happened in the first run that failed. */
function tell({ failures }: RangeResult, { config, shrink, full }: SimCommand): void {
  const [failure] = failures;
  if (failure === undefined) return;
  if (failures.length > 1) failures.forEach((one) => console.log(`seed ${one.config.seed}: ${one.failure?.message}`));
  console.log(describeFailure(failure, config, full));
  if (shrink && !full) console.log(describeShrunk(failure, config));
}

/** A worker: runs its part of the seeds and reports. */
async function work(command: SimCommand): Promise<void> {
  const report = (result: RangeResult, finished: boolean): void => {
    const { failures, ...done } = result;
    const message: WorkerReport = { done, failed: failures.map(({ config }) => config.seed), finished };
    process.send?.(message);
  };
  const result = await run(command, (done) => {
    if (done.seeds % 50 === 0) report(done, false);
  });
  report(result, true);
}

/** Shares the seeds among processes. */
function share(command: SimCommand): void {
  const { jobs, seeds, from, steps, profile, config, full } = command;
  const reports: (WorkerReport | null)[] = [];
  let running = 0;
  for (let job = 0; job < jobs; job++) {
    const first = from + Math.floor((seeds * job) / jobs);
    const count = from + Math.floor((seeds * (job + 1)) / jobs) - first;
    const args = ['--from', first, '--seeds', count, '--steps', steps, '--profile', profile, '--config', JSON.stringify(config), ...(full ? ['--full'] : [])];
    const child = fork(process.argv[1]!, args.map(String));
    reports.push(null);
    running++;
    child.on('message', (message) => {
      reports[job] = message as WorkerReport;
      show(sum(reports), command);
    });
    child.on('exit', (code) => {
      if (code !== 0) process.exitCode = 1;
      running--;
      if (running > 0) return;
      finish(sum(reports), command);
      const failed = reports.flatMap((report) => report?.failed ?? []);
      if (failed.length > 0) void repeat(failed[0]!, command);
    });
  }
}

function sum(reports: readonly (WorkerReport | null)[]): RangeResult {
  const total = emptyRange();
  for (const report of reports) {
    if (report === null) continue;
    const { done } = report;
    total.seeds += done.seeds;
    total.steps += done.steps;
    total.time += done.time;
    total.served += done.served;
    total.violations += done.violations;
    addSlowest(total.slowest, done.slowest);
    done.marks.forEach((seeds, kind) => (total.marks[kind]! += seeds));
    done.diskMarks.forEach((seeds, event) => (total.diskMarks[event] = (total.diskMarks[event] ?? 0) + seeds));
  }
  return total;
}

/** Runs a failing seed once more, in this process, to tell what happened. */
async function repeat(seed: number, command: SimCommand): Promise<void> {
  tell(await run({ ...command, from: seed, seeds: 1 }), command);
}

function show(done: RangeResult, { seeds }: SimCommand): void {
  const now = performance.now();
  if (!terminal || now - shownAt < 200) return;
  shownAt = now;
  process.stderr.write(`\r${done.seeds} of ${seeds} seeds, ${rate(done)} events/s, ${done.violations} violations `);
}

function rate({ steps }: RangeResult): number {
  return Math.round(steps / ((performance.now() - startedAt) / 1000));
}

function finish(result: RangeResult, command: SimCommand): void {
  if (terminal) process.stderr.write('\r\x1b[K');
  const hours = result.time / 1e6 / 3600;
  console.log(`faults, in how many of the seeds each happened:`);
  const marks = result.marks.map((seeds, kind) => `${faultName(kind)} ${seeds}`);
  console.log(`  ${marks.join(', ')}`);
  const never = rareFaults(result, Number.MIN_VALUE);
  if (never.length > 0) console.log(`  never: ${never.map((line) => line.split(':')[0]).join(', ')}`);
  if (command.full) console.log(describeDiskEvents(result));
  const { elected, inOrder, electedLate, inOrderLate } = result.slowest;
  console.log(`after the heal, in election timeouts: a leader after ${elected.toFixed(1)} at most (${electedLate} seeds over 10), in order and served after ${inOrder.toFixed(1)} at most (${inOrderLate} over 20)`);
  console.log(`virtual time ${hours.toFixed(1)} hours, ${result.served} operations served`);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`${result.seeds} seeds (${command.profile}${command.full ? ', full mode' : ''}, from ${command.from}), ${result.steps} events, ${seconds.toFixed(1)} s, ${rate(result)} events/s, ${result.violations} violations`);
  if (result.violations > 0) process.exitCode = 1;
}

await main();
