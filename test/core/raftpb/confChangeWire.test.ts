import { describe, expect, test } from '@jest/globals';
import { RaftError, RaftErrorCode } from '../../../src/core/errors.js';
import {
  ConfChangeTransition,
  ConfChangeType,
  newConfChange,
  newConfChangeV2,
  type ConfChange,
  type ConfChangeV2,
} from '../../../src/core/raftpb/confChange.js';
import {
  decodeConfChange,
  decodeConfChangeV1,
  decodeConfChangeV2,
  encodeConfChange,
  tryDecodeConfChange,
} from '../../../src/core/raftpb/confChangeWire.js';
import { EntryType, newEntry } from '../../../src/core/raftpb/entry.js';
import type { NodeId } from '../../../src/core/types.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';

const { ConfChangeAddNode, ConfChangeRemoveNode, ConfChangeAddLearnerNode } = ConfChangeType;

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function bytes(...parts: (string | number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part.replaceAll(' ', ''), 'hex')] : part)));
}

/** What `decode` throws; fails if it does not throw a RaftError. */
function refusal(decode: () => unknown): RaftError {
  try {
    decode();
  } catch (error) {
    if (error instanceof RaftError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const v1Cases: readonly { change: ConfChange; wire: string; why: string }[] = [
  { change: newConfChange(), wire: '1000 1800', why: 'type and node are written even when zero' },
  { change: newConfChange({ nodeId: 3 }), wire: '1000 1803', why: 'adds node 3' },
  { change: newConfChange({ type: ConfChangeRemoveNode, nodeId: 300 }), wire: '1001 18ac02', why: 'an id of two bytes' },
  { change: newConfChange({ id: 5, nodeId: 3, context: bytes('ff00') }), wire: '0805 1000 1803 2202ff00', why: 'id and context' },
  { change: newConfChange({ id: 2n ** 64n - 1n, nodeId: 2n ** 63n }), wire: '08ffffffffffffffffff01 1000 1880808080808080808001', why: 'ids of 64 bits' },
];

const v2Cases: readonly { change: ConfChangeV2; wire: string; why: string }[] = [
  { change: newConfChangeV2(), wire: '0800', why: 'leaves a joint configuration' },
  { change: newConfChangeV2({ changes: [{ type: ConfChangeAddNode, nodeId: 3 }] }), wire: '0800 1204 0800 1003', why: 'adds node 3' },
  {
    change: newConfChangeV2({
      transition: ConfChangeTransition.JointExplicit,
      changes: [
        { type: ConfChangeAddLearnerNode, nodeId: 2n ** 63n },
        { type: ConfChangeRemoveNode, nodeId: 1 },
      ],
      context: bytes('61'),
    }),
    wire: '0802 120d 0803 1080808080808080808001 1204 0801 1001 1a0161',
    why: 'all fields',
  },
];

describe('encodeConfChange writes what etcd writes', () => {
  test.each([...v1Cases, ...v2Cases])('$wire: $why', ({ change, wire }) => {
    expect(hex(encodeConfChange(change))).toBe(wire.replaceAll(' ', ''));
  });

  test('numbers that are no type survive', () => {
    const change = newConfChangeV2({ transition: -1 as ConfChangeTransition, changes: [{ type: 77 as ConfChangeType, nodeId: 1 }] });

    expect(decodeConfChangeV2(encodeConfChange(change))).toEqual(change);
  });
});

describe('encodeConfChange refuses what could not be read again', () => {
  test.each<{ id: unknown }>([-1, 1.5, 5n, -5n, 2n ** 64n, 2 ** 53, Number.NaN, '4', null, undefined].map((id) => ({ id })))('the id $id', ({ id }) => {
    const nodeId = id as NodeId;
    for (const change of [{ ...newConfChange(), nodeId }, { ...newConfChange(), id: nodeId }, { ...newConfChangeV2(), changes: [{ type: ConfChangeAddNode, nodeId }] }]) {
      expect(refusal(() => encodeConfChange(change)).code).toBe(RaftErrorCode.ArgumentInvalid);
    }
  });

  test.each<{ change: unknown; why: string }>([
    { change: undefined, why: 'nothing' },
    { change: null, why: 'null' },
    { change: 'v1', why: 'a text' },
    { change: { ...newConfChange(), context: 'x' }, why: 'a context that is no bytes' },
    { change: { ...newConfChange(), type: 1n }, why: 'a type that is a bigint' },
    { change: { ...newConfChangeV2(), transition: 0.5 }, why: 'half a transition' },
    { change: { ...newConfChangeV2(), changes: new Array(1) }, why: 'a list with a hole' },
    { change: { ...newConfChangeV2(), changes: [null] }, why: 'a change that is null' },
  ])('$why', ({ change }) => {
    expect(refusal(() => encodeConfChange(change as ConfChange)).code).toBe(RaftErrorCode.ArgumentInvalid);
  });
});

describe('decoding', () => {
  test('copies the context, also of a Buffer', () => {
    for (const decode of [decodeConfChangeV1, decodeConfChangeV2]) {
      const source = Buffer.from(decode === decodeConfChangeV1 ? '2202abcd' : '1a02abcd', 'hex');
      const { context } = decode(source);
      source.fill(0);
      expect([context.constructor, hex(context)]).toEqual([Uint8Array, 'abcd']);
    }
  });

  test.each<{ data: unknown }>([undefined, null, 'text', [1], new DataView(new ArrayBuffer(2))].map((data) => ({ data })))('refuses $data, which is no bytes', ({ data }) => {
    const decoders = [decodeConfChangeV1, decodeConfChangeV2, (bytes: Uint8Array) => decodeConfChange(EntryType.EntryConfChange, bytes)];
    for (const decode of decoders) expect(refusal(() => decode(data as Uint8Array)).code).toBe(RaftErrorCode.ArgumentInvalid);
  });

  test.each(v1Cases)('V1 $wire: $why', ({ change, wire }) => {
    expect(decodeConfChangeV1(bytes(wire))).toEqual(change);
  });

  test.each(v2Cases)('V2 $wire: $why', ({ change, wire }) => {
    expect(decodeConfChangeV2(bytes(wire))).toEqual(change);
  });

  test('by the type of the entry', () => {
    const expected = newConfChangeV2({ changes: [{ type: ConfChangeRemoveNode, nodeId: 4 }] });

    expect(decodeConfChange(EntryType.EntryConfChange, bytes('1001 1804'))).toEqual(expected);
    expect(decodeConfChange(EntryType.EntryConfChangeV2, bytes('1204 0801 1004'))).toEqual(expected);
    expect(refusal(() => decodeConfChange(EntryType.EntryNormal, bytes(''))).code).toBe(RaftErrorCode.ArgumentInvalid);
  });

  /** E14: a field that is absent and a field that is zero mean the same. */
  test.each([
    { wire: '', why: 'nothing at all' },
    { wire: '0800', why: 'a zero transition' },
    { wire: '1a00', why: 'an empty context' },
  ])('E14: "$wire" leaves a joint configuration: $why', ({ wire }) => {
    expect(decodeConfChangeV2(bytes(wire))).toEqual(newConfChangeV2());
  });

  test.each([
    { wire: '1200', why: 'an empty change' },
    { wire: '12020800', why: 'a zero type' },
    { wire: '12021000', why: 'a zero id' },
  ])('E14: "$wire" is one change with zeros: $why', ({ wire }) => {
    expect(decodeConfChangeV2(bytes(wire)).changes).toEqual([{ type: ConfChangeAddNode, nodeId: 0 }]);
  });

  test('the last one of a repeated field counts, changes add up', () => {
    expect(decodeConfChangeV2(bytes('0801 0802 1202 1001 1202 1002 1a0161 1a0162'))).toEqual(
      newConfChangeV2({
        transition: ConfChangeTransition.JointExplicit,
        changes: [{ type: ConfChangeAddNode, nodeId: 1 }, { type: ConfChangeAddNode, nodeId: 2 }],
        context: bytes('62'),
      }),
    );
  });

  test.each<{ varint: string; id: NodeId; why: string }>([
    { varint: '7f', id: 127, why: 'one byte' },
    { varint: '8000', id: 0, why: 'longer than it needs to be' },
    { varint: 'ffffffffffffff7f', id: 2n ** 56n - 1n, why: 'eight bytes' },
    { varint: 'ffffffffffffff0f', id: Number.MAX_SAFE_INTEGER, why: 'the last number' },
    { varint: '8080808080808010', id: 2n ** 53n, why: 'the first bigint' },
    { varint: '81808080808080808000', id: 1, why: 'ten bytes for one' },
    { varint: 'ffffffffffffffff7f', id: 2n ** 63n - 1n, why: 'nine bytes' },
    { varint: 'feffffffffffffffff01', id: 2n ** 64n - 2n, why: 'ten bytes' },
    { varint: 'ffffffffffffffffff01', id: 2n ** 64n - 1n, why: 'the highest id' },
  ])('id $id is exact: $why', ({ varint, id }) => {
    expect(decodeConfChangeV1(bytes('18', varint)).nodeId).toBe(id);
  });

  test.each([
    { varint: '09', type: 9, why: 'a number that is no type stays' },
    { varint: 'ffffffffffffffffff01', type: -1, why: 'negative numbers take ten bytes' },
    { varint: 'ffffffff0f', type: -1, why: 'only 32 bits count' },
    { varint: '8180808010', type: 1, why: 'only 32 bits count' },
  ])('type $type: $why', ({ varint, type }) => {
    expect(decodeConfChangeV1(bytes('10', varint)).type).toBe(type);
  });

  test.each([
    { extra: '28ffff03', why: 'a varint of an unknown field' },
    { extra: '2900112233445566ff', why: 'eight fixed bytes' },
    { extra: '2d00112233', why: 'four fixed bytes' },
    { extra: '2a03616263', why: 'bytes of an unknown field' },
    { extra: '2b 0801 33 34 2c', why: 'a group with another one inside' },
    { extra: '12020801', why: 'a known field written in another way' },
    { extra: '1d00000000', why: 'a known field written in another way' },
    { extra: 'f8ffffff0f01', why: 'the highest field number' },
  ])('passes over $extra: $why', ({ extra }) => {
    const expected = newConfChange({ type: ConfChangeRemoveNode, nodeId: 4 });

    expect(decodeConfChangeV1(bytes('1001', extra, '1804'))).toEqual(expected);
    expect(decodeConfChangeV1(bytes(extra, '1001 1804', extra))).toEqual(expected);
  });

  test('the context is a copy: the caller may reuse the bytes', () => {
    const data = bytes('2201ff');
    const v2 = bytes('1a01ff');
    const decoded = [decodeConfChangeV1(data), decodeConfChangeV2(v2)];

    data.fill(0);
    v2.fill(0);

    expect(decoded.map((change) => hex(change.context))).toEqual(['ff', 'ff']);
  });
});

describe('malformed bytes are refused with the offset of the damage', () => {
  test.each([
    { wire: '10', offset: 1, why: 'no value' },
    { wire: '1000 18ff', offset: 3, why: 'the varint does not end' },
    { wire: '18ffffffffffffffffff02', offset: 1, why: 'a varint of more than 64 bits' },
    { wire: '18ffffffffffffffffff8100', offset: 1, why: 'a varint of eleven bytes' },
    { wire: '2205ff', offset: 1, why: 'a length beyond the end' },
    { wire: '22ffffffffffffffffff01', offset: 1, why: 'a length of 2^64-1' },
    { wire: '00 01', offset: 0, why: 'field number 0' },
    { wire: '8080808010 01', offset: 0, why: 'field number 2^29' },
    { wire: 'ffffffffffffffffff01', offset: 0, why: 'a tag of 64 bits' },
    { wire: '1001 2e', offset: 2, why: 'wire type 6' },
    { wire: '1001 2f', offset: 2, why: 'wire type 7' },
    { wire: '1001 2c', offset: 2, why: 'a group ends that did not start' },
    { wire: '2b 0801 34', offset: 3, why: 'another group ends' },
    { wire: '2b 2b 2c', offset: 3, why: 'the outer group does not end' },
    { wire: '2b 2e 2c', offset: 1, why: 'wire type 6 inside of a group' },
    { wire: '2b 0a05 2c', offset: 2, why: 'a length beyond the end inside of a group' },
    { wire: '29 00112233445566', offset: 1, why: 'seven of eight bytes' },
    { wire: '2d 001122', offset: 1, why: 'three of four bytes' },
  ])('$wire at $offset: $why', ({ wire, offset }) => {
    for (const decode of [decodeConfChangeV1, (data: Uint8Array) => decodeConfChangeV2(bytes('2a00', [...data]))]) {
      const error = refusal(() => decode(bytes(wire.replace(/^22/, decode === decodeConfChangeV1 ? '22' : '1a'))));

      expect(error.code).toBe(RaftErrorCode.Malformed);
      expect(error.offset).toBe(decode === decodeConfChangeV1 ? offset : offset + 2);
    }
  });

  test('damage inside of a change counts from the start of all bytes', () => {
    expect(refusal(() => decodeConfChangeV2(bytes('0800 1202 1080'))).offset).toBe(5);
    expect(refusal(() => decodeConfChangeV2(bytes('0800 1201 0c'))).offset).toBe(4);
    expect(refusal(() => decodeConfChangeV2(bytes('0800 1203 0a0500 00'))).offset).toBe(5);
  });

  test('no prefix is taken for the whole: each is refused, or is the change without its last fields', () => {
    for (const { wire } of v1Cases) {
      const whole = bytes(wire);
      const ends = fieldEnds(wire);
      for (let length = 0; length < whole.length; length++) {
        const decode = () => decodeConfChangeV1(whole.subarray(0, length));
        if (ends.includes(length)) expect(decode).not.toThrow();
        else expect(refusal(decode).code).toBe(RaftErrorCode.Malformed);
      }
    }
    const joint = v2Cases.at(-1)!;
    const whole = bytes(joint.wire);
    const ends = [0, 2, 17, 23];
    for (let length = 0; length < whole.length; length++) {
      const decode = () => decodeConfChangeV2(whole.subarray(0, length));
      if (ends.includes(length)) expect(decode).not.toThrow();
      else expect(refusal(decode).code).toBe(RaftErrorCode.Malformed);
    }
  });

  test.each([
    { depth: 10_001, accepted: true },
    { depth: 10_002, accepted: false },
    { depth: 1_000_000, accepted: false },
  ])('groups of depth $depth are passed over: $accepted', ({ depth, accepted }) => {
    const data = new Uint8Array(2 * depth).fill(0x2b, 0, depth).fill(0x2c, depth);

    if (accepted) expect(decodeConfChangeV2(data)).toEqual(newConfChangeV2());
    else expect(refusal(() => decodeConfChangeV2(data))).toMatchObject({ code: RaftErrorCode.Malformed, offset: 10_001 });
  });

  test('tryDecodeConfChange gives null instead', () => {
    const good = newEntry(EntryType.EntryConfChangeV2, bytes('1202 1004'));

    expect(tryDecodeConfChange(good)?.changes).toEqual([{ type: ConfChangeAddNode, nodeId: 4 }]);
    expect(tryDecodeConfChange(newEntry(EntryType.EntryConfChangeV2, bytes('12')))).toBeNull();
    expect(tryDecodeConfChange(newEntry(EntryType.EntryConfChange, bytes('12')))).toBeNull();
    expect(tryDecodeConfChange(newEntry(EntryType.EntryNormal, bytes('')))).toBeNull();
    expect(tryDecodeConfChange(newEntry(7 as EntryType, bytes('')))).toBeNull();
  });
});

/** Lengths at which a field of the wire text ends: its groups are separated by spaces. */
function fieldEnds(wire: string): number[] {
  let end = 0;
  return [0, ...wire.split(' ').map((field) => (end += field.length / 2))];
}

/**
 * Goal: what was encoded is decoded the same; whatever the bytes are, decoding ends in a change or a typed error.
 * Method: random changes, then the same bytes with one of them changed.
 */
test('random changes survive, random damage never does more than refuse', () => {
  const random = seededRandom(announceSeed('random conf change bytes'));
  const id = (): NodeId => (random(2) === 0 ? random(2 ** 31) : 2n ** 64n - 1n - BigInt(random(2 ** 31)));
  for (let round = 0; round < 2_000; round++) {
    const context = Uint8Array.from({ length: random(4) }, () => random(256));
    const v1 = newConfChange({ type: random(4) as ConfChangeType, nodeId: id(), id: id(), context });
    const changes = Array.from({ length: random(4) }, () => ({ type: random(4) as ConfChangeType, nodeId: id() }));
    const v2 = newConfChangeV2({ transition: random(3) as ConfChangeTransition, changes, context });
    expect(decodeConfChangeV1(encodeConfChange(v1))).toEqual(v1);
    expect(decodeConfChangeV2(encodeConfChange(v2))).toEqual(v2);

    const damaged = encodeConfChange(random(2) === 0 ? v1 : v2).slice();
    damaged[random(damaged.length)] = random(256);
    for (const decode of [decodeConfChangeV1, decodeConfChangeV2]) {
      try {
        decode(damaged);
      } catch (error) {
        expect(error).toMatchObject({ name: 'RaftError', code: RaftErrorCode.Malformed });
      }
    }
  }
});
