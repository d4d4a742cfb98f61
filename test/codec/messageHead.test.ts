import { expect, test } from '@jest/globals';
import { decodeMessage } from '../../src/codec/index.js';
import { RaftError } from '../../src/core/errors.js';
import type { Message } from '../../src/core/raftpb/message.js';
import { announceSeed, seededRandom } from '../support/seededRandom.js';

type Random = (bound: number) => number;

/** A varint of `size` bytes, longer than its value needs if there are zeros at the end. */
function varint(random: Random, size: number): number[] {
  const bytes = Array.from({ length: size }, () => 0x80 | (random(3) === 0 ? 0 : random(128)));
  bytes[size - 1]! &= size === 10 ? 1 : 0x7f;
  return bytes;
}

/** Numbers as every message begins with them, but some missing, repeated, out of order, long or padded. */
function randomHead(random: Random): number[] {
  const tags = [0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x40].filter(() => random(6) > 0);
  for (let i = random(4) === 0 ? 1 + random(3) : 0; i > 0; i--) {
    tags.splice(random(tags.length + 1), 0, [0x08, 0x10, 0x20, 0x30, 0x40, 0x50, 0x58, 0x68, 0x78][random(9)]!);
  }
  const plain = random(2) === 0;
  return tags.flatMap((tag) => [tag, ...varint(random, plain ? 1 + (tag < 0x30 ? 0 : random(5)) : 1 + random(10))]);
}

/** What comes of the bytes: a message, or the code of the error and where it stands. */
function outcomeOf(decode: () => Message): unknown {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof RaftError)) throw error;
    return [error.code, error.offset];
  }
}

/**
 * Goal: the beginning of a message, which is read field after field, means the same as anywhere else.
 * Method: the same bytes as a message and as a response inside of another, where all is read in a loop;
 * also cut off anywhere. Replay: SEED=17 npm run jest -- messageHead
 */
test('a message means the same alone and inside of another one', () => {
  const random = seededRandom(announceSeed('messageHead'));
  const counts = { read: 0, refused: 0 };

  for (let i = 0; i < 6000; i++) {
    const whole = randomHead(random);
    const bytes = random(3) === 0 ? whole.slice(0, random(whole.length + 1)) : whole;
    // Behind it stands more, which must not be taken for a part of it.
    const outer = Uint8Array.of(0x72, bytes.length, ...bytes, 0x40, 7);
    if (bytes.length >= 0x80) continue;

    const alone = outcomeOf(() => decodeMessage(Uint8Array.from(bytes)));
    const inside = outcomeOf(() => decodeMessage(outer).responses[0]!);

    if (Array.isArray(alone)) {
      counts.refused++;
      expect(inside).toEqual([alone[0], (alone[1] as number) + 2]);
    } else {
      counts.read++;
      expect(inside).toEqual(alone);
    }
  }

  expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(300);
});
