import { isDeepStrictEqual } from 'node:util';
import { describe, expect, jest, test } from '@jest/globals';
import {
  codecLimits,
  decodeConfState,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeMessageFrom,
  decodeSnapshot,
  encodeMessage,
} from '../../src/codec/index.js';
import { isRaftError, RaftErrorCode } from '../../src/core/errors.js';
import { newEntry } from '../../src/core/raftpb/entry.js';
import { newMessage } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { seededRandom } from '../support/seededRandom.js';
import { fullMessage } from './fullMessage.js';
import { bytesField, concat, fromHex, numberField, toHex, varint } from './protoBytes.js';

/**
 * X1 to X24: what a decoder must bear. Bytes end in a message or in a RaftError with an offset inside of
 * them, whatever they are. X5, X18 and X19 are matters of frames and handshakes; X16 and X17 cannot
 * happen, as the schema has neither text nor maps; X21 and X22 are in `ownership.test.ts`, X23 and X24 in
 * `differential.test.ts`.
 */

interface Refusal {
  readonly code: string;
  readonly offset: number;
  readonly message: string;
}

/** How the bytes are refused; anything but a proper refusal fails the test. */
function refusalOf(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown = decodeMessage): Refusal {
  try {
    decode(bytes);
  } catch (error) {
    if (!isRaftError(error, RaftErrorCode.Malformed) && !isRaftError(error, RaftErrorCode.OutOfRange)) throw error;
    const { code, offset, message } = error as unknown as Refusal;
    expect(offset).toBeGreaterThanOrEqual(0);
    expect(offset).toBeLessThanOrEqual(bytes.length);
    return { code, offset, message };
  }
  throw new Error(`accepted ${toHex(bytes.subarray(0, 100))}`);
}

/** True if the bytes are a message, false if they are properly refused. */
function accepts(bytes: Uint8Array): boolean {
  try {
    decodeMessage(bytes);
    return true;
  } catch (error) {
    if (!isRaftError(error, RaftErrorCode.Malformed) && !isRaftError(error, RaftErrorCode.OutOfRange)) throw error;
    return false;
  }
}

const fullBytes = encodeMessage(fullMessage);

test('X1: random bytes of up to 64 KiB', () => {
  const random = seededRandom(1);
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const bytes = new Uint8Array(i < 250 ? random(200) : random(65_536));
    for (let at = 0; at < bytes.length; at++) bytes[at] = random(256);
    if (!accepts(bytes)) refused++;
  }
  expect(refused).toBeGreaterThan(250);
});

test('X2: every prefix of a message is refused, or is the message without its last fields', () => {
  const complete = new Set<number>();
  for (let length = 0; length < fullBytes.length; length++) if (accepts(fullBytes.subarray(0, length))) complete.add(length);

  // A message may only end between two of its 15 fields.
  expect(complete.size).toBe(15);
  expect(decodeMessage(fullBytes)).toEqual(fullMessage);
});

test('X3: every single bit flipped', () => {
  let accepted = 0;
  for (let bit = 0; bit < fullBytes.length * 8; bit++) {
    const bytes = Uint8Array.from(fullBytes);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    if (accepts(bytes)) accepted++;
  }
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(fullBytes.length * 8);
});

describe('X4: fields in any order, repeated and missing', () => {
  test('the last of several numbers counts, and the last of several byte strings', () => {
    const m = decodeMessage(fromHex('0803 0804 2001 2002 6203010101 620109 5001 5000'));

    expect(m).toMatchObject({ type: MessageType.MsgAppResp, term: 2, context: Uint8Array.of(9), reject: false });
  });

  test('entries, responses and ids add up, wherever they stand', () => {
    const m = decodeMessage(fromHex('7202 1001 3a02 1805 2001 3a02 1806 7202 1002'));

    expect(m.entries.map(({ index }) => index)).toEqual([5, 6]);
    expect(m.responses.map(({ to }) => to)).toEqual([1, 2]);
    expect(m.term).toBe(1);
  });

  test('a record that comes twice is merged, as protobuf demands', () => {
    const { snapshot } = decodeMessage(fromHex('4a09 0a01aa 1204 0a02 0801 4a0a 1208 0a04 0802 1003 1005 4a02 1200'));

    expect(snapshot).toEqual({
      data: Uint8Array.of(0xaa),
      metadata: { confState: newConfState({ voters: [1, 2], learners: [3] }), index: 5, term: 0 },
    });
  });

  test('backwards', () => {
    expect(decodeMessage(fromHex('6804 4003 3002 2001 1802 1001 0803'))).toEqual(
      Object.assign(newMessage(MessageType.MsgApp, 1), { from: 2, term: 1, index: 2, commit: 3, vote: 4 }),
    );
  });
});

describe('X6: a length beyond the end of what holds it', () => {
  test.each([
    { why: 'entry beyond the message', hex: '3a05 10011802' },
    { why: 'entry data beyond the entry, but inside of the message', hex: '3a03 220510 1001 1001 1001' },
    { why: 'context of 2^31-1 bytes', hex: '62ffffffff07' },
    { why: 'context of 2^32 bytes', hex: '628080808010' },
    { why: 'context of 2^53 bytes', hex: '628080808080808010' },
    { why: 'context of 2^64-1 bytes', hex: '62ffffffffffffffffff01' },
    { why: 'entries of 2^64-1 bytes', hex: '3affffffffffffffffff01' },
    { why: 'responses of 2^63 bytes', hex: '7280808080808080808001' },
    { why: 'a snapshot in a snapshot that is shorter', hex: '4a02 1205 1001' },
    { why: 'packed ids beyond their list', hex: '4a06 1204 0a02 0a05' },
    { why: 'a packed id that is cut off by the end of its list', hex: '4a07 1205 0a03 0a0181 00' },
    { why: 'an unknown field of bytes', hex: '7a7f 00' },
    { why: 'an unknown field of eight bytes', hex: '7900000000000000' },
    { why: 'an unknown field of four bytes', hex: '7d000000' },
  ])('$why', ({ hex }) => {
    expect(refusalOf(fromHex(hex)).code).toBe(RaftErrorCode.Malformed);
  });
});

describe('X7: varints that are none', () => {
  const eleven = new Array<number>(10).fill(0x80).concat(0);
  test.each([
    { why: 'eleven bytes', number: eleven },
    { why: 'ten bytes and 65 bits', number: [...new Array<number>(9).fill(0xff), 2] },
    { why: 'never ending', number: new Array<number>(100).fill(0xff) },
    { why: 'cut off after one byte', number: [0x80] },
    { why: 'cut off after nine bytes', number: new Array<number>(9).fill(0x80) },
    { why: 'not there', number: [] },
  ])('$why', ({ number }) => {
    for (const tag of [0x08, 0x10, 0x30, 0x50, 0x68, 0x3a, 0x62, 0x78]) {
      expect(refusalOf(concat([0x08, 3, tag], number))).toMatchObject({ code: RaftErrorCode.Malformed, offset: 3 });
    }
    if (number.length > 0) expect(refusalOf(concat([0x08, 3], number)).offset).toBe(2);
    expect(refusalOf(bytesField(7, concat([0x18], number)))).toMatchObject({ code: RaftErrorCode.Malformed });
  });
});

describe('X9: enums', () => {
  test.each([
    { hex: '08ffffffffffffffffff01', type: -1, why: 'negative' },
    { hex: '08ffffffff07', type: 2 ** 31 - 1, why: 'the largest' },
    { hex: '0818', type: 24, why: 'the first that is unknown' },
    { hex: '08838080808001', type: 3, why: 'only the low 32 bits count, in every protobuf decoder' },
    { hex: '0883808080808080808001', type: 3, why: 'also where the number is above 2^53-1' },
  ])('a type that is $why is kept for step to refuse', ({ hex, type }) => {
    expect(decodeMessage(fromHex(hex)).type).toBe(type);
    expect(decodeMessage(bytesField(7, fromHex(hex))).entries[0]?.type).toBe(type);
    expect(decodeMessage(encodeMessage(decodeMessage(fromHex(hex)))).type).toBe(type);
  });
});

describe('X10: tags that are none', () => {
  test.each([
    { why: 'field 0 with a number', hex: '0001' },
    { why: 'field 0 with bytes', hex: '0200' },
    { why: 'field 0, written with two bytes', hex: '800001' },
    { why: 'wire type 6', hex: '0e' },
    { why: 'wire type 7', hex: '0f00' },
    { why: 'the end of a group', hex: '0c' },
    { why: 'field 2^29', hex: '808080801000' },
    { why: 'field 2^29, bytes', hex: '828080801000' },
    { why: 'a tag of 64 bits', hex: 'f8ffffffffffffffff0100' },
    { why: 'a group that is not ended', hex: '7b 0801' },
    { why: 'a group that another one ends', hex: '7b 0801 8401' },
    { why: 'a group with field 0 inside', hex: '7b 0001 7c' },
    { why: 'a group with eight bytes of field 0 inside', hex: '7b 01 0000000000000000 7c' },
    { why: 'a group with group 0 inside', hex: '7b 03 04 7c' },
    { why: 'a group with wire type 6 inside', hex: '7b 0e 7c' },
    { why: 'a group with a length beyond its end', hex: '7b 0a05 7c' },
  ])('$why', ({ hex }) => {
    const bytes = fromHex(hex);

    expect(refusalOf(bytes)).toMatchObject({ code: RaftErrorCode.Malformed });
    for (const decode of [decodeEntry, decodeSnapshot, decodeHardState, decodeConfState]) refusalOf(bytes, decode);
  });

  test('field 2^29-1, the last there is, is unknown and skipped', () => {
    expect(decodeMessage(fromHex('f8ffffff0f05 1002')).to).toBe(2);
  });

  test('a known field of another wire type is an unknown one', () => {
    const m = decodeMessage(fromHex('0a01ff 15ffffffff 1900000000000000ff 3805 481f 6005 73 0801 74 1002'));

    expect(m).toEqual(newMessage(MessageType.MsgHup, 2));
  });

  test('a tag written with more bytes than it needs means the same', () => {
    const long = fromHex('8800 03 9000 02 9800 01 a000 07 ba00 03 900005 c20001 09 d000 01 e200 01 ff 8201 00');

    expect(decodeMessage(long)).toEqual(
      Object.assign(newMessage(MessageType.MsgApp, 2), {
        from: 1,
        term: 7,
        entries: [newEntry(0, undefined, 5)],
        reject: true,
        context: Uint8Array.of(0xff),
      }),
    );
  });
});

describe('X11: nesting', () => {
  function responses(depth: number): Uint8Array {
    let bytes: Uint8Array = numberField(2, 1);
    for (let i = 0; i < depth; i++) bytes = bytesField(14, bytes);
    return bytes;
  }

  test('responses inside of responses, up to the limit', () => {
    expect(accepts(responses(codecLimits.maxResponseDepth))).toBe(true);
    expect(refusalOf(responses(codecLimits.maxResponseDepth + 1)).message).toContain('nested too deep');
    refusalOf(responses(10_000));
  });

  test('10,000 unknown groups inside of each other', () => {
    const { maxGroupDepth } = codecLimits;
    const groups = (depth: number): Uint8Array => concat(new Array<number>(depth).fill(0x7b), new Array<number>(depth).fill(0x7c));

    expect(decodeMessage(concat(groups(maxGroupDepth), [0x10, 2])).to).toBe(2);
    expect(refusalOf(groups(maxGroupDepth + 1)).message).toContain('nested too deep');
    refusalOf(groups(10_000));
    refusalOf(new Uint8Array(1_000_000).fill(0x7b));
  });

  test('a group is skipped with all that is in it', () => {
    expect(decodeMessage(fromHex('7b 0801 09aaaaaaaaaaaaaaaa 0dbbbbbbbb 1203ffffff 1b 1801 1c f8010f 7c 1002')).to).toBe(2);
  });
});

describe('X12, X15: counts', () => {
  function repeat(part: Uint8Array, count: number): Uint8Array {
    const bytes = new Uint8Array(part.length * count);
    for (let i = 0; i < count; i++) bytes.set(part, i * part.length);
    return bytes;
  }
  const emptyEntry = bytesField(7, []);
  const emptyResponse = bytesField(14, []);

  test('1,000,000 empty entries in one message are refused, a full MsgApp is not', () => {
    expect(decodeMessage(repeat(emptyEntry, codecLimits.maxEntries)).entries).toHaveLength(codecLimits.maxEntries);
    expect(refusalOf(repeat(emptyEntry, 1_000_000))).toMatchObject({ offset: 2 * codecLimits.maxEntries });
  });

  test('entries in responses count too', () => {
    const half = bytesField(14, repeat(emptyEntry, codecLimits.maxEntries / 2));

    expect(accepts(concat(half, half))).toBe(true);
    expect(refusalOf(concat(half, half, emptyEntry)).message).toContain('too many entries');
  });

  test('the limit can be raised with maxSizePerMsg, or lowered', () => {
    const three = repeat(emptyEntry, 3);

    expect(decodeMessage(three, { maxEntries: 3 }).entries).toHaveLength(3);
    expect(() => decodeMessage(three, { maxEntries: 2 })).toThrow('too many entries');
    expect(decodeMessage(repeat(emptyEntry, 300_000), { maxEntries: 300_000 }).entries).toHaveLength(300_000);
  });

  test('responses', () => {
    expect(accepts(repeat(emptyResponse, codecLimits.maxResponses))).toBe(true);
    expect(refusalOf(repeat(emptyResponse, codecLimits.maxResponses + 1)).message).toContain('too many responses');
  });

  test.each([
    { how: 'unpacked', list: (count: number) => repeat(numberField(1, 7), count) },
    { how: 'packed', list: (count: number) => bytesField(1, repeat(varint(7), count)) },
  ])('10^6 $how voters', ({ list }) => {
    const { maxIds } = codecLimits;

    expect(decodeConfState(list(maxIds)).voters).toHaveLength(maxIds);
    expect(refusalOf(list(maxIds + 1), decodeConfState).message).toContain('too many ids');
    refusalOf(list(1_000_000), decodeConfState);
  });

  test('a configuration that comes again and again is not copied again and again', () => {
    const lists = [1, 2, 3, 4].map((field) => bytesField(field, repeat(varint(7), codecLimits.maxIds)));
    const metadata = concat(bytesField(1, concat(...lists)), repeat(bytesField(1, []), 10_000));
    const slice = jest.spyOn(Array.prototype, 'slice');
    const concatenated = jest.spyOn(Array.prototype, 'concat');
    const { confState } = decodeSnapshot(bytesField(2, metadata)).metadata;
    const copies = slice.mock.calls.length + concatenated.mock.calls.length;
    jest.restoreAllMocks();

    expect(confState.learnersNext).toHaveLength(codecLimits.maxIds);
    expect(copies).toBeLessThan(10);
  });

  test('and adds up, each message for itself', () => {
    const metadata = concat(bytesField(1, numberField(1, 7)), bytesField(1, numberField(2, 8)), bytesField(1, numberField(1, 9)));
    const snapshot = bytesField(9, bytesField(2, metadata));

    expect(decodeMessage(concat(snapshot, snapshot)).snapshot?.metadata.confState).toEqual(newConfState({ voters: [7, 9, 7, 9], learners: [8, 8] }));
    expect(decodeMessage(snapshot).snapshot?.metadata.confState).toEqual(newConfState({ voters: [7, 9], learners: [8] }));
  });

  test.each<{ options: unknown }>(
    [{ maxEntries: NaN }, { maxEntries: 0 }, { maxEntries: -1 }, { maxEntries: 1.5 }, { maxEntries: '5' }, { maxEntries: 5n }, { alias: 1 }, { alias: 'yes' }].map((options) => ({ options })),
  )('S20: the options $options are refused', ({ options }) => {
    const given = options as { maxEntries?: number };
    const invalid = expect.objectContaining({ code: 'ERR_RAFT_ARGUMENT_INVALID' });
    for (const bytes of [new Uint8Array(0), fullBytes]) {
      expect(() => decodeMessage(bytes, given)).toThrow(invalid);
      expect(() => decodeMessageFrom(bytes, 0, bytes.length, given)).toThrow(invalid);
      expect(() => decodeEntry(bytes, given)).toThrow(invalid);
      expect(() => decodeSnapshot(bytes, given)).toThrow(invalid);
    }
  });

  test('options that are null are none', () => {
    expect(decodeMessage(fullBytes, null as never)).toEqual(decodeMessage(fullBytes));
  });

  test('packed and unpacked ids mix, large ones included', () => {
    const large = (1n << 64n) - 1n;
    const packed = bytesField(3, concat(varint(large), varint(5), varint(1n << 53n)));

    expect(decodeConfState(concat(numberField(3, 1), packed, bytesField(3, []), numberField(3, large)))).toEqual(
      newConfState({ votersOutgoing: [1, large, 5, 1n << 53n, large] }),
    );
  });
});

test('X13: an unknown field of 10 MB is skipped', () => {
  expect(decodeMessage(concat(bytesField(15, new Uint8Array(10_000_000)), [0x10, 2])).to).toBe(2);
});

test('X14: data of every length comes out as it went in', () => {
  for (const length of [0, 1, 16, 20, 21, 63, 64, 65, 127, 128, 4095, 4096, 4097, 16_383, 16_384, 16_385, 1_000_000]) {
    const data = new Uint8Array(length).map((_, i) => i * 31);
    const m = newMessage(MessageType.MsgApp, 1);
    m.entries = [newEntry(0, data, 1, 1), newEntry(0, Uint8Array.of(1), 1, 2)];
    m.context = data;

    // `toEqual` takes seconds for a million bytes.
    for (const alias of [false, true]) expect(isDeepStrictEqual(decodeMessage(encodeMessage(m), { alias }), m)).toBe(true);
  }
});

test('X20: bytes of another protocol', () => {
  refusalOf(fromHex('16030100c8010000c40303a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6'));
  refusalOf(new TextEncoder().encode('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n'));
  refusalOf(fromHex('1f8b08000000000000ff4b4c4a0600'));
});
