import { expect, test } from '@jest/globals';

import { decodeMessage, decodeMessageFrom, encodeMessage, encodeMessageInto } from '../../src/codec/index.js';
import { RaftErrorCode } from '../../src/core/errors.js';
import { newEntry } from '../../src/core/raftpb/entry.js';
import { newMessage, type Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { fullMessage } from './fullMessage.js';

function append(index: number, length: number): Message {
  const m = newMessage(MessageType.MsgApp, 2);
  m.from = 1;
  m.term = 3;
  m.entries = [newEntry(0, new Uint8Array(length).fill(index), 3, index)];
  return m;
}

/** Messages one behind the other, as in the buffer of a connection, and where each of them ends. */
function frames(messages: readonly Message[]): { source: Uint8Array; ends: readonly number[] } {
  const source = new Uint8Array(1 << 20);
  let end = 0;
  return { source, ends: messages.map((m) => (end = encodeMessageInto(m, source, end))) };
}

test('X21: messages in one buffer are read one after the other, and outlive it', () => {
  const messages = [newMessage(MessageType.MsgHeartbeat, 2), append(1, 20), fullMessage, append(2, 500), append(3, 5000), append(4, 60_000), newMessage(MessageType.MsgHup, 0)];
  const { source, ends } = frames(messages);

  const read = ends.map((end, i) => decodeMessageFrom(source, i === 0 ? 0 : ends[i - 1]!, end));
  source.fill(0xee);

  expect(read).toEqual(messages);
});

test('what stands behind a message is not copied with it', () => {
  const { source, ends } = frames([append(1, 200), append(2, 200)]);

  const [entry] = decodeMessageFrom(source, 0, ends[0]!).entries;
  const held = new Uint8Array(entry!.data.buffer, entry!.data.byteOffset + 200, 200);

  expect(held.every((byte) => byte === 0)).toBe(true);
});

test('with alias, byte strings are views of the buffer', () => {
  const { source, ends } = frames([append(1, 65), append(2, 65)]);

  const [entry] = decodeMessageFrom(source, ends[0]!, ends[1]!, { alias: true }).entries;

  expect(entry!.data).toEqual(new Uint8Array(65).fill(2));
  expect(entry!.data.buffer).toBe(source.buffer);
});

test('a Buffer that is a part of a larger one is read from its own beginning', () => {
  const bytes = encodeMessage(fullMessage);
  const buffer = Buffer.concat([Buffer.from('abc'), bytes, Buffer.from('def')]).subarray(1);

  expect(decodeMessageFrom(buffer, 2, 2 + bytes.length)).toEqual(fullMessage);
});

test('the offset of an error counts from the beginning of the buffer', () => {
  const source = Uint8Array.of(1, 2, 3, 0x08, 3, 0x10, 0x80, 1, 1);

  expect(() => decodeMessageFrom(source, 3, 7)).toThrow(expect.objectContaining({ code: RaftErrorCode.Malformed, offset: 6 }));
  expect(() => decodeMessage(source.slice(3, 7))).toThrow(expect.objectContaining({ code: RaftErrorCode.Malformed, offset: 3 }));
});

test.each([
  { start: -1, end: 4 },
  { start: 5, end: 4 },
  { start: 0, end: 11 },
  { start: 11, end: 11 },
  { start: 0.5, end: 4 },
  { start: 0, end: NaN },
  { start: 0, end: undefined as unknown as number },
])('10 bytes have no range from $start to $end', ({ start, end }) => {
  expect(() => decodeMessageFrom(new Uint8Array(10), start, end)).toThrow(expect.objectContaining({ code: RaftErrorCode.ArgumentInvalid }));
});

test('a message cannot begin a gibibyte or more behind the beginning', () => {
  const source = new Uint8Array((1 << 30) + 2); // None of it is touched but the end, so it takes no memory.
  source.set([0x08, 3], (1 << 30) - 2);

  expect(decodeMessageFrom(source, (1 << 30) - 2, 1 << 30).type).toBe(3);
  expect(decodeMessageFrom(source, (1 << 30) - 1, (1 << 30) - 1).type).toBe(0);
  expect(() => decodeMessageFrom(source, 1 << 30, (1 << 30) + 2)).toThrow(expect.objectContaining({ code: RaftErrorCode.ArgumentInvalid }));
});

test('an empty range is a message without fields, at the end too', () => {
  expect(decodeMessageFrom(new Uint8Array(10), 10, 10)).toEqual(newMessage(MessageType.MsgHup, 0));
});

test.each([null, undefined, 'abc', [8, 3], new ArrayBuffer(4)])('%p is not bytes', (input) => {
  expect(() => decodeMessageFrom(input as unknown as Uint8Array, 0, 0)).toThrow(expect.objectContaining({ code: RaftErrorCode.ArgumentInvalid }));
});
