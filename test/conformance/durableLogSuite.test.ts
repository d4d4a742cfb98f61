import { describe, expect, test } from '@jest/globals';
import { durableLogSuite, type DurableLogUnderTest } from '../../src/node/storageSuite/index.js';
import type { DurableLog } from '../../src/node/wal/index.js';
import { logInMemory } from '../node/wal/logInMemory.js';
import { instead } from '../node/wal/memoryFileSystem.js';

const options = { dir: '/wal', nodeId: 1, clusterId: 1, segmentBytes: 4096 };

/** Ways to break a log, each with what it does in place of the right thing. */
const mutants: readonly { readonly what: string; readonly broken: (log: DurableLog) => Partial<DurableLog> }[] = [
  { what: 'acknowledges before the disk does', broken: (log) => ({ append: (write) => (log.append(write).catch(() => undefined), Promise.resolve()) }) },
  { what: 'forgets the vote', broken: (log) => ({ append: (write) => log.append(write.hardState ? { ...write, hardState: { ...write.hardState, vote: 0 } } : write) }) },
  { what: 'never writes what nobody waits for', broken: (log) => ({ append: (write) => (write.sync === false ? Promise.resolve() : log.append(write)) }) },
  {
    what: 'writes entries and hard state one after the other',
    broken: (log) => ({
      append: async ({ hardState, ...write }) => {
        await log.append(write);
        if (hardState) await log.append({ hardState });
      },
    }),
  },
  { what: 'writes half of a long write', broken: (log) => ({ append: (write) => log.append({ ...write, entries: write.entries?.slice(0, 2) ?? [] }) }) },
  { what: 'hides refusals', broken: (log) => ({ append: (write) => log.append(write).catch(() => undefined) }) },
  {
    what: 'keeps what it can of a write that it refuses',
    broken: (log) => ({ append: (write) => log.append(write).catch(async (error: unknown) => { await log.append({ entries: write.entries ?? [] }); throw error; }) }),
  },
  { what: 'loses the data of a snapshot', broken: (log) => ({ createSnapshot: (index, confState) => log.createSnapshot(index, confState, new Uint8Array(0)) }) },
  { what: 'does not compact', broken: () => ({ compact: () => Promise.resolve() }) },
  { what: 'answers after it was closed', broken: (log) => { const first = log.firstIndex(); return { firstIndex: () => first }; } },
];

/** The names of the tests of the suite that fail, up to `most` of them. */
async function failing(factory: () => Promise<DurableLogUnderTest>, most: number): Promise<string[]> {
  const tests: { readonly name: string; readonly run: () => Promise<void> }[] = [];
  durableLogSuite({ test: (name, run) => void tests.push({ name, run }), factory, seed: 1, operations: 50, print: () => undefined });
  const failed: string[] = [];
  for (const { name, run } of tests) {
    if (failed.length === most) break;
    await run().catch(() => failed.push(name));
  }
  return failed;
}

/** A log that is broken each time it is opened. */
async function brokenLog(broken: (log: DurableLog) => Partial<DurableLog>): Promise<DurableLogUnderTest> {
  const { log, reopen, kill } = await logInMemory(options);
  const broke = (sound: DurableLog): DurableLog => instead(sound, broken(sound));
  return { log: broke(log), reopen: async () => broke(await reopen()), kill: async () => broke(await kill!()) };
}

describe('the suite notices a log that', () => {
  test.each(mutants)('$what', async ({ broken }) => {
    expect(await failing(() => brokenLog(broken), 1)).toHaveLength(1);
  });

  test('and nothing else', async () => {
    expect(await failing(() => logInMemory(options), Infinity)).toEqual([]);
  });

  test('and does without kill', async () => {
    expect(await failing(async () => {
      const { log, reopen } = await logInMemory(options);
      return { log, reopen };
    }, Infinity)).toEqual([]);
  });
});
