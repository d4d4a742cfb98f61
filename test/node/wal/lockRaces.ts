import { fork, type ChildProcess } from 'node:child_process';
import cluster from 'node:cluster';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { seededRandom } from '../../support/seededRandom.js';
import type { LockKind } from './lockKinds.js';

/** What a contestant is to do. */
export interface RaceOrder {
  readonly race: number;
  readonly lock: LockKind;
  readonly dir: string;
  readonly journal: string;
  /** When to begin, by `Date.now()`, the same for all. */
  readonly startAt: number;
  /** How many lines to write between the first and the last. */
  readonly steps: number;
  /** Whether to tell when it has the directory, and to have it until told to leave. */
  readonly stay: boolean;
}

/** What a contestant tells. */
export type ContestantReport =
  | { readonly race: -1; readonly event: 'ready' }
  /** `since`: when the claim that succeeded began, by `Date.now()`. */
  | { readonly race: number; readonly event: 'inside'; readonly since: number }
  | { readonly race: number; readonly event: 'done'; readonly refusals: number }
  | { readonly race: number; readonly event: 'failed'; readonly message: string };

/** What came of many races. */
export interface RaceResult {
  races: number;
  /** Contestants that took part, added up over all races; of them those that were workers of `cluster`. */
  starts: number;
  clusterStarts: number;
  /** How often somebody had the directory and gave it back; how often somebody was killed who had it. */
  winners: number;
  killedInside: number;
  /** SIGKILLs in all. */
  kills: number;
  /** Claims that were refused. */
  refusals: number;
  /** Milliseconds from a SIGKILL of the owner to the beginning of the first claim that succeeds, at most. */
  slowestFreeMs: number;
  /** The same to the next owner's report: what the claim took on top, on a disk and processors that others use too. */
  slowestTakeoverMs: number;
  /** Two that had the directory at once, and whatever else went wrong. */
  faults: string[];
}

/** Processes that stand ready at a time; a race has two to all of them. */
const seatCount = 4;

/** A race that takes longer hangs, in milliseconds. */
const raceLimit = 20_000;

const program = fileURLToPath(new URL('./programs/lockContestant.js', import.meta.url));

/**
 * Lets 2 to 4 processes, half of them workers of `cluster`, race for one directory, many times. In each race every
 * one tries until it has had it. In a part of the races the first owner is killed while it has it, in another part
 * anybody at any time.
 *
 * @param base an empty directory to work in.
 */
export async function raceForLock(base: string, lock: LockKind, races: number, seed: number): Promise<RaceResult> {
  const random = seededRandom(seed);
  const dir = join(base, 'contested');
  const journal = join(base, 'journal');
  mkdirSync(dir);
  writeFileSync(journal, '');
  const result: RaceResult = { races: 0, starts: 0, clusterStarts: 0, winners: 0, killedInside: 0, kills: 0, refusals: 0, slowestFreeMs: 0, slowestTakeoverMs: 0, faults: [] };
  const killed = new Set<number>();
  const seats = await Promise.all(Array.from({ length: seatCount }, (_, seat) => Contestant.start(seat)));
  try {
    for (let race = 0; race < races && result.faults.length === 0; race++) {
      const first = random(seatCount);
      const taking = [...seats.slice(first), ...seats.slice(0, first)].slice(0, 2 + random(seatCount - 1));
      const victims = (['none', 'none', 'owner', 'anybody'] as const)[random(4)] ?? 'none';
      const order = { race, lock, dir, journal, startAt: Date.now() + 3, steps: random(4), stay: victims === 'owner' };
      await runRace(taking, order, victims, random, result);

      result.races++;
      result.starts += taking.length;
      result.clusterStarts += taking.filter(({ seat }) => isClusterSeat(seat)).length;
      for (const { seat, pid, isGone } of taking) {
        if (!isGone) continue;
        killed.add(pid);
        seats[seat] = await Contestant.start(seat);
      }
    }
  } finally {
    await Promise.all(seats.map((contestant) => contestant.kill()));
  }
  readJournal(readFileSync(journal, 'utf8'), killed, result);
  return result;
}

/** Whom a race kills: nobody, who has the directory first, or anybody at any time. */
type Victims = 'none' | 'owner' | 'anybody';

/** One race, until everybody who is alive has had the directory. */
async function runRace(taking: readonly Contestant[], order: RaceOrder, victims: Victims, random: (bound: number) => number, result: RaceResult): Promise<void> {
  const fault = (what: string): void => void result.faults.push(`race ${order.race}: ${what}`);
  let victim: Contestant | undefined;
  let killedAt: number | undefined;
  let killing = Promise.resolve();
  const strike = async (contestant: Contestant, delayMs: number): Promise<void> => {
    victim = contestant;
    await sleep(delayMs);
    killedAt = Date.now();
    result.kills++;
    await contestant.kill();
  };
  let insiders = 0;
  const onInside = (contestant: Contestant, since: number): void => {
    insiders++;
    if (insiders === 1) {
      killing = strike(contestant, random(4));
      return;
    }
    if (killedAt === undefined) fault(`${contestant.pid} is inside, and so is ${victim?.pid}`);
    else if (insiders === 2) {
      result.slowestFreeMs = Math.max(result.slowestFreeMs, since - killedAt);
      result.slowestTakeoverMs = Math.max(result.slowestTakeoverMs, Date.now() - killedAt);
    }
    contestant.send('leave');
  };

  const finished = taking.map(
    (contestant) =>
      new Promise<void>((resolve) => {
        contestant.onReport = (report) => {
          if (report.event === 'inside') return onInside(contestant, report.since);
          if (report.event === 'done') result.refusals += report.refusals;
          if (report.event === 'failed') fault(`${contestant.pid} failed: ${report.message}`);
          resolve();
        };
        contestant.onGone = () => {
          if (contestant !== victim) fault(`${contestant.pid} ended by itself`);
          resolve();
        };
      }),
  );
  for (const contestant of taking) contestant.send(order);
  const somebody = taking[random(taking.length)];
  if (victims === 'anybody' && somebody !== undefined) killing = strike(somebody, random(12));

  const limit = new AbortController();
  const tooLong = sleep(raceLimit, 'hangs', { signal: limit.signal }).catch(() => 'ended');
  if ((await Promise.race([Promise.all(finished), tooLong])) === 'hangs') fault('does not end');
  limit.abort();
  await killing;
  for (const contestant of taking) contestant.onReport = contestant.onGone = undefined;
}

/** Every other seat is one of `cluster`. */
function isClusterSeat(seat: number): boolean {
  return seat % 2 === 1;
}

/** A process that takes part, and stays for many races. */
class Contestant {
  readonly seat: number;
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly gone: Promise<void>;
  isGone = false;
  /** Hears what it tells. */
  onReport: ((report: ContestantReport) => void) | undefined;
  /** Hears of its end. */
  onGone: (() => void) | undefined;
  private readonly child: ChildProcess;

  private constructor(seat: number, child: ChildProcess) {
    this.seat = seat;
    this.child = child;
    this.pid = child.pid ?? -1;
    child.on('message', (report: ContestantReport) => this.onReport?.(report));
    this.gone = new Promise((resolve) => {
      child.once('exit', () => {
        this.isGone = true;
        this.onGone?.();
        resolve();
      });
    });
  }

  /** Starts a process and waits until it listens. */
  static async start(seat: number): Promise<Contestant> {
    cluster.setupPrimary({ exec: program, execArgv: [], args: [] });
    const contestant = new Contestant(seat, isClusterSeat(seat) ? cluster.fork().process : fork(program, { execArgv: [] }));
    const ready = new Promise<boolean>((resolve) => (contestant.onReport = () => resolve(true)));
    if (!(await Promise.race([ready, contestant.gone]))) throw new Error('a contestant did not start');
    contestant.onReport = undefined;
    return contestant;
  }

  send(message: RaceOrder | 'leave'): void {
    // One that was killed meanwhile hears nothing, which is no error.
    this.child.send(message, () => {});
  }

  /** SIGKILL. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }
}

/** Counts who had the directory, and finds two that had it at once: the lines of one owner stand together, and all but a killed one's have an end. */
export function readJournal(text: string, killed: ReadonlySet<number>, result: RaceResult): void {
  const seen = new Set<string>();
  let owner = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const [pid = '', race = '', what = ''] = line.split(' ');
    const who = `${pid} in race ${race}`;
    if (what === 'begin') {
      if (owner !== '') {
        if (killed.has(Number(owner.split(' ')[0]))) result.killedInside++;
        else result.faults.push(`${who} came in while ${owner} was inside`);
      }
      if (seen.has(who)) result.faults.push(`${who} came in twice`);
      seen.add(who);
      owner = who;
    } else if (who !== owner) {
      result.faults.push(`${who} writes "${what}" while ${owner === '' ? 'nobody' : owner} is inside`);
    } else if (what === 'end') {
      result.winners++;
      owner = '';
    }
  }
  if (owner === '') return;
  if (killed.has(Number(owner.split(' ')[0]))) result.killedInside++;
  else result.faults.push(`${owner} never came out`);
}

/** The counts in one line. */
export function describeRaces(kind: LockKind, result: RaceResult): string {
  const { races, starts, clusterStarts, winners, kills, killedInside, refusals, slowestFreeMs, slowestTakeoverMs } = result;
  return (
    `${kind}: ${races} races of ${starts} processes (${clusterStarts} cluster workers), ${winners} owners that gave it back, ` +
    `${kills} kills (${killedInside} while inside), ${refusals} refusals, free ${slowestFreeMs} ms after a SIGKILL at most, ` +
    `taken over ${slowestTakeoverMs} ms after it at most`
  );
}
