import { describe, expect, test } from '@jest/globals';
import { RaftErrorCode } from '../../src/core/errors.js';
import { jsonReplacer, jsonReviver } from '../../src/core/json.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import type { Status, StatusJson } from '../../src/core/status.js';
import { ackAll, bytes, leaderWith, message, request } from '../support/builders.js';
import { codeOf } from '../support/errors.js';

function roundTrip(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, jsonReplacer), jsonReviver);
}

describe('what the library hands out survives JSON', () => {
  test.each([
    { value: message(MessageType.MsgHeartbeat, { from: 2n ** 64n - 3n, to: 1, term: 7, context: Uint8Array.of(0, 128, 255) }), why: 'a message with a 64-bit id and bytes' },
    { value: request(MessageType.MsgProp, 'data', { from: 3 }), why: 'a message with an entry' },
    { value: message(MessageType.MsgSnap, { snapshot: { data: bytes('state'), metadata: { index: 3, term: 2, confState: { voters: [1, 2n ** 60n], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false } } } }), why: 'a message with a snapshot' },
    { value: new Map<unknown, unknown>([[1, 'a'], [2n ** 63n, Uint8Array.of(1)], ['m', new Map([[1, 2]])]]), why: 'a Map, with Maps in it' },
    { value: new Uint8Array(0), why: 'no bytes' },
    { value: bytes('whole buffer').subarray(3, 6), why: 'a part of a buffer, without the rest' },
    { value: { $bytes: 'text', other: 1 }, why: 'an object of the user that only looks like a mark' },
    { value: [null, true, 'text', 0.5, { $map: 1, $bytes: 2 }], why: 'what JSON knows by itself' },
  ])('$why', ({ value }) => {
    expect(roundTrip(value)).toEqual(value);
  });

  test('a Ready of a leader, with everything in it', () => {
    const leader = leaderWith({ voters: [1, 2n ** 64n - 5n] });
    ackAll(leader, 2n ** 64n - 5n);
    leader.node.propose(bytes('x'));
    leader.node.readIndex(bytes('read'));
    const ready = leader.node.ready();

    expect(ready.messages.length).toBeGreaterThan(0);
    expect(roundTrip(ready)).toEqual(ready);
  });

  test('a Buffer comes back as bytes: it turns itself into something else before anybody can look', () => {
    const entry = { data: Buffer.from('text') };

    expect(roundTrip(entry)).toEqual({ data: bytes('text') });
    expect(roundTrip(Buffer.from('text'))).toEqual(bytes('text'));
  });

  test('an id that was written by hand comes back in canonical form', () => {
    expect(JSON.parse('{"id":{"$uint64":"5"}}', jsonReviver)).toEqual({ id: 5 });
    expect(JSON.parse('{"$uint64":"18446744073709551615"}', jsonReviver)).toBe(2n ** 64n - 1n);
  });
});

describe('a mark with a value of another kind is ERR_RAFT_MALFORMED', () => {
  test.each([
    '{"$bytes":1}', '{"$bytes":"abc"}', '{"$bytes":"xy"}', '{"$bytes":"AB"}', '{"$uint64":5}', '{"$uint64":"-5"}', '{"$uint64":""}',
    '{"$uint64":"18446744073709551616"}', '{"$uint64":"123456789012345678901"}', '{"$map":{}}', '{"$map":[1]}', '{"$map":[[1]]}', '{"$map":[[1,2,3]]}',
  ])('%s', (text) => {
    expect(codeOf(() => JSON.parse(text, jsonReviver))).toBe(RaftErrorCode.Malformed);
  });
});

describe('Status', () => {
  test('is written with ids in hex and names of states, and can be read by anything', () => {
    const big = 2n ** 64n - 5n;
    const leader = leaderWith({ voters: [1, big], learners: [12], log: [1] });
    ackAll(leader, big);
    leader.node.step(message(MessageType.MsgVote, { to: 9, term: 2 }));
    const status: Status = leader.node.status();

    const read = JSON.parse(JSON.stringify(status)) as StatusJson;

    expect(read).toEqual(status.toJSON());
    expect(read).toMatchObject({
      id: '1',
      term: 2,
      vote: '1',
      commit: 2,
      applied: 2,
      lastIndex: 2,
      lead: '1',
      raftState: 'StateLeader',
      leadTransferee: '0',
      config: { voters: ['1', 'fffffffffffffffb'], learners: ['c'], votersOutgoing: [], learnersNext: [], autoLeave: false },
      progress: {
        1: { state: 'StateReplicate', match: 2, next: 3, pendingSnapshot: 0, recentActive: true, paused: false, inflight: 0, isLearner: false },
        c: { state: 'StateProbe', match: 0, next: 2, pendingSnapshot: 0, recentActive: false, paused: true, inflight: 0, isLearner: true },
        fffffffffffffffb: { state: 'StateReplicate', match: 2, next: 3, pendingSnapshot: 0, recentActive: true, paused: false, inflight: 0, isLearner: false },
      },
      refused: { notForMe: 1 },
      ignoredConfChanges: 0,
    });
    expect(JSON.parse(JSON.stringify(status, jsonReplacer), jsonReviver)).toEqual(read);
  });
});
