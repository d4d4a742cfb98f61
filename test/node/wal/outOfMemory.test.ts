import { afterEach, expect, test } from '@jest/globals';
import { WalErrorCode, WalStorage } from '../../../src/node/wal/index.js';
import { entry } from './inspectedLog.js';
import { MemoryFileSystem } from './memoryFileSystem.js';
import { testEnvironment } from './testEnvironment.js';

const options = { dir: '/wal', nodeId: 1, clusterId: 1 };
const { Uint8Array: plain } = globalThis;

afterEach(() => {
  globalThis.Uint8Array = plain;
});

/** From now on there is no memory for an array of more than so many bytes. */
function limitArrays(most: number): void {
  globalThis.Uint8Array = new Proxy(plain, {
    construct: (target, [length, ...more]: [unknown, ...unknown[]], self) => {
      if (typeof length === 'number' && length > most) throw new RangeError('Array buffer allocation failed');
      return Reflect.construct(target, [length, ...more], self) as Uint8Array;
    },
  });
}

// The log in memory had the entry then, the one on the disk had not, and the next write went behind it: damage.
test('a write for which there is no memory ends the log: what is on the disk can be opened again', async () => {
  const fs = new MemoryFileSystem();
  const failures: unknown[] = [];
  const log = await WalStorage.bootstrap({ ...options, onFailure: (error) => failures.push(error) }, testEnvironment(fs));
  await log.append({ entries: [entry(1, 1)], hardState: { term: 1, vote: 1, commit: 0 } });
  const large = entry(2, 1, 'x'.repeat(100_000));

  limitArrays(50_000);
  const refused = log.append({ entries: [large] });
  await expect(refused).rejects.toMatchObject({ code: WalErrorCode.Failed, cause: { message: 'Array buffer allocation failed' } });
  globalThis.Uint8Array = plain;
  await expect(log.append({ entries: [entry(3, 1)] })).rejects.toMatchObject({ code: WalErrorCode.Failed });
  await log.close();
  await new Promise(setImmediate);

  expect(failures).toHaveLength(1);
  const again = await WalStorage.open(options, testEnvironment(fs));
  expect(again.lastIndex()).toBe(1);
  await again.close();
});
