import type { Clock } from '../../../src/node/shared/clock.js';
import type { FileSystem } from '../../../src/node/shared/fileSystem.js';
import type { DirectoryLock } from '../../../src/node/wal/directoryLock.js';
import type { WalEnvironment } from '../../../src/node/wal/environment.js';
import { WalError, WalErrorCode } from '../../../src/node/wal/walError.js';
import { seededRandom } from '../../support/seededRandom.js';

/** A clock that stands still until it is moved. `soon` is a microtask, as the completions of a SimDisk are. */
export class StandingClock implements Clock {
  private time = 0;
  private timers: { readonly at: number; readonly run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  soon(run: () => void): void {
    queueMicrotask(run);
  }

  /** Moves the time on, and calls what has become due. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const due = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((other) => other !== due);
      this.time = Math.max(this.time, due.at);
      due.run();
    }
    this.time = end;
  }
}

/** Keeps two owners of one directory apart, for as long as they share it. */
export class HeldDirectories implements DirectoryLock {
  readonly held = new Set<string>();

  claim(dir: string): Promise<() => Promise<void>> {
    if (this.held.has(dir)) return Promise.reject(new WalError(WalErrorCode.Locked, `${dir} is taken`));
    this.held.add(dir);
    return Promise.resolve(() => {
      this.held.delete(dir);
      return Promise.resolve();
    });
  }
}

/** An environment whose parts can be asked. */
export interface DiskEnvironment extends WalEnvironment {
  readonly clock: StandingClock;
  readonly lock: HeldDirectories;
}

/** One process above a file system of the tests: its own clock, its own lock, its own random bytes. */
export function diskEnvironment(fs: FileSystem, seed = 1): DiskEnvironment {
  const random = seededRandom(seed);
  return {
    fs,
    clock: new StandingClock(),
    lock: new HeldDirectories(),
    randomBytes: (length) => Uint8Array.from({ length }, () => random(256)),
  };
}

/**
 * Waits until nothing is left that goes on by itself. Operations of a SimDisk complete in microtasks, and so does
 * everything else here; what has not settled afterwards never will.
 */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A promise that hangs. */
export class HangError extends Error {}

/** The outcome of a promise, once everything is quiet. @throws HangError if it has none. */
export async function outcomeOf<T>(promise: Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  promise.then(
    (value) => (outcome = { value }),
    (error: unknown) => (outcome = { error }),
  );
  // Most are settled after one turn; a snapshot that is read in the background takes a second one.
  for (let turn = 0; turn < 3 && outcome === undefined; turn++) await quiet();
  if (outcome === undefined) throw new HangError('a promise never settles');
  return outcome;
}

/** What a promise resolves with. @throws its error, or HangError. */
export async function settled<T>(promise: Promise<T>): Promise<T> {
  const outcome = await outcomeOf(promise);
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}
