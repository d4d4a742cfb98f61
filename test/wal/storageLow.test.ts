import { describe, expect, test } from '@jest/globals';
import { WalErrorCode, WalStorage, type WalError, type WalOptions } from '../../src/node/wal/index.js';
import { nothing } from './support/crashChoices.js';
import { diskEnvironment, outcomeOf, quiet, settled } from './support/diskEnvironment.js';
import { afterFailure, conf, entryAt, snapshotAt } from './support/faultDrive.js';
import { LimitedDisk } from './support/limitedDisk.js';
import { contentOf } from './support/logModel.js';
import { SimDisk } from './support/simDisk.js';

const options = { dir: '/wal', nodeId: 1, clusterId: 7, segmentBytes: 8192, cacheBytes: 0 } as const;

/** A log of one entry on a disk of so many bytes. */
async function logOn(limit: number, more: Partial<WalOptions> = {}): Promise<{ disk: SimDisk; limited: LimitedDisk; log: WalStorage; low: unknown[] }> {
  const disk = new SimDisk();
  const limited = new LimitedDisk(disk.fs, limit);
  const low: unknown[] = [];
  const log = await settled(WalStorage.bootstrap({ ...options, onStorageLow: (error) => low.push(error), ...more }, diskEnvironment(limited)));
  await settled(log.append({ entries: [entryAt(1, 1)], hardState: { term: 1, vote: 1, commit: 0 } }));
  return { disk, limited, log, low };
}

/** Entries of a sector each, until one is refused. Returns the content before, how many were taken, and the error. */
async function fill(log: WalStorage, most = 100): Promise<{ content: string; count: number; error: unknown }> {
  for (let count = 0; count < most; count++) {
    const content = await settled(contentOf(log));
    const outcome = await outcomeOf(log.append({ entries: [entryAt(log.lastIndex() + 1, 1, 300)] }));
    if ('error' in outcome) return { content, count, error: outcome.error };
  }
  throw new Error('the disk never was full');
}

describe('W6 a disk without room for the next segment', () => {
  test('is reported at once; everything fits until the segment is full; then the log ends, and nothing is lost', async () => {
    // Two segments while the log is made, and little files; a third one never.
    const { disk, limited, log, low } = await logOn(2 * 8192 + 4096);
    limited.limit = limited.used + 1000;
    for (let i = 0; low.length === 0 && i < 50; i++) await settled(log.append({ entries: [entryAt(log.lastIndex() + 1, 1, 300)] }));
    await quiet();

    expect(low).toHaveLength(1);
    expect(low[0]).toMatchObject({ code: 'ENOSPC' });
    expect(log.failure).toBeNull();
    expect(limited.used).toBeLessThanOrEqual(limited.limit);
    // The half-made file does not keep what others need.
    expect(disk.files().filter((name) => name.includes('spare'))).toEqual([]);

    const { content, count, error } = await fill(log);
    expect(count).toBeGreaterThanOrEqual(8);
    expect(error).toMatchObject({ code: WalErrorCode.Failed, cause: { code: 'ENOSPC' } });
    expect(await afterFailure(log)).toEqual([]);
    await outcomeOf(log.close());

    // Without room it cannot be opened, and stays as it is.
    const full = await outcomeOf(WalStorage.open(options, diskEnvironment(limited)));
    expect((full as { error: WalError }).error).toMatchObject({ code: WalErrorCode.Failed, cause: { code: 'ENOSPC' } });
    for (const found of [disk.fork({}), disk.crashImage(nothing(disk.crashPoint()), {})]) {
      const again = await settled(WalStorage.open(options, diskEnvironment(found.fs)));
      expect(await settled(contentOf(again))).toBe(content);
    }
    limited.limit += 65536;
    const again = await settled(WalStorage.open(options, diskEnvironment(limited)));
    expect(await settled(contentOf(again))).toBe(content);
    await settled(again.append({ entries: [entryAt(again.lastIndex() + 1, 1)] }));
    await settled(again.close());
  });

  test('room that comes in time is used', async () => {
    const { limited, log, low } = await logOn(2 * 8192 + 4096);
    limited.limit = limited.used + 1000;
    while (low.length === 0) await settled(log.append({ entries: [entryAt(log.lastIndex() + 1, 1, 300)] }));
    limited.limit += 65536;
    for (let i = 0; i < 30; i++) await settled(log.append({ entries: [entryAt(log.lastIndex() + 1, 1, 300)] }));

    expect(log.failure).toBeNull();
    await settled(log.close());
  });

  test('room that compaction makes is used', async () => {
    const { limited, log, low } = await logOn(3 * 8192 + 8192);
    limited.limit = 3 * 8192 + 8192;
    while (low.length === 0) await settled(log.append({ entries: [entryAt(log.lastIndex() + 1, 1, 300)], hardState: { term: 1, vote: 1, commit: log.lastIndex() } }));
    await settled(log.createSnapshot(log.lastIndex() - 1, conf, snapshotAt(1, 1, 100).data));
    await settled(log.compact(log.lastIndex() - 1));
    await quiet();
    for (let i = 0; i < 14; i++) await settled(log.append({ entries: [entryAt(log.lastIndex() + 1, 1, 300)] }));

    expect(log.failure).toBeNull();
    await settled(log.close());
  });

  test('a disk of any size: it says so before it ends, and loses nothing', async () => {
    for (let limit = 20_000; limit < 60_000; limit += 1777) {
      const disk = new SimDisk();
      const limited = new LimitedDisk(disk.fs, limit);
      const low: unknown[] = [];
      const started = await outcomeOf(WalStorage.bootstrap({ ...options, onStorageLow: (error) => low.push(error) }, diskEnvironment(limited)));
      if ('error' in started) {
        expect(started.error).toMatchObject({ code: WalErrorCode.Failed, cause: { code: 'ENOSPC' } });
        continue;
      }
      await quiet();
      const { content, error } = await fill(started.value);
      expect(error).toMatchObject({ code: WalErrorCode.Failed, cause: { code: 'ENOSPC' } });
      expect(low.length).toBeGreaterThan(0);
      await outcomeOf(started.value.close());
      const again = await settled(WalStorage.open(options, diskEnvironment(disk.fs)));
      expect(await settled(contentOf(again))).toBe(content);
      await settled(again.close());
    }
  });
});

describe('back-pressure', () => {
  test('what is refused has changed nothing, and is taken later', async () => {
    const { log } = await logOn(1 << 20, { maxQueuedBytes: 1000, maxBatchBytes: 400 });
    const taken: Promise<void>[] = [];
    let refused = 0;
    for (let i = 0; i < 20; i++) {
      const write = { entries: [entryAt(log.lastIndex() + 1, 1, 300)], hardState: { term: 1, vote: 1, commit: log.lastIndex() } };
      const before = `${log.lastIndex()} ${JSON.stringify(log.initialState().hardState)} ${log.queuedBytes}`;
      const promise = log.append(write);
      const after = `${log.lastIndex()} ${JSON.stringify(log.initialState().hardState)} ${log.queuedBytes}`;
      if (before !== after) {
        taken.push(promise);
        continue;
      }
      refused++;
      await expect(promise).rejects.toMatchObject({ code: WalErrorCode.QueueFull });
      await settled(Promise.all(taken));
      // The very same write.
      await settled(log.append(write));
    }

    expect(refused).toBeGreaterThan(2);
    await settled(Promise.all(taken));
    expect(log.queuedBytes).toBe(0);
    expect(log.lastIndex()).toBe(21);
    expect(log.failure).toBeNull();
    await settled(log.close());
  });

  // They are not written before one comes that somebody waits for, and that one was refused because of them, for ever.
  test.each([
    { what: 'many of them', commits: 100, bytes: 20 },
    { what: 'one, and a write that is larger than all that may wait', commits: 1, bytes: 50_000 },
  ])('writes that nobody waits for do not fill the queue for good: $what', async ({ commits, bytes }) => {
    const { log } = await logOn(1 << 20, { maxQueuedBytes: 1000 });
    await settled(log.append({ entries: Array.from({ length: 100 }, (_, i) => entryAt(2 + i, 1, 20)) }));
    for (let commit = 1; commit <= commits; commit++) await outcomeOf(log.append({ hardState: { term: 1, vote: 1, commit }, sync: false }));
    const write = { entries: [entryAt(102, 1, bytes)] };

    // Refused perhaps, but not once what waits has had the time to be written.
    await outcomeOf(log.append(write));
    if (log.lastIndex() === 101) await settled(log.append(write));

    expect(log.lastIndex()).toBe(102);
    await settled(log.close());
  });

  test('one write is always taken, however large', async () => {
    const { log } = await logOn(1 << 20, { maxQueuedBytes: 1000 });
    await settled(log.append({ entries: [entryAt(2, 1, 50_000)] }));

    expect(log.entries(2, 3, Infinity)).toHaveLength(1);
    await settled(log.close());
  });
});
