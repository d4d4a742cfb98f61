import type { Clock } from '../../../src/node/shared/clock.js';
import type { FileSystem } from '../../../src/node/shared/fileSystem.js';
import type { WalEnvironment } from '../../../src/node/wal/environment.js';

/** A clock that stands still, so that nothing happens that a test has not asked for. */
const stoppedClock: Clock = {
  now: () => 0,
  after: () => () => undefined,
  soon: (run) => void setImmediate(run),
};

/** An environment in which the same calls leave the same bytes behind: no time, no chance, and nobody else. */
export function testEnvironment(fs: FileSystem): WalEnvironment {
  let next = 0;
  return {
    fs,
    clock: stoppedClock,
    lock: { claim: () => Promise.resolve(() => Promise.resolve()) },
    randomBytes: (length) => Uint8Array.from({ length }, () => next++ & 0xff),
  };
}
