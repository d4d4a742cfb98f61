import { describe, expect, test } from '@jest/globals';
import {
  decodeConfChange,
  decodeConfState,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeSnapshot,
  encodeConfChange,
  encodeConfState,
  encodedMessageSize,
  encodeEntry,
  encodeHardState,
  encodeMessage,
  encodeMessageInto,
  encodeSnapshot,
} from '../../src/codec/index.js';
import { newConfChange, newConfChangeV2 } from '../../src/core/raftpb/confChange.js';
import { newEntry } from '../../src/core/raftpb/entry.js';
import { newMessage, type Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { emptyConfState, emptySnapshot, newConfState, type Snapshot } from '../../src/core/raftpb/state.js';
import { emptyBytes } from '../../src/core/types.js';
import { fromHex, toHex } from './protoBytes.js';

const largeId = (1n << 64n) - 1n;

function message(fields: Partial<Message>): Message {
  return Object.assign(newMessage(MessageType.MsgHup, 0), fields);
}

const snapshot: Snapshot = {
  data: Uint8Array.of(0xaa),
  metadata: { confState: newConfState({ voters: [1, 2], learners: [largeId], autoLeave: true }), index: 300, term: 2 },
};

const messages: readonly { why: string; m: Message; hex: string }[] = [
  { why: 'all fields zero: nothing at all', m: message({}), hex: '' },
  { why: 'type 0 is left out', m: message({ to: 1 }), hex: '1001' },
  {
    why: 'an empty MsgApp',
    m: message({ type: MessageType.MsgApp, to: 2, from: 1, term: 5, logTerm: 4, index: 300, commit: 299 }),
    hex: '0803 1002 1801 2005 2804 30ac02 40ab02',
  },
  {
    why: 'entries: normal, configuration change, one with nothing in it',
    m: message({
      type: MessageType.MsgApp,
      to: 2,
      entries: [newEntry(0, Uint8Array.of(0x66), 1, 2), newEntry(1, Uint8Array.of(1, 2), 0, 3), newEntry(0)],
    }),
    hex: '0803 1002 3a07 1001 1802 220166 3a08 0801 1803 22020102 3a00',
  },
  {
    why: 'a rejection with hint 0: the hint is left out, the rejection is not',
    m: message({ type: MessageType.MsgAppResp, to: 1, from: 2, term: 1, reject: true }),
    hex: '0804 1001 1802 2001 5001',
  },
  {
    why: 'a snapshot stands between commit and reject',
    m: message({ type: MessageType.MsgSnap, to: 3, commit: 1, snapshot, reject: true }),
    hex: '0807 1003 4001 4a1d 0a01aa 1218 0a11 0801 0802 10ffffffffffffffffff01 2801 10ac02 1802 5001',
  },
  {
    why: 'rejectHint, context, vote, responses: in the order of their numbers',
    m: message({
      type: MessageType.MsgStorageAppend,
      to: largeId,
      rejectHint: 1,
      context: Uint8Array.of(9),
      vote: 4,
      responses: [message({ type: MessageType.MsgAppResp, to: 1 }), message({})],
    }),
    hex: '0813 10ffffffffffffffffff01 5801 620109 6804 7204 0804 1001 7200',
  },
  {
    why: 'what is written and empty stays so: context, snapshot, its metadata, its configuration',
    m: message({
      type: MessageType.MsgHeartbeat,
      context: new Uint8Array(0),
      snapshot: { data: new Uint8Array(0), metadata: { confState: newConfState(), index: 0, term: 0 } },
    }),
    hex: '0808 4a06 0a00 1202 0a00 6200',
  },
  {
    why: 'the shared empty constants stand for fields that are absent',
    m: message({ type: MessageType.MsgSnap, snapshot: emptySnapshot, context: emptyBytes }),
    hex: '0807 4a00',
  },
  {
    why: 'an absent configuration inside of metadata that is there',
    m: message({ snapshot: { data: emptyBytes, metadata: { confState: emptyConfState, index: 1, term: 0 } } }),
    hex: '4a04 1202 1001',
  },
  {
    why: 'the entry of an automatic leave has no data; one with empty data keeps it',
    m: message({ entries: [newEntry(2), newEntry(2, new Uint8Array(0))] }),
    hex: '3a02 0802 3a04 0802 2200',
  },
  {
    why: 'types of a newer version stay the numbers they are',
    m: message({ type: 99 as MessageType, entries: [newEntry(-2 as 0, Uint8Array.of(7), 1, 1)] }),
    hex: '0863 3a12 08feffffffffffffffff01 1001 1801 220107',
  },
];

describe('E14: messages are the bytes of etcd raft', () => {
  test.each(messages)('$why', ({ m, hex }) => {
    const bytes = encodeMessage(m);

    expect(toHex(bytes)).toBe(hex.replaceAll(' ', ''));
    expect(encodedMessageSize(m)).toBe(bytes.length);
    expect(decodeMessage(bytes)).toEqual(m);
    expect(toHex(encodeMessage(decodeMessage(bytes)))).toBe(toHex(bytes));
  });

  test('decoded messages have the one shape that all messages have', () => {
    for (const { hex } of messages) {
      expect(Object.keys(decodeMessage(fromHex(hex)))).toEqual(Object.keys(newMessage(MessageType.MsgApp, 1)));
    }
  });
});

describe('the other records', () => {
  test.each([
    { why: 'empty', entry: newEntry(0), hex: '' },
    { why: 'normal', entry: newEntry(0, Uint8Array.of(0x66, 0x6f), 1, 300), hex: '1001 18ac02 2202666f' },
    { why: 'configuration change', entry: newEntry(2, Uint8Array.of(1), 1, 2), hex: '0802 1001 1802 220101' },
  ])('an entry: $why', ({ entry, hex }) => {
    expect(toHex(encodeEntry(entry))).toBe(hex.replaceAll(' ', ''));
    expect(decodeEntry(fromHex(hex))).toEqual(entry);
  });

  test('a snapshot', () => {
    const hex = '0a01aa 1218 0a11 0801 0802 10ffffffffffffffffff01 2801 10ac02 1802'.replaceAll(' ', '');

    expect(toHex(encodeSnapshot(snapshot))).toBe(hex);
    expect(decodeSnapshot(fromHex(hex))).toEqual(snapshot);
    expect(decodeSnapshot(fromHex(''))).toEqual(emptySnapshot);
    expect(toHex(encodeSnapshot(emptySnapshot))).toBe('');
  });

  test.each([
    { why: 'a node that never ran', state: { term: 0, vote: 0, commit: 0 }, hex: '' },
    { why: 'without a vote', state: { term: 3, vote: 0, commit: 300 }, hex: '0803 18ac02' },
    { why: 'a vote for a large id', state: { term: 1, vote: largeId, commit: 0 }, hex: '0801 10ffffffffffffffffff01' },
  ])('a hard state: $why', ({ state, hex }) => {
    expect(toHex(encodeHardState(state))).toBe(hex.replaceAll(' ', ''));
    expect(decodeHardState(fromHex(hex))).toEqual(state);
  });

  test('a configuration: each list in its own field, unpacked, in the order given', () => {
    const state = newConfState({ voters: [2, 1], learners: [300], votersOutgoing: [1], learnersNext: [5, largeId] });
    const hex = '0802 0801 10ac02 1801 2005 20ffffffffffffffffff01'.replaceAll(' ', '');

    expect(toHex(encodeConfState(state))).toBe(hex);
    expect(decodeConfState(fromHex(hex))).toEqual(state);
    expect(toHex(encodeConfState(newConfState({ autoLeave: true })))).toBe('2801');
  });

  test('configuration changes go through the same entry point', () => {
    const v1 = newConfChange({ nodeId: 3 });
    const v2 = newConfChangeV2({ changes: [{ type: 1, nodeId: largeId }] });

    expect(decodeConfChange(1, encodeConfChange(v1)).changes).toEqual([{ type: 0, nodeId: 3 }]);
    expect(decodeConfChange(2, encodeConfChange(v2))).toEqual(v2);
  });
});

describe('encodeMessageInto', () => {
  const m = message({ type: MessageType.MsgApp, to: 2, entries: [newEntry(0, new Uint8Array(200).fill(7), 1, 2)] });
  const bytes = encodeMessage(m);

  test('writes behind a header, touches nothing else and returns where it stopped', () => {
    const frame = new Uint8Array(bytes.length + 9).fill(0xee);

    const end = encodeMessageInto(m, frame, 4);

    expect(end).toBe(4 + bytes.length);
    expect(toHex(frame)).toBe(`eeeeeeee${toHex(bytes)}eeeeeeeeee`);
    expect(encodeMessageInto(m, frame, 5, bytes.length)).toBe(5 + bytes.length);
    expect(toHex(frame.subarray(5, 5 + bytes.length))).toBe(toHex(bytes));
  });

  test.each([0, 1, 100, 1000])('the same with %i bytes more room, measured or not', (more) => {
    const frame = new Uint8Array(4 + bytes.length + more).fill(0xee);

    const end = encodeMessageInto(m, frame, 4);

    expect(end).toBe(4 + bytes.length);
    expect(toHex(frame)).toBe(`eeeeeeee${toHex(bytes)}${'ee'.repeat(more)}`);
  });

  test.each([
    { offset: 5, why: 'one byte too few' },
    { offset: -1, why: 'before the start' },
    { offset: 0.5, why: 'between two bytes' },
    { offset: NaN, why: 'nowhere' },
  ])('refuses offset $offset: $why', ({ offset }) => {
    const target = new Uint8Array(bytes.length + 4);

    expect(() => encodeMessageInto(m, target, offset)).toThrow(expect.objectContaining({ code: 'ERR_RAFT_ARGUMENT_INVALID' }));
    expect(target.every((byte) => byte === 0)).toBe(true);
    if (offset !== 5) expect(() => encodeMessageInto(m, new Uint8Array(9999), offset)).toThrow(expect.objectContaining({ code: 'ERR_RAFT_ARGUMENT_INVALID' }));
  });

  test.each([{ more: 1 }, { more: -1 }, { more: -5 }])('a size that is $more bytes off is a mistake that does not stay hidden', ({ more }) => {
    for (const length of [bytes.length + more, bytes.length + 4]) {
      expect(() => encodeMessageInto(m, new Uint8Array(length), 0, bytes.length + more)).toThrow(expect.objectContaining({ code: 'ERR_RAFT_ARGUMENT_INVALID' }));
    }
  });

  test.each<{ wrong: unknown; why: string }>([
    { wrong: undefined, why: 'nothing' },
    { wrong: null, why: 'null' },
    { wrong: { ...m, term: 5n }, why: 'a term that is a bigint' },
    { wrong: { ...m, logTerm: 5n }, why: 'a log term that is a bigint' },
    { wrong: { ...m, index: 5n }, why: 'an index that is a bigint' },
    { wrong: { ...m, commit: 5n }, why: 'a commit index that is a bigint' },
    { wrong: { ...m, rejectHint: 2n ** 60n }, why: 'a hint that is a bigint' },
    { wrong: { ...m, type: 1n }, why: 'a type that is a bigint' },
    { wrong: { ...m, entries: undefined }, why: 'no list of entries' },
    { wrong: { ...m, entries: [null] }, why: 'an entry that is null' },
    { wrong: { ...m, entries: new Array(3) }, why: 'entries that are holes' },
    { wrong: { ...m, entries: [{ term: 1, index: 1, type: 0 }] }, why: 'an entry without data' },
    { wrong: { ...m, entries: [{ term: 1n, index: 1, type: 0, data: new Uint8Array(1) }] }, why: 'an entry of a term that is a bigint' },
    { wrong: { ...m, snapshot: {} }, why: 'a snapshot without anything' },
    { wrong: { ...m, context: undefined }, why: 'no context' },
    { wrong: { ...m, responses: [undefined] }, why: 'a response that is missing' },
  ])('S20: $why is refused with a typed error', ({ wrong }) => {
    const target = new Uint8Array(1000);
    const code: unknown = expect.stringMatching(/^ERR_RAFT_(ARGUMENT_INVALID|OUT_OF_RANGE)$/);
    for (const encode of [encodeMessage, (bad: Message) => encodeMessageInto(bad, target, 0), (bad: Message) => encodeMessageInto(bad, target, 0, 40)]) {
      expect(() => encode(wrong as Message)).toThrow(expect.objectContaining({ name: 'RaftError', code }));
    }
  });

  test.each<{ data: unknown }>(['abc', 'a text that is longer than that', [1, 2, 3], new Uint16Array(2), new Float64Array(3), { length: 3 }, new ArrayBuffer(3), 7, null].map((data) => ({ data })))('S20: $data are no bytes', ({ data }) => {
    const bad = data as Uint8Array;
    const invalid = expect.objectContaining({ name: 'RaftError' });
    expect(() => encodeMessage({ ...m, context: bad })).toThrow(invalid);
    expect(() => encodeMessage({ ...m, entries: [newEntry(0, bad, 1, 1)] })).toThrow(invalid);
    expect(() => encodeEntry(newEntry(0, bad, 1, 1))).toThrow(invalid);
    expect(() => encodeSnapshot({ data: bad, metadata: { confState: emptyConfState, index: 1, term: 1 } })).toThrow(invalid);
  });

  test.each<{ target: unknown }>([undefined, null, {}, [], new ArrayBuffer(99), new DataView(new ArrayBuffer(99)), new Uint16Array(99), 'x'.repeat(99)].map((target) => ({ target })))('S20: nothing is written into $target', ({ target }) => {
    for (const size of [undefined, bytes.length]) {
      expect(() => encodeMessageInto(m, target as Uint8Array, 0, size)).toThrow(expect.objectContaining({ name: 'RaftError', code: 'ERR_RAFT_ARGUMENT_INVALID' }));
    }
  });

  test('S20: so is what is none of the other records', () => {
    for (const encode of [encodeEntry, encodeSnapshot, encodeConfState, encodeHardState] as ((wrong: unknown) => unknown)[]) {
      for (const wrong of [undefined, null, { term: 5n, index: 5n, vote: 1, commit: 2 }, { voters: [1.5] }, { data: 7 }]) {
        expect(() => encode(wrong)).toThrow(expect.objectContaining({ name: 'RaftError' }));
      }
    }
  });

  test('a message that answers itself without end is refused', () => {
    const loop = message({ type: MessageType.MsgStorageAppend });
    loop.responses = [loop];

    expect(() => encodeMessage(loop)).toThrow(expect.objectContaining({ code: 'ERR_RAFT_ARGUMENT_INVALID' }));
  });
});
