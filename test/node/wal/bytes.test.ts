import { describe, expect, test } from '@jest/globals';
import { aligned, sectorsFor } from '../../../src/node/wal/format.js';
import { isSegmentLike, isSnapshotName, isTemporary, pathIn, segmentName, segmentSeqOf, snapshotName } from '../../../src/node/wal/names.js';
import { decodeSegmentHeader, encodeSegmentHeader, segmentHeaderSpace, type SegmentHeader } from '../../../src/node/wal/segmentHeader.js';
import { firstNonZero, readId, readU64, viewOf, writeId, writeU64 } from '../../../src/node/wal/words.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';

const max = Number.MAX_SAFE_INTEGER;

describe('numbers', () => {
  const view = new DataView(new ArrayBuffer(24));

  test.each([0, 1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, max - 1, max])('%d comes back, little-endian', (value) => {
    writeU64(view, 3, value);

    expect(readU64(view, 3)).toBe(value);
    expect(view.getBigUint64(3, true)).toBe(BigInt(value));
  });

  test.each([2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])('%d is no safe integer: as a number it is -1, never another one', (value) => {
    view.setBigUint64(0, value, true);

    expect(readU64(view, 0)).toBe(-1);
  });

  test.each([0, 1, max, 2n ** 53n, 2n ** 64n - 1n])('the id %d comes back in canonical form', (id) => {
    writeId(view, 8, id);

    expect(readId(view, 8)).toBe(id);
  });

  test('the first byte that is not zero: every place, in every alignment', () => {
    const buffer = new ArrayBuffer(80);
    // Collected, because a matcher for each costs many times what is tested.
    const wrong: string[] = [];
    const check = (bytes: Uint8Array, start: number, end: number, expected: number): void => {
      const found = firstNonZero(bytes, start, end);
      if (found !== expected) wrong.push(`shift ${bytes.byteOffset}, [${start}, ${end}): ${found} in place of ${expected}`);
    };
    for (let shift = 0; shift < 8; shift++) {
      const bytes = new Uint8Array(buffer, shift, 64);
      for (let start = 0; start < 20; start++) {
        for (let end = start; end <= 60; end += 1 + (end % 3)) {
          check(bytes, start, end, end);
          for (let at = start - 1; at <= end; at++) {
            if (at < 0) continue;
            bytes[at] = 0x80;
            check(bytes, start, end, at < start ? end : Math.min(at, end));
            bytes[at] = 0;
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('minus zero is not taken for zeros', () => {
    const bytes = new Uint8Array(24);
    viewOf(bytes).setFloat64(8, -0, true);

    expect(firstNonZero(bytes, 0, 24)).toBe(15);
  });

  test.each([
    [0, 0, 0],
    [1, 8, 512],
    [8, 8, 512],
    [9, 16, 512],
    [512, 512, 512],
    [513, 520, 1024],
  ])('%d is rounded up to %d and %d', (size, words, sectors) => {
    expect([aligned(size), sectorsFor(size)]).toEqual([words, sectors]);
  });
});

describe('B62: names are in order as numbers are', () => {
  const numbers = [0, 1, 9, 10, 99, 100, 2 ** 32, max - 1, max];

  test('a listing in order of names is in order of numbers', () => {
    const segments = numbers.map((seq) => segmentName(seq));
    const snapshots = numbers.map((index) => snapshotName(index, 1));

    expect([...segments].reverse().sort()).toEqual(segments);
    expect([...snapshots].reverse().sort()).toEqual(snapshots);
    expect(segments.map(segmentSeqOf)).toEqual(numbers);
    expect(segments.every((name) => name.length === 24)).toBe(true);
  });

  test.each([
    { name: '1.wal', seq: null, why: 'not padded' },
    { name: `${'9'.repeat(20)}.wal`, seq: null, why: 'no safe integer' },
    { name: segmentName(7).replace('.wal', '.wal.tmp'), seq: null, why: 'not finished' },
    { name: ` ${segmentName(7)}`, seq: null, why: 'something before it' },
    { name: segmentName(7), seq: 7, why: 'a segment' },
  ])('$name: $why', ({ name, seq }) => {
    expect(segmentSeqOf(name)).toBe(seq);
  });

  test('what a name claims to be', () => {
    const names = [segmentName(1), '1.wal', snapshotName(1, 1), '1.snap', 'spare.tmp', `${snapshotName(1, 1)}.tmp`, 'LOCK'];

    expect(names.filter(isSegmentLike)).toEqual(names.slice(0, 2));
    expect(names.filter(isSnapshotName)).toEqual([names[2]]);
    expect(names.filter(isTemporary)).toEqual(names.slice(4, 6));
    expect(pathIn('/a', 'b')).toBe('/a/b');
  });
});

describe('the header of a segment', () => {
  const random = seededRandom(announceSeed('bytes'));
  const number = (): number => random(2) === 0 ? random(1000) : max - random(1000);
  const id = (): { index: number; term: number } => ({ index: number(), term: number() });
  const any = (): SegmentHeader => ({
    walId: Uint8Array.from({ length: 16 }, () => random(256)),
    joined: random(2) === 1,
    nodeId: [1, max, 2n ** 64n - 1n][random(3)]!,
    clusterId: [0, 7, 2n ** 60n][random(3)]!,
    seq: number(),
    replacesFrom: number(),
    epoch: number(),
    firstBatch: number(),
    copiedThrough: number(),
    hardState: { term: number(), vote: [0, 3, 2n ** 63n][random(3)]!, commit: number() },
    snapshot: id(),
    offset: id(),
    last: id(),
    previousCrc: random(2 ** 32),
    length: number(),
  });

  test('comes back as it was', () => {
    for (let i = 0; i < 200; i++) {
      const header = any();
      const bytes = encodeSegmentHeader(header);

      expect(bytes.length).toBe(segmentHeaderSpace);
      expect(decodeSegmentHeader(bytes)).toEqual({ header });
    }
  });

  test('every flipped bit of its sector is noticed, and none is taken for a newer version', () => {
    const bytes = encodeSegmentHeader(any());
    const wrong: number[] = [];
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const decoded = decodeSegmentHeader(bytes);
      if ('header' in decoded || decoded.newerVersion) wrong.push(bit);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(wrong).toEqual([]);
  });

  test('of every length but its own it is none', () => {
    const bytes = encodeSegmentHeader(any());
    for (let length = 0; length < bytes.length; length++) expect(decodeSegmentHeader(bytes.subarray(0, length))).toHaveProperty('problem', 'the file ends within the header of the segment');
  });
});
