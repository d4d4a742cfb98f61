import { describe, expect, test } from '@jest/globals';
import { entriesSize, EntryType, newEntry, type Entry } from '../../../src/core/raftpb/entry.js';
import { EntryBlocks } from '../../../src/core/storage/entryBlocks.js';
import { noLimit } from '../../../src/core/types.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';

/** More than two blocks. */
const many = 20_000;

function entriesOf(count: number): Entry[] {
  const data = new Uint8Array(8);
  return Array.from({ length: count }, (_, i) => newEntry(EntryType.EntryNormal, data, 1, i + 1));
}

function blocksOf(entries: readonly Entry[]): EntryBlocks {
  const blocks = new EntryBlocks();
  blocks.append(entries, 0);
  return blocks;
}

/** Whether both hold the same entries; `toEqual` would take seconds for so many. */
function same(found: readonly Entry[], expected: readonly Entry[]): boolean {
  return found.length === expected.length && found.every((entry, i) => entry === expected[i]);
}

/**
 * Goal: a list in blocks answers what an array would, wherever blocks begin and end.
 * Method: random operations on both, of all lengths up to several blocks. Replay: SEED=17 npm run jest -- entryBlocks
 */
test('random operations: the list holds what an array holds', () => {
  const random = seededRandom(announceSeed('entryBlocks'));
  const supply = entriesOf(60_000);
  const lengths = [1, 1, 3, 64, 65, 300, 8192, many];
  const done = { append: 0, truncate: 0, drop: 0, slice: 0, limited: 0 };
  let blocks = new EntryBlocks();
  let model: Entry[] = [];

  for (let i = 0; i < 1500; i++) {
    if (model.length > 60_000) {
      blocks = new EntryBlocks();
      model = [];
    }
    const operation = random(10);
    if (operation < 4) {
      const more = supply.slice(0, lengths[random(lengths.length)]!);
      const from = random(Math.min(3, more.length));
      blocks.append(more, from);
      model = model.concat(more.slice(from));
      more.length = 0;
      done.append++;
    } else if (operation === 4) {
      const length = random(3) === 0 ? random(model.length + 1) : Math.max(0, model.length - random(70));
      blocks.truncate(length);
      model.length = length;
      done.truncate++;
    } else if (operation === 5) {
      const count = random(3) === 0 ? random(model.length + 1) : Math.min(model.length, random(9000));
      blocks.drop(count);
      model = model.slice(count);
      done.drop++;
    } else if (model.length > 0) {
      const from = random(model.length);
      const to = from + 1 + random(Math.min(model.length - from, random(2) === 0 ? 40 : many));
      const limited = random(2) === 0;
      const maxBytes = limited ? random(2) === 0 ? random(60) : random(300_000) : noLimit;
      const found = blocks.slice(from, to, maxBytes);
      expect(same(found, model.slice(from, from + found.length))).toBe(true);
      if (found.length > 1) expect(entriesSize(found)).toBeLessThanOrEqual(maxBytes);
      if (found.length < to - from) expect(entriesSize(found) + entriesSize([model[from + found.length]!])).toBeGreaterThan(maxBytes);
      // It is the caller's own.
      found.length = 0;
      done[limited ? 'limited' : 'slice']++;
    }
    const positions = [0, random(model.length + 1), model.length - 1, model.length, model.length + 9000];
    expect(blocks.length).toBe(model.length);
    expect(positions.filter((position) => position >= 0 && blocks.at(position) !== model[position])).toEqual([]);
  }

  expect(blocks.length === 0 || same(blocks.slice(0, blocks.length, noLimit), model)).toBe(true);
  expect(Object.entries(done).filter(([, count]) => count < 50)).toEqual([]);
});

describe('slice', () => {
  const entries = entriesOf(many);

  test.each([
    { from: 0, to: many, why: 'everything' },
    { from: 8192, to: 16_384, why: 'exactly one block' },
    { from: 8191, to: 8193, why: 'the last of one block and the first of the next' },
    { from: many - 1, to: many, why: 'the last' },
  ])('$why', ({ from, to }) => {
    const blocks = blocksOf(entries);

    const found = blocks.slice(from, to, noLimit);

    expect(same(found, entries.slice(from, to))).toBe(true);
  });

  test('a limit that is reached at the end of a block ends there', () => {
    const room = entriesSize(entries.slice(8000, 8192));

    expect(blocksOf(entries).slice(8000, 9000, room)).toHaveLength(192);
    expect(blocksOf(entries).slice(8000, 9000, room - 1)).toHaveLength(191);
  });

  test('one entry is always there (E12), also if it is the last of its block', () => {
    expect(blocksOf(entries).slice(8191, 9000, 0)).toEqual([entries[8191]]);
    expect(blocksOf(entries).slice(8192, 9000, 0)).toEqual([entries[8192]]);
  });

  test('an array that was handed out does not change with the list', () => {
    const blocks = blocksOf(entries.slice(0, 8192));
    const found = blocks.slice(0, 8192, noLimit);

    blocks.truncate(10);
    blocks.append(entries, 19_000);

    expect(same(found, entries.slice(0, 8192))).toBe(true);
  });
});
