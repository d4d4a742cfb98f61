import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { LocalAppendThread, RaftErrorCode, type Entry } from '../../../src/core/index.js';
import { maxMetadataBytes } from '../../../src/node/wal/format.js';
import { LogState } from '../../../src/node/wal/logState.js';
import { WalErrorCode } from '../../../src/node/wal/walError.js';
import { resolveOptions, type WalOptions } from '../../../src/node/wal/walOptions.js';
import { checkSnapshotContent, planWrite, type WalWrite } from '../../../src/node/wal/writePlan.js';
import { codeOf, errorOf } from '../../support/errors.js';
import { entry } from './inspectedLog.js';

/** Compacted up to 3 (term 1), a snapshot at 5 (term 2), entries 4 to 8 of terms 2 2 2 3 3, committed up to 6. */
function someLog(): LogState {
  const state = new LogState();
  state.resume({ hardState: { term: 3, vote: 2, commit: 6 }, snapshot: { index: 5, term: 2 }, offset: { index: 3, term: 1 }, last: { index: 3, term: 1 } });
  for (const [i, term] of [2, 2, 2, 3, 3].entries()) state.pushEntry(4 + i, term);
  return state;
}

/** A log whose first segments are gone: entries 4 to 8 are not at hand, and 9 is. */
function partlyMissing(): LogState {
  const state = new LogState();
  state.resume({ hardState: { term: 3, vote: 2, commit: 6 }, snapshot: { index: 5, term: 2 }, offset: { index: 3, term: 1 }, last: { index: 8, term: 3 } });
  state.pushEntry(9, 3);
  return state;
}

describe('what may follow what', () => {
  test.each([
    { why: 'the same again', problem: (s: LogState) => s.hardStateProblem({ term: 3, vote: 2, commit: 6 }), expected: null },
    { why: 'another vote in a higher term', problem: (s: LogState) => s.hardStateProblem({ term: 4, vote: 1, commit: 8 }), expected: null },
    { why: 'no vote in a higher term', problem: (s: LogState) => s.hardStateProblem({ term: 4, vote: 0, commit: 6 }), expected: null },
    { why: 'the term goes down', problem: (s: LogState) => s.hardStateProblem({ term: 2, vote: 2, commit: 6 }), expected: 'the term goes from 3 back to 2' },
    { why: 'another vote in the same term', problem: (s: LogState) => s.hardStateProblem({ term: 3, vote: 1, commit: 6 }), expected: 'the vote in term 3 changes from 2 to 1' },
    { why: 'the vote is taken back', problem: (s: LogState) => s.hardStateProblem({ term: 3, vote: 0, commit: 6 }), expected: 'the vote in term 3 changes from 2 to 0' },
    { why: 'the commit index goes down', problem: (s: LogState) => s.hardStateProblem({ term: 3, vote: 2, commit: 5 }), expected: 'the commit index goes from 6 back to 5' },
    { why: 'the commit index is behind the end', problem: (s: LogState) => s.hardStateProblem({ term: 3, vote: 2, commit: 9 }), expected: 'the commit index 9 is behind the last entry, 8' },
    { why: 'behind the end as it is now, and not as it will be', problem: (s: LogState) => s.hardStateProblem({ term: 3, vote: 2, commit: 9 }, 9), expected: null },

    { why: 'the next entry', problem: (s: LogState) => s.entryProblem(9, 3), expected: null },
    { why: 'an entry too far', problem: (s: LogState) => s.entryProblem(10, 3), expected: 'entry 10 does not follow the last one, 8' },
    { why: 'an entry once more', problem: (s: LogState) => s.entryProblem(8, 3), expected: 'entry 8 does not follow the last one, 8' },
    { why: 'a lower term', problem: (s: LogState) => s.entryProblem(9, 2), expected: 'entry 9 has term 2, and the one before it 3' },

    { why: 'cut off behind what is committed', problem: (s: LogState) => s.truncateProblem(7), expected: null },
    { why: 'cut off behind the end', problem: (s: LogState) => s.truncateProblem(9), expected: 'the log from 4 to 8 cannot be cut off at 9' },
    { why: 'cut off before the beginning', problem: (s: LogState) => s.truncateProblem(3), expected: 'the log from 4 to 8 cannot be cut off at 3' },
    { why: 'cut off under the snapshot', problem: (s: LogState) => s.truncateProblem(5), expected: 'the log would be cut off at 5, and there is a snapshot at 5' },
    { why: 'cut off what is committed', problem: (s: LogState) => s.truncateProblem(6), expected: 'the log would be cut off at 6, and is committed up to 6' },

    { why: 'a newer snapshot of a leader', problem: (s: LogState) => s.installProblem({ index: 6, term: 1 }), expected: null },
    { why: 'a snapshot of a leader that is not newer', problem: (s: LogState) => s.installProblem({ index: 5, term: 9 }), expected: 'a snapshot at 5 is not newer than what is there, at 5' },
    { why: 'in place of what is committed', problem: (s: LogState) => ((s.hardState = { ...s.hardState, commit: 8 }), s.installProblem({ index: 7, term: 9 })), expected: 'a snapshot at 7 would take the place of a log that is committed up to 8' },

    { why: 'a snapshot of the own state', problem: (s: LogState) => s.snapshotProblem({ index: 8, term: 3 }), expected: null },
    { why: 'not newer than the last', problem: (s: LogState) => s.snapshotProblem({ index: 5, term: 2 }), expected: 'a snapshot at 5 is not newer than the one at 5' },
    { why: 'behind the end', problem: (s: LogState) => s.snapshotProblem({ index: 9, term: 3 }), expected: 'a snapshot at 9 lies outside of the log, from 3 to 8' },
    { why: 'before the beginning', problem: (s: LogState) => ((s.snapshot = { index: 0, term: 0 }), s.snapshotProblem({ index: 2, term: 1 })), expected: 'a snapshot at 2 lies outside of the log, from 3 to 8' },
    { why: 'of another term', problem: (s: LogState) => s.snapshotProblem({ index: 7, term: 2 }), expected: 'a snapshot at 7 has term 2, and the entry there 3' },

    { why: 'compacted up to the snapshot', problem: (s: LogState) => s.compactProblem({ index: 5, term: 2 }), expected: null },
    { why: 'compacted once more', problem: (s: LogState) => s.compactProblem({ index: 3, term: 1 }), expected: 'the log is compacted up to 3, and not to 3' },
    { why: 'behind the snapshot', problem: (s: LogState) => s.compactProblem({ index: 6, term: 2 }), expected: 'the log cannot be compacted up to 6: the newest snapshot is at 5' },
    { why: 'behind the end', problem: (s: LogState) => ((s.snapshot = { index: 20, term: 9 }), s.compactProblem({ index: 9, term: 3 })), expected: 'the log cannot be compacted up to 9: the last entry is 8' },
    { why: 'with another term', problem: (s: LogState) => s.compactProblem({ index: 4, term: 1 }), expected: 'the entry at 4 has term 2, and not 1' },
  ])('$why: $expected', ({ problem, expected }) => {
    expect(problem(someLog())).toBe(expected);
  });

  test('a snapshot at 0 is there once, at the very beginning', () => {
    const state = new LogState();
    expect(state.installProblem({ index: 0, term: 0 })).toBeNull();
    state.pushEntry(1, 1);
    expect(state.installProblem({ index: 0, term: 0 })).toContain('is not newer');
  });

  test('what is not at hand is not compared', () => {
    const state = partlyMissing();
    expect(state.snapshotProblem({ index: 7, term: 99 })).toBeNull();
    expect(state.snapshotProblem({ index: 9, term: 99 })).toContain('has term 99, and the entry there 3');
    expect(state.compactProblem({ index: 4, term: 99 })).toBeNull();
    expect(state.summary).toMatchObject({ offset: { index: 3, term: 1 }, last: { index: 9, term: 3 } });
    state.truncate(8);
    expect([state.missingThrough, state.lastIndex]).toEqual([7, 7]);
  });

  test('what each change leaves', () => {
    const state = someLog();
    state.truncate(7);
    expect(state.summary.last).toEqual({ index: 6, term: 2 });
    state.compact({ index: 5, term: 2 });
    expect([state.offset, state.term(5), state.term(6)]).toEqual([{ index: 5, term: 2 }, 2, 2]);
    state.install({ index: 30, term: 4 });
    expect(state.summary).toEqual({ hardState: { term: 3, vote: 2, commit: 6 }, snapshot: { index: 30, term: 4 }, offset: { index: 30, term: 4 }, last: { index: 30, term: 4 } });
  });
});

const confState = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
const snapshotAt = (index: number, term = 3): NonNullable<WalWrite['snapshot']> => ({ data: new Uint8Array(2), metadata: { index, term, confState } });

/** 32 MiB that are counted several times, and never copied. */
const shared = new Uint8Array(32 << 20);

const bad = <T>(value: unknown): T => value as T;

function withHole<T>(first: T, last: T): T[] {
  const list = [first];
  list[2] = last;
  return list;
}

const tooMany = Array.from({ length: 1001 }, (_, i) => i + 1);

/** What cannot be written as the configuration of a snapshot, or not be read back. */
const badConfStates: readonly { readonly why: string; readonly confState: typeof confState }[] = [
  { why: 'a number for a configuration', confState: bad(5) },
  { why: 'a configuration of nothing', confState: bad({}) },
  { why: 'a list that is missing', confState: bad({ ...confState, learnersNext: undefined }) },
  { why: 'a list that is none', confState: bad({ ...confState, voters: new Set([1]) }) },
  { why: 'a hole among the ids', confState: { ...confState, voters: withHole(1, 3) } },
  { why: 'a word for autoLeave', confState: bad({ ...confState, autoLeave: 'no' }) },
  { why: 'more ids than are read back', confState: bad({ ...confState, learners: tooMany }) },
  ...[-1, 1.5, NaN, 2 ** 53, 2n ** 64n, -1n, 5n, '1', null].map((id) => ({ why: `the id ${typeof id} ${String(id)}`, confState: bad<typeof confState>({ ...confState, votersOutgoing: [1, id] }) })),
];

describe('a write is planned', () => {
  test.each<{ why: string; write: WalWrite; plan: object }>([
    { why: 'nothing', write: {}, plan: { snapshot: null, truncateFrom: 0, entries: [], hardState: null, metadata: null, votes: false } },
    { why: 'entries at the end', write: { entries: [entry(9, 3), entry(10, 4)] }, plan: { truncateFrom: 0, entries: [entry(9, 3), entry(10, 4)] } },
    { why: 'entries in place of others', write: { entries: [entry(7, 4)] }, plan: { truncateFrom: 7 } },
    { why: 'entries of which some are compacted', write: { entries: [entry(2, 1), entry(3, 1), entry(4, 2)].slice(0, 2) }, plan: { truncateFrom: 0, entries: [] } },
    { why: 'a hard state that says nothing new', write: { hardState: { term: 3, vote: 2, commit: 6 } }, plan: { hardState: null, votes: false } },
    { why: 'a commit index', write: { hardState: { term: 3, vote: 2, commit: 8 } }, plan: { hardState: { term: 3, vote: 2, commit: 8 }, votes: false } },
    { why: 'a commit index of what comes with it', write: { entries: [entry(9, 3)], hardState: { term: 3, vote: 2, commit: 9 } }, plan: { votes: false } },
    { why: 'a term', write: { hardState: { term: 4, vote: 2, commit: 6 } }, plan: { votes: true } },
    { why: 'a snapshot, and entries behind it', write: { snapshot: snapshotAt(20), entries: [entry(21, 3)], hardState: { term: 3, vote: 2, commit: 20 } }, plan: { truncateFrom: 0, entries: [entry(21, 3)] } },
    { why: 'metadata', write: { metadata: new Uint8Array(maxMetadataBytes) }, plan: { metadata: new Uint8Array(maxMetadataBytes) } },
  ])('$why', ({ write, plan }) => {
    expect(planWrite(someLog(), write)).toMatchObject(plan);
  });

  test.each<{ why: string; write: WalWrite; code?: string }>([
    { why: 'a gap', write: { entries: [entry(10, 3)] } },
    { why: 'a gap behind a snapshot', write: { snapshot: snapshotAt(20), entries: [entry(22, 3)] } },
    { why: 'not contiguous', write: { entries: [entry(9, 3), entry(11, 3)] } },
    { why: 'backwards', write: { entries: [entry(9, 3), entry(8, 3)] } },
    { why: 'a term that goes down within it', write: { entries: [entry(9, 4), entry(10, 3)] } },
    { why: 'a term below that of the log', write: { entries: [entry(9, 2)] } },
    { why: 'a term below that of the snapshot', write: { snapshot: snapshotAt(20), entries: [entry(21, 2)] } },
    { why: 'in place of what is committed', write: { entries: [entry(6, 3)] } },
    { why: 'in place of the snapshot', write: { entries: [entry(5, 2)] } },
    { why: 'index 0', write: { entries: [entry(0, 1)] } },
    { why: 'index that is no integer', write: { entries: [entry(8.5, 3)] } },
    { why: 'index that is too large', write: { entries: [entry(2 ** 53, 3)] } },
    { why: 'a negative term', write: { entries: [entry(9, -1)] } },
    { why: 'a term that is no number', write: { entries: [bad<Entry>({ ...entry(9, 3), term: '3' })] } },
    { why: 'no type of entry', write: { entries: [bad<Entry>({ ...entry(9, 3), type: 7 })] } },
    { why: 'data that are text', write: { entries: [bad<Entry>({ ...entry(9, 3), data: 'x' })] } },
    { why: 'an old term', write: { hardState: { term: 2, vote: 2, commit: 6 } } },
    { why: 'a commit index behind the end', write: { hardState: { term: 3, vote: 2, commit: 9 } } },
    { why: 'a hard state of fractions', write: { hardState: { term: 3.5, vote: 2, commit: 6 } } },
    { why: 'a negative commit index', write: { hardState: { term: 3, vote: 2, commit: -1 } } },
    { why: 'a vote that is not canonical', write: { hardState: { term: 4, vote: 5n, commit: 6 } } },
    { why: 'metadata that are too long', write: { metadata: new Uint8Array(maxMetadataBytes + 1) } },
    { why: 'metadata that are text', write: { metadata: bad<Uint8Array>('x') } },
    { why: 'a snapshot of no index', write: { snapshot: snapshotAt(-1) } },
    { why: 'a snapshot of no term', write: { snapshot: snapshotAt(20, NaN) } },
    { why: 'a snapshot of text', write: { snapshot: bad({ ...snapshotAt(20), data: 'x' }) } },
    { why: 'no snapshot', write: { snapshot: bad({}) } },
    { why: 'a number for a snapshot', write: { snapshot: bad(5) } },
    { why: 'a snapshot without metadata', write: { snapshot: bad({ data: new Uint8Array(1), metadata: null }) } },
    { why: 'a snapshot of metadata without a configuration', write: { snapshot: bad({ data: new Uint8Array(1), metadata: { index: 20, term: 3 } }) } },
    ...badConfStates.map(({ why, confState: given }) => ({ why: `a snapshot with ${why}`, write: { snapshot: { data: new Uint8Array(1), metadata: { index: 20, term: 3, confState: given } } } })),
    { why: 'no write', write: bad(null) },
    { why: 'nothing for a write', write: bad(undefined) },
    { why: 'a number for a write', write: bad(5) },
    { why: 'a text for a write', write: bad('entries') },
    { why: 'a text for sync', write: { sync: bad('false') } },
    { why: 'a number for entries', write: { entries: bad(5) } },
    { why: 'an object for entries', write: { entries: bad({ length: 1 }) } },
    { why: 'null among the entries', write: { entries: bad([entry(9, 3), null]) } },
    { why: 'a hole among the entries', write: { entries: withHole(entry(9, 3), entry(11, 3)) } },
    { why: 'a number among the entries', write: { entries: bad([9]) } },
    { why: 'an index without a text', write: { entries: bad([{ ...entry(9, 3), index: Object.create(null) }]) } },
    { why: 'an index behind which there is no other', write: { snapshot: snapshotAt(Number.MAX_SAFE_INTEGER) } },
    { why: 'a number for a hard state', write: { hardState: bad(5) } },
    { why: 'a hard state of nothing', write: { hardState: bad({}) } },
    { why: 'a term without a text', write: { hardState: bad({ term: Object.create(null), vote: 2, commit: 6 }) } },
    { why: 'a number for metadata', write: { metadata: bad(5) } },
    { why: 'a write that is too large', write: { entries: Array.from({ length: 33 }, (_, i) => ({ ...entry(9 + i, 3), data: shared })) } },
    { why: 'a snapshot that is not newer', write: { snapshot: snapshotAt(5) }, code: RaftErrorCode.SnapshotOutOfDate },
  ])('refused: $why', ({ write, code = WalErrorCode.ArgumentInvalid }) => {
    const state = someLog();
    const before = JSON.stringify([state.summary, [4, 5, 6, 7, 8].map((index) => state.term(index)), state.metadata]);

    expect(codeOf(() => planWrite(state, write))).toBe(code);
    expect(JSON.stringify([state.summary, [4, 5, 6, 7, 8].map((index) => state.term(index)), state.metadata])).toBe(before);
  });
});

describe('what a snapshot is made of', () => {
  test.each(badConfStates)('refused: $why', ({ confState: given }) => {
    expect(codeOf(() => checkSnapshotContent(given, new Uint8Array(1)))).toBe(WalErrorCode.ArgumentInvalid);
  });

  test.each([undefined, null, 'x', 5, [1], new ArrayBuffer(1), new Uint16Array(1)])('refused: data of %p', (data) => {
    expect(codeOf(() => checkSnapshotContent(confState, bad(data)))).toBe(WalErrorCode.ArgumentInvalid);
  });

  test('as many ids as are read back, and the largest of them', () => {
    checkSnapshotContent({ ...confState, learners: tooMany.slice(1), learnersNext: [2n ** 64n - 1n] }, Buffer.from('x'));
  });
});

describe('options', () => {
  const good: WalOptions = { dir: 'data', nodeId: 1, clusterId: 0 };

  test('have defaults, and callbacks that do nothing', () => {
    const { onStorageLow, onFailure, ...rest } = resolveOptions(good);

    expect(rest).toEqual({ ...good, dir: join(process.cwd(), 'data'), segmentBytes: 16 << 20, cacheBytes: 64 << 20, maxBatchBytes: 1 << 20, maxQueuedBytes: 64 << 20, blockingWriteBytes: 0 });
    expect([onStorageLow(null), onFailure(errorOf(() => resolveOptions({ ...good, dir: '' })) as never)]).toEqual([undefined, undefined]);
  });

  test('undefined stands for the default, and what is not known is ignored', () => {
    const undefinedOnes = { segmentBytes: undefined, cacheBytes: undefined, maxBatchBytes: undefined, maxQueuedBytes: undefined, blockingWriteBytes: undefined };
    const { onStorageLow, onFailure, ...rest } = resolveOptions({ ...good, ...undefinedOnes, onStorageLow: undefined, onFailure: undefined, more: 1 } as object as WalOptions);

    expect(rest).toEqual({ ...good, dir: join(process.cwd(), 'data'), segmentBytes: 16 << 20, cacheBytes: 64 << 20, maxBatchBytes: 1 << 20, maxQueuedBytes: 64 << 20, blockingWriteBytes: 0 });
    expect([onStorageLow(null), onFailure(null as never)]).toEqual([undefined, undefined]);
  });

  test.each([undefined, null, 5, 'data'])('refused: %p for all of them', (options) => {
    expect(codeOf(() => resolveOptions(bad(options)))).toBe(WalErrorCode.ArgumentInvalid);
  });

  test.each<{ why: string; options: Partial<WalOptions> }>([
    { why: 'the smallest segment', options: { segmentBytes: 4096 } },
    { why: 'the largest segment', options: { segmentBytes: 2 ** 31 } },
    { why: 'no cache', options: { cacheBytes: 0 } },
    { why: 'a cache without a limit', options: { cacheBytes: Infinity, maxQueuedBytes: Infinity } },
    { why: 'every write on the calling thread', options: { blockingWriteBytes: Infinity } },
    { why: 'the largest ids', options: { nodeId: 2n ** 64n - 3n, clusterId: 2n ** 64n - 1n } },
  ])('accepted: $why', ({ options }) => {
    expect(resolveOptions({ ...good, ...options })).toMatchObject(options);
  });

  test.each<{ why: string; options: object }>([
    { why: 'no directory', options: { dir: '' } },
    { why: 'a directory that is no text', options: { dir: 5 } },
    { why: 'no node', options: { nodeId: 0 } },
    { why: 'a thread', options: { nodeId: LocalAppendThread } },
    { why: 'an id that is not canonical', options: { nodeId: 1n } },
    { why: 'a negative cluster', options: { clusterId: -1 } },
    { why: 'a segment that is too small', options: { segmentBytes: 3584 } },
    { why: 'a segment of no whole sectors', options: { segmentBytes: 4097 } },
    { why: 'a segment that is too large', options: { segmentBytes: 2 ** 31 + 512 } },
    { why: 'a negative cache', options: { cacheBytes: -1 } },
    { why: 'a cache of no number', options: { cacheBytes: NaN } },
    { why: 'half a byte', options: { maxBatchBytes: 1.5 } },
    { why: 'no batch', options: { maxBatchBytes: 0 } },
    { why: 'no queue', options: { maxQueuedBytes: 0 } },
    { why: 'blocking writes of less than nothing', options: { blockingWriteBytes: -1 } },
    { why: 'a directory with a zero in its name', options: { dir: 'da\0ta' } },
    { why: 'no directory at all', options: { dir: undefined } },
    { why: 'a cache without a text', options: { cacheBytes: Object.create(null) } },
    { why: 'a bigint for a size', options: { maxBatchBytes: 4096n } },
    { why: 'a symbol for a size', options: { maxQueuedBytes: Symbol('size') } },
    { why: 'an id without a text', options: { nodeId: Object.create(null) } },
    { why: 'a number to be called when room is low', options: { onStorageLow: 5 } },
    { why: 'an object to be called at the end', options: { onFailure: {} } },
  ])('refused: $why', ({ options }) => {
    expect(codeOf(() => resolveOptions({ ...good, ...options } as WalOptions))).toBe(WalErrorCode.ArgumentInvalid);
  });
});
