import { describe, expect, test } from '@jest/globals';
import { crc32 } from '../../../src/node/shared/crc32.js';
import { crc32c } from '../../../src/node/shared/crc32c.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';

/** The definition, bit by bit, with a reflected polynomial. */
function bitwise(polynomial: number, bytes: Uint8Array): number {
  let c = 0xffff_ffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) c = (c & 1) !== 0 ? (c >>> 1) ^ polynomial : c >>> 1;
  }
  return ~c >>> 0;
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

const kinds = [
  { name: 'crc32c', checksum: crc32c, polynomial: 0x82f6_3b78 },
  { name: 'crc32', checksum: crc32, polynomial: 0xedb8_8320 },
] as const;

test.each([
  { what: 'the check value of the catalogue', bytes: ascii('123456789'), ofCrc32c: 0xe306_9283, ofCrc32: 0xcbf4_3926 },
  { what: 'nothing', bytes: new Uint8Array(0), ofCrc32c: 0, ofCrc32: 0 },
  { what: '32 zeros (RFC 3720)', bytes: new Uint8Array(32), ofCrc32c: 0x8a91_36aa, ofCrc32: 0x190a_55ad },
  { what: '32 ones (RFC 3720)', bytes: new Uint8Array(32).fill(0xff), ofCrc32c: 0x62a8_ab43, ofCrc32: 0xff6c_ab0b },
  { what: '0 to 31 (RFC 3720)', bytes: Uint8Array.from({ length: 32 }, (_, i) => i), ofCrc32c: 0x46dd_794e, ofCrc32: 0x9126_7e8a },
])('known: $what', ({ bytes, ofCrc32c, ofCrc32 }) => {
  expect([crc32c(bytes), crc32(bytes)]).toEqual([ofCrc32c, ofCrc32]);
  expect(kinds.map(({ polynomial }) => bitwise(polynomial, bytes))).toEqual([ofCrc32c, ofCrc32]);
});

describe.each(kinds)('$name', ({ name, checksum, polynomial }) => {
  const random = seededRandom(announceSeed(name));

  test('the same as bit by bit: every length, start and alignment', () => {
    const bytes = Uint8Array.from({ length: 200 }, () => random(256));
    for (let shift = 0; shift < 8; shift++) {
      const view = new Uint8Array(bytes.buffer, shift);
      for (let start = 0; start < 10; start++) {
        for (let end = start; end < 70; end++) {
          const expected = bitwise(polynomial, view.subarray(start, end));
          if (checksum(view, 0, start, end) !== expected) throw new Error(`shift ${shift}, [${start}, ${end})`);
        }
      }
    }
  });

  test('goes on from the checksum of what came before, wherever it is cut', () => {
    const bytes = Uint8Array.from({ length: 1000 }, () => random(256));
    const whole = bitwise(polynomial, bytes);
    for (let i = 0; i < 200; i++) {
      const cut = random(bytes.length + 1);
      expect(checksum(bytes, checksum(bytes, 0, 0, cut), cut)).toBe(whole);
    }
  });

  test('notices every flipped bit', () => {
    const bytes = Uint8Array.from({ length: 64 }, () => random(256));
    const crc = checksum(bytes);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(checksum(bytes)).not.toBe(crc);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });
});
