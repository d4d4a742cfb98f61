import type { RandomSource } from '../../../src/core/random.js';
import { quiet, HangError } from './diskEnvironment.js';
import { SimDisk } from './simDisk.js';

/** A disk that completes operations in any order, one at a time, when it is told to. */
export class SlowDisk {
  readonly disk: SimDisk;
  private waiting: (() => void)[] = [];
  private readonly random: RandomSource;

  constructor(random: RandomSource) {
    this.random = random;
    this.disk = new SimDisk({ schedule: (_latency, run) => void this.waiting.push(run), keepOps: false });
  }

  /** Completes one operation. Returns whether there was one. */
  async step(): Promise<boolean> {
    await quiet();
    if (this.waiting.length === 0) return false;
    const [run] = this.waiting.splice(this.random(this.waiting.length), 1);
    run!();
    await quiet();
    return true;
  }

  /** Completes operations until the promise is settled. @throws its error, or HangError if it never is. */
  async finish<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const mark = (): void => void (done = true);
    promise.then(mark, mark);
    await quiet();
    while (!done) if (!(await this.step()) && !done) throw new HangError('it waits, and nothing is under way');
    return promise;
  }

  /** Completes everything. */
  async drain(): Promise<void> {
    while (await this.step());
  }
}
