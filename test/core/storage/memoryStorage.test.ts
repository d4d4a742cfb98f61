import { describe, expect, test } from '@jest/globals';
import { isRaftError, RaftErrorCode } from '../../../src/core/errors.js';
import { emptyHardState, newConfState } from '../../../src/core/raftpb/state.js';
import { MemoryStorage } from '../../../src/core/storage/memoryStorage.js';
import { emptyBytes, noLimit } from '../../../src/core/types.js';
import { entriesFrom, ids, snapshotAt } from '../../support/logBuilders.js';

/** The contract of Storage itself is in src/node/storageSuite/storageSuite.ts. Here: what MemoryStorage has on top of it. */

/** Snapshot at 3 of term 3, then the entries 4, 5 and 6 of the terms 4, 5 and 6. */
function sample(): MemoryStorage {
  const storage = new MemoryStorage();
  storage.applySnapshot(snapshotAt(3, 3));
  storage.append(entriesFrom(4, [4, 5, 6]));
  return storage;
}

/** The code of what `call` throws; undefined if it does not. */
function codeOf(call: () => unknown): RaftErrorCode | undefined {
  try {
    call();
  } catch (error) {
    return Object.values(RaftErrorCode).find((code) => isRaftError(error, code));
  }
  return undefined;
}

describe('MemoryStorage refuses with a code and changes nothing', () => {
  const data = emptyBytes;
  test.each<{ name: string; call: (storage: MemoryStorage) => unknown; code: RaftErrorCode; why: string }>([
    { name: 'append at 8', call: (s) => s.append(entriesFrom(8, [6])), code: RaftErrorCode.ArgumentInvalid, why: 'leaves a gap' },
    {
      name: 'append of 7 and 9',
      call: (s) => s.append([...entriesFrom(7, [6]), ...entriesFrom(9, [6])]),
      code: RaftErrorCode.ArgumentInvalid,
      why: 'not contiguous',
    },
    { name: 'entries [6, 5)', call: (s) => s.entries(6, 5, noLimit), code: RaftErrorCode.ArgumentInvalid, why: 'reversed' },
    { name: 'createSnapshot(3)', call: (s) => s.createSnapshot(3, null, data), code: RaftErrorCode.SnapshotOutOfDate, why: 'there is one' },
    { name: 'createSnapshot(2)', call: (s) => s.createSnapshot(2, null, data), code: RaftErrorCode.SnapshotOutOfDate, why: 'there is a newer' },
    { name: 'createSnapshot(7)', call: (s) => s.createSnapshot(7, null, data), code: RaftErrorCode.Unavailable, why: 'beyond the log' },
    { name: 'applySnapshot(3)', call: (s) => s.applySnapshot(snapshotAt(3, 3)), code: RaftErrorCode.SnapshotOutOfDate, why: 'there is one' },
    { name: 'applySnapshot(0)', call: (s) => s.applySnapshot(snapshotAt(0, 0)), code: RaftErrorCode.SnapshotOutOfDate, why: 'not a new storage' },
    { name: 'compact(3)', call: (s) => s.compact(3), code: RaftErrorCode.Compacted, why: 'done before' },
    { name: 'compact(7)', call: (s) => s.compact(7), code: RaftErrorCode.Unavailable, why: 'beyond the log' },
  ])('$name: $why', ({ call, code }) => {
    const storage = sample();

    expect(codeOf(() => call(storage))).toBe(code);

    expect(ids(storage.entries(4, 7, noLimit))).toEqual(['4/4', '5/5', '6/6']);
    expect(storage.snapshot().metadata.index).toBe(3);
  });

  test('a snapshot below what is compacted already cannot be made: its term is gone', () => {
    const storage = new MemoryStorage();
    storage.append(entriesFrom(1, [1, 1, 1]));
    storage.compact(2);

    expect(codeOf(() => storage.createSnapshot(1, null, emptyBytes))).toBe(RaftErrorCode.Compacted);
    expect(codeOf(() => storage.applySnapshot(snapshotAt(1, 1)))).toBe(RaftErrorCode.SnapshotOutOfDate);
    expect(storage.createSnapshot(2, null, emptyBytes).metadata).toMatchObject({ index: 2, term: 1 });
  });
});

describe('createSnapshot', () => {
  test('takes the term of the entry, and leaves the log as it is', () => {
    const storage = sample();
    storage.setHardState({ term: 9, vote: 1, commit: 6 });
    const confState = newConfState({ voters: [7] });

    const made = storage.createSnapshot(5, confState, Uint8Array.of(1));

    expect(made).toEqual({ data: Uint8Array.of(1), metadata: { confState, index: 5, term: 5 } });
    expect(storage.snapshot()).toEqual(made);
    expect([storage.firstIndex(), storage.lastIndex()]).toEqual([4, 6]);
  });

  test('without a membership keeps that of the snapshot before', () => {
    const storage = sample();

    const made = storage.createSnapshot(6, null, emptyBytes);

    expect(made.metadata.confState).toEqual(snapshotAt(3, 3).metadata.confState);
  });

  test('the membership of the last snapshot is what a node starts with', () => {
    const storage = sample();
    storage.createSnapshot(4, newConfState({ voters: [1, 9] }), emptyBytes);

    expect(storage.initialState().confState.voters).toEqual([1, 9]);
  });
});

test('a new storage takes a snapshot at index 0, which only sets the membership', () => {
  const storage = new MemoryStorage();

  storage.applySnapshot(snapshotAt(0, 0));

  expect(storage.initialState().confState.voters).toEqual([1, 2, 3]);
  expect([storage.firstIndex(), storage.lastIndex(), storage.term(0)]).toEqual([1, 0, 0]);
});

test('more entries than a call can have arguments are appended at once', () => {
  const storage = new MemoryStorage();
  const count = 300_000;

  storage.append(entriesFrom(1, new Array<number>(count).fill(1)));

  expect(storage.lastIndex()).toBe(count);
  expect(storage.term(count)).toBe(1);
});

test('the array that was appended stays the property of the caller', () => {
  const storage = new MemoryStorage();
  const entries = entriesFrom(1, [1, 1]);
  storage.append(entries);

  entries.length = 0;
  storage.append(entriesFrom(3, [1]));

  expect(ids(storage.entries(1, 4, noLimit))).toEqual(['1/1', '2/1', '3/1']);
  expect(entries).toEqual([]);
});

test('S20: a hole between right ends is refused, and changes nothing', () => {
  const storage = new MemoryStorage();
  const [one, , three] = entriesFrom(1, [1, 1, 1]);

  expect(() => storage.append([one!, one!, three!])).toThrow(/contiguous/);
  expect(storage.lastIndex()).toBe(0);
});

describe('S20: what is not what its type says is refused with a typed error, and changes nothing', () => {
  const odd: unknown[] = [undefined, null, NaN, -1, 1.5, 5n, 2n ** 60n, Infinity, 'x', {}, Symbol('s')];
  const [entry] = entriesFrom(7, [6]);
  const snapshot = snapshotAt(9, 6);
  const wrong: { what: string; call: (s: MemoryStorage, value: never) => unknown; fine?: readonly unknown[] }[] = [
    { what: 'entries from', call: (s, value) => s.entries(value, 6, noLimit) },
    { what: 'entries to before', call: (s, value) => s.entries(4, value, noLimit) },
    { what: 'entries of so many bytes', call: (s, value) => s.entries(4, 6, value), fine: [1.5, Infinity] },
    { what: 'term at', call: (s, value) => s.term(value) },
    { what: 'compact up to', call: (s, value) => s.compact(value) },
    { what: 'createSnapshot at', call: (s, value) => s.createSnapshot(value, null, emptyBytes) },
    { what: 'createSnapshot of', call: (s, value) => s.createSnapshot(5, null, value) },
    { what: 'setHardState', call: (s, value) => s.setHardState(value) },
    { what: 'setHardState with the commit index', call: (s, value) => s.setHardState({ term: 1, vote: 1, commit: value }) },
    { what: 'setHardState with the vote', call: (s, value) => s.setHardState({ term: 1, vote: value, commit: 1 }), fine: [2n ** 60n] },
    { what: 'append', call: (s, value) => s.append(value) },
    { what: 'append of one', call: (s, value) => s.append([value]) },
    { what: 'append at', call: (s, value) => s.append([{ ...entry!, index: value }]) },
    { what: 'applySnapshot', call: (s, value) => s.applySnapshot(value) },
    { what: 'applySnapshot of', call: (s, value) => s.applySnapshot({ ...snapshot, data: value }) },
    { what: 'applySnapshot with the configuration', call: (s, value) => s.applySnapshot({ ...snapshot, metadata: { ...snapshot.metadata, confState: value } }) },
    { what: 'createSnapshot with the configuration', call: (s, value) => s.createSnapshot(5, value, emptyBytes), fine: [null] },
    { what: 'applySnapshot at', call: (s, value) => s.applySnapshot({ ...snapshot, metadata: { ...snapshot.metadata, index: value } }) },
  ];

  test.each(wrong)('$what', ({ call, fine = [] }) => {
    for (const value of odd.filter((each) => !fine.includes(each))) {
      const storage = sample();
      expect({ value, code: codeOf(() => call(storage, value as never)) }).toEqual({ value, code: RaftErrorCode.ArgumentInvalid });
      expect([storage.firstIndex(), storage.lastIndex(), storage.snapshot(), storage.initialState().hardState]).toEqual([4, 6, snapshotAt(3, 3), emptyHardState]);
      expect(ids(storage.entries(4, 7, noLimit))).toEqual(['4/4', '5/5', '6/6']);
    }
  });

  test('append of a list with holes', () => {
    const storage = sample();
    expect(codeOf(() => storage.append(new Array(2)))).toBe(RaftErrorCode.ArgumentInvalid);
    expect(codeOf(() => storage.append(Object.assign(new Array(3), { 0: entry, 2: entry })))).toBe(RaftErrorCode.ArgumentInvalid);
    expect(storage.lastIndex()).toBe(6);
  });
});
