import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import protobuf from 'protobufjs';
import {
  decodeConfState,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeSnapshot,
  encodeConfState,
  encodedMessageSize,
  encodeEntry,
  encodeHardState,
  encodeMessage,
  encodeMessageInto,
  encodeSnapshot,
} from '../../src/codec/index.js';
import { newEntry, type Entry } from '../../src/core/raftpb/entry.js';
import { newMessage, type Message } from '../../src/core/raftpb/message.js';
import { emptyConfState, emptySnapshot, type ConfState, type HardState, type Snapshot } from '../../src/core/raftpb/state.js';
import { canonicalNodeId, emptyBytes, type NodeId } from '../../src/core/types.js';
import type { RandomSource } from '../../src/core/random.js';
import { announceSeed, seededRandom } from '../support/seededRandom.js';
import { randomConfState, randomEntry, randomHardState, randomMessage, randomSnapshot } from './randomMessage.js';

/**
 * Goal (X23, X24): the hand-written codec is what the schema file says, in both directions.
 * Method: protobufjs reads `proto/` and encodes and decodes by reflection, and shares no code with ours.
 */

type Fields = Record<string, unknown>;
interface Long {
  readonly low: number;
  readonly high: number;
}

/** A field for protobufjs; zero is left out, or written as older programs do (E14). */
function put(fields: Fields, name: string, value: number | boolean, zeros: boolean): void {
  if (zeros || (value !== 0 && value !== false)) fields[name] = value;
}

function longOf(id: NodeId): Long | number {
  if (typeof id === 'number') return id;
  return { low: Number(BigInt.asIntN(32, id)), high: Number(BigInt.asIntN(32, id >> 32n)) };
}

function putId(fields: Fields, name: string, id: NodeId, zeros: boolean): void {
  if (zeros || id !== 0) fields[name] = longOf(id);
}

function putBytes(fields: Fields, name: string, bytes: Uint8Array, zeros: boolean): void {
  if (zeros || bytes !== emptyBytes) fields[name] = bytes;
}

function entryFields(entry: Entry, zeros = false): Fields {
  const fields: Fields = {};
  put(fields, 'type', entry.type, zeros);
  put(fields, 'term', entry.term, zeros);
  put(fields, 'index', entry.index, zeros);
  putBytes(fields, 'data', entry.data, zeros);
  return fields;
}

function confStateFields(state: ConfState, zeros = false): Fields {
  const fields: Fields = {
    voters: state.voters.map(longOf),
    learners: state.learners.map(longOf),
    votersOutgoing: state.votersOutgoing.map(longOf),
    learnersNext: state.learnersNext.map(longOf),
  };
  put(fields, 'autoLeave', state.autoLeave, zeros);
  return fields;
}

function snapshotFields({ data, metadata }: Snapshot, zeros = false): Fields {
  const fields: Fields = {};
  putBytes(fields, 'data', data, zeros);
  if (!zeros && metadata === emptySnapshot.metadata) return fields;
  const inner: Fields = {};
  if (zeros || metadata.confState !== emptyConfState) inner['confState'] = confStateFields(metadata.confState, zeros);
  put(inner, 'index', metadata.index, zeros);
  put(inner, 'term', metadata.term, zeros);
  fields['metadata'] = inner;
  return fields;
}

function hardStateFields(state: HardState, zeros = false): Fields {
  const fields: Fields = {};
  put(fields, 'term', state.term, zeros);
  putId(fields, 'vote', state.vote, zeros);
  put(fields, 'commit', state.commit, zeros);
  return fields;
}

function messageFields(m: Message, zeros = false): Fields {
  const fields: Fields = { entries: m.entries.map((entry) => entryFields(entry, zeros)) };
  put(fields, 'type', m.type, zeros);
  putId(fields, 'to', m.to, zeros);
  putId(fields, 'from', m.from, zeros);
  put(fields, 'term', m.term, zeros);
  put(fields, 'logTerm', m.logTerm, zeros);
  put(fields, 'index', m.index, zeros);
  put(fields, 'commit', m.commit, zeros);
  if (m.snapshot !== null) fields['snapshot'] = snapshotFields(m.snapshot, zeros);
  put(fields, 'reject', m.reject, zeros);
  put(fields, 'rejectHint', m.rejectHint, zeros);
  putBytes(fields, 'context', m.context, zeros);
  putId(fields, 'vote', m.vote, zeros);
  fields['responses'] = m.responses.map((response) => messageFields(response, zeros));
  return fields;
}

// The way back. What protobufjs decodes has its own properties only for fields that were on the wire.

function idOf(value: unknown): NodeId {
  if (typeof value === 'number') return value;
  const { low, high } = value as Long;
  return canonicalNodeId((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}

function own<T>(fields: Fields, name: string, absent: T, read: (value: unknown) => T): T {
  return Object.hasOwn(fields, name) ? read(fields[name]) : absent;
}

const numberOf = (value: unknown): number => Number(idOf(value));
const bytesOf = (value: unknown): Uint8Array => new Uint8Array(value as Uint8Array);

function listOf<T>(fields: Fields, name: string, read: (value: unknown) => T): T[] {
  return own<unknown[]>(fields, name, [], (list) => list as unknown[]).map((item) => read(item));
}

function toEntry(value: unknown): Entry {
  const fields = value as Fields;
  return newEntry(
    own(fields, 'type', 0, numberOf) as Entry['type'],
    own(fields, 'data', emptyBytes, bytesOf),
    own(fields, 'term', 0, numberOf),
    own(fields, 'index', 0, numberOf),
  );
}

function toConfState(value: unknown): ConfState {
  const fields = value as Fields;
  return {
    voters: listOf(fields, 'voters', idOf),
    learners: listOf(fields, 'learners', idOf),
    votersOutgoing: listOf(fields, 'votersOutgoing', idOf),
    learnersNext: listOf(fields, 'learnersNext', idOf),
    autoLeave: own(fields, 'autoLeave', false, Boolean),
  };
}

function toSnapshot(value: unknown): Snapshot {
  const fields = value as Fields;
  const inner = own<Fields>(fields, 'metadata', {}, (metadata) => metadata as Fields);
  return {
    data: own(fields, 'data', emptyBytes, bytesOf),
    metadata: {
      confState: own(inner, 'confState', emptyConfState, toConfState),
      index: own(inner, 'index', 0, numberOf),
      term: own(inner, 'term', 0, numberOf),
    },
  };
}

function toHardState(value: unknown): HardState {
  const fields = value as Fields;
  return {
    term: own(fields, 'term', 0, numberOf),
    vote: own(fields, 'vote', 0, idOf),
    commit: own(fields, 'commit', 0, numberOf),
  };
}

function toMessage(value: unknown): Message {
  const fields = value as Fields;
  const m = newMessage(own(fields, 'type', 0, numberOf) as Message['type'], own(fields, 'to', 0, idOf));
  m.from = own(fields, 'from', 0, idOf);
  m.term = own(fields, 'term', 0, numberOf);
  m.logTerm = own(fields, 'logTerm', 0, numberOf);
  m.index = own(fields, 'index', 0, numberOf);
  m.entries = listOf(fields, 'entries', toEntry);
  m.commit = own(fields, 'commit', 0, numberOf);
  m.snapshot = own<Snapshot | null>(fields, 'snapshot', null, toSnapshot);
  m.reject = own(fields, 'reject', false, Boolean);
  m.rejectHint = own(fields, 'rejectHint', 0, numberOf);
  m.context = own(fields, 'context', emptyBytes, bytesOf);
  m.vote = own(fields, 'vote', 0, idOf);
  m.responses = listOf(fields, 'responses', toMessage);
  return m;
}

/** `expect(…).toEqual` only where it fails: it takes longer than all the rest. */
function expectSame(actual: unknown, expected: unknown, seedOfCase: string): void {
  if (!isDeepStrictEqual(actual, expected)) expect({ seedOfCase, value: actual }).toEqual({ seedOfCase, value: expected });
}

let root: protobuf.Root;
beforeAll(() => {
  root = protobuf.loadSync('proto/raftpb/raft.proto');
});

interface Kind<T> {
  readonly type: string;
  readonly random: (random: RandomSource) => T;
  readonly encode: (record: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
  readonly fields: (record: T, zeros?: boolean) => Fields;
  readonly back: (value: unknown) => T;
}

function compare<T>(kind: Kind<T>, count: number, seed: number): void {
  const type = root.lookupType(`raftpb.${kind.type}`);
  const random = seededRandom(seed);
  for (let i = 0; i < count; i++) {
    const record = kind.random(random);
    const label = `${kind.type} number ${i} of SEED=${seed}`;

    const ours = kind.encode(record);
    const theirs = bytesOf(type.encode(kind.fields(record)).finish());
    const withZeros = bytesOf(type.encode(kind.fields(record, true)).finish());

    expectSame(ours, theirs, label);
    expectSame(kind.back(type.decode(ours)), record, label);
    expectSame(kind.decode(theirs), record, label);
    expectSame(kind.decode(withZeros), record, label);
  }
}

describe('X24: the codec against protobufjs and the schema', () => {
  test('100,000 random messages are the same in both directions, with zeros left out and written', () => {
    const seed = announceSeed('codec differential');
    const roomy = new Uint8Array(1 << 20);
    const kind: Kind<Message> = {
      type: 'Message',
      random: (random) => randomMessage(random, random(10) === 0 ? 2 : 0),
      encode: (m) => {
        const bytes = encodeMessage(m);
        if (encodedMessageSize(m) !== bytes.length) throw new Error(`encodedMessageSize is not ${bytes.length}`);
        const end = encodeMessageInto(m, roomy, 0);
        if (Buffer.compare(roomy.subarray(0, end), bytes) !== 0) throw new Error('encodeMessageInto writes something else');
        return bytes;
      },
      decode: decodeMessage,
      fields: messageFields,
      back: toMessage,
    };

    compare(kind, 100_000, seed);
  });

  test('so are the other records', () => {
    const seed = announceSeed('codec differential');

    const entry: Kind<Entry> = {
      type: 'Entry',
      random: randomEntry,
      encode: encodeEntry,
      decode: decodeEntry,
      fields: entryFields,
      back: toEntry,
    };
    const snapshot: Kind<Snapshot> = {
      type: 'Snapshot',
      random: randomSnapshot,
      encode: encodeSnapshot,
      decode: decodeSnapshot,
      fields: snapshotFields,
      back: toSnapshot,
    };
    const confState: Kind<ConfState> = {
      type: 'ConfState',
      random: randomConfState,
      encode: encodeConfState,
      decode: decodeConfState,
      fields: confStateFields,
      back: toConfState,
    };
    const hardState: Kind<HardState> = {
      type: 'HardState',
      random: randomHardState,
      encode: encodeHardState,
      decode: decodeHardState,
      fields: hardStateFields,
      back: toHardState,
    };

    compare(entry, 2000, seed);
    compare(snapshot, 2000, seed);
    compare(confState, 2000, seed);
    compare(hardState, 2000, seed);
  });
});
