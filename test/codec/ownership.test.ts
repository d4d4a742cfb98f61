import { describe, expect, test } from '@jest/globals';
import {
  decodeConfState,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeSnapshot,
  encodeMessage,
} from '../../src/codec/index.js';
import { RaftErrorCode } from '../../src/core/errors.js';
import { newEntry } from '../../src/core/raftpb/entry.js';
import { newMessage, type Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { fullMessage } from './fullMessage.js';

const fullBytes = encodeMessage(fullMessage);

describe('X21: who owns the bytes', () => {
  function withData(length: number): Message {
    const m = newMessage(MessageType.MsgApp, 1);
    m.entries = [newEntry(0, new Uint8Array(length).fill(7), 1, 1), newEntry(0, new Uint8Array(length).fill(8), 1, 2)];
    m.context = new Uint8Array(length).fill(9);
    m.snapshot = { data: new Uint8Array(length).fill(6), metadata: { confState: newConfState(), index: 1, term: 1 } };
    return m;
  }
  const lengths = [1, 30, 64, 65, 1000, 5000, 20_000];

  test.each(lengths.map((length) => ({ length })))('a decoded message of $length bytes outlives its input', ({ length }) => {
    const input = Uint8Array.from(encodeMessage(withData(length)));

    const m = decodeMessage(input);
    input.fill(0xee);

    expect(m).toEqual(withData(length));
    for (const bytes of [m.context, m.entries[0]!.data, m.snapshot!.data]) expect(bytes.buffer).not.toBe(input.buffer);
  });

  test.each(lengths.map((length) => ({ length })))('nothing that is decoded later changes it ($length bytes)', ({ length }) => {
    const m = decodeMessage(encodeMessage(withData(length)));
    const other = withData(length);
    other.context = new Uint8Array(length).fill(1);

    for (let i = 0; i < 300; i++) decodeMessage(encodeMessage(other));

    expect(m).toEqual(withData(length));
  });

  test('with alias, long byte strings are views of the input', () => {
    const input = Uint8Array.from(encodeMessage(withData(65)));

    const m = decodeMessage(input, { alias: true });

    expect(m).toEqual(withData(65));
    expect(m.entries[0]!.data.buffer).toBe(input.buffer);
    input.fill(0xee);
    expect(m.entries[0]!.data[0]).toBe(0xee);
  });

  test('an encoded message is not changed by those that follow', () => {
    const first = encodeMessage(withData(100));
    const copy = Uint8Array.from(first);

    for (let i = 0; i < 1000; i++) encodeMessage(fullMessage);

    expect(first).toEqual(copy);
  });

  test('messages of about the size from which on they have memory of their own are whole', () => {
    const m = Object.assign(newMessage(MessageType.MsgApp, (1n << 64n) - 1n), { term: 2 ** 52, index: 2 ** 52, vote: 2 ** 52 });
    for (let length = 15_900; length < 16_900; length++) {
      m.context = new Uint8Array(length).fill(length);

      const { context, vote } = decodeMessage(encodeMessage(m));

      expect(vote).toBe(2 ** 52);
      expect(Buffer.compare(context, m.context)).toBe(0);
    }
  });

  test('encoding goes on after somebody has transferred an encoded message away', () => {
    const bytes = encodeMessage(withData(100));

    structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });

    expect(decodeMessage(encodeMessage(fullMessage))).toEqual(fullMessage);
    const data = decodeMessage(encodeMessage(withData(100))).entries[0]!.data;
    structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
    expect(decodeMessage(encodeMessage(withData(100)))).toEqual(withData(100));
  });
});

describe('X22: other kinds of input', () => {
  test('a zero-length array is the message of zeros', () => {
    expect(decodeMessage(new Uint8Array(0))).toEqual(newMessage(MessageType.MsgHup, 0));
    expect(decodeMessage(Buffer.alloc(0))).toEqual(newMessage(MessageType.MsgHup, 0));
  });

  test('from a Buffer, which may be a part of a larger one, still come plain Uint8Arrays', () => {
    const buffer = Buffer.concat([Buffer.from('abc'), fullBytes, Buffer.from('def')]).subarray(3, 3 + fullBytes.length);

    for (const alias of [false, true]) {
      const m = decodeMessage(buffer, { alias });

      expect(m).toEqual(fullMessage);
      for (const bytes of [m.context, m.entries[0]!.data, m.entries[1]!.data, m.snapshot!.data]) {
        expect(bytes.constructor).toBe(Uint8Array);
        expect(Buffer.isBuffer(bytes)).toBe(false);
      }
    }
  });

  test('shared memory is copied, and so cannot change behind the back of the core', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(fullBytes.length));
    shared.set(fullBytes);

    const m = decodeMessage(shared);
    shared.fill(0);

    expect(m).toEqual(fullMessage);
    expect(m.entries[0]!.data.buffer).toBeInstanceOf(ArrayBuffer);
  });

  test.each([
    { why: 'null', input: null },
    { why: 'text', input: 'abc' },
    { why: 'a list of numbers', input: [8, 3] },
    { why: 'an ArrayBuffer', input: new ArrayBuffer(4) },
    { why: 'wider elements', input: new Uint16Array(4) },
    { why: 'a DataView', input: new DataView(new ArrayBuffer(4)) },
  ])('$why is not bytes', ({ input }) => {
    for (const decode of [decodeMessage, decodeEntry, decodeSnapshot, decodeHardState, decodeConfState]) {
      expect(() => decode(input as unknown as Uint8Array)).toThrow(
        expect.objectContaining({ code: RaftErrorCode.ArgumentInvalid }),
      );
    }
  });
});
