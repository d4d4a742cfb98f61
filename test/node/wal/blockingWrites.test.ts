import { expect, test } from '@jest/globals';
import { EntryType, newEntry } from '../../../src/core/index.js';
import type { File, FileSystem } from '../../../src/node/shared/fileSystem.js';
import { WalStorage } from '../../../src/node/wal/index.js';
import { instead, MemoryFileSystem } from './memoryFileSystem.js';
import { testEnvironment } from './testEnvironment.js';

const options = { dir: '/wal', nodeId: 1, clusterId: 1 };

/** Files in memory that tell of each write of a batch. */
function watchedFiles(tell: (blocking: boolean) => void): FileSystem {
  const fs = new MemoryFileSystem();
  return instead<FileSystem>(fs, {
    create: async (path) => {
      const file = await fs.create(path);
      return instead<File>(file, {
        writeThrough: (source, position, blocking = false) => {
          tell(blocking);
          return file.writeThrough(source, position);
        },
      });
    },
  });
}

function appendOne(log: WalStorage, bytes: number): Promise<void> {
  return log.append({ entries: [newEntry(EntryType.EntryNormal, new Uint8Array(bytes), 1, log.lastIndex() + 1)] });
}

/** For writes of some sizes of data: whether each was made on the calling thread. */
async function blockingOf(blockingWriteBytes: number | undefined, sizes: readonly number[]): Promise<boolean[]> {
  const seen: boolean[] = [];
  const more = blockingWriteBytes === undefined ? {} : { blockingWriteBytes };
  const log = await WalStorage.bootstrap({ ...options, ...more }, testEnvironment(watchedFiles((blocking) => seen.push(blocking))));
  seen.length = 0;
  for (const size of sizes) await appendOne(log, size);
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

// Else heartbeats, timers and sockets wait for as long as somebody has something to write.
test.each([
  { what: 'large writes of one caller', callers: 1, bytes: 100_000, maxBatchBytes: 1 << 20 },
  { what: 'small writes of two callers that may not be put together', callers: 2, bytes: 10, maxBatchBytes: 1 },
  { what: 'more callers than a batch can hold', callers: 64, bytes: 42_000, maxBatchBytes: 1 << 20 },
])('the event loop turns between writes on the calling thread: $what', async ({ callers, bytes, maxBatchBytes }) => {
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn++;
    if (!isOver) setImmediate(count);
  };
  const turns: number[] = [];
  const log = await WalStorage.bootstrap({ ...options, maxBatchBytes, blockingWriteBytes: Infinity }, testEnvironment(watchedFiles(() => turns.push(turn))));
  turns.length = 0;
  let writtenDuringCall = 0;
  const call = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) {
      const before = turns.length;
      const written = appendOne(log, bytes);
      writtenDuringCall += turns.length - before;
      await written;
    }
  };
  count();
  await Promise.all(Array.from({ length: callers }, call));
  isOver = true;
  expect(turns.length).toBeGreaterThanOrEqual(5);
  expect(new Set(turns).size).toBe(turns.length);
  // The call itself waits for nothing.
  expect(writtenDuringCall).toBe(0);
  await log.close();
});
