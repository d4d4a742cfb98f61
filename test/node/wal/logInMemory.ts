import type { DurableLogUnderTest } from '../../../src/node/storageSuite/index.js';
import { WalStorage, type WalOptions } from '../../../src/node/wal/index.js';
import { MemoryFileSystem } from './memoryFileSystem.js';
import { testEnvironment } from './testEnvironment.js';

/** A write-ahead log on files in memory, for `durableLogSuite`. */
export async function logInMemory(options: WalOptions): Promise<DurableLogUnderTest> {
  let fs = new MemoryFileSystem();
  let log = await WalStorage.bootstrap(options, testEnvironment(fs));
  const reopen = async (): Promise<WalStorage> => (log = await WalStorage.open(options, testEnvironment(fs)));
  return {
    log,
    reopen,
    kill: async () => {
      const image = fs.clone();
      await log.close();
      fs = image;
      return reopen();
    },
  };
}
