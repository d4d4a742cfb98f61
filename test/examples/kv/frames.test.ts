import { describe, expect, test } from '@jest/globals';

import { encodeFrames, FrameDecoder, FrameError } from '../../../examples/kv/frames.js';
import { decodeMessage } from '../../../src/codec/index.js';
import { EntryType, MessageType, newEntry, newMessage, type Message } from '../../../src/core/index.js';

/** Messages of quite different lengths. */
const messages: readonly Message[] = [0, 1, 100, 5000].map((length, i) => {
  const m = newMessage(MessageType.MsgApp, 2);
  m.from = 1;
  m.term = i + 1;
  m.entries = [newEntry(EntryType.EntryNormal, new Uint8Array(length).fill(7), 1, 1)];
  return m;
});
const stream = encodeFrames(messages);

/** The messages that come out when the stream arrives in pieces of `size` bytes. */
function received(size: number): Message[] {
  const decoder = new FrameDecoder();
  const found: Message[] = [];
  for (let at = 0; at < stream.length; at += size) {
    // A copy that is overwritten afterwards, as a socket may do with its buffer.
    const piece = stream.slice(at, at + size);
    decoder.push(piece, (frame) => found.push(decodeMessage(frame)));
  }
  return found;
}

describe('frames', () => {
  test.each([
    { size: 1, why: 'byte by byte' },
    { size: 3, why: 'less than a header' },
    { size: 4, why: 'a header' },
    { size: 1000, why: 'pieces of several frames' },
    { size: Infinity, why: 'all at once' },
  ])('the messages come out again: $why', ({ size }) => {
    expect(received(Math.min(size, stream.length))).toEqual(messages);
  });

  test('a frame that is not complete is kept back', () => {
    const decoder = new FrameDecoder();
    const lengths: number[] = [];

    decoder.push(Uint8Array.of(0, 0, 0, 2, 1), (frame) => lengths.push(frame.length));
    expect(lengths).toEqual([]);
    decoder.push(Uint8Array.of(1), (frame) => lengths.push(frame.length));
    expect(lengths).toEqual([2]);
  });

  test.each([
    { bytes: [0, 0, 0, 11], message: 'a frame of 11 bytes; allowed are 1 to 10', why: 'above the limit, before its bytes arrive' },
    { bytes: [0xff, 0xff, 0xff, 0xff], message: 'a frame of 4294967295 bytes; allowed are 1 to 10', why: 'not a negative number' },
    { bytes: [0, 0, 0, 0], message: 'a frame of 0 bytes; allowed are 1 to 10', why: 'no message is empty' },
    { bytes: [0, 0, 0, 1, 9, 0x47, 0x45, 0x54, 0x20], message: 'a frame of 1195725856 bytes; allowed are 1 to 10', why: 'garbage behind a good frame' },
  ])('$message: $why', ({ bytes, message }) => {
    expect(() => new FrameDecoder(10).push(Uint8Array.from(bytes), () => undefined)).toThrow(new FrameError(message));
  });

  test('the longest frame allowed passes', () => {
    const lengths: number[] = [];

    new FrameDecoder(10).push(Uint8Array.of(0, 0, 0, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), (frame) => lengths.push(frame.length));

    expect(lengths).toEqual([10]);
  });
});
