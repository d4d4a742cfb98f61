import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { durableLogSuite, storageSuite, type StorageUnderTest } from '../../../src/node/storageSuite/index.js';
import { systemEnvironment, WalStorage, type WalOptions } from '../../../src/node/wal/index.js';
import { announceSeed } from '../../support/seededRandom.js';
import { logInMemory } from './logInMemory.js';
import { MemoryFileSystem } from './memoryFileSystem.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { testEnvironment } from './testEnvironment.js';

const newDirectory = temporaryDirectories();

const identity = { nodeId: 1, clusterId: 0xffff_ffff_ffff_fff0n };
const variants: readonly (Omit<WalOptions, 'dir' | 'nodeId' | 'clusterId'> & { what: string })[] = [
  { what: 'with all entries in memory', cacheBytes: 1 << 20, segmentBytes: 64 << 10 },
  { what: 'with every entry read back from the disk', cacheBytes: 0, segmentBytes: 64 << 10 },
  { what: 'with a new segment every few writes', cacheBytes: 0, segmentBytes: 4096 },
];

function underTest(storage: WalStorage): StorageUnderTest {
  return {
    storage,
    append: (entries) => storage.append({ entries }),
    setHardState: (hardState) => storage.append({ hardState }),
    applySnapshot: (snapshot) => storage.append({ snapshot }),
    compact: async (index) => {
      await storage.createSnapshot(index, null, new Uint8Array(1));
      await storage.compact(index);
    },
    close: () => storage.close(),
  };
}

describe.each(variants)('WalStorage keeps the contract of Storage, $what', ({ what: _, ...options }) => {
  storageSuite({
    test,
    factory: async () => underTest(await WalStorage.bootstrap({ dir: '/wal', ...identity, ...options }, testEnvironment(new MemoryFileSystem()))),
  });
});

const seed = announceSeed('walStorageSuite');

describe('WalStorage keeps the contract of DurableLog, in memory', () => {
  const options = { dir: '/wal', ...identity, cacheBytes: 2000, segmentBytes: 4096 };
  durableLogSuite({
    test,
    seed,
    operations: 300,
    factory: () => logInMemory(options),
  });
});

describe('WalStorage keeps the contract of DurableLog, on a real disk', () => {
  durableLogSuite({
    test,
    seed,
    operations: 60,
    factory: async () => {
      const parent = newDirectory();
      let number = 0;
      const options = (): WalOptions => ({ dir: join(parent, `wal${number}`), ...identity, cacheBytes: 4096, segmentBytes: 8192 });
      let log = await WalStorage.bootstrap(options(), systemEnvironment);
      const reopen = async (): Promise<WalStorage> => (log = await WalStorage.open(options()));
      return {
        log,
        reopen,
        kill: async () => {
          // What the disk holds at this moment, without the owner's knowledge.
          const { dir } = options();
          number++;
          cpSync(dir, options().dir, { recursive: true });
          await log.close();
          return reopen();
        },
      };
    },
  });
});
