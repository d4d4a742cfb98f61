import { expect, test } from '@jest/globals';
import { EntryType, newEntry } from '../../../src/core/index.js';
import type { File, FileSystem } from '../../../src/node/shared/fileSystem.js';
import { WalStorage } from '../../../src/node/wal/index.js';
import { instead, MemoryFileSystem } from './memoryFileSystem.js';
import { testEnvironment } from './testEnvironment.js';

/** For writes of some sizes of data: whether each was made on the calling thread. */
async function blockingOf(blockingWriteBytes: number | undefined, sizes: readonly number[]): Promise<boolean[]> {
  const seen: boolean[] = [];
  const fs = new MemoryFileSystem();
  const watched = instead<FileSystem>(fs, {
    create: async (path) => {
      const file = await fs.create(path);
      return instead<File>(file, {
        writeThrough: (source, position, blocking = false) => {
          seen.push(blocking);
          return file.writeThrough(source, position);
        },
      });
    },
  });
  const options = { dir: '/wal', nodeId: 1, clusterId: 1, ...(blockingWriteBytes === undefined ? {} : { blockingWriteBytes }) };
  const log = await WalStorage.bootstrap(options, testEnvironment(watched));
  seen.length = 0;
  for (const size of sizes) await log.append({ entries: [newEntry(EntryType.EntryNormal, new Uint8Array(size), 1, log.lastIndex() + 1)] });
  const found = [...seen];
  await log.close();
  return found;
}

test.each([
  { what: 'no write, if nothing is said', limit: undefined, expected: [false, false, false] },
  { what: 'writes of a sector', limit: 512, expected: [true, false, false] },
  { what: 'writes of two sectors', limit: 1024, expected: [true, true, false] },
  { what: 'all writes', limit: Infinity, expected: [true, true, true] },
])('made on the calling thread: $what', async ({ limit, expected }) => {
  expect(await blockingOf(limit, [10, 600, 10_000])).toEqual(expected);
});
