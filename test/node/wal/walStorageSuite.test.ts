import { join } from 'node:path';
import { afterAll, describe, test } from '@jest/globals';
import { WalStorage } from '../../../src/node/wal/walStorage.js';
import { storageSuite } from '../../conformance/storageSuite.js';
import { removeTempDirs, tempDir } from './tempDir.js';

afterAll(removeTempDirs);

describe.each([
  { what: 'with all entries in memory', cacheBytes: 1 << 20, segmentBytes: 64 << 10 },
  { what: 'with every entry read back from the disk', cacheBytes: 0, segmentBytes: 64 << 10 },
  { what: 'with a new segment every few writes', cacheBytes: 0, segmentBytes: 4096 },
])('WalStorage keeps the contract of Storage, $what', ({ cacheBytes, segmentBytes }) => {
  storageSuite({
    test,
    factory: async () => {
      const storage = await WalStorage.bootstrap({ dir: join(tempDir(), 'wal'), nodeId: 1, clusterId: 1, cacheBytes, segmentBytes });
      const { confState } = storage.initialState();
      return {
        storage,
        append: (entries) => storage.append({ entries }),
        setHardState: (hardState) => storage.append({ hardState }),
        applySnapshot: (snapshot) => storage.append({ snapshot }),
        compact: async (index) => {
          await storage.createSnapshot(index, confState, new Uint8Array(1));
          await storage.compact(index);
        },
        close: () => storage.close(),
      };
    },
  });
});
