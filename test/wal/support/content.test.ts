import { describe, expect, test } from '@jest/globals';
import { Prng } from '../../../src/sim/prng.js';
import { announceSeed } from '../../support/seededRandom.js';
import { Content, ContentEdit, piecesOf, sectorSize, zeroSector } from './content.js';

function written(base: Content, bytes: Uint8Array, position: number): Content {
  const edit = new ContentEdit(base);
  for (const piece of piecesOf(bytes, position)) edit.put(piece);
  return edit.finish(Math.max(base.length, position + bytes.length));
}

/** Matchers take milliseconds for a few thousand bytes. */
function same(bytes: Uint8Array, model: readonly number[]): boolean {
  return Buffer.from(bytes).equals(Uint8Array.from(model));
}

describe('Content', () => {
  test('behaves as a plain array under random writes and cuts', () => {
    const random = new Prng(announceSeed('Content'), 'content');
    for (let run = 0; run < 40; run++) {
      let content = Content.empty;
      let model: number[] = [];
      for (let step = 0; step < 20; step++) {
        if (random.chance(0.2)) {
          const length = random.below(3000);
          content = new ContentEdit(content).finish(length);
          model = Array.from({ length }, (_, i) => model[i] ?? 0);
        } else {
          const position = random.below(2000);
          const bytes = new Uint8Array(random.below(1800));
          if (random.chance(0.7)) bytes.forEach((_, i) => (bytes[i] = random.below(256)));
          content = written(content, bytes, position);
          if (bytes.length > 0) while (model.length < position) model.push(0);
          else model = Array.from({ length: Math.max(model.length, position) }, (_, i) => model[i] ?? 0);
          bytes.forEach((byte, i) => (model[position + i] = byte));
        }
        expect(content.length).toBe(model.length);
        expect(same(content.bytes(), model)).toBe(true);
        const at = random.below(model.length + 10);
        const target = new Uint8Array(random.below(1500));
        const count = content.read(target, at);
        expect(same(target.subarray(0, count), model.slice(at, at + target.length))).toBe(true);
        const anew = Content.of(Uint8Array.from(model));
        expect([content.hashA, content.hashB]).toEqual([anew.hashA, anew.hashB]);
      }
    }
  });

  test('what was made before does not change', () => {
    const first = Content.of(new Uint8Array(600).fill(1));
    const second = written(first, new Uint8Array(10).fill(2), 595);

    expect(first.bytes()).toEqual(new Uint8Array(600).fill(1));
    expect(second.length).toBe(605);
    expect(second.sectors[0]).toBe(first.sectors[0]);
  });

  test('one bit, one byte more and two sectors exchanged change the hash', () => {
    const bytes = Uint8Array.from({ length: 2 * sectorSize }, (_, i) => i * 7 + (i >> 8));
    const flipped = bytes.slice();
    flipped[sectorSize + 3]! ^= 0x80;
    const swapped = new Uint8Array([...bytes.subarray(sectorSize), ...bytes.subarray(0, sectorSize)]);
    const longer = new Uint8Array([...bytes, 0]);
    const contents = [bytes, flipped, swapped, longer, new Uint8Array(0), new Uint8Array(1)].map((b) => Content.of(b));

    expect(new Set(contents.map(({ hashA }) => hashA)).size).toBe(6);
    expect(new Set(contents.map(({ hashB }) => hashB)).size).toBe(6);
  });

  test('sectors of zeros are shared', () => {
    expect(Content.of(new Uint8Array(4 * sectorSize)).sectors.every((sector) => sector === zeroSector)).toBe(true);
  });

  test('a write is cut at the borders of the sectors', () => {
    expect(piecesOf(new Uint8Array(1100).fill(1), 500).map(({ position, length }) => [position, length])).toEqual([[500, 12], [512, 512], [1024, 512], [1536, 64]]);
  });
});
