import { describe, expect, test } from '@jest/globals';
import { checkLog } from '../../../src/core/log/invariants.js';
import { isRaftError, RaftErrorCode } from '../../../src/core/errors.js';
import { RaftLog, unknownTerm } from '../../../src/core/log/raftLog.js';
import { silentLogger, type Logger } from '../../../src/core/logger.js';
import { entriesSize, entrySize, type Entry } from '../../../src/core/raftpb/entry.js';
import { MemoryStorage } from '../../../src/core/storage/memoryStorage.js';
import { noLimit, type Index } from '../../../src/core/types.js';
import { describeLog, entriesFrom, ids, logWith, persist, snapshotAt, wholeLog } from '../../support/logBuilders.js';

function expectPanic(call: () => unknown): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  expect(isRaftError(thrown, RaftErrorCode.InvariantViolated)).toBe(true);
}

/** A storage that counts how often it is asked. */
class CountingStorage extends MemoryStorage {
  calls = 0;
  override entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    this.calls++;
    return super.entries(lo, hi, maxBytes);
  }
  override term(index: Index): number {
    this.calls++;
    return super.term(index);
  }
  override firstIndex(): Index {
    this.calls++;
    return super.firstIndex();
  }
  override lastIndex(): Index {
    this.calls++;
    return super.lastIndex();
  }
}

describe('a new log continues where the storage ends', () => {
  test.each([
    { parts: {}, first: 1, last: 0, term: 0, why: 'empty' },
    { parts: { stable: [1, 2] }, first: 1, last: 2, term: 2, why: 'entries' },
    { parts: { snapshot: [5, 3] as const }, first: 6, last: 5, term: 3, why: 'only a snapshot' },
    { parts: { snapshot: [5, 3] as const, stable: [3, 4] }, first: 6, last: 7, term: 4, why: 'both' },
  ])('$why', ({ parts, first, last, term }) => {
    const { log } = logWith(parts);

    expect([log.firstIndex(), log.lastIndex(), log.lastTerm()]).toEqual([first, last, term]);
    expect([log.committed, log.applying, log.applied]).toEqual([first - 1, first - 1, first - 1]);
    expect([log.lastIndex(), log.lastTerm()]).toEqual([last, term]);
    expect(log.unstable.count > 0).toBe(false);
    checkLog(log);
  });
});

/** Snapshot 4/1, durable 5/1 6/2, unstable 7/2 8/3. */
const layered = { snapshot: [4, 1] as const, stable: [1, 2], unstable: [2, 3] };

test.each([
  { index: -1, term: unknownTerm, why: 'no such index' },
  { index: 3, term: unknownTerm, why: 'compacted' },
  { index: 4, term: 1, why: 'last of the snapshot' },
  { index: 5, term: 1, why: 'durable' },
  { index: 6, term: 2, why: 'last durable' },
  { index: 7, term: 2, why: 'first unstable' },
  { index: 8, term: 3, why: 'last' },
  { index: 9, term: unknownTerm, why: 'beyond the end' },
])('term of $index is $term: $why', ({ index, term }) => {
  const { log } = logWith(layered);

  expect(log.term(index)).toBe(term);
  expect(log.matchTerm(index, term)).toBe(term !== unknownTerm);
  expect(log.matchTerm(index, 7)).toBe(false);
});

test('term of a pending snapshot, and of entries behind it that are durable before it is reported so', () => {
  const { log, storage } = logWith({ stable: [1, 1] });
  log.restore(snapshotAt(10, 3));
  expect([8, 9, 10, 11].map((index) => log.term(index))).toEqual([unknownTerm, unknownTerm, 3, unknownTerm]);
  expect([log.firstIndex(), log.lastIndex()]).toEqual([11, 10]);

  log.append(entriesFrom(11, [3, 4]));
  log.unstable.acceptInProgress(log.lastIndex());
  storage.applySnapshot(snapshotAt(10, 3));
  storage.append(entriesFrom(11, [3, 4]));
  log.unstable.stableTo(12, 4);

  expect([9, 10, 11, 12, 13].map((index) => log.term(index))).toEqual([unknownTerm, 3, 3, 4, unknownTerm]);
  expect(log.unstable.snapshot !== null).toBe(true);
});

test('B48: a term that is not known matches nothing, not even another one that is not', () => {
  const { log } = logWith(layered);

  expect(log.matchTerm(3, 0)).toBe(false);
  expect(log.matchTerm(3, unknownTerm)).toBe(false);
  expect(log.matchTerm(9, 0)).toBe(false);
});

/** Raft §5.4.1: the later last term is more up to date; with equal terms, the longer log. */
test.each([
  { index: 8, term: 3, expected: true, why: 'the same log' },
  { index: 9, term: 3, expected: true, why: 'longer' },
  { index: 7, term: 3, expected: false, why: 'shorter' },
  { index: 1, term: 4, expected: true, why: 'later term, however short' },
  { index: 99, term: 2, expected: false, why: 'earlier term, however long' },
])('V9: a log that ends with $index of term $term is up to date: $expected, $why', ({ index, term, expected }) => {
  expect(logWith(layered).log.isUpToDate(index, term)).toBe(expected);
});

describe('slice', () => {
  const size = entrySize(entriesFrom(5, [1])[0]!);
  test.each([
    { lo: 5, hi: 9, maxBytes: noLimit, expected: ['5/1', '6/2', '7/2', '8/3'], why: 'durable and unstable' },
    { lo: 5, hi: 7, maxBytes: noLimit, expected: ['5/1', '6/2'], why: 'durable' },
    { lo: 7, hi: 9, maxBytes: noLimit, expected: ['7/2', '8/3'], why: 'unstable' },
    { lo: 6, hi: 8, maxBytes: noLimit, expected: ['6/2', '7/2'], why: 'across the border' },
    { lo: 6, hi: 6, maxBytes: noLimit, expected: [], why: 'empty' },
    { lo: 9, hi: 9, maxBytes: noLimit, expected: [], why: 'empty at the end' },
    { lo: 4, hi: 9, maxBytes: noLimit, expected: null, why: 'compacted' },
    { lo: 5, hi: 9, maxBytes: 0, expected: ['5/1'], why: 'E12: at least one' },
    { lo: 7, hi: 9, maxBytes: 0, expected: ['7/2'], why: 'E12: at least one unstable' },
    { lo: 5, hi: 9, maxBytes: 2 * size - 1, expected: ['5/1'], why: 'durable part cut short: nothing behind it' },
    { lo: 5, hi: 9, maxBytes: 2 * size, expected: ['5/1', '6/2'], why: 'durable part fills it' },
    { lo: 5, hi: 9, maxBytes: 3 * size - 1, expected: ['5/1', '6/2'], why: 'the first unstable does not fit' },
    { lo: 5, hi: 9, maxBytes: 3 * size, expected: ['5/1', '6/2', '7/2'], why: 'the first unstable fits exactly' },
    { lo: 5, hi: 9, maxBytes: 4 * size, expected: ['5/1', '6/2', '7/2', '8/3'], why: 'all fit exactly' },
  ])('[$lo, $hi) within $maxBytes: $why', ({ lo, hi, maxBytes, expected }) => {
    const { log } = logWith(layered);

    expect(ids(log.slice(lo, hi, maxBytes))).toEqual(expected);
    if (hi === 9) expect(ids(log.entriesFrom(lo, maxBytes))).toEqual(expected);
  });

  test('what does not fit ends it, although something smaller behind it would fit', () => {
    const storage = new MemoryStorage();
    storage.append([...entriesFrom(1, [1]), ...entriesFrom(2, [1], new Uint8Array(100))]);
    const log = new RaftLog(storage, silentLogger, noLimit);
    log.append(entriesFrom(3, [1]));

    expect(ids(log.slice(1, 4, 50))).toEqual(['1/1']);
  });

  test('beyond the end, or reversed, is a broken invariant', () => {
    const { log } = logWith(layered);

    expectPanic(() => log.slice(5, 10, noLimit));
    expectPanic(() => log.slice(7, 6, noLimit));
  });

  test('entriesFrom behind the end has none', () => {
    expect(logWith(layered).log.entriesFrom(10, noLimit)).toEqual([]);
  });

  test('several followers at the same position share one array', () => {
    const { log } = logWith(layered);

    expect(log.entriesFrom(8, 1000)).toBe(log.entriesFrom(8, 1000));
  });
});

test('scan visits pages in order until it is told to stop', () => {
  const { log } = logWith(layered);
  const pages: (string[] | null)[] = [];
  const oneEntry = entrySize(entriesFrom(5, [1])[0]!);

  log.scan(5, 9, 2 * oneEntry, (page) => {
    pages.push(ids(page));
    return false;
  });
  expect(pages).toEqual([['5/1', '6/2'], ['7/2', '8/3']]);

  pages.length = 0;
  log.scan(5, 9, 0, (page) => {
    pages.push(ids(page));
    return page[0]!.index === 6;
  });
  expect(pages).toEqual([['5/1'], ['6/2']]);
});

describe('maybeAppend: the receiver of AppendEntries (Raft Figure 2)', () => {
  // 1/1 2/2 3/3, committed 1; the last one not durable.
  const parts = { stable: [1, 2], unstable: [3] };
  const unchanged = ['1/1', '2/2', '3/3'];
  test.each([
    { prev: [3, 2] as const, terms: [4], commit: 3, result: -1, log: unchanged, committed: 1, why: 'previous entry of another term' },
    { prev: [4, 3] as const, terms: [4], commit: 3, result: -1, log: unchanged, committed: 1, why: 'previous entry missing' },
    { prev: [3, 3] as const, terms: [4, 4], commit: 3, result: 5, log: [...unchanged, '4/4', '5/4'], committed: 3, why: 'new entries' },
    { prev: [3, 3] as const, terms: [], commit: 3, result: 3, log: unchanged, committed: 3, why: 'none: everything verified so far' },
    { prev: [3, 3] as const, terms: [4], commit: 9, result: 4, log: [...unchanged, '4/4'], committed: 4, why: 'commit beyond what came: only up to it' },
    { prev: [1, 1] as const, terms: [2], commit: 3, result: 2, log: unchanged, committed: 2, why: 'V14: acknowledges and commits what was verified, not our end' },
    { prev: [1, 1] as const, terms: [], commit: 3, result: 1, log: unchanged, committed: 1, why: 'V14: verified up to prev only' },
    { prev: [1, 1] as const, terms: [2, 3], commit: 0, result: 3, log: unchanged, committed: 1, why: 'a repeated message cuts nothing off' },
    { prev: [1, 1] as const, terms: [2, 3, 3], commit: 1, result: 4, log: [...unchanged, '4/3'], committed: 1, why: 'overlap and one new' },
    { prev: [2, 2] as const, terms: [4], commit: 3, result: 3, log: ['1/1', '2/2', '3/4'], committed: 3, why: 'conflict in the unstable part' },
    { prev: [1, 1] as const, terms: [4], commit: 1, result: 2, log: ['1/1', '2/4'], committed: 1, why: 'V7: conflict in the durable part, the whole tail goes' },
    { prev: [1, 1] as const, terms: [2, 4, 4], commit: 1, result: 4, log: ['1/1', '2/2', '3/4', '4/4'], committed: 1, why: 'conflict behind an entry that is the same' },
  ])('$why', ({ prev, terms, commit, result, log: expected, committed }) => {
    const { log } = logWith(parts);
    log.commitTo(1);

    expect(log.maybeAppend(prev[0], prev[1], entriesFrom(prev[0] + 1, terms), commit)).toBe(result);

    expect(ids(wholeLog(log))).toEqual(expected);
    expect(log.committed).toBe(committed);
    checkLog(log);
  });

  test('a conflict with a committed entry is a broken invariant', () => {
    const { log } = logWith(parts);
    log.commitTo(2);

    expectPanic(() => log.maybeAppend(1, 1, entriesFrom(2, [4]), 1));
  });

  test('the array of the message is not kept', () => {
    const { log } = logWith(parts);
    const entries = entriesFrom(4, [4, 4]);
    log.maybeAppend(3, 3, entries, 0);

    entries.length = 1;
    log.append(entriesFrom(6, [4]));

    expect(ids(log.entriesFrom(4, noLimit))).toEqual(['4/4', '5/4', '6/4']);
    expect(entries).toHaveLength(1);
  });

  test('V7: what replaces durable entries is written again from there on, and the storage ends with it', () => {
    const { log, storage } = logWith({ stable: [1, 2, 2, 2] });

    log.maybeAppend(1, 1, entriesFrom(2, [3]), 0);
    expect([log.lastIndex(), log.lastTerm(), log.term(3)]).toEqual([2, 3, unknownTerm]);
    expect(ids(log.unstable.nextEntries())).toEqual(['2/3']);
    persist(log, storage);

    expect(ids(storage.entries(1, storage.lastIndex() + 1, noLimit))).toEqual(['1/1', '2/3']);
    expect([log.lastIndex(), log.lastTerm(), log.term(3)]).toEqual([2, 3, unknownTerm]);
  });

  test('a conflict is reported', () => {
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const logger: Logger = { debugEnabled: true, debug: say, info: say, warning: say, error: say };
    const storage = new MemoryStorage();
    storage.append(entriesFrom(1, [1, 2]));
    const log = new RaftLog(storage, logger, noLimit);

    log.maybeAppend(1, 1, entriesFrom(2, [3]), 0);
    expect(log.unstable.stableTo(2, 2)).toBe(false);
    log.restore(snapshotAt(9, 3));

    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/from 2 on/);
    expect(lines[1]).toMatch(/replaced by the snapshot at 9/);
    expect(describeLog(log)).toMatch(/committed=9, .*snapshot pending at 9/);
  });
});

describe('append: the leader adds to its log', () => {
  test.each([
    { at: 4, terms: [4], expected: ['1/1', '2/2', '3/3', '4/4'], why: 'behind the end' },
    { at: 3, terms: [4], expected: ['1/1', '2/2', '3/4'], why: 'replaces the unstable part' },
    { at: 2, terms: [4], expected: ['1/1', '2/4'], why: 'replaces a part of the durable part' },
    { at: 4, terms: [], expected: ['1/1', '2/2', '3/3'], why: 'nothing' },
  ])('$why', ({ at, terms, expected }) => {
    const { log } = logWith({ stable: [1, 2], unstable: [3] });
    log.commitTo(1);

    expect(log.append(entriesFrom(at, terms))).toBe(expected.length);

    expect(ids(wholeLog(log))).toEqual(expected);
    expect(log.term(expected.length - 1)).toBe(expected.length - 1);
    checkLog(log);
  });

  test('below the commit is a broken invariant', () => {
    const { log } = logWith({ stable: [1, 2] });
    log.commitTo(2);

    expectPanic(() => log.append(entriesFrom(2, [3])));
  });
});

/** Raft §5.3, last paragraphs: a rejection lets both sides skip whole terms. */
describe('findConflictByTerm finds the last position whose term is not above the one given', () => {
  // Compacted up to 3/2; then 4/2 5/2 6/5 7/5 | 8/5 9/7
  const parts = { snapshot: [3, 2] as const, stable: [2, 2, 5, 5], unstable: [5, 7] };
  test.each([
    { index: 9, term: 7, expected: [9, 7], why: 'the entry itself' },
    { index: 9, term: 6, expected: [8, 5], why: 'one term lower' },
    { index: 9, term: 5, expected: [8, 5], why: 'the end of that term' },
    { index: 9, term: 4, expected: [5, 2], why: 'a term skipped' },
    { index: 7, term: 5, expected: [7, 5], why: 'within a term' },
    { index: 9, term: 2, expected: [5, 2], why: 'down to the oldest term' },
    { index: 9, term: 1, expected: [2, 0], why: 'what is compacted may agree' },
    { index: 3, term: 1, expected: [2, 0], why: 'from the snapshot down' },
    { index: 2, term: 9, expected: [2, 0], why: 'compacted: not known' },
    { index: 12, term: 1, expected: [12, 0], why: 'beyond the end: not known' },
    { index: 0, term: 3, expected: [0, 0], why: 'every log agrees at the start' },
  ])('from $index with term $term: $why', ({ index, term, expected }) => {
    expect(logWith(parts).log.findConflictByTerm(index, term)).toEqual({ index: expected[0], term: expected[1] });
  });

  test.each([
    { terms: [3, 3, 3], term: 2, expected: [0, 0], why: 'nothing but the start is left' },
    { terms: [1, 3, 3], term: 2, expected: [1, 1], why: 'the first entry' },
  ])('of a log that starts at 1: $why', ({ terms, term, expected }) => {
    expect(logWith({ stable: terms }).log.findConflictByTerm(3, term)).toEqual({ index: expected[0], term: expected[1] });
  });

  test('a log compacted up to 1 does not answer a position below the start', () => {
    expect(logWith({ snapshot: [1, 5], stable: [5] }).log.findConflictByTerm(2, 3)).toEqual({ index: 0, term: 0 });
  });

  test('costs few reads however long the log is', () => {
    const storage = new CountingStorage();
    storage.append(entriesFrom(1, new Array<number>(100_000).fill(5)));
    const log = new RaftLog(storage, silentLogger, noLimit);
    storage.calls = 0;

    expect(log.findConflictByTerm(99_999, 3)).toEqual({ index: 0, term: 0 });

    expect(storage.calls).toBeLessThan(50);
  });
});

describe('commit and application', () => {
  test.each([
    { commit: 3, allowUnstable: true, expected: ['1/1', '2/1', '3/1'], why: 'durable on a quorum is enough' },
    { commit: 3, allowUnstable: false, expected: ['1/1', '2/1'], why: 'only what is durable here' },
    { commit: 1, allowUnstable: true, expected: ['1/1'], why: 'only what is committed' },
    { commit: 0, allowUnstable: true, expected: [], why: 'nothing is committed' },
  ])('commit $commit, unstable allowed: $allowUnstable: $why', ({ commit, allowUnstable, expected }) => {
    const { log } = logWith({ stable: [1, 1], unstable: [1, 1] });
    log.commitTo(commit);

    expect(log.hasNextCommittedEntries(allowUnstable)).toBe(expected.length > 0);
    expect(ids(log.nextCommittedEntries(allowUnstable))).toEqual(expected);
  });

  test('what was handed out is not handed out again, and becomes applied', () => {
    const { log } = logWith({ stable: [1, 1, 1] });
    log.commitTo(2);
    log.acceptApplying(2, entriesSize(log.nextCommittedEntries(true)), true);
    expect(log.nextCommittedEntries(true)).toEqual([]);

    log.commitTo(3);
    expect(ids(log.nextCommittedEntries(true))).toEqual(['3/1']);
    log.appliedTo(2, 0);
    expect([log.applied, log.applying, log.committed]).toEqual([2, 2, 3]);
  });

  test('nothing is handed out while a snapshot is pending: it comes first', () => {
    const { log, storage } = logWith({ stable: [1, 1] });
    log.commitTo(2);

    log.restore(snapshotAt(9, 2));
    log.append(entriesFrom(10, [2]));
    log.commitTo(10);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
    expect(log.nextCommittedEntries(true)).toEqual([]);

    persist(log, storage);
    expect(ids(log.nextCommittedEntries(true))).toEqual(['10/2']);
  });

  const size = entrySize(entriesFrom(1, [1], new Uint8Array(50))[0]!);
  test.each([
    { maxBytes: 3 * size, first: 3, why: 'exactly' },
    { maxBytes: 3 * size - 1, first: 2, why: 'a byte too little' },
    { maxBytes: size - 1, first: 1, why: 'E12: less than one' },
    { maxBytes: 1, first: 1, why: 'E12: the smallest limit' },
    { maxBytes: noLimit, first: 4, why: 'no limit' },
  ])('outstanding bytes are limited: $why', ({ maxBytes, first }) => {
    const { log } = logWith({ stable: [1, 1, 1, 1], data: new Uint8Array(50), maxApplyingEntriesSize: maxBytes });
    log.commitTo(4);
    const sizes: number[] = [];

    while (log.applied < 4) {
      const entries = log.nextCommittedEntries(true);
      const bytes = entriesSize(entries);
      sizes.push(entries.length);
      log.acceptApplying(entries.at(-1)!.index, bytes, true);
      expect(log.hasNextCommittedEntries(true)).toBe(false);
      expect(log.nextCommittedEntries(true)).toEqual([]);
      log.appliedTo(log.applying, bytes);
    }

    expect(sizes[0]).toBe(first);
    expect(sizes.reduce((sum, count) => sum + count, 0)).toBe(4);
  });

  test('a limit of 0 hands out nothing', () => {
    const { log } = logWith({ stable: [1], unstable: [1], maxApplyingEntriesSize: 0 });
    log.commitTo(2);

    expect(log.hasNextCommittedEntries(true)).toBe(false);
    expect(log.nextCommittedEntries(true)).toEqual([]);
  });

  test('beyond the last entry nothing can be committed', () => {
    const { log } = logWith({ stable: [1, 1] });

    expectPanic(() => log.commitTo(3));
    expect(log.committed).toBe(0);
  });

  test('beyond what is committed nothing can be applied', () => {
    const { log } = logWith({ stable: [1, 1] });
    log.commitTo(1);

    expectPanic(() => log.appliedTo(2, 0));
    expectPanic(() => log.acceptApplying(2, 0, true));
  });
});

describe('snapshot', () => {
  test('a pending one is what a follower would get, else that of the storage', () => {
    const { log, storage } = logWith({ snapshot: [4, 1], stable: [1] });
    expect(log.snapshot()?.metadata.index).toBe(4);

    log.restore(snapshotAt(9, 2));
    expect(log.snapshot()?.metadata.index).toBe(9);
    expect(log.unstable.nextSnapshot()).not.toBeNull();
    expect(log.unstable.nextSnapshot()?.metadata.index).toBe(9);

    log.unstable.acceptInProgress(log.lastIndex());
    expect(log.unstable.nextSnapshot()).toBeNull();
    expect(log.unstable.snapshot !== null).toBe(true);

    storage.applySnapshot(snapshotAt(9, 2));
    log.unstable.stableSnapshotTo(4);
    expect(log.unstable.snapshot !== null).toBe(true);
    log.unstable.stableSnapshotTo(9);
    expect(log.unstable.snapshot !== null).toBe(false);
    expect([log.firstIndex(), log.lastIndex(), log.lastTerm(), log.committed]).toEqual([10, 9, 2, 9]);
  });

  test('one below the commit is a broken invariant', () => {
    const { log } = logWith({ stable: [1, 1, 1] });
    log.commitTo(3);

    expectPanic(() => log.restore(snapshotAt(2, 1)));
  });
});

test('E8: the log follows when the host compacts', () => {
  const { log, storage } = logWith({ stable: [1, 1, 2, 2] });
  log.commitTo(3);
  log.appliedTo(3, 0);

  storage.compact(3);

  expect([log.firstIndex(), log.lastIndex()]).toEqual([4, 4]);
  expect([log.term(2), log.term(3)]).toEqual([unknownTerm, 2]);
  expect(log.entriesFrom(3, noLimit)).toBeNull();
  expect(ids(log.entriesFrom(4, noLimit))).toEqual(['4/2']);
});

test('the end of the log, and what is not durable, is answered without the storage', () => {
  const storage = new CountingStorage();
  storage.append(entriesFrom(1, [1, 1]));
  const log = new RaftLog(storage, silentLogger, noLimit);
  storage.calls = 0;

  log.lastTerm();
  log.isUpToDate(1, 1);
  log.matchTerm(2, 1);
  log.maybeAppend(2, 1, entriesFrom(3, [1, 1]), 3);
  log.entriesFrom(3, 1000);
  log.lastTerm();

  expect(storage.calls).toBe(0);
});
