import { describe, expect, test } from '@jest/globals';
import { crc32c } from '../../../src/node/shared/crc32c.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';

/** The definition, bit by bit: the polynomial 0x1EDC6F41, reflected. */
function bitwise(bytes: Uint8Array, crc = 0): number {
  let c = ~crc >>> 0;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) c = (c & 1) !== 0 ? (c >>> 1) ^ 0x82f6_3b78 : c >>> 1;
  }
  return ~c >>> 0;
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

describe('crc32c', () => {
  test.each([
    { what: 'the check value of the catalogue', bytes: ascii('123456789'), crc: 0xe306_9283 },
    { what: 'nothing', bytes: new Uint8Array(0), crc: 0 },
    { what: '32 zeros (RFC 3720)', bytes: new Uint8Array(32), crc: 0x8a91_36aa },
    { what: '32 ones (RFC 3720)', bytes: new Uint8Array(32).fill(0xff), crc: 0x62a8_ab43 },
    { what: '0 to 31 (RFC 3720)', bytes: Uint8Array.from({ length: 32 }, (_, i) => i), crc: 0x46dd_794e },
  ])('$what', ({ bytes, crc }) => {
    expect(crc32c(bytes)).toBe(crc);
    expect(bitwise(bytes)).toBe(crc);
  });

  test('the same as bit by bit: every length, start and alignment', () => {
    const random = seededRandom(announceSeed('crc32c'));
    const bytes = Uint8Array.from({ length: 200 }, () => random(256));
    for (let shift = 0; shift < 8; shift++) {
      const view = new Uint8Array(bytes.buffer, shift);
      for (let start = 0; start < 10; start++) {
        for (let end = start; end < 70; end++) {
          const expected = bitwise(view.subarray(start, end));
          if (crc32c(view, 0, start, end) !== expected) throw new Error(`shift ${shift}, [${start}, ${end})`);
        }
      }
    }
  });

  test('goes on from the checksum of what came before, wherever it is cut', () => {
    const random = seededRandom(announceSeed('crc32c'));
    const bytes = Uint8Array.from({ length: 1000 }, () => random(256));
    const whole = bitwise(bytes);
    for (let i = 0; i < 200; i++) {
      const cut = random(bytes.length + 1);
      expect(crc32c(bytes, crc32c(bytes, 0, 0, cut), cut)).toBe(whole);
    }
  });

  test('notices every flipped bit', () => {
    const random = seededRandom(announceSeed('crc32c'));
    const bytes = Uint8Array.from({ length: 64 }, () => random(256));
    const crc = crc32c(bytes);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(crc32c(bytes)).not.toBe(crc);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });
});
