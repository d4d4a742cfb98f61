import { describe, expect, test } from '@jest/globals';
import {
  decodeHardState,
  decodeMessage,
  encodedMessageSize,
  encodeEntry,
  encodeHardState,
  encodeMessage,
} from '../../src/codec/index.js';
import { enumSize, exactVarint, idSize, writeEnum, writeId, writeNumber } from '../../src/codec/uint64.js';
import { isRaftError, RaftErrorCode } from '../../src/core/errors.js';
import { newEntry } from '../../src/core/raftpb/entry.js';
import { newMessage } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { varintSize } from '../../src/core/raftpb/varint.js';
import { canonicalNodeId, type NodeId } from '../../src/core/types.js';
import { bytesField, concat, numberField, toHex, varint } from './protoBytes.js';

/** Every value at which a varint grows, a bit pattern changes hands, or a number stops being exact. */
const boundaries: readonly bigint[] = [
  ...[0, 7, 14, 21, 28, 31, 32, 35, 42, 49, 53, 56, 63].flatMap((bits) => [(1n << BigInt(bits)) - 1n, 1n << BigInt(bits)]),
  (1n << 53n) + 1n,
  (1n << 64n) - 2n,
  (1n << 64n) - 1n,
];
const maxNumber = BigInt(Number.MAX_SAFE_INTEGER);
const exactNumbers = boundaries.filter((value) => value <= maxNumber).map(Number);
const tooLarge = boundaries.filter((value) => value > maxNumber);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    for (const code of Object.values(RaftErrorCode)) if (isRaftError(error, code)) return code;
    return `not a RaftError: ${String(error)}`;
  }
  return 'nothing thrown';
}

describe('X8: ids are exact over all of uint64', () => {
  test.each(boundaries.map((value) => ({ value })))('$value', ({ value }) => {
    const id = canonicalNodeId(value);
    const m = newMessage(MessageType.MsgVote, id);
    m.from = id;
    m.vote = id;

    const bytes = encodeMessage(m);

    const fields = value === 0n ? [] : [numberField(2, value), numberField(3, value), numberField(13, value)];
    const [to = [], from = [], vote = []] = fields;
    expect(toHex(bytes)).toBe(toHex(concat(numberField(1, 5), to, from, vote)));
    expect(encodedMessageSize(m)).toBe(bytes.length);
    expect(decodeMessage(bytes)).toEqual(m);
    expect(decodeHardState(encodeHardState({ term: 1, vote: id, commit: 2 })).vote).toBe(id);
  });
});

describe('X8: a term or index is exact up to 2^53-1', () => {
  test.each(exactNumbers.map((value) => ({ value })))('$value', ({ value }) => {
    const m = newMessage(MessageType.MsgApp, 1);
    m.term = m.logTerm = m.index = m.commit = m.rejectHint = value;
    m.entries = [newEntry(0, undefined, value, value)];
    m.snapshot = {
      data: Uint8Array.of(1),
      metadata: {
        confState: { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false },
        index: value,
        term: value,
      },
    };

    const bytes = encodeMessage(m);

    expect(decodeMessage(bytes)).toEqual(m);
    expect(encodedMessageSize(m)).toBe(bytes.length);
    expect(decodeHardState(encodeHardState({ term: value, vote: 1, commit: value }))).toEqual({
      term: value,
      vote: 1,
      commit: value,
    });
  });
});

describe('X8: a term or index above 2^53-1 is refused and never rounded', () => {
  const places: readonly { field: string; bytes: (value: bigint) => Uint8Array }[] = [
    { field: 'term', bytes: (value) => numberField(4, value) },
    { field: 'logTerm', bytes: (value) => numberField(5, value) },
    { field: 'index', bytes: (value) => numberField(6, value) },
    { field: 'commit', bytes: (value) => numberField(8, value) },
    { field: 'rejectHint', bytes: (value) => numberField(11, value) },
    { field: 'entry.term', bytes: (value) => bytesField(7, numberField(2, value)) },
    { field: 'entry.index', bytes: (value) => bytesField(7, numberField(3, value)) },
    { field: 'snapshot.metadata.index', bytes: (value) => bytesField(9, bytesField(2, numberField(2, value))) },
    { field: 'snapshot.metadata.term', bytes: (value) => bytesField(9, bytesField(2, numberField(3, value))) },
    { field: 'term of a response', bytes: (value) => bytesField(14, numberField(4, value)) },
  ];
  test.each(places)('$field', ({ bytes }) => {
    for (const value of tooLarge) {
      expect(codeOf(() => decodeMessage(concat([0x08, 3], bytes(value), [0x10, 1])))).toBe(RaftErrorCode.OutOfRange);
    }
    expect(codeOf(() => decodeMessage(bytes(maxNumber)))).toBe('nothing thrown');
  });

  test('hard states too', () => {
    for (const value of tooLarge) {
      expect(codeOf(() => decodeHardState(numberField(1, value)))).toBe(RaftErrorCode.OutOfRange);
      expect(codeOf(() => decodeHardState(numberField(3, value)))).toBe(RaftErrorCode.OutOfRange);
    }
  });

  test('the error tells where the number ends, and bytes that are no message at all are malformed first', () => {
    const large = numberField(4, 1n << 63n);

    expect(() => decodeMessage(large)).toThrow(expect.objectContaining({ offset: 10 }));
    expect(codeOf(() => decodeMessage(concat(large, [0x28])))).toBe(RaftErrorCode.Malformed);
  });
});

describe('a varint that is longer than it needs to be means the same', () => {
  test.each(boundaries.filter((value) => value < 1n << 63n).map((value) => ({ value })))('$value', ({ value }) => {
    const short = varint(value);
    const long = concat(
      Array.from(short, (byte) => byte | 0x80),
      new Array<number>(9 - short.length).fill(0x80),
      [0],
    );

    expect(decodeMessage(concat([0x10], long)).to).toBe(canonicalNodeId(value));
    if (value <= maxNumber) expect(decodeMessage(concat([0x30], long)).index).toBe(Number(value));
    expect(long).toHaveLength(10);
  });
});

describe('encoding refuses what its type forbids, and so never writes a wrong number silently', () => {
  const wrong: readonly unknown[] = [-1, 1.5, 0.5, -0.5, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 31), undefined, '5', null];
  test.each(wrong.map((value) => ({ value })))('$value as a term', ({ value }) => {
    const target = new Uint8Array(16);

    expect(codeOf(() => writeNumber(target, 0, value as number))).toBe(RaftErrorCode.OutOfRange);
    const m = newMessage(MessageType.MsgApp, 1);
    m.term = value as number;
    expect(codeOf(() => encodeMessage(m))).toBe(RaftErrorCode.OutOfRange);
    expect(codeOf(() => encodeEntry({ ...newEntry(0), index: value as number }))).toBe(RaftErrorCode.OutOfRange);
  });

  test.each([-1, 1.5, 2 ** 53, 5n, -1n, 1n << 64n, (1n << 53n) - 1n].map((value) => ({ value })))(
    '$value as an id',
    ({ value }) => {
      const m = newMessage(MessageType.MsgApp, value);

      expect(codeOf(() => encodeMessage(m))).toBe(RaftErrorCode.OutOfRange);
      expect(codeOf(() => writeId(new Uint8Array(16), 0, value))).toBe(RaftErrorCode.OutOfRange);
    },
  );

  test.each([2 ** 31, 1.5, NaN].map((value) => ({ value })))('$value as a type', ({ value }) => {
    const m = newMessage(value as MessageType, 1);

    expect(codeOf(() => encodeMessage(m))).toBe(RaftErrorCode.OutOfRange);
  });

  test('a refused message leaves the next one untouched', () => {
    const wrongCommit = newMessage(MessageType.MsgApp, 1);
    wrongCommit.commit = -1;
    const before = encodeMessage(newMessage(MessageType.MsgApp, 300));

    expect(() => encodeMessage(wrongCommit)).toThrow();

    expect(toHex(before)).toBe('080310ac02');
    expect(toHex(encodeMessage(newMessage(MessageType.MsgApp, 300)))).toBe('080310ac02');
  });
});

describe('the writers', () => {
  test('write as many bytes as the sizes say, and nothing behind them', () => {
    for (const value of boundaries) {
      const id: NodeId = canonicalNodeId(value);
      const target = new Uint8Array(12).fill(0xee);

      const end = writeId(target, 1, id);

      expect(toHex(target.subarray(0, end + 1))).toBe(`ee${toHex(varint(value))}ee`);
      expect(end - 1).toBe(idSize(id));
      if (typeof id === 'number') expect(end - 1).toBe(varintSize(id));
    }
  });

  test('write a negative enum as a 64-bit one, like every protobuf writer', () => {
    const target = new Uint8Array(10);

    expect(writeEnum(target, 0, -1)).toBe(10);

    expect(toHex(target)).toBe('ffffffffffffffffff01');
    expect(enumSize(-1)).toBe(10);
    expect(enumSize(2 ** 31 - 1)).toBe(5);
  });

  test('a large id is found again by where it ends', () => {
    for (const value of tooLarge) {
      const bytes = concat([0x10], varint(value), [0x05]);

      expect(exactVarint(bytes, bytes.length - 1)).toBe(value);
    }
  });
});
