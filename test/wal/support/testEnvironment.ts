import type { Clock } from '../../../src/node/shared/clock.js';
import type { FileSystem } from '../../../src/node/shared/fileSystem.js';
import type { DirectoryLock } from '../../../src/node/wal/directoryLock.js';
import type { WalEnvironment } from '../../../src/node/wal/environment.js';
import { WalError, WalErrorCode } from '../../../src/node/wal/walError.js';
import { seededRandom } from '../../support/seededRandom.js';

/** Time that stands still until it is told to go on. */
export class ManualClock implements Clock {
  private time = 0;
  private timers: { readonly at: number; readonly run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  }

  soon(run: () => void): void {
    void Promise.resolve().then(run);
  }

  /** Lets time pass, and does what is due. */
  advance(ms: number): void {
    this.time += ms;
    const due = this.timers.filter(({ at }) => at <= this.time);
    this.timers = this.timers.filter(({ at }) => at > this.time);
    for (const { run } of due) run();
  }
}

/** Everything around a log on a disk of its own: nothing random, nothing real. */
export class TestEnvironment implements WalEnvironment {
  readonly fs: FileSystem;
  readonly clock = new ManualClock();
  readonly lock: DirectoryLock;
  readonly randomBytes: (length: number) => Uint8Array;
  private claimed = false;

  constructor(fs: FileSystem, seed = 1) {
    this.fs = fs;
    const random = seededRandom(seed);
    this.randomBytes = (length) => Uint8Array.from({ length }, () => random(256));
    this.lock = {
      claim: () => {
        if (this.claimed) return Promise.reject(new WalError(WalErrorCode.Locked, 'claimed already'));
        this.claimed = true;
        return Promise.resolve(() => {
          this.claimed = false;
          return Promise.resolve();
        });
      },
    };
  }

  /** Whether somebody has the directory. */
  get isClaimed(): boolean {
    return this.claimed;
  }
}
