import { describe, expect, test } from '@jest/globals';
import { isLogSlice } from '../../../src/core/log/logSlice.js';
import { newEntry, type Entry } from '../../../src/core/raftpb/entry.js';
import { emptyBytes, maxTerm } from '../../../src/core/types.js';
import { entriesFrom } from '../../support/logBuilders.js';

interface Row {
  readonly term: number;
  readonly prev: readonly [index: number, term: number];
  readonly entries: readonly Entry[];
  readonly why: string;
}

describe('D9: a piece of log that cannot exist is refused', () => {
  test.each<Row>([
    { term: 5, prev: [3, 0], entries: [], why: 'only index 0 has term 0' },
    { term: 5, prev: [0, 3], entries: [], why: 'index 0 has term 0' },
    { term: 5, prev: [3, 6], entries: [], why: 'previous entry from the future' },
    { term: 5, prev: [-1, 1], entries: [], why: 'negative index' },
    { term: 5, prev: [1.5, 1], entries: [], why: 'not an integer' },
    { term: 5, prev: [NaN, 1], entries: [], why: 'not a number' },
    { term: 5, prev: [2 ** 53, 1], entries: [], why: 'adding one would not change it' },
    { term: 5, prev: [3, -1], entries: [], why: 'the value for "unknown" is not a term' },
    { term: 5, prev: [maxTerm, 1], entries: entriesFrom(maxTerm + 1, [1]), why: 'no room for the entry' },
    { term: 5, prev: [3, 2], entries: entriesFrom(5, [2]), why: 'gap after prev' },
    { term: 5, prev: [3, 2], entries: entriesFrom(3, [2]), why: 'overlaps prev' },
    { term: 5, prev: [3, 2], entries: [...entriesFrom(4, [2]), ...entriesFrom(6, [2])], why: 'gap inside' },
    { term: 5, prev: [3, 2], entries: [...entriesFrom(4, [2]), ...entriesFrom(4, [2])], why: 'repeated' },
    { term: 5, prev: [0, 0], entries: entriesFrom(0, [1]), why: 'entries start at 1' },
    { term: 5, prev: [0, 0], entries: entriesFrom(1, [0]), why: 'a proposal, not an entry' },
    { term: 5, prev: [0, 0], entries: entriesFrom(1, [1.5]), why: 'not an integer' },
    { term: 5, prev: [0, 0], entries: entriesFrom(1, [NaN]), why: 'compares with nothing' },
    { term: 5, prev: [3, 2], entries: entriesFrom(4, [1]), why: 'falls after prev' },
    { term: 5, prev: [3, 2], entries: entriesFrom(4, [3, 4, 3]), why: 'falls inside' },
    { term: 5, prev: [3, 2], entries: entriesFrom(4, [5, 6]), why: 'above that of the message' },
  ])('$why', ({ term, prev, entries }) => {
    expect(isLogSlice(term, prev[0], prev[1], entries)).toBe(false);
  });
});

describe('a piece of log that can exist is accepted', () => {
  test.each<Row>([
    { term: 1, prev: [0, 0], entries: [], why: 'nothing, at the start' },
    { term: 5, prev: [3, 5], entries: [], why: 'nothing, behind an entry of the term of the message' },
    { term: 5, prev: [0, 0], entries: entriesFrom(1, [1, 1, 3, 5]), why: 'rising terms up to that of the message' },
    { term: 5, prev: [7, 2], entries: entriesFrom(8, [2, 2]), why: 'the same term throughout' },
    { term: maxTerm, prev: [maxTerm - 1, 1], entries: [newEntry(0, emptyBytes, maxTerm, maxTerm)], why: 'the highest index and term there are' },
  ])('$why', ({ term, prev, entries }) => {
    expect(isLogSlice(term, prev[0], prev[1], entries)).toBe(true);
  });
});
