import { describe, test } from '@jest/globals';
import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import { storageSuite } from '../../src/node/storageSuite/index.js';
import { newWrite, SimStorage, type SimWrite } from '../../src/sim/simStorage.js';

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

describe.each([
  { what: 'as it is', losesPower: false },
  { what: 'after each write and a power loss', losesPower: true },
])('the storage of the simulator keeps the contract of Storage, $what', ({ losesPower }) => {
  storageSuite({
    test,
    factory: () => {
      const storage = new SimStorage(() => false);
      const write = (parts: Partial<SimWrite>): void => {
        storage.write(newWrite(parts));
        storage.sync();
        if (!losesPower) return;
        // One more that is lost again, so that all is read back from what was synced.
        storage.write(newWrite({ hardState: storage.initialState().hardState }));
        storage.keepFirst(0);
      };
      return {
        storage,
        append: (entries) => write({ entries }),
        setHardState: (hardState) => write({ hardState }),
        applySnapshot: (snapshot) => write({ snapshot }),
        compact: (compact) => write({ compact }),
      };
    },
  });
});
