import { describe, expect, test } from '@jest/globals';
import type { File } from '../../../src/node/shared/fileSystem.js';
import { isNoRoom, SpareSegment } from '../../../src/node/wal/spareSegment.js';
import { WalStorage } from '../../../src/node/wal/walStorage.js';
import { dir, entry, options } from './inspectedLog.js';
import { instead, MemoryFileSystem } from './memoryFileSystem.js';
import { testEnvironment } from './testEnvironment.js';

const path = (number: number): string => `${dir}/spare-tag-${number}.tmp`;

function spareIn(fs: MemoryFileSystem): { spare: SpareSegment; low: unknown[]; failures: unknown[] } {
  const low: unknown[] = [];
  const failures: unknown[] = [];
  return { spare: new SpareSegment(fs, dir, 'tag', 4096, (error) => low.push(error), (error) => failures.push(error)), low, failures };
}

/** Lets everything that is on its way come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

const noSpace = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });

/** A file system on whose files one write fails. */
function failingOnce(fs: MemoryFileSystem, error: Error): MemoryFileSystem {
  let failed = false;
  return instead<MemoryFileSystem>(fs, {
    create: async (name) =>
      instead<File>(await fs.create(name), {
        write: (source, position) => {
          if (!failed) {
            failed = true;
            return Promise.reject(error);
          }
          return Promise.resolve(source.length + 0 * position);
        },
      }),
  });
}

describe('the spare segment', () => {
  test('is taken as it was prepared, and made on the spot if there is none, or none that is long enough', async () => {
    const fs = new MemoryFileSystem(['/', dir]);
    const { spare } = spareIn(fs);
    spare.prepare();
    spare.prepare();
    await settle();
    expect(fs.bytesOf(path(1))).toEqual(new Uint8Array(4096));

    expect(await (await spare.take(4096)).size()).toBe(4096);
    spare.prepare();
    expect(await (await spare.take(5120)).size()).toBe(5120);
    expect(await (await spare.take(512)).size()).toBe(4096);
  });

  test('is prepared once, also while the one that was taken is no segment yet', async () => {
    const fs = new MemoryFileSystem(['/', dir]);
    const { spare, failures } = spareIn(fs);
    spare.prepare();
    const taking = spare.take(4096);
    spare.prepare();
    await taking;
    spare.prepare();
    await settle();
    expect(failures).toEqual([]);

    spare.prepare();
    await settle();
    expect((await fs.readdir(dir)).map((name) => `${dir}/${name}`).sort()).toEqual([path(1), path(2)]);
    expect(failures).toEqual([]);
  });

  test('no room for it is told, and what was begun is removed; any other error is a failure', async () => {
    const fs = new MemoryFileSystem(['/', dir]);
    const full = spareIn(failingOnce(fs, noSpace));
    full.spare.prepare();
    await settle();
    expect(full).toMatchObject({ low: [noSpace], failures: [] });
    expect(await fs.readdir(dir)).toEqual([]);

    const broken = new Error('EIO');
    const other = spareIn(failingOnce(fs, broken));
    other.spare.prepare();
    await settle();
    expect(other).toMatchObject({ low: [], failures: [broken] });
    expect([noSpace, { code: 'EDQUOT' }, broken, null, undefined].map(isNoRoom)).toEqual([true, true, false, false, false]);
  });

  test('goes with the log that is closed', async () => {
    const fs = new MemoryFileSystem(['/', dir]);
    const { spare } = spareIn(fs);
    await spare.close();
    spare.prepare();
    await spare.close();

    expect(await fs.readdir(dir)).toEqual([]);
  });
});

test('compaction that removes segments in the middle of a rotation does not end the log', async () => {
  const fs = new MemoryFileSystem();
  let removal = Promise.resolve();
  let rotating = (): void => undefined;
  const watched = instead<MemoryFileSystem>(fs, {
    link: async (from, to) => {
      rotating();
      // Long enough for the removal to come to its end.
      await settle();
      return fs.link(from, to);
    },
    unlink: async (name) => {
      if (name.endsWith('.wal')) await removal;
      return fs.unlink(name);
    },
  });
  const log = await WalStorage.bootstrap(options, testEnvironment(watched));
  for (let index = 1; index <= 12; index++) await log.append({ entries: [entry(index, 1)], hardState: { term: 1, vote: 1, commit: index } });
  await log.createSnapshot(12, null, new Uint8Array(1));
  removal = new Promise((resolve) => (rotating = resolve));
  await log.compact(12);
  // The segments are about to be removed; this needs a new one.
  await log.append({ entries: [entry(13, 1, 'x'.repeat(3000))] });
  await settle();

  expect(log.failure).toBeNull();
  expect((await fs.readdir(dir)).filter((name) => name.endsWith('.wal')).length).toBeLessThan(3);
  await log.close();
});
