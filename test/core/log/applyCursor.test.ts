import { describe, expect, test } from '@jest/globals';
import { checkCursor } from '../../../src/core/log/invariants.js';
import { ApplyCursor } from '../../../src/core/log/applyCursor.js';
import { isRaftError, RaftErrorCode } from '../../../src/core/errors.js';

/** applied 3, applying 5 with 40 bytes outstanding, committed 8, of a log that ends at 10. */
function sample(maxBytes = 100): ApplyCursor {
  const cursor = new ApplyCursor(3, maxBytes);
  cursor.commitTo(8, 10);
  cursor.acceptApplying(5, 40, 5);
  return cursor;
}

test('starts with everything up to the snapshot applied', () => {
  const cursor = new ApplyCursor(3, 100);

  expect(cursor).toMatchObject({ committed: 3, applying: 3, applied: 3, bytes: 0, paused: false });
});

describe('commitTo', () => {
  test.each([
    { index: 9, committed: 9, why: 'higher: raised' },
    { index: 10, committed: 10, why: 'up to the last entry' },
    { index: 8, committed: 8, why: 'the same' },
    { index: 4, committed: 8, why: 'lower: commit never falls' },
  ])('$index: $why', ({ index, committed }) => {
    const cursor = sample();

    cursor.commitTo(index, 10);

    expect(cursor.committed).toBe(committed);
  });
});

describe('a step outside of applied <= applying <= committed <= last is a broken invariant', () => {
  test.each<{ call: (cursor: ApplyCursor) => void; why: string }>([
    { call: (c) => c.commitTo(11, 10), why: 'commit beyond the last entry' },
    { call: (c) => c.restore(7), why: 'snapshot before the commit' },
    { call: (c) => c.acceptApplying(9, 1, 9), why: 'applying beyond the commit' },
    { call: (c) => c.acceptApplying(4, 1, 8), why: 'applying again' },
    { call: (c) => c.appliedTo(9, 1), why: 'applied beyond the commit' },
    { call: (c) => c.appliedTo(2, 1), why: 'applied goes back' },
    { call: (c) => { c.applied = 6; checkCursor(c); }, why: 'applied above applying' },
    { call: (c) => { c.committed = 4; checkCursor(c); }, why: 'applying above committed' },
  ])('$why', ({ call }) => {
    const cursor = sample();
    checkCursor(cursor);

    let thrown: unknown;
    try {
      call(cursor);
    } catch (error) {
      thrown = error;
    }

    expect(isRaftError(thrown, RaftErrorCode.InvariantViolated)).toBe(true);
  });
});

describe('what is outstanding is limited', () => {
  test.each([
    { maxBytes: 100, index: 8, size: 59, paused: false, why: 'a byte is left and nothing was held back' },
    { maxBytes: 100, index: 8, size: 60, paused: true, why: 'the limit is reached' },
    { maxBytes: 100, index: 8, size: 500, paused: true, why: 'exceeded by one large entry' },
    { maxBytes: 100, index: 7, size: 10, paused: true, why: 'something was held back, so it did not fit' },
    { maxBytes: Infinity, index: 8, size: 1e9, paused: false, why: 'no limit' },
  ])('$why', ({ maxBytes, index, size, paused }) => {
    const cursor = sample(maxBytes);

    cursor.acceptApplying(index, size, 8);

    expect(cursor).toMatchObject({ applying: index, bytes: 40 + size, paused });
    expect(cursor.room()).toBe(maxBytes - 40 - size);
  });

  test.each([
    { size: 100, bytes: 0, paused: false, why: 'all of it' },
    { size: 1, bytes: 99, paused: false, why: 'a little' },
    { size: 0, bytes: 100, paused: true, why: 'nothing' },
    { size: 500, bytes: 0, paused: false, why: 'more than there was' },
  ])('and continues when applied: $why', ({ size, bytes, paused }) => {
    const cursor = sample();
    cursor.acceptApplying(8, 60, 8);

    cursor.appliedTo(5, size);

    expect(cursor).toMatchObject({ applied: 5, bytes, paused });
  });

  test('E12: the smallest limit lets one batch through after another', () => {
    const cursor = new ApplyCursor(0, 1);
    cursor.commitTo(2, 2);
    for (const index of [1, 2]) {
      expect(cursor.paused).toBe(false);
      cursor.acceptApplying(index, 10, 2);
      expect(cursor.paused).toBe(true);
      cursor.appliedTo(index, 10);
    }
    expect(cursor.paused).toBe(false);
  });

  test('a limit of 0 is always reached', () => {
    const cursor = new ApplyCursor(0, 0);
    expect(cursor.paused).toBe(true);

    cursor.commitTo(2, 2);
    cursor.appliedTo(1, 0);

    expect(cursor.paused).toBe(true);
  });
});

test('a snapshot is committed at once, and applied without having been handed out', () => {
  const cursor = sample();

  cursor.restore(20);
  expect(cursor).toMatchObject({ committed: 20, applying: 5, applied: 3 });

  cursor.appliedTo(20, 0);
  expect(cursor).toMatchObject({ committed: 20, applying: 20, applied: 20 });
});
