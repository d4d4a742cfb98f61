import { describe, expect, test } from '@jest/globals';
import { isRaftError, RaftError, RaftErrorCode } from '../../../src/core/errors.js';
import { RaftLog, unknownTerm } from '../../../src/core/log/raftLog.js';
import { silentLogger } from '../../../src/core/logger.js';
import { emptySnapshot, newConfState, type Snapshot } from '../../../src/core/raftpb/state.js';
import type { InitialState, Storage } from '../../../src/core/storage/storage.js';
import { MemoryStorage } from '../../../src/core/storage/memoryStorage.js';
import { noLimit } from '../../../src/core/types.js';
import { entriesFrom, ids, snapshotAt } from '../../support/logBuilders.js';

/** Methods of a storage that do something else than they should. */
type Broken = Partial<Storage>;

/**
 * A log of snapshot 3 and the entries 4 to 6, all of term 2, on a storage that breaks once the log is
 * made; or, `fromStart`, was broken before.
 */
function logOn(methods: Broken, fromStart = false): RaftLog {
  let broken = fromStart ? methods : {};
  const log = new RaftLog(storageWith(() => broken), silentLogger, noLimit);
  broken = methods;
  return log;
}

function storageWith(broken: () => Broken): Storage {
  const sound = new MemoryStorage();
  sound.applySnapshot(snapshotAt(3, 2));
  sound.append(entriesFrom(4, [2, 2, 2]));
  return {
    initialState: () => (broken().initialState ?? (() => sound.initialState()))(),
    entries: (lo, hi, maxBytes) => (broken().entries ?? ((a, b, c) => sound.entries(a, b, c)))(lo, hi, maxBytes),
    term: (index) => (broken().term ?? ((i) => sound.term(i)))(index),
    firstIndex: () => (broken().firstIndex ?? (() => sound.firstIndex()))(),
    lastIndex: () => (broken().lastIndex ?? (() => sound.lastIndex()))(),
    snapshot: () => (broken().snapshot ?? (() => sound.snapshot()))(),
  };
}

function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

function fail(error: unknown): () => never {
  return () => {
    throw error;
  };
}

/** A value of the wrong type, as a storage that is not type-checked may answer. */
function wrong<T>(value: unknown): T {
  return value as T;
}

const readAll = (log: RaftLog): unknown => log.slice(4, 7, noLimit);

describe('S20: a storage that answers outside of its contract stops the node, with a sentence', () => {
  test.each<{ broken: Broken; call: (log: RaftLog) => unknown; says: RegExp; fromStart?: boolean; why: string }>([
    { broken: { entries: () => [] }, call: readAll, says: /answered 0 entries/, why: 'no entries where some exist' },
    { broken: { entries: () => entriesFrom(4, [2, 2, 2, 2]) }, call: readAll, says: /answered 4 entries/, why: 'too many entries' },
    { broken: { entries: () => entriesFrom(3, [2, 2]) }, call: readAll, says: /index 3 in the place of 4/, why: 'wrong first index' },
    { broken: { entries: () => entriesFrom(5, [2, 2]) }, call: readAll, says: /index 5 in the place of 4/, why: 'first entry missing' },
    {
      broken: { entries: () => [...entriesFrom(4, [2]), ...entriesFrom(6, [2])] },
      call: readAll, says: /index 6 in the place of 5/, why: 'gap',
    },
    { broken: { entries: () => wrong([undefined]) }, call: readAll, says: /index undefined in the place of 4/, why: 'hole' },
    { broken: { entries: () => wrong([{ ...entriesFrom(4, [2])[0], term: 2n }]) }, call: readAll, says: /term 2 at index 4/, why: 'bigint term' },
    { broken: { entries: () => wrong(Promise.resolve([])) }, call: readAll, says: /answered 0 entries/, why: 'promise of entries' },
    { broken: { entries: () => wrong(null) }, call: readAll, says: /answered 0 entries/, why: 'null' },
    { broken: { term: () => -1 }, call: (log) => log.term(4), says: /term\(4\) answered -1/, why: 'negative term' },
    { broken: { term: () => 1.5 }, call: (log) => log.term(4), says: /term\(4\) answered 1.5/, why: 'fractional term' },
    { broken: { term: () => wrong(7n) }, call: (log) => log.term(4), says: /term\(4\) answered 7/, why: 'bigint term' },
    { broken: { firstIndex: () => 0 }, call: (log) => log.firstIndex(), says: /firstIndex answered 0/, why: 'the log starts at 1' },
    { broken: { firstIndex: () => NaN }, call: (log) => log.firstIndex(), says: /firstIndex answered NaN/, why: 'not a number' },
    { broken: { firstIndex: () => 8 }, call: (log) => log.firstIndex(), says: /firstIndex answered 8/, why: 'beyond the end' },
    { broken: { lastIndex: () => 2 }, call: (log) => log.lastIndex(), says: /lastIndex answered 2/, fromStart: true, why: 'before the snapshot' },
    { broken: { lastIndex: () => wrong(undefined) }, call: (log) => log.lastIndex(), says: /lastIndex answered undefined/, fromStart: true, why: 'nothing' },
    { broken: { snapshot: () => emptySnapshot }, call: (log) => log.snapshot(), says: /answered index 0/, why: 'no snapshot where the log is compacted' },
    { broken: { snapshot: () => wrong(undefined) }, call: (log) => log.snapshot(), says: /answered index 0/, why: 'nothing' },
    { broken: { snapshot: () => snapshotAt(3, NaN) }, call: (log) => log.snapshot(), says: /term NaN/, why: 'term is not a number' },
    { broken: { initialState: () => wrong(Promise.resolve()) }, call: (log) => log.initialState(), says: /answered -1 and -1/, why: 'promise' },
    {
      broken: { initialState: (): InitialState => ({ hardState: { term: wrong('1'), vote: 0, commit: 0 }, confState: newConfState() }) },
      call: (log) => log.initialState(), says: /answered 1 and 0/, why: 'text',
    },
    {
      broken: { term: (index) => (index === 6 ? fail(new RaftError(RaftErrorCode.Compacted, 'gone'))() : 2) },
      call: (log) => log.lastTerm(), says: /no term for its last entry 6/, fromStart: true, why: 'last term unknown',
    },
  ])('$why: $says', ({ broken, call, says, fromStart }) => {
    const error = errorOf(() => call(logOn(broken, fromStart)));

    expect(isRaftError(error, RaftErrorCode.StorageFailed)).toBe(true);
    expect((error as RaftError).message).toMatch(says);
  });
});

describe('S20: whatever else a storage throws is the cause of the error that stops the node', () => {
  const broken = new Error('disk on fire');
  const gone = new RaftError(RaftErrorCode.Unavailable, 'not there');
  test.each<{ broken: Broken; call: (log: RaftLog) => unknown; cause: unknown; fromStart?: boolean; why: string }>([
    { broken: { entries: fail(broken) }, call: readAll, cause: broken, why: 'entries' },
    { broken: { entries: fail(gone) }, call: readAll, cause: gone, why: 'entries that exist are not there' },
    { broken: { term: fail(broken) }, call: (log) => log.term(4), cause: broken, why: 'term' },
    { broken: { firstIndex: fail(broken) }, call: (log) => log.firstIndex(), cause: broken, why: 'firstIndex' },
    { broken: { firstIndex: fail(gone) }, call: (log) => log.firstIndex(), cause: gone, why: 'firstIndex may not throw that' },
    { broken: { lastIndex: fail(broken) }, call: (log) => log.lastIndex(), cause: broken, fromStart: true, why: 'lastIndex' },
    { broken: { snapshot: fail(broken) }, call: (log) => log.snapshot(), cause: broken, why: 'snapshot' },
    { broken: { initialState: fail(broken) }, call: (log) => log.initialState(), cause: broken, why: 'initialState' },
    { broken: { snapshot: fail('a string') }, call: (log) => log.snapshot(), cause: 'a string', why: 'something that is no Error' },
  ])('$why', ({ broken: methods, call, cause, fromStart }) => {
    const error = errorOf(() => call(logOn(methods, fromStart)));

    expect(isRaftError(error, RaftErrorCode.StorageFailed)).toBe(true);
    expect((error as RaftError).cause).toBe(cause);
    expect((error as RaftError).message).toContain(cause instanceof Error ? cause.message : 'a string');
  });
});

describe('E8: compaction between two reads is a value, not an error', () => {
  const compacted = fail(new RaftError(RaftErrorCode.Compacted, 'just compacted'));

  test('entries', () => {
    const log = logOn({ entries: compacted });

    expect(log.entriesFrom(4, noLimit)).toBeNull();
    expect(log.slice(4, 6, noLimit)).toBeNull();
  });

  test('entries that reach into the unstable part', () => {
    const log = logOn({ entries: compacted });
    log.append(entriesFrom(7, [2]));

    expect(log.slice(5, 8, noLimit)).toBeNull();
    expect(ids(log.slice(7, 8, noLimit))).toEqual(['7/2']);
  });

  test('term', () => {
    const log = logOn({ term: compacted });

    expect(log.term(4)).toBe(unknownTerm);
    expect(log.matchTerm(4, 2)).toBe(false);
    expect(log.matchTerm(4, unknownTerm)).toBe(false);
    expect(log.findConflictByTerm(4, 1)).toEqual({ index: 4, term: 0 });
  });

  test('a snapshot that is not ready', () => {
    const notReady = fail(new RaftError(RaftErrorCode.SnapshotTemporarilyUnavailable, 'being made'));
    const log = logOn({ snapshot: notReady });

    expect(log.snapshot()).toBeNull();
  });

  test.each<{ call: (log: RaftLog) => unknown; why: string }>([
    { call: (log) => log.nextCommittedEntries(true), why: 'to apply' },
    { call: (log) => log.scan(4, 7, noLimit, () => false), why: 'to scan' },
  ])('entries that are not applied may not be compacted: $why', ({ call }) => {
    const log = logOn({ entries: compacted });
    log.commitTo(6);

    expect(isRaftError(errorOf(() => call(log)), RaftErrorCode.StorageFailed)).toBe(true);
  });
});

test('an error of the storage is told by its code, also if it comes from another copy of the library', () => {
  const foreign = { code: RaftErrorCode.SnapshotTemporarilyUnavailable };
  const log = logOn({ snapshot: (): Snapshot => fail(foreign)() });

  expect(log.snapshot()).toBeNull();
});
