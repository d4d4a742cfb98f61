import { inspect } from 'node:util';

import { describe, expect, test } from '@jest/globals';

import { noLimit, RaftErrorCode, type ConfState, type Snapshot } from '../../../src/core/index.js';
import { WalErrorCode } from '../../../src/node/wal/walError.js';
import { WalStorage } from '../../../src/node/wal/walStorage.js';
import type { WalWrite } from '../../../src/node/wal/writePlan.js';
import { codeOf } from '../../support/errors.js';
import { entry } from './inspectedLog.js';
import { MemoryFileSystem } from './memoryFileSystem.js';
import { testEnvironment } from './testEnvironment.js';

const options = { dir: '/wal', nodeId: 1, clusterId: 1, segmentBytes: 4096 };
const confState: ConfState = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
const bytes = new Uint8Array(3);

const emptyObject = {};
const emptyList: unknown[] = [];
const listOfNull = [null];
/** Has no text form. */
const textless: unknown = Object.create(null);

/** Values that are none of the things that a log is given. */
const oddValues: readonly unknown[] = [NaN, -1, 1.5, Infinity, -Infinity, 2 ** 53, 5n, -1n, 2n ** 64n, '1', '', true, Symbol('odd'), emptyObject, emptyList, listOfNull, textless, () => 1];
const absent: readonly unknown[] = [undefined, null];

function refusedAsArgument(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return (code === WalErrorCode.ArgumentInvalid && name === 'WalError') || (code === RaftErrorCode.ArgumentInvalid && name === 'RaftError');
}

/** Entries 1 to 6, a snapshot at 3, compacted up to 2. The last ones have to be read back from the disk if the cache is empty. */
async function someLog(fs: MemoryFileSystem, cacheBytes: number): Promise<WalStorage> {
  const log = await WalStorage.bootstrap({ ...options, cacheBytes }, testEnvironment(fs));
  await log.append({ entries: [1, 2, 3, 4, 5, 6].map((index) => entry(index, 1)), hardState: { term: 1, vote: 1, commit: 5 }, metadata: bytes });
  await log.createSnapshot(3, confState, bytes);
  await log.compact(2);
  return log;
}

function stateOf(log: WalStorage): unknown {
  const entries = log.entries(3, 7, noLimit).map(({ index, term, type, data }) => ({ index, term, type, data: [...data] }));
  return { ...log.initialState(), entries, snapshot: log.snapshot(), first: log.firstIndex(), last: log.lastIndex(), metadata: log.metadata };
}

type Call = (log: WalStorage, value: never) => unknown;

function snapshotWith(fields: object, metadata: object = {}): WalWrite {
  return { snapshot: { data: bytes, metadata: { index: 9, term: 1, confState, ...metadata }, ...fields } as Snapshot };
}

/** Each argument, and each field of one, with the values that it may have after all. */
const calls: readonly { readonly what: string; readonly call: Call; readonly fine?: readonly unknown[]; readonly raft?: readonly unknown[] }[] = [
  { what: 'append(…)', call: (log, value) => log.append(value), fine: [emptyObject, emptyList, listOfNull, textless] },
  ...['entries', 'hardState', 'snapshot', 'metadata', 'sync'].map((field) => ({
    what: `append ${field}`,
    call: ((log, value) => log.append({ [field]: value })) as Call,
    fine: [...absent, ...(field === 'entries' ? [emptyList] : []), ...(field === 'sync' ? [true] : [])],
  })),
  { what: 'append an entry', call: (log, value) => log.append({ entries: [entry(7, 1), value] }) },
  ...['index', 'term', 'type', 'data'].map((field) => ({ what: `append an entry, ${field}`, call: ((log, value) => log.append({ entries: [{ ...entry(7, 1), [field]: value }] })) as Call })),
  ...['term', 'vote', 'commit'].map((field) => ({ what: `append a hard state, ${field}`, call: ((log, value) => log.append({ hardState: { term: 2, vote: 1, commit: 5, [field]: value } })) as Call })),
  ...['data', 'metadata'].map((field) => ({ what: `append a snapshot, ${field}`, call: ((log, value) => log.append(snapshotWith({ [field]: value }))) as Call })),
  ...['index', 'term', 'confState'].map((field) => ({ what: `append a snapshot, ${field}`, call: ((log, value) => log.append(snapshotWith({}, { [field]: value }))) as Call })),
  ...['voters', 'learners', 'votersOutgoing', 'learnersNext', 'autoLeave'].flatMap((field) => {
    const fine = field === 'autoLeave' ? [true] : [emptyList];
    return [
      { what: `append a snapshot, ${field}`, call: ((log, value) => log.append(snapshotWith({}, { confState: { ...confState, [field]: value } }))) as Call, fine },
      { what: `createSnapshot, ${field}`, call: ((log, value) => log.createSnapshot(5, { ...confState, [field]: value }, bytes)) as Call, fine },
    ];
  }),
  { what: 'append a snapshot, an id', call: (log, value) => log.append(snapshotWith({}, { confState: { ...confState, voters: [1, value] } })) },
  { what: 'createSnapshot(…)', call: (log, value) => log.createSnapshot(value, confState, bytes) },
  { what: 'createSnapshot(5, …)', call: (log, value) => log.createSnapshot(5, value, bytes), fine: absent },
  { what: 'createSnapshot(5, confState, …)', call: (log, value) => log.createSnapshot(5, confState, value) },
  { what: 'createSnapshot, an id', call: (log, value) => log.createSnapshot(5, { ...confState, learners: [value] }, bytes) },
  { what: 'compact(…)', call: (log, value) => log.compact(value) },
  { what: 'entries(…, 5, 10)', call: (log, value) => log.entries(value, 5, 10), raft: [-1] },
  { what: 'entries(3, …, 10)', call: (log, value) => log.entries(3, value, 10) },
  { what: 'entries(3, 5, …)', call: (log, value) => log.entries(3, 5, value), fine: [-1, 1.5, Infinity, -Infinity, 2 ** 53] },
  { what: 'term(…)', call: (log, value) => log.term(value), raft: [-1] },
];

describe.each([{ cacheBytes: 1 << 20 }, { cacheBytes: 0 }])('what no argument can be is refused, and nothing changes ($cacheBytes bytes of cache)', ({ cacheBytes }) => {
  test.each(calls)('$what', async ({ call, fine = [], raft = [] }) => {
    const fs = new MemoryFileSystem();
    const log = await someLog(fs, cacheBytes);
    const before = stateOf(log);

    for (const value of [...oddValues, ...absent]) {
      if (fine.includes(value)) continue;
      const error = await Promise.resolve()
        .then(() => call(log, value as never))
        .then(
          () => 'accepted',
          (refusal: unknown) => refusal,
        );

      const expected = raft.includes(value) ? (error as { name?: unknown }).name === 'RaftError' : refusedAsArgument(error);
      if (!expected) throw new Error(`${inspect(value)}: ${String(error)}`, { cause: error });
      expect(log.failure).toBeNull();
      expect(stateOf(log)).toEqual(before);
    }
    await log.append({ entries: [entry(7, 1)] });
    await log.createSnapshot(4, null, bytes);
    await log.compact(4);
    await log.close();
    const again = await WalStorage.open(options, testEnvironment(fs));
    expect([again.firstIndex(), again.lastIndex(), again.snapshot().metadata]).toEqual([5, 7, { index: 4, term: 1, confState }]);
    await again.close();
  });
});

describe('reading what is not there', () => {
  test('a reversed range', async () => {
    const log = await someLog(new MemoryFileSystem(), 0);

    expect(codeOf(() => log.entries(5, 4, 10))).toBe(RaftErrorCode.ArgumentInvalid);
    expect(log.entries(5, 5, 10)).toEqual([]);
    await log.close();
  });
});
