import { describe, expect, test } from '@jest/globals';
import { entrySize, type Entry } from '../../../src/core/index.js';
import { EntryCache } from '../../../src/node/wal/entryCache.js';
import { entryBytes } from '../../../src/node/wal/format.js';
import { PlaceIndex, type Segment } from '../../../src/node/wal/placeIndex.js';
import { TermRuns } from '../../../src/node/wal/termRuns.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';
import { entry } from './inspectedLog.js';

const seed = announceSeed('models');

/** A log without its entries: pushes at the end, cuts at both ends, as hosts do it. */
function randomLog(steps: number, run: number, target: { push(index: number, term: number): void; truncate(index: number): void; forgetBefore(index: number): void; clear(next: number): void; check(first: number, last: number): void }): void {
  const random = seededRandom(seed + run);
  let first = 1;
  let last = 0;
  let term = 1;
  for (let step = 0; step < steps; step++) {
    const choice = random(10);
    if (choice < 6) {
      if (random(5) === 0) term++;
      for (let count = 1 + random(6); count > 0; count--) target.push(++last, term);
    } else if (choice < 8 && last >= first) {
      const from = first + random(last - first + 1);
      target.truncate(from);
      last = from - 1;
      term++;
    } else if (choice === 8 && last >= first) {
      first += random(last - first + 2);
      target.forgetBefore(first);
    } else if (random(20) === 0) {
      last += random(10);
      first = last + 1;
      target.clear(first);
    }
    target.check(first, last);
  }
}

describe('terms', () => {
  test.each([0, 1, 2, 3])('are those of a plain list, run %d', (run) => {
    const runs = new TermRuns();
    const model = new Map<number, number>();
    randomLog(300, run, {
      push: (index, term) => {
        runs.push(index, term);
        model.set(index, term);
      },
      truncate: (from) => {
        runs.truncate(from);
        for (const index of model.keys()) if (index >= from) model.delete(index);
      },
      forgetBefore: (index) => runs.forgetBefore(index),
      clear: () => runs.clear(),
      check: (first, last) => {
        for (let index = first; index <= last; index++) if (runs.at(index) !== model.get(index)) throw new Error(`term(${index}) is ${runs.at(index)}, and not ${model.get(index)}`);
      },
    });
    expect(model.size).toBeGreaterThan(0);
  });

  test('are 0 where nothing is known', () => {
    const runs = new TermRuns();
    expect(runs.at(5)).toBe(0);
    runs.push(5, 2);
    runs.push(7, 3);

    expect([4, 5, 6, 7, 8].map((index) => runs.at(index))).toEqual([0, 2, 2, 3, 3]);
  });
});

describe('places', () => {
  const segments = Array.from({ length: 4 }, (_, i) => ({ name: `segment ${i}` }) as Segment);

  test.each([0, 1, 2, 3])('are those of a plain list, run %d', (run) => {
    const random = seededRandom(seed - run);
    const places = new PlaceIndex();
    const model = new Map<number, { segment: Segment; offset: number }>();
    let offset = 0;
    let segment = segments[0]!;
    randomLog(300, run, {
      push: (index) => {
        if (random(10) === 0) segment = segments[random(4)]!;
        places.place(segment, index, (offset += 40));
        model.set(index, { segment, offset });
      },
      truncate: (from) => {
        places.truncate(from);
        for (const index of model.keys()) if (index >= from) model.delete(index);
      },
      forgetBefore: (before) => {
        places.forgetBefore(before);
        for (const index of model.keys()) if (index < before) model.delete(index);
      },
      clear: () => {
        places.clear();
        model.clear();
      },
      check: (first, last) => {
        if (random(8) === 0) {
          const from = segments[random(4)]!;
          const to = segments[random(4)]!;
          places.move(from, to);
          for (const place of model.values()) if (place.segment === from) place.segment = to;
        }
        for (let index = first; index <= last + 1; index++) {
          const found = places.find(index);
          const known = model.get(index);
          if (found?.segment !== known?.segment || found?.offset !== known?.offset) throw new Error(`entry ${index} is looked for at the wrong place`);
        }
        for (const known of segments) {
          const used = [...model.values()].some((place) => place.segment === known);
          // What is forgotten goes in pieces, so that more may be in use than is needed, and never less.
          if (used && !places.uses(known)) throw new Error(`${known.name} is said not to be in use`);
        }
      },
    });
  });

  test('a segment is in use as long as an entry stands in it', () => {
    const places = new PlaceIndex();
    const [a, b] = segments as [Segment, Segment];
    for (const [segment, index] of [[a, 1], [a, 2], [b, 3]] as const) places.place(segment, index, 512);
    expect(places.find(0)).toBeNull();
    places.forgetBefore(2);
    expect([places.uses(a), places.uses(b)]).toEqual([true, true]);
    places.forgetBefore(3);
    expect([places.uses(a), places.uses(b)]).toEqual([false, true]);
    places.truncate(3);
    expect(places.uses(b)).toBe(false);
    places.clear();
    expect(places.find(3)).toBeNull();
  });
});

describe('the cache', () => {
  test.each([0, 1, 2, 3])('holds the end of a plain list, run %d', (run) => {
    const random = seededRandom(seed + 100 + run);
    const limit = [0, 100, 1000, 1e9][run]!;
    const cache = new EntryCache(limit);
    cache.reset(1);
    let model: Entry[] = [];
    let write = 0;
    let written = 0;
    const waiting: Entry[] = [];
    const flush = (): void => {
      cache.append(waiting, waiting.reduce((sum, one) => sum + entryBytes(one), 0), ++write);
      waiting.length = 0;
    };
    randomLog(2000, run, {
      push: (index, term) => {
        const made = entry(index, term, 'x'.repeat(random(40)));
        waiting.push(made);
        // Some come alone, some with others.
        if (random(3) > 0) flush();
        model.push(made);
      },
      truncate: (from) => {
        flush();
        cache.truncate(from);
        model = model.filter(({ index }) => index < from);
      },
      forgetBefore: (before) => {
        cache.forgetBefore(before);
        model = model.filter(({ index }) => index >= before);
      },
      clear: (next) => {
        cache.reset(next);
        model = [];
      },
      check: (_first, last) => {
        flush();
        if (random(3) === 0) {
          written += random(write - written + 1);
          cache.shrink(written);
        }
        const here = model.filter(({ index }) => index >= cache.first);
        if (cache.first > last + 1) throw new Error(`the cache begins at ${cache.first}, and the log ends at ${last}`);
        if (here.length === 0) return;
        const lo = cache.first + random(here.length);
        const hi = lo + random(last - lo + 2);
        if (lo === hi) return;
        const maxBytes = random(300);
        const found = cache.slice(lo, hi, maxBytes);
        const expected: Entry[] = [];
        let size = 0;
        for (const next of here.filter(({ index }) => index >= lo && index < hi)) {
          size += entrySize(next);
          if (size > maxBytes && expected.length > 0) break;
          expected.push(next);
        }
        if (found.length !== expected.length || found.some((one, i) => one !== expected[i])) expect(found).toEqual(expected);
      },
    });
  });

  /** A cache for entries of one size, which come one by one. */
  function cacheOf(limit: number): { readonly cache: EntryCache; readonly push: (index: number, term: number) => void } {
    const cache = new EntryCache(limit * entryBytes(entry(1, 1, 'x')));
    cache.reset(1);
    let write = 0;
    const push = (index: number, term: number): void => {
      const made = entry(index, term, 'x');
      cache.append([made], entryBytes(made), ++write);
    };
    return { cache, push };
  }

  test('lets go of what is written and over the limit, and of nothing else', () => {
    const { cache, push } = cacheOf(2);
    for (let index = 1; index <= 6; index++) push(index, 1);
    cache.shrink(0);
    expect(cache.first).toBe(1);
    cache.shrink(2);
    expect(cache.first).toBe(3);
    cache.shrink(6);
    expect(cache.first).toBe(5);
    cache.forgetBefore(3);
    expect(cache.first).toBe(5);
    cache.forgetBefore(9);
    expect(cache.first).toBe(9);
  });

  test('lets go of a sixty-fourth of the limit at once, and of no more', () => {
    const { cache, push } = cacheOf(640);
    for (let index = 1; index <= 3000; index++) {
      push(index, 1);
      cache.shrink(index);
      const kept = index + 1 - cache.first;
      if (kept < Math.min(index, 640 - 10) || kept > 640) throw new Error(`${kept} entries are kept after ${index}`);
    }
    expect(cache.slice(2999, 3001, Infinity)).toEqual([entry(2999, 1, 'x'), entry(3000, 1, 'x')]);
  });

  test('what was cut off and written anew counts once', () => {
    const { cache, push } = cacheOf(1000);
    for (let round = 0; round < 100; round++) {
      for (let index = 1; index <= 900; index++) push(index, round);
      cache.shrink(1e9);
      expect(cache.first).toBe(1);
      cache.truncate(2);
      expect(cache.slice(1, 2, Infinity)).toEqual([entry(1, round, 'x')]);
      cache.truncate(1);
    }
  });
});
