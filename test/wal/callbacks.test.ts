import { describe, expect, test } from '@jest/globals';
import { WalErrorCode, WalStorage, type WalOptions } from '../../src/node/wal/index.js';
import { diskEnvironment, outcomeOf, quiet, settled, StandingClock } from './support/diskEnvironment.js';
import { entryAt } from './support/faultDrive.js';
import { FaultyFileSystem } from './support/faultyFileSystem.js';
import { FileOpKind } from './support/fileOp.js';
import { LimitedDisk } from './support/limitedDisk.js';
import { SimDisk } from './support/simDisk.js';
import type { FileSystem } from '../../src/node/shared/fileSystem.js';

const mistake = new Error('a mistake of the host');

/** Stands for the process, which hears of what nobody catches. */
class CatchingClock extends StandingClock {
  readonly uncaught: unknown[] = [];

  override soon(run: () => void): void {
    super.soon(() => {
      try {
        run();
      } catch (error) {
        this.uncaught.push(error);
      }
    });
  }
}

async function logOn(fs: FileSystem, more: Partial<WalOptions>): Promise<{ log: WalStorage; clock: CatchingClock; isHeld: () => boolean }> {
  const clock = new CatchingClock();
  const env = { ...diskEnvironment(fs), clock };
  const log = await settled(WalStorage.bootstrap({ dir: '/wal', nodeId: 1, clusterId: 7, segmentBytes: 8192, cacheBytes: 0, ...more }, env));
  return { log, clock, isHeld: () => env.lock.held.size > 0 };
}

const throwing = (): never => {
  throw mistake;
};

describe('a callback that throws leaves nobody waiting', () => {
  test('onFailure: all calls are answered, and close frees the directory', async () => {
    let broken = false;
    const fs = new FaultyFileSystem(new SimDisk().fs, (op) => (broken && op.kind === FileOpKind.Datasync ? { kind: 'error', code: 'EIO' } : null));
    const { log, clock, isHeld } = await logOn(fs, { onFailure: throwing });
    await quiet();
    broken = true;

    const calls = [1, 2, 3].map((index) => outcomeOf(log.append({ entries: [entryAt(index, 1)] })));

    for (const outcome of await Promise.all(calls)) expect(outcome).toMatchObject({ error: { code: WalErrorCode.Failed, cause: { code: 'EIO' } } });
    await outcomeOf(log.close());
    expect(isHeld()).toBe(false);
    expect(clock.uncaught).toEqual([mistake]);
  });

  test('onStorageLow: the log goes on, and uses the room that comes in time', async () => {
    const limited = new LimitedDisk(new SimDisk().fs, 2 * 8192 + 4096);
    const { log, clock } = await logOn(limited, { onStorageLow: throwing });
    limited.limit = limited.used + 1000;
    for (let i = 0; clock.uncaught.length === 0 && i < 50; i++) await settled(log.append({ entries: [entryAt(log.lastIndex() + 1, 1, 300)] }));
    expect(clock.uncaught).toEqual([mistake]);

    limited.limit += 65536;
    for (let i = 0; i < 30; i++) await settled(log.append({ entries: [entryAt(log.lastIndex() + 1, 1, 300)] }));

    expect(log.failure).toBeNull();
    await settled(log.close());
  });
});
