import { describe, expect, test } from '@jest/globals';

import { Journal } from '../../../examples/kv/journal.js';
import { decodeRequest, encodeRequest, type Write } from '../../../examples/kv/request.js';
import { Outcome, sessionWindow, StateMachine } from '../../../examples/kv/stateMachine.js';

const put = (key: string, value: string): Write => ({ kind: 'put', key, value });
const del = (key: string): Write => ({ kind: 'del', key });

function values(machine: StateMachine): object {
  return Object.fromEntries(Array.from(machine.values, ([key, { value, version }]) => [key, `${value} v${version}`]));
}

describe('requests', () => {
  test.each([{ write: put('a b', 'ä"\n') }, { write: del('k') }])('survive the log: %j', ({ write }) => {
    const request = { client: 'c', session: 2, sequence: 3, write };

    expect(decodeRequest(encodeRequest(request))).toEqual(request);
  });

  test.each([
    { text: '', why: 'the first entry of a leader' },
    { text: '{', why: 'no JSON' },
    { text: '{}', why: 'no list' },
    { text: '["c",1,1,"put","k"]', why: 'a put without a value' },
    { text: '["c",0,1,"del","k"]', why: 'session 0' },
    { text: '["c",1,1.5,"del","k"]', why: 'a sequence number between two' },
    { text: '["c",1,1,"pop","k"]', why: 'an unknown kind' },
    { text: '[7,1,1,"del","k"]', why: 'a client that is no text' },
  ])('that are none are recognised: $why', ({ text }) => {
    expect(decodeRequest(Buffer.from(text))).toBeNull();
  });
});

describe('the state machine', () => {
  test('applies each request once, in order, and answers repeats as before', () => {
    const machine = new StateMachine();
    const send = (sequence: number, write: Write, session = 1, client = 'c'): Outcome => machine.apply({ client, session, sequence, write });

    expect(send(1, put('a', '1'))).toBe(Outcome.Created);
    expect(send(2, put('a', '2'))).toBe(Outcome.Existed);
    expect(send(4, put('a', '4'))).toBe(Outcome.Gap);
    expect(send(1, put('a', '1'))).toBe(Outcome.Created);
    expect(send(3, del('a'))).toBe(Outcome.Existed);
    expect(send(3, del('a'))).toBe(Outcome.Existed);
    expect(send(4, del('a'))).toBe(Outcome.Created);
    expect(send(1, put('b', '1'), 1, 'another')).toBe(Outcome.Created);
    expect(values(machine)).toEqual({ b: '1 v1' });
    expect(machine.applied).toBe(5);
    expect(machine.repeated).toBe(3);
  });

  test('a new session ends the old one', () => {
    const machine = new StateMachine();
    const send = (session: number, sequence: number): Outcome => machine.apply({ client: 'c', session, sequence, write: put('a', `${session}.${sequence}`) });

    expect(send(1, 1)).toBe(Outcome.Created);
    expect(send(2, 2)).toBe(Outcome.Gap);
    expect(send(2, 1)).toBe(Outcome.Existed);
    expect(send(1, 2)).toBe(Outcome.Stale);
    expect(values(machine)).toEqual({ a: '2.1 v2' });
  });

  test('a snapshot holds everything, the memory of sessions included', () => {
    const machine = new StateMachine();
    for (let i = 1; i <= sessionWindow + 10; i++) machine.apply({ client: 'c', session: 1, sequence: i, write: put(`k${i % 7}`, `${i}`) });
    const restored = StateMachine.restore(machine.save());

    expect(restored.hash()).toBe(machine.hash());
    for (const copy of [machine, restored]) {
      expect(copy.apply({ client: 'c', session: 1, sequence: sessionWindow + 10, write: put('k1', 'x') })).toBe(Outcome.Existed);
      expect(copy.apply({ client: 'c', session: 1, sequence: sessionWindow + 11, write: put('new', 'x') })).toBe(Outcome.Created);
    }
    expect(values(restored)).toEqual(values(machine));
    expect(restored.hash()).toBe(machine.hash());
    expect(StateMachine.restore(new Uint8Array()).hash()).toBe(new StateMachine().hash());
  });

  test('different states have different hashes', () => {
    const hashes = [put('a', '1'), put('a', '2'), put('b', '1'), del('a')].map((write) => {
      const machine = new StateMachine();
      machine.apply({ client: 'c', session: 1, sequence: 1, write });
      return machine.hash();
    });

    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('the journal', () => {
  /** A journal of confirmed writes, and a store with the writes that were applied. */
  function compare({ acked, doubted = [], applied }: { acked: Write[]; doubted?: Write[]; applied: Write[] }): object {
    const journal = new Journal();
    for (const write of acked) journal.acknowledge(write);
    for (const write of doubted) journal.doubt(write);
    const machine = new StateMachine();
    applied.forEach((write, i) => machine.apply({ client: 'c', session: 1, sequence: i + 1, write }));
    return journal.compare(machine.values);
  }
  const one = put('a', '1');
  const two = put('a', '2');

  test.each([
    { acked: [one, two], applied: [one, two], lost: 0, duplicated: 0, why: 'all is well' },
    { acked: [one, two], applied: [one], lost: 1, duplicated: 0, why: 'the last one is missing' },
    { acked: [one, two], applied: [two], lost: 1, duplicated: 0, why: 'the first one is missing, which its value does not show' },
    { acked: [one, two], applied: [], lost: 2, duplicated: 0, why: 'everything is missing' },
    { acked: [one], applied: [one, one], lost: 0, duplicated: 1, why: 'applied twice' },
    { acked: [one, two], applied: [two, one], lost: 1, duplicated: 0, why: 'the wrong order' },
    { acked: [one, del('a')], applied: [one], lost: 1, duplicated: 0, why: 'a removal is missing' },
    { acked: [one, del('a'), two], applied: [one, del('a'), two], lost: 0, duplicated: 0, why: 'versions begin again' },
    { acked: [one, del('a'), two], applied: [one, two], lost: 0, duplicated: 1, why: 'a removal in the middle is missing' },
    { acked: [one], doubted: [two], applied: [one], lost: 0, duplicated: 0, why: 'in doubt, and did not happen' },
    { acked: [one], doubted: [two], applied: [one, two], lost: 0, duplicated: 0, why: 'in doubt, and happened' },
    { acked: [one], doubted: [two], applied: [one, two, two], lost: 0, duplicated: 1, why: 'in doubt, and happened twice' },
    { acked: [one], doubted: [del('a')], applied: [one, del('a')], lost: 0, duplicated: 0, why: 'a removal in doubt happened' },
    { acked: [], doubted: [del('a')], applied: [], lost: 0, duplicated: 0, why: 'a removal of nothing in doubt' },
    { acked: [], doubted: [one], applied: [], lost: 0, duplicated: 0, why: 'the first put of a key in doubt' },
  ])('finds $lost lost and $duplicated duplicated: $why', ({ lost, duplicated, why: _why, ...histories }) => {
    expect(compare(histories)).toEqual({ lost, duplicated });
  });

  test('a write confirmed after one in doubt settles the value', () => {
    const journal = new Journal();
    journal.doubt(one);
    journal.acknowledge(two);

    expect(journal.compare(new Map([['a', { value: '2', version: 1 }]]))).toEqual({ lost: 0, duplicated: 0 });
    expect(journal.compare(new Map([['a', { value: '2', version: 2 }]]))).toEqual({ lost: 0, duplicated: 0 });
    expect(journal.compare(new Map([['a', { value: '1', version: 2 }]]))).toEqual({ lost: 1, duplicated: 0 });
    expect([journal.acknowledged, journal.doubtful]).toEqual([1, 1]);
  });
});
