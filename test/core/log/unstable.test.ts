import { describe, expect, test } from '@jest/globals';
import { checkUnstable } from '../../../src/core/log/invariants.js';
import { unknownTerm } from '../../../src/core/log/storageReader.js';
import { Unstable } from '../../../src/core/log/unstable.js';
import { entrySize, type Entry } from '../../../src/core/raftpb/entry.js';
import { noLimit } from '../../../src/core/types.js';
import { entriesFrom, ids, snapshotAt } from '../../support/logBuilders.js';

/** Entries from 5 on, behind an entry 4 of term 1; those before `nextToWrite` are being written. */
function unstableWith(terms: readonly number[], nextToWrite = 5): Unstable {
  const unstable = new Unstable(5, 1);
  const written = terms.slice(0, nextToWrite - 5);
  if (written.length > 0) unstable.truncateAndAppend(entriesFrom(5, written));
  unstable.acceptInProgress(unstable.lastIndex());
  const rest = terms.slice(written.length);
  if (rest.length > 0) unstable.truncateAndAppend(entriesFrom(5 + written.length, rest));
  return unstable;
}

/** What can be seen of it. */
function stateOf(unstable: Unstable): unknown {
  checkUnstable(unstable);
  const { offset, prevTerm, nextToWrite, entries } = unstable;
  return { offset, prevTerm, nextToWrite, entries: ids(entries) };
}

describe('entries are handed out for writing once', () => {
  test.each([
    { terms: [], nextToWrite: 5, expected: [], why: 'there are none' },
    { terms: [1, 1], nextToWrite: 5, expected: ['5/1', '6/1'], why: 'nobody was told to write' },
    { terms: [1, 1], nextToWrite: 6, expected: ['6/1'], why: 'the first is being written' },
    { terms: [1, 1], nextToWrite: 7, expected: [], why: 'all are being written' },
  ])('$why', ({ terms, nextToWrite, expected }) => {
    const unstable = unstableWith(terms, nextToWrite);

    expect(ids(unstable.nextEntries())).toEqual(expected);
    expect(unstable.hasNextEntries()).toBe(expected.length > 0);

    unstable.acceptInProgress(unstable.lastIndex());
    expect(unstable.hasNextEntries()).toBe(false);
    expect(unstable.nextEntries()).toEqual([]);
  });

  test('a snapshot too, and a newer one again', () => {
    const unstable = unstableWith([1, 1]);
    unstable.restore(snapshotAt(20, 3));
    expect(unstable.nextSnapshot()?.metadata.index).toBe(20);

    unstable.acceptInProgress(unstable.lastIndex());
    expect(unstable.nextSnapshot()).toBeNull();

    unstable.restore(snapshotAt(30, 3));
    expect(unstable.nextSnapshot()?.metadata.index).toBe(30);
    expect(stateOf(unstable)).toEqual({ offset: 31, prevTerm: 3, nextToWrite: 31, entries: [] });
  });
});

describe('append cuts off what is at or behind its first entry (V7)', () => {
  test.each([
    {
      at: 7, terms: [2], nextToWrite: 6,
      expected: { offset: 5, prevTerm: 1, nextToWrite: 6, entries: ['5/1', '6/1', '7/2'] },
      why: 'behind the end: nothing is cut off',
    },
    {
      at: 6, terms: [2, 2], nextToWrite: 7,
      expected: { offset: 5, prevTerm: 1, nextToWrite: 6, entries: ['5/1', '6/2', '7/2'] },
      why: 'inside: what replaces an entry being written has to be written again',
    },
    {
      at: 6, terms: [2], nextToWrite: 5,
      expected: { offset: 5, prevTerm: 1, nextToWrite: 5, entries: ['5/1', '6/2'] },
      why: 'inside, nothing being written',
    },
    {
      at: 5, terms: [2], nextToWrite: 7,
      expected: { offset: 5, prevTerm: 1, nextToWrite: 5, entries: ['5/2'] },
      why: 'at the first unstable entry',
    },
    {
      at: 3, terms: [2, 2], nextToWrite: 7,
      expected: { offset: 3, prevTerm: unknownTerm, nextToWrite: 3, entries: ['3/2', '4/2'] },
      why: 'into the durable part: the storage knows what is before it',
    },
  ])('$why', ({ at, terms, nextToWrite, expected }) => {
    const unstable = unstableWith([1, 1], nextToWrite);

    unstable.truncateAndAppend(entriesFrom(at, terms));

    expect(stateOf(unstable)).toEqual(expected);
  });

  test('a gap is a broken invariant', () => {
    expect(() => unstableWith([1]).truncateAndAppend(entriesFrom(7, [1]))).toThrow(/gap/);
  });
});

describe('stableTo drops what is durable', () => {
  test.each([
    { index: 5, term: 1, took: true, expected: { offset: 6, prevTerm: 1, nextToWrite: 7, entries: ['6/1', '7/2'] }, why: 'a part' },
    { index: 6, term: 1, took: true, expected: { offset: 7, prevTerm: 1, nextToWrite: 7, entries: ['7/2'] }, why: 'all that was being written' },
    { index: 7, term: 2, took: true, expected: { offset: 8, prevTerm: 2, nextToWrite: 8, entries: [] }, why: 'everything, written or not' },
    { index: 6, term: 2, took: false, expected: null, why: 'another entry stands there now (B10)' },
    { index: 4, term: 1, took: false, expected: null, why: 'durable before' },
    { index: 8, term: 2, took: false, expected: null, why: 'cut off meanwhile' },
  ])('$index of term $term: $why', ({ index, term, took, expected }) => {
    const unstable = unstableWith([1, 1, 2], 7);
    const before = stateOf(unstable);

    expect(unstable.stableTo(index, term)).toBe(took);

    expect(stateOf(unstable)).toEqual(expected ?? before);
  });

  test('the index of a pending snapshot is not an entry', () => {
    const unstable = unstableWith([]);
    unstable.restore(snapshotAt(9, 2));
    unstable.truncateAndAppend(entriesFrom(10, [2]));

    expect(unstable.stableTo(9, 2)).toBe(false);
    expect(unstable.snapshot?.metadata.index).toBe(9);
    expect(unstable.entries).toHaveLength(1);
  });

  test('B10: a late answer for an entry that was replaced does not make the new one durable', () => {
    const unstable = unstableWith([]);
    unstable.truncateAndAppend(entriesFrom(5, [2]));
    unstable.acceptInProgress(unstable.lastIndex());
    unstable.truncateAndAppend(entriesFrom(5, [3]));
    unstable.acceptInProgress(unstable.lastIndex());

    expect(unstable.stableTo(5, 2)).toBe(false);
    expect(stateOf(unstable)).toMatchObject({ offset: 5, entries: ['5/3'] });

    expect(unstable.stableTo(5, 3)).toBe(true);
    expect(stateOf(unstable)).toMatchObject({ offset: 6, prevTerm: 3, entries: [] });
  });
});

test('B11, B57: a snapshot stays pending until it is itself durable, not an older one', () => {
  const unstable = unstableWith([]);
  unstable.restore(snapshotAt(10, 2));
  unstable.acceptInProgress(unstable.lastIndex());
  unstable.restore(snapshotAt(20, 2));

  expect(unstable.stableSnapshotTo(10)).toBe(false);
  expect(unstable.nextSnapshot()?.metadata.index).toBe(20);

  unstable.acceptInProgress(unstable.lastIndex());
  expect(unstable.stableSnapshotTo(20)).toBe(true);
  expect(unstable.snapshot).toBeNull();
  expect(unstable.snapshotInProgress).toBe(false);
  expect(unstable.lastIndex()).toBe(20);
});

describe('slice', () => {
  const size = entrySize(entriesFrom(5, [1])[0]!);
  test.each([
    { lo: 5, hi: 8, maxBytes: noLimit, expected: ['5/1', '6/1', '7/1'], why: 'everything' },
    { lo: 6, hi: 8, maxBytes: noLimit, expected: ['6/1', '7/1'], why: 'the end' },
    { lo: 5, hi: 7, maxBytes: noLimit, expected: ['5/1', '6/1'], why: 'the beginning' },
    { lo: 5, hi: 8, maxBytes: 2 * size, expected: ['5/1', '6/1'], why: 'as many as fit exactly' },
    { lo: 5, hi: 8, maxBytes: 2 * size - 1, expected: ['5/1'], why: 'a byte short of two' },
    { lo: 7, hi: 8, maxBytes: 0, expected: ['7/1'], why: 'E12: at least one' },
  ])('[$lo, $hi) within $maxBytes: $why', ({ lo, hi, maxBytes, expected }) => {
    const unstable = unstableWith([1, 1, 1]);

    expect(ids(unstable.slice(lo, hi, maxBytes))).toEqual(expected);
  });

  test.each([
    { lo: 4, hi: 6, why: 'durable' },
    { lo: 5, hi: 9, why: 'beyond the end' },
    { lo: 6, hi: 6, why: 'empty' },
  ])('[$lo, $hi) is a broken invariant: $why', ({ lo, hi }) => {
    expect(() => unstableWith([1, 1, 1]).slice(lo, hi, noLimit)).toThrow(/no entries/);
  });

  test('the same range for the next follower is the same array', () => {
    const unstable = unstableWith([1, 1, 1]);

    expect(unstable.slice(6, 8, 100)).toBe(unstable.slice(6, 8, 100));
    expect(unstable.slice(6, 8, 100)).not.toBe(unstable.slice(6, 8, 101));
  });

  test.each<{ change: (unstable: Unstable) => void; expected: string[]; why: string }>([
    { change: (u) => u.truncateAndAppend(entriesFrom(6, [2, 2])), expected: ['6/2', '7/2'], why: 'a part was replaced' },
    { change: (u) => u.truncateAndAppend(entriesFrom(2, [2, 2, 2, 2, 2, 2])), expected: ['6/2', '7/2'], why: 'all was replaced' },
    { change: (u) => { u.restore(snapshotAt(4, 1)); u.truncateAndAppend(entriesFrom(5, [3, 3, 3])); }, expected: ['6/3', '7/3'], why: 'a snapshot came' },
  ])('the answer given before is forgotten: $why', ({ change, expected }) => {
    const unstable = unstableWith([1, 1, 1]);
    const before = unstable.slice(6, 8, noLimit);

    change(unstable);

    expect(ids(unstable.slice(6, 8, noLimit))).toEqual(expected);
    expect(ids(before)).toEqual(['6/1', '7/1']);
  });
});

describe('an array that was handed out never changes', () => {
  const changes: readonly { change: (unstable: Unstable) => void; why: string }[] = [
    { change: (u) => u.truncateAndAppend(entriesFrom(8, [2])), why: 'append' },
    { change: (u) => u.truncateAndAppend(entriesFrom(6, [2])), why: 'cut off and append' },
    { change: (u) => u.truncateAndAppend(entriesFrom(5, [2, 2, 2])), why: 'replace all' },
    { change: (u) => u.stableTo(6, 1), why: 'a part is durable' },
    { change: (u) => u.stableTo(7, 1), why: 'all is durable' },
    { change: (u) => u.restore(snapshotAt(9, 2)), why: 'snapshot' },
  ];

  const takes: readonly { take: (unstable: Unstable) => readonly Entry[]; name: string }[] = [
    { take: (u) => u.nextEntries(), name: 'to be written' },
    { take: (u) => u.slice(5, 8, noLimit), name: 'all' },
    { take: (u) => u.slice(6, 8, noLimit), name: 'a part' },
  ];

  test.each(takes.flatMap((row) => changes.map((change) => ({ ...row, ...change }))))('$name, $why', ({ take, change }) => {
    const unstable = unstableWith([1, 1]);
    unstable.truncateAndAppend(entriesFrom(7, [1]));
    const handedOut = take(unstable);
    const before = ids(handedOut);

    change(unstable);
    unstable.truncateAndAppend(entriesFrom(unstable.lastIndex() + 1, [4]));
    unstable.truncateAndAppend(entriesFrom(unstable.lastIndex() + 1, [4]));

    expect(ids(handedOut)).toEqual(before);
  });

  test('nor does one that was taken over', () => {
    const unstable = unstableWith([]);
    const given = entriesFrom(5, [1]);
    unstable.truncateAndAppend(given);

    unstable.truncateAndAppend(entriesFrom(6, [1]));
    unstable.truncateAndAppend(entriesFrom(7, [1]));

    expect(ids(given)).toEqual(['5/1']);
    expect(ids(unstable.entries)).toEqual(['5/1', '6/1', '7/1']);
  });
});

describe('checkInvariants finds what is broken', () => {
  test.each<{ damage: (unstable: Unstable) => void; says: RegExp }>([
    { damage: (u) => { u.offset = 4; }, says: /entry 5 stands at 4/ },
    { damage: (u) => { u.nextToWrite = 4; }, says: /next to write is 4/ },
    { damage: (u) => { u.nextToWrite = 8; }, says: /next to write is 8/ },
    { damage: (u) => { u.snapshot = snapshotAt(5, 1); }, says: /overlap the snapshot at 5/ },
    { damage: (u) => { u.snapshotInProgress = true; }, says: /no snapshot/ },
  ])('$says', ({ damage, says }) => {
    const unstable = unstableWith([1, 1]);

    damage(unstable);

    expect(() => checkUnstable(unstable)).toThrow(says);
  });
});
