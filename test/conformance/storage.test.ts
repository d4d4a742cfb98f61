import { describe, test } from '@jest/globals';
import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import { storageSuite } from './storageSuite.js';

describe('MemoryStorage keeps the contract of Storage', () => {
  storageSuite({
    test,
    factory: () => {
      const storage = new MemoryStorage();
      return {
        storage,
        append: (entries) => storage.append(entries),
        setHardState: (hardState) => storage.setHardState(hardState),
        applySnapshot: (snapshot) => storage.applySnapshot(snapshot),
        compact: (index) => storage.compact(index),
      };
    },
  });
});
