import { describe, test } from '@jest/globals';
import { durableLogSuite } from '../../../src/node/storageSuite/index.js';
import { announceSeed } from '../../support/seededRandom.js';
import { logInMemory } from './logInMemory.js';

const seed = announceSeed('walStorageSuite');

/** Random operations against a model, with many seeds and each size of the cache and of a segment. */
describe.each(Array.from({ length: 60 }, (_, i) => ({ seed: seed + i })))('WalStorage keeps the contract of DurableLog, seed $seed', (row) => {
  const { cacheBytes, segmentBytes } = [{ cacheBytes: 0, segmentBytes: 4096 }, { cacheBytes: 3000, segmentBytes: 8192 }, { cacheBytes: 1 << 20, segmentBytes: 1 << 16 }][row.seed % 3]!;
  durableLogSuite({
    // The rest does not depend on the seed.
    test: (name, run) => void (name.includes('random') && test(name, run, 60_000)),
    seed: row.seed,
    operations: 1000,
    print: () => undefined,
    factory: () => logInMemory({ dir: '/wal', nodeId: 1, clusterId: 1, cacheBytes, segmentBytes }),
  });
});
