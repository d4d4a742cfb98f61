import { describe, expect, test } from '@jest/globals';
import { RaftErrorCode } from '../../src/core/errors.js';
import { WalStorage } from '../../src/node/wal/index.js';
import { announceSeed } from '../support/seededRandom.js';
import { manyOrders } from './support/anyOrder.js';
import { diskEnvironment, settled, type DiskEnvironment } from './support/diskEnvironment.js';
import { conf, entryAt, snapshotAt } from './support/faultDrive.js';
import { contentOf } from './support/logModel.js';
import { SimDisk } from './support/simDisk.js';

const options = { dir: '/wal', nodeId: 1, clusterId: 7, segmentBytes: 4096, cacheBytes: 500 } as const;

async function logOfTen(env: DiskEnvironment): Promise<WalStorage> {
  const log = await settled(WalStorage.bootstrap(options, env));
  const entries = Array.from({ length: 10 }, (_, i) => entryAt(i + 1, 1));
  await settled(log.append({ entries, hardState: { term: 1, vote: 1, commit: 5 } }));
  return log;
}

async function reopened(disk: SimDisk): Promise<string> {
  const log = await settled(WalStorage.open(options, diskEnvironment(disk.fork({}).fs, 9)));
  const content = await settled(contentOf(log));
  await settled(log.close());
  return content;
}

describe('snapshots that meet', () => {
  test('two of the same index: the second is refused, and the file of the first stays', async () => {
    const disk = new SimDisk();
    const log = await logOfTen(diskEnvironment(disk.fs));

    const first = log.createSnapshot(5, conf, snapshotAt(5, 1).data);
    const second = log.createSnapshot(5, conf, snapshotAt(5, 1, 50).data);
    await settled(first);
    await expect(settled(second)).rejects.toMatchObject({ code: RaftErrorCode.SnapshotOutOfDate });
    await settled(log.compact(5));

    const content = await settled(contentOf(log));
    await settled(log.close());
    expect(await reopened(disk)).toBe(content);
  });

  test('one from the leader at the same index, while the own one is being written', async () => {
    for (let turns = 0; turns < 40; turns++) {
      const disk = new SimDisk();
      const log = await logOfTen(diskEnvironment(disk.fs));
      const created = log.createSnapshot(5, conf, snapshotAt(5, 1).data).catch(() => undefined);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      // It came before the own one was known to be complete; after that it is out of date.
      await settled(log.append({ snapshot: snapshotAt(5, 1) }).catch((error: { code: string }) => expect(error.code).toBe(RaftErrorCode.SnapshotOutOfDate)));
      await settled(created);

      expect(log.failure).toBeNull();
      const content = await settled(contentOf(log));
      await settled(log.close());
      expect(await reopened(disk)).toBe(content);
    }
  });

  test('a newer one from the leader, while the own one is being written', async () => {
    for (let turns = 0; turns < 60; turns++) {
      const disk = new SimDisk();
      const log = await logOfTen(diskEnvironment(disk.fs));
      const created = log.createSnapshot(5, conf, snapshotAt(5, 1).data).catch(() => undefined);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      await settled(log.append({ snapshot: snapshotAt(30, 1), entries: [entryAt(31, 1)] }));
      await settled(created);

      expect(log.failure).toBeNull();
      const content = await settled(contentOf(log));
      await settled(log.close());
      expect(await reopened(disk)).toBe(content);
      expect(disk.files().filter((name) => name.endsWith('.snap'))).toHaveLength(1);
    }
  });
});

/**
 * Goal: nothing fails, hangs or is lost in any order in which a disk may answer.
 * Method: random calls, several at a time, on a disk that completes a random operation at each step; at the end close,
 * before it sometimes a loss of power. `concurrency.long.test.ts` does more of it.
 */
test('calls in any order on a disk that answers in any order', async () => {
  await manyOrders(announceSeed('concurrency'), 40);
}, 60_000);

// The file of a snapshot of the own state was removed although the log on the disk spoke of the leader's at the same index.
test.each([309_549_239])('calls in any order: pinned seed %d', async (seed) => {
  await manyOrders(seed, 1);
});
