import { describe, expect, test } from '@jest/globals';
import { OpOutcome, type ClientOp } from '../../src/sim/clientOp.js';
import { KvKind } from '../../src/sim/kv.js';
import { checkRegister } from '../../src/sim/linearizability.js';
import { registerHistories } from '../../src/sim/linearizabilityHistory.js';
import { stepRegister, unknownAnswer, type RegisterOp } from '../../src/sim/linearizabilityModel.js';
import { findBrokenRule } from '../../src/sim/linearizabilityRules.js';
import type { RandomSource } from '../../src/core/random.js';
import { announceSeed, seededRandom } from '../support/seededRandom.js';
import { isLinearizable } from './bruteForce.js';
import { badPictures, goodPictures } from './linearizabilityPictures.js';
import { parsePicture } from './pictures.js';

describe('histories drawn by hand', () => {
  test('there are fifty of either kind, all different', () => {
    expect(goodPictures.length).toBeGreaterThanOrEqual(50);
    expect(badPictures.length).toBeGreaterThanOrEqual(50);
    const pictures = [...goodPictures, ...badPictures].map(([, ...lines]) => lines.join('\n'));
    expect(new Set(pictures).size).toBe(pictures.length);
  });

  test.each(goodPictures)('good: %s', (_why, ...lines) => {
    const ops = parsePicture(lines);

    expect(checkRegister(ops)).toMatchObject({ verdict: 'ok', reason: '' });
    expect(isLinearizable(ops)).toBe(true);
  });

  test.each(badPictures)('bad: %s', (_why, ...lines) => {
    const ops = parsePicture(lines);
    const { verdict, reason } = checkRegister(ops);

    expect(verdict).toBe('violation');
    expect(reason).not.toBe('');
    expect(isLinearizable(ops)).toBe(false);
  });
});

describe('the simple rules', () => {
  test.each([
    { picture: ['[w1] [r2]'], says: /^phantom/ },
    { picture: ['[w1] [c3>2=1] [r2]'], says: /^phantom/ },
    { picture: ['[r1] [w1]'], says: /^from the future/ },
    { picture: ['[w1=0 ]', '[w2=0 ]'], says: /^lost write/ },
    { picture: ['[w1] [w2] [r1]'], says: /^stale/ },
    { picture: ['[w1] [r0]'], says: /^stale/ },
    { picture: ['[w1            ]', '  [r1] [r0]'], says: /^stale/ },
    { picture: ['[w1?', '      [r1] [r0]'], says: /^stale/ },
    { picture: ['[w1] [w2            ]', '      [r2] [r1]'], says: /^stale/ },
    { picture: ['[w1                 ]', '[w2                 ]', '  [r1] [r2] [r1]'], says: /^to and fro/ },
    { picture: ['[w1              ]', '[w2              ]', '[r1     ]', '    [r2]', '         [r1]'], says: null },
    { picture: ['[w1=2 ]', '[w2=1 ]'], says: null },
  ])('$picture: $says', ({ picture, says }) => {
    const ops = parsePicture(picture);

    if (says === null) expect(findBrokenRule(ops)).toBeNull();
    else expect(findBrokenRule(ops)).toMatch(says);
    if (says !== null) expect(checkRegister(ops)).toMatchObject({ verdict: 'violation', steps: 0 });
  });

  test('say nothing where a value is written twice', () => {
    expect(findBrokenRule(parsePicture(['[w1] [w2] [w1] [r2]']))).toBeNull();
  });
});

/** A history of clients that take turns at a real register: linearizable. Some of them never hear the answer. */
function playedHistory(random: RandomSource, count: number, clients: number): RegisterOp[] {
  const ops: RegisterOp[] = [];
  const freeAt = new Array<number>(clients).fill(0);
  let state = 0;
  for (let i = 0; i < count; i++) {
    // The moments at which operations take effect rise by ten; calls and answers lie around them.
    const moment = 10 * (i + 1);
    const client = random(clients);
    const call = Math.max(freeAt[client]! + 1, moment - 1 - random(40));
    if (call >= moment) continue;
    const silent = random(12) === 0;
    const ret = silent ? Infinity : moment + 1 + random(40);
    const kind = [KvKind.Get, KvKind.Put, KvKind.Cas][random(3)]!;
    const value = kind === KvKind.Get ? 0 : i + 1;
    const expected = kind === KvKind.Cas ? (random(2) === 0 ? state : 1 + random(count)) : 0;
    ops.push({ kind, value, expected, answer: silent ? unknownAnswer : state, call, ret, client });
    // A silent client is gone for good.
    freeAt[client] = ret === Infinity ? 1e9 : ret;
    if (ret === Infinity) freeAt[client] = moment;
    if (!silent || random(2) === 0) state = stepRegister(state, { ...ops[ops.length - 1]!, answer: unknownAnswer });
  }
  return ops;
}

describe('histories made by chance', () => {
  test('what real clients of a real register see is linearizable', () => {
    const seed = announceSeed('sim/linearizability');
    for (let i = 0; i < 60; i++) {
      const random = seededRandom(seed + i);
      const ops = playedHistory(random, 20 + random(280), 1 + random(8));
      expect({ i, ...checkRegister(ops) }).toMatchObject({ i, verdict: 'ok' });
    }
  });

  test('a wrong answer in it is found', () => {
    const seed = announceSeed('sim/linearizability');
    let found = 0;
    for (let i = 0; i < 60; i++) {
      const random = seededRandom(seed + i);
      const ops = playedHistory(random, 60, 3);
      // The state long before: eight operations ago, more than any two overlap with three clients.
      const late = ops.findIndex((op, at) => at > 30 && op.ret !== Infinity && op.answer !== ops[at - 20]!.answer && ops[at - 20]!.answer >= 0);
      if (late < 0) continue;
      ops[late] = { ...ops[late]!, answer: ops[late - 20]!.answer };
      const { verdict, reason } = checkRegister(ops);
      // A value that stood for a long time may be right by chance; then the obvious orders say so as well.
      if (verdict === 'violation') found++;
      expect({ i, verdict, explained: verdict === 'ok' || reason !== '' }).toMatchObject({ i, explained: true });
    }
    expect(found).toBeGreaterThan(40);
  });

  test('the search agrees with trying every order, on short histories of any kind', () => {
    const seed = announceSeed('sim/linearizability');
    const seen = { ok: 0, violation: 0, unknown: 0 };
    for (let i = 0; i < 3000; i++) {
      const random = seededRandom(seed + i);
      const ops: RegisterOp[] = [];
      const count = 2 + random(5);
      for (let j = 0; j < count; j++) {
        const call = random(20);
        const kind = [KvKind.Get, KvKind.Put, KvKind.Cas][random(3)]!;
        const silent = random(5) === 0;
        ops.push({
          kind,
          value: kind === KvKind.Get ? 0 : 1 + random(i % 2 === 0 ? 3 : 1) + (i % 2 === 0 ? 0 : j),
          expected: kind === KvKind.Cas ? random(3) : 0,
          answer: silent || random(4) === 0 ? unknownAnswer : random(3),
          call,
          ret: silent ? Infinity : call + 1 + random(12),
          client: j,
        });
      }
      // A get that has answered has answered something.
      const honest = ops.filter((op) => op.kind !== KvKind.Get || op.answer !== unknownAnswer || op.ret === Infinity);
      const { verdict, reason } = checkRegister(honest);
      seen[verdict]++;
      expect({ i, honest, reason, verdict }).toMatchObject({ verdict: isLinearizable(honest) ? 'ok' : 'violation' });
    }
    expect(seen.ok).toBeGreaterThan(300);
    expect(seen.violation).toBeGreaterThan(300);
    expect(seen.unknown).toBe(0);
  });
});

describe('the search', () => {
  /** Puts without known answers that all overlap, and readers that see them in an impossible order. */
  function hardHistory(writes: number): RegisterOp[] {
    const ops: RegisterOp[] = [];
    for (let i = 1; i <= writes; i++) ops.push({ kind: KvKind.Put, value: i, expected: 0, answer: unknownAnswer, call: 0, ret: 1000, client: i });
    for (let i = 0; i < writes; i++) ops.push({ kind: KvKind.Get, value: 0, expected: 0, answer: 1 + (i % writes), call: 10 + 10 * i, ret: 15 + 10 * i, client: writes + 1 });
    ops.push({ kind: KvKind.Get, value: 0, expected: 0, answer: 1, call: 900, ret: 905, client: writes + 1 });
    return ops;
  }

  test('decides a history of thirty overlapping writes', () => {
    expect(checkRegister(hardHistory(30)).verdict).toBe('violation');
  });

  test('is given up at its limit, and says so', () => {
    const ops = playedHistory(seededRandom(3), 100, 8);

    expect(checkRegister(ops, 5)).toMatchObject({ verdict: 'unknown', steps: 5 });
    expect(checkRegister(ops).verdict).toBe('ok');
  });

  test('is not troubled by hundreds of writes without an answer', () => {
    const ops: RegisterOp[] = parsePicture(['[w1] [r1]']);
    for (let i = 0; i < 300; i++) ops.push({ kind: KvKind.Put, value: 10 + i, expected: 0, answer: unknownAnswer, call: i, ret: Infinity, client: i });

    expect(checkRegister(ops).verdict).toBe('ok');
  });

  test('calls at the moment of an answer count as overlapping', () => {
    const put = { kind: KvKind.Put, value: 1, expected: 0, answer: 0, call: 0, ret: 5, client: 0 };
    const get = { kind: KvKind.Get, value: 0, expected: 0, answer: 0, call: 5, ret: 7, client: 1 };

    expect(checkRegister([put, get]).verdict).toBe('ok');
    expect(checkRegister([put, { ...get, call: 6 }]).verdict).toBe('violation');
  });
});

describe('histories of clients', () => {
  const base: ClientOp = { id: 1, client: 0, node: 1, write: true, request: new Uint8Array(0), command: { kind: KvKind.Put, key: 0, value: 1, expected: 0 }, invokedAt: 1, returnedAt: 2, outcome: OpOutcome.Ok, index: 1, answer: 0 };
  const read = { ...base, write: false, command: { kind: KvKind.Get, key: 0, value: 0, expected: 0 } };

  test.each([
    { why: 'an operation that ended', op: base, found: [{ answer: 0, ret: 2 }] },
    { why: 'a write without a known end may take effect at any time', op: { ...base, outcome: OpOutcome.Unknown }, found: [{ answer: unknownAnswer, ret: Infinity }] },
    { why: 'so may one that is still going on', op: { ...base, outcome: OpOutcome.Pending }, found: [{ answer: unknownAnswer, ret: Infinity }] },
    { why: 'a write that failed has not happened', op: { ...base, outcome: OpOutcome.Failed }, found: [] },
    { why: 'a read', op: read, found: [{ answer: 0, ret: 2 }] },
    { why: 'a read without a known end says nothing', op: { ...read, outcome: OpOutcome.Unknown }, found: [] },
    { why: 'a read that failed says nothing', op: { ...read, outcome: OpOutcome.Failed }, found: [] },
  ])('$why', ({ op, found }) => {
    expect(registerHistories([op], true).get(0) ?? []).toMatchObject(found);
  });

  test('are told apart by register, and may leave reads out', () => {
    const elsewhere = { ...base, id: 2, command: { kind: KvKind.Put, key: 7, value: 2, expected: 0 } };

    expect([...registerHistories([base, elsewhere, read], false)].map(([key, ops]) => [key, ops.length])).toEqual([[0, 1], [7, 1]]);
  });
});
