import { describe, expect, test } from '@jest/globals';
import { Inflights } from '../../../src/core/tracker/inflights.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';

function filled(size: number, maxBytes: number, messages: readonly (readonly [index: number, bytes: number])[]): Inflights {
  const inflights = new Inflights(size, maxBytes);
  for (const [index, bytes] of messages) inflights.add(index, bytes);
  return inflights;
}

/** Five messages of 10 bytes whose last entries are 1 to 5. */
function five(): Inflights {
  return filled(5, Infinity, [[1, 10], [2, 10], [3, 10], [4, 10], [5, 10]]);
}

describe('E5: the window of unacknowledged messages', () => {
  test.each([
    { size: 3, maxBytes: Infinity, messages: 2, full: false, why: 'room for one more' },
    { size: 3, maxBytes: Infinity, messages: 3, full: true, why: 'as many messages as allowed' },
    { size: 9, maxBytes: 25, messages: 2, full: false, why: 'bytes left' },
    { size: 9, maxBytes: 25, messages: 3, full: true, why: 'the byte limit is soft by one message' },
    { size: 9, maxBytes: 20, messages: 2, full: true, why: 'exactly as many bytes as allowed' },
  ])('of $size messages and $maxBytes bytes is full after $messages of 10 bytes: $full, $why', ({ size, maxBytes, messages, full }) => {
    const inflights = new Inflights(size, maxBytes);

    for (let i = 1; i <= messages; i++) inflights.add(i, 10);

    expect(inflights.full()).toBe(full);
    expect(inflights.count).toBe(messages);
    expect(inflights.bytes).toBe(messages * 10);
  });

  test.each([
    { acked: 0, left: 5, why: 'nothing is acknowledged' },
    { acked: 1, left: 4, why: 'the oldest one' },
    { acked: 3, left: 2, why: 'all up to the index' },
    { acked: 5, left: 0, why: 'all' },
    { acked: 9, left: 0, why: 'more than was sent' },
  ])('an ack of $acked leaves $left: $why', ({ acked, left }) => {
    const inflights = five();

    inflights.freeLE(acked);

    expect(inflights.count).toBe(left);
    expect(inflights.bytes).toBe(left * 10);
  });

  test('an ack inside of a message does not free it', () => {
    const inflights = filled(4, Infinity, [[3, 1], [7, 1]]);

    inflights.freeLE(6);

    expect(inflights.count).toBe(1);
  });

  test('adding to a full window is a bug and panics', () => {
    expect(() => five().add(6, 10)).toThrow('added to a full window');
    expect(() => filled(9, 10, [[1, 10]]).add(2, 0)).toThrow('added to a full window');
  });

  test('indexes must rise', () => {
    expect(() => filled(4, Infinity, [[3, 1]]).add(3, 1)).toThrow('inflights: index 3 added after 3');
  });

  test.each([{ size: 0, maxBytes: 1 }, { size: 1, maxBytes: 0 }])('limits must be positive: $size, $maxBytes', ({ size, maxBytes }) => {
    expect(() => new Inflights(size, maxBytes)).toThrow('limits must be positive');
  });

  test('reset empties it for any indexes', () => {
    const inflights = five();

    inflights.reset();
    inflights.add(1, 4);

    expect(inflights.count).toBe(1);
    expect(inflights.bytes).toBe(4);
  });

  test('a clone shares nothing', () => {
    const inflights = filled(3, Infinity, [[1, 10], [2, 20]]);
    const copy = inflights.clone();

    inflights.freeLE(1);
    inflights.add(3, 5);
    copy.add(7, 1);

    expect([inflights.count, inflights.bytes]).toEqual([2, 25]);
    expect([copy.count, copy.bytes, copy.full()]).toEqual([3, 31, true]);
    copy.freeLE(2);
    expect([copy.count, copy.bytes]).toEqual([1, 1]);
  });
});

/**
 * Goal: the growing ring behaves like a list.
 * Method: random adds and acks on both; acks often leave a few, so that the ring wraps while it grows.
 */
test('a random window agrees with a list', () => {
  const random = seededRandom(announceSeed('a random window'));
  for (let round = 0; round < 50; round++) {
    const size = 1 + random(40);
    const maxBytes = random(2) === 0 ? Infinity : 1 + random(200);
    const inflights = new Inflights(size, maxBytes);
    let list: { index: number; bytes: number }[] = [];
    let index = 0;
    for (let step = 0; step < 200; step++) {
      if (random(3) > 0 && !inflights.full()) {
        index += 1 + random(3);
        const bytes = random(20);
        inflights.add(index, bytes);
        list.push({ index, bytes });
      } else if (random(40) === 0) {
        inflights.reset();
        list = [];
      } else {
        const acked = Math.max(0, index - random(20));
        inflights.freeLE(acked);
        list = list.filter((message) => message.index > acked);
      }
      const bytes = list.reduce((sum, message) => sum + message.bytes, 0);
      expect([inflights.count, inflights.bytes, inflights.full()]).toEqual([list.length, bytes, list.length >= size || bytes >= maxBytes]);
    }
  }
});
