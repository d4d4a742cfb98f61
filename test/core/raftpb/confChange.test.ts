import { describe, expect, test } from '@jest/globals';
import {
  asV2,
  ConfChangeTransition,
  ConfChangeType,
  confChangesToString,
  enterJoint,
  isConfChangeTransition,
  isConfChangeV1,
  leaveJoint,
  newConfChange,
  newConfChangeV2,
  parseConfChanges,
} from '../../../src/core/raftpb/confChange.js';
import { isRaftError, RaftErrorCode } from '../../../src/core/errors.js';

const { ConfChangeAddNode, ConfChangeRemoveNode, ConfChangeUpdateNode, ConfChangeAddLearnerNode } = ConfChangeType;
const { Auto, JointImplicit, JointExplicit } = ConfChangeTransition;
const bytes = Uint8Array.of(1, 2);

describe('both forms', () => {
  test('have all fields', () => {
    expect(newConfChange()).toEqual({ type: ConfChangeAddNode, nodeId: 0, context: new Uint8Array(0), id: 0 });
    expect(newConfChangeV2()).toEqual({ transition: Auto, changes: [], context: new Uint8Array(0) });
  });

  test('are told apart', () => {
    expect(isConfChangeV1(newConfChange())).toBe(true);
    expect(isConfChangeV1(newConfChangeV2())).toBe(false);
  });

  test('hold ids in canonical form', () => {
    const notUint64 = expect.objectContaining({ name: 'RaftError', code: RaftErrorCode.OutOfRange });
    expect(newConfChange({ nodeId: 5n, id: 6n })).toMatchObject({ nodeId: 5, id: 6 });
    expect(newConfChangeV2({ changes: [{ type: ConfChangeAddNode, nodeId: 5n }] }).changes).toEqual([{ type: ConfChangeAddNode, nodeId: 5 }]);
    expect(() => newConfChange({ nodeId: 2n ** 64n })).toThrow(notUint64);
    expect(() => newConfChangeV2({ changes: [{ type: ConfChangeAddNode, nodeId: -1 }] })).toThrow(notUint64);
  });

  test('say the same as V2', () => {
    const v1 = newConfChange({ type: ConfChangeRemoveNode, nodeId: 7, context: bytes, id: 9 });
    const v2 = newConfChangeV2({ changes: [{ type: ConfChangeRemoveNode, nodeId: 7 }], context: bytes });

    expect(asV2(v1)).toEqual(v2);
    expect(asV2(v2)).toBe(v2);
  });
});

describe('how a change takes effect', () => {
  test.each([
    { text: '', transition: Auto, joint: null, leaves: true, why: 'empty: leaves' },
    { text: 'v1', transition: Auto, joint: null, leaves: false, why: 'one change at once' },
    { text: 'v1 v2', transition: Auto, joint: { autoLeave: true }, leaves: false, why: 'several need a joint configuration' },
    { text: 'v1', transition: JointImplicit, joint: { autoLeave: true }, leaves: false, why: 'joint, left by the leader' },
    { text: 'v1', transition: JointExplicit, joint: { autoLeave: false }, leaves: false, why: 'joint, left on demand' },
    { text: '', transition: JointImplicit, joint: { autoLeave: true }, leaves: false, why: 'empty, but joint' },
    { text: '', transition: JointExplicit, joint: { autoLeave: false }, leaves: false, why: 'empty, but joint' },
  ])('"$text" with transition $transition: $why', ({ text, transition, joint, leaves }) => {
    const change = newConfChangeV2({ transition, changes: parseConfChanges(text), context: bytes });

    expect(enterJoint(change)).toEqual(joint);
    expect(leaveJoint(change)).toBe(leaves);
  });

  test.each([
    { transition: 0, known: true },
    { transition: 2, known: true },
    { transition: 3, known: false },
    { transition: -1, known: false },
    { transition: 0.5, known: false },
  ])('$transition is a transition: $known', ({ transition, known }) => {
    expect(isConfChangeTransition(transition)).toBe(known);
  });
});

describe('text form', () => {
  const changes = [
    { type: ConfChangeAddNode, nodeId: 1 },
    { type: ConfChangeAddLearnerNode, nodeId: 2 },
    { type: ConfChangeRemoveNode, nodeId: 3 },
    { type: ConfChangeUpdateNode, nodeId: 2n ** 64n - 1n },
  ];

  test('is written and read', () => {
    const text = 'v1 l2 r3 u18446744073709551615';

    expect(confChangesToString(changes)).toBe(text);
    expect(parseConfChanges(text)).toEqual(changes);
    expect(confChangesToString([])).toBe('');
    expect(parseConfChanges(' v1\n  l2 ')).toEqual(changes.slice(0, 2));
  });

  test('says so for a type that is none', () => {
    expect(confChangesToString([{ type: 9 as ConfChangeType, nodeId: 4 }])).toBe('unknown4');
  });

  test.each(['v', '1', 'x1', 'v-1', 'v1.5', 'v1x', 'v18446744073709551616', 'v100000000000000000000000', 'V1'])('refuses "%s"', (word) => {
    let thrown: unknown = null;
    try {
      parseConfChanges(`v1 ${word}`);
    } catch (error) {
      thrown = error;
    }
    expect(isRaftError(thrown, RaftErrorCode.ArgumentInvalid)).toBe(true);
  });
});
