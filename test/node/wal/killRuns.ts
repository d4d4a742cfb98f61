import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RandomSource } from '../../../src/core/random.js';
import { segmentSeqOf } from '../../../src/node/wal/names.js';
import type { WalOptions } from '../../../src/node/wal/walOptions.js';
import { bundleProgram } from '../../support/bundleProgram.js';
import { seededRandom } from '../../support/seededRandom.js';
import { snapshotReport, Workload, type LogReport, type SnapshotReport } from './killWorkload.js';

/** What a writer is to do. */
export interface WriterOrder {
  /** Of its operations. */
  readonly seed: number;
  readonly options: WalOptions;
}

/** What came of many runs of the writer that were killed. */
export interface KillResult {
  kills: number;
  /** Kills before the writer had the log: while it was being made, read or put in order. */
  inRecovery: number;
  /** Runs that closed the log, and were not killed. */
  closed: number;
  /** Operations that were reported as durable. */
  acknowledged: number;
  /** Operations that were there though they were not reported, which is their right. */
  ahead: number;
  /** How often the content of a log was compared with what it must be. */
  comparisons: number;
  /** Segments that were made. */
  segments: number;
  /** Acknowledged operations that were gone, and whatever else went wrong. */
  faults: string[];
}

/** Operations that a writer has on its way at once, at most. */
const mostAhead = 64;

/** A writer that does not answer after this time hangs, in milliseconds. */
const limitMs = 30_000;

/**
 * Kills a writing process again and again, in its writes or in its recovery, on real files; the next one says what it
 * found. Two directories at a time, because a killed process mostly waits for the disk.
 *
 * The page cache outlives a process: this proves what a kill can do, and nothing about the loss of power.
 *
 * @param base an empty directory to work in.
 */
export async function killWriters(base: string, kills: number, seed: number): Promise<KillResult> {
  const result: KillResult = { kills: 0, inRecovery: 0, closed: 0, acknowledged: 0, ahead: 0, comparisons: 0, segments: 0, faults: [] };
  // There are more than a hundred starts of it.
  const program = bundleProgram('build/test/node/wal/programs/walWriter.js', base);
  const lanes = [0, 1].map(async (lane) => {
    for (let series = 0; result.faults.length === 0 && result.kills < kills; series++) {
      const dir = join(base, `${lane}-${series}`);
      mkdirSync(dir);
      // An error is a fault: the other lane ends as well then.
      await new Series(program, join(dir, 'log'), seed + 1000 * series + lane, result, kills).run().catch((error: unknown) => void result.faults.push(String(error)));
    }
  });
  await Promise.all(lanes);
  await Promise.all([...alive].map((writer) => writer.kill()));
  return result;
}

/** The counts in one line. */
export function describeKills({ kills, inRecovery, closed, acknowledged, ahead, comparisons, segments, faults }: KillResult): string {
  return (
    `${kills} kills (${inRecovery} in recovery), ${closed} clean ends, ${acknowledged} acknowledged operations, ` +
    `${ahead} ahead of their acknowledgement, ${segments} segments, ${comparisons} logs compared, ${faults.length} faults`
  );
}

/** Runs on one directory before another one is begun: an error of the first start would else be tried only once. */
const runsOnOneDirectory = 25;

/** Runs on one directory, one after the other. */
class Series {
  private readonly program: string;
  private readonly dir: string;
  private readonly random: RandomSource;
  private readonly result: KillResult;
  private readonly kills: number;
  /** What the last writer that came so far has found and done. */
  private last: { readonly report: LogReport; readonly seed: number; readonly said: readonly string[] } | null = null;
  private number = 0;

  constructor(program: string, dir: string, seed: number, result: KillResult, kills: number) {
    this.program = program;
    this.dir = dir;
    this.random = seededRandom(seed);
    this.result = result;
    this.kills = kills;
  }

  async run(): Promise<void> {
    const { program, result } = this;
    let next = Writer.start(program);
    for (; this.number < runsOnOneDirectory && result.faults.length === 0 && result.kills < this.kills; this.number++) {
      const writer = await next;
      // Its start takes longer than all the rest, so the next one is started now.
      next = Writer.start(program);
      await this.runOne(writer, false);
    }
    if (result.faults.length === 0) await this.runOne(await next, true);
    else await (await next).kill();
    this.result.segments += Math.max(0, ...readdirSync(this.dir).map((name) => segmentSeqOf(name) ?? 0));
  }

  private async runOne(writer: Writer, isLast: boolean): Promise<void> {
    const { random, result } = this;
    const seed = random(2 ** 31);
    const order: WriterOrder = {
      seed,
      options: {
        dir: this.dir,
        nodeId: 1,
        clusterId: 7,
        segmentBytes: [4096, 8192, 32_768][random(3)]!,
        cacheBytes: [0, 4096, 1 << 20][random(3)]!,
        maxBatchBytes: [1, 2048, 1 << 20][random(3)]!,
        blockingWriteBytes: [0, 0, 1024, 1 << 20][random(4)]!,
      },
    };
    const closesFirst = isLast || random(8) === 0;
    // Counted from the order, it mostly meets a recovery; counted from its end, writes.
    const isCountedFromOrder = random(3) === 0;
    const ms = isCountedFromOrder ? 5 + random(196) : random(100);
    writer.send(order);
    if (isLast || !isCountedFromOrder) await writer.heard('log ');
    if (!isLast) await sleep(ms);
    if (closesFirst) writer.send('close');
    // A kill may meet the closing as well.
    if (closesFirst && !isLast && random(2) === 0) await sleep(random(10));
    const ended = closesFirst && (isLast || random(2) === 0) ? await writer.end() : await writer.kill();
    if (ended === 'killed') result.kills++;
    else result.closed++;
    this.judge(writer.lines(), seed, ended === 'closed');
  }

  private judge(lines: readonly string[], seed: number, mustBeComplete: boolean): void {
    const { result } = this;
    const fault = (what: string): void => void result.faults.push(`${this.dir}, run ${this.number}: ${what}`);
    const failed = lines.find((line) => line.startsWith('failed'));
    if (failed !== undefined) fault(failed);
    if (mustBeComplete && !lines.includes('closed')) fault('it ended by itself');
    const [first, ...said] = lines;
    if (first === undefined || failed !== undefined) {
      result.inRecovery++;
      return;
    }
    const report = JSON.parse(first.slice('log '.length)) as LogReport;
    const problem = this.compare(report);
    if (problem !== null) fault(problem);
    result.comparisons++;
    result.acknowledged += said.length - (mustBeComplete ? 1 : 0);
    this.last = { report, seed, said };
  }

  /** What is wrong with what was found, given what the last writer has done; null if nothing is. */
  private compare(report: LogReport): string | null {
    if (this.last === null) return report.entries.length === 0 && report.hardState.term === 0 && report.snapshot.index === 0 ? null : 'the log was not empty at first';
    const { said, seed, report: start } = this.last;
    const numbers = (what: string): number[] => said.filter((line) => line.startsWith(what)).map((line) => Number(line.slice(what.length)));
    const written = numbers('written ');
    for (let i = 1; i < written.length; i++) if (written[i]! < written[i - 1]!) return `write ${written[i]} was acknowledged after write ${written[i - 1]}`;
    const snapshots = new Set(numbers('snapshot '));
    const compactions = new Set(numbers('compacted '));
    const lastSaid = Math.max(0, ...written, ...snapshots);

    const workload = new Workload(start, seed);
    const bounds = new Bounds(start);
    const problems: string[] = [];
    for (let number = 0; number <= lastSaid + mostAhead; number++) {
      if (number > 0) {
        const op = workload.next();
        if (op.kind === 'append') {
          if (workload.installed !== null && op.write.snapshot) bounds.install(workload.installed);
        } else bounds.checkpoint(snapshotReport(op.snapshot), op.compactTo, snapshots.has(number), compactions.has(number));
      }
      if (number < (written[written.length - 1] ?? 0)) continue;
      const difference = differenceOf(report, workload) ?? bounds.differenceOf(report);
      if (difference === null) {
        this.result.ahead += Math.max(0, number - lastSaid);
        return null;
      }
      problems.push(`${number}: ${difference}`);
    }
    return `after write ${written[written.length - 1] ?? 0} of seed ${seed} was acknowledged, this is none of the states that could be; the first ones:\n${problems.slice(0, 12).join('\n')}`;
  }
}

/** Snapshots and compaction, which go their own way beside the writes: what must have happened, and what may. */
class Bounds {
  private readonly snapshots: SnapshotReport[];
  private leastSnapshot: number;
  private leastOffset: number;
  private readonly offsets: Set<number>;

  constructor({ snapshot, firstIndex }: LogReport) {
    this.snapshots = [snapshot];
    this.leastSnapshot = snapshot.index;
    this.leastOffset = firstIndex - 1;
    this.offsets = new Set([this.leastOffset]);
  }

  install(snapshot: SnapshotReport): void {
    this.snapshots.push(snapshot);
    this.leastSnapshot = snapshot.index;
    this.leastOffset = snapshot.index;
    this.offsets.add(snapshot.index);
  }

  checkpoint(snapshot: SnapshotReport, compactTo: number, hasSnapshot: boolean, isCompacted: boolean): void {
    this.snapshots.push(snapshot);
    this.offsets.add(compactTo);
    if (hasSnapshot) this.leastSnapshot = Math.max(this.leastSnapshot, snapshot.index);
    if (isCompacted) this.leastOffset = Math.max(this.leastOffset, compactTo);
  }

  differenceOf({ snapshot, firstIndex }: LogReport): string | null {
    if (snapshot.index < this.leastSnapshot) return `the snapshot at ${this.leastSnapshot} is lost, there is one at ${snapshot.index}`;
    if (!this.snapshots.some(({ index, term, content }) => index === snapshot.index && term === snapshot.term && content === snapshot.content)) {
      return `nobody has made the snapshot at ${snapshot.index}`;
    }
    if (firstIndex - 1 < this.leastOffset || !this.offsets.has(firstIndex - 1)) return `the log begins at ${firstIndex}, and should at ${this.leastOffset + 1}`;
    if (firstIndex - 1 > snapshot.index) return `the log begins at ${firstIndex}, behind the snapshot at ${snapshot.index}`;
    return null;
  }
}

/** How a log differs from what the writes make of it. What is compacted is not there. */
function differenceOf({ hardState, firstIndex, entries, metadata }: LogReport, expected: Workload): string | null {
  const { term, vote, commit } = expected.hardState;
  if (hardState.term !== term || hardState.vote !== vote || hardState.commit !== commit) return `${JSON.stringify(hardState)} in place of ${JSON.stringify(expected.hardState)}`;
  const last = firstIndex - 1 + entries.length;
  if (last !== expected.lastIndex) return `the last entry is ${last} in place of ${expected.lastIndex}`;
  if (metadata !== expected.metadata) return `metadata ${metadata} in place of ${expected.metadata}`;
  const skipped = firstIndex - 1 - expected.offset;
  if (skipped < 0) return `there are entries from ${firstIndex} on, and they were compacted to ${expected.offset}`;
  for (let i = entries.length - 1; i >= 0; i--) {
    if (entries[i]!.join() !== expected.entries[skipped + i]?.join()) return `entry ${firstIndex + i} is ${entries[i]!.join()} in place of ${expected.entries[skipped + i]?.join()}`;
  }
  return null;
}

/** Writers that have not ended. */
const alive = new Set<Writer>();

/** A process that stands ready to write. */
class Writer {
  private readonly child: ChildProcess;
  private readonly gone: Promise<unknown>;
  private said = '';
  private onSaid: () => void = () => undefined;

  private constructor(child: ChildProcess) {
    this.child = child;
    // Not `exit`: what it has said is in the pipe, and has to be read.
    this.gone = once(child, 'close').finally(() => alive.delete(this));
    alive.add(this);
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
      this.onSaid();
    });
  }

  /** Starts a process and waits until it listens. */
  static async start(program: string): Promise<Writer> {
    const child = fork(program, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] });
    const writer = new Writer(child);
    const ended = writer.gone.then(() => Promise.reject(new Error(`a writer did not start: it ended with ${child.signalCode ?? child.exitCode}`)));
    await Promise.race([once(child, 'message'), ended]);
    // It may end now.
    ended.catch(() => undefined);
    return writer;
  }

  send(message: WriterOrder | 'close'): void {
    // One that is gone hears nothing, which shows later.
    this.child.send(message, () => undefined);
  }

  /** Waits until it has said something that begins so, or that it failed, or is gone. */
  async heard(beginning: string): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      const look = (): void => void (this.lines().some((line) => line.startsWith(beginning) || line.startsWith('failed')) && resolve());
      this.onSaid = look;
      look();
    });
    await Promise.race([heard, this.gone]);
  }

  /** What it has said, in whole lines. */
  lines(): string[] {
    return this.said.split('\n').slice(0, -1);
  }

  /** SIGKILL. */
  async kill(): Promise<'killed'> {
    this.child.kill('SIGKILL');
    await this.gone;
    return 'killed';
  }

  /** Waits until it ends by itself. */
  async end(): Promise<'closed'> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), limitMs);
    await this.gone;
    clearTimeout(timer);
    return 'closed';
  }
}
