import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../../src/core/checkInvariants.js';
import { RaftErrorCode } from '../../../src/core/errors.js';
import { ConfChangeTransition, newConfChange, newConfChangeV2, parseConfChanges, type ConfChange, type ConfChangeV2 } from '../../../src/core/raftpb/confChange.js';
import { encodeConfChange } from '../../../src/core/raftpb/confChangeWire.js';
import { EntryType, newEntry } from '../../../src/core/raftpb/entry.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { ackAll, bytes, leaderWith, message, request, type NodeFields } from '../../support/builders.js';
import { errorOf } from '../../support/errors.js';
import { stateHash } from '../../support/stateHash.js';
import type { TestNode } from '../../support/testNode.js';

const { Auto, JointExplicit, JointImplicit } = ConfChangeTransition;

/** A leader that has committed and applied the entry of its term. */
function readyLeader(fields: NodeFields = {}): TestNode {
  const leader = leaderWith(fields);
  for (const id of leader.node.status().config.voters.concat(leader.node.status().config.votersOutgoing)) if (id !== 1) ackAll(leader, id);
  leader.settle();
  return leader;
}

function v2(text: string, transition: ConfChangeTransition = Auto): ConfChangeV2 {
  return newConfChangeV2({ changes: parseConfChanges(text), transition });
}

const joint = newConfState({ voters: [1, 2], votersOutgoing: [1, 3] });

describe('D1: a change that cannot be carried out now is refused, and nothing is appended', () => {
  const rows: { change: ConfChange | ConfChangeV2; fields?: NodeFields; reason: StepResult; why: string }[] = [
    { change: v2('v4'), fields: { confState: joint }, reason: StepResult.Joint, why: 'the group is joint, and this does not leave' },
    { change: v2('', JointExplicit), fields: { confState: joint }, reason: StepResult.Invalid, why: 'the group is joint, and this enters once more' },
    { change: v2(''), reason: StepResult.NotJoint, why: 'the group is not joint, and this leaves' },
    { change: v2('', JointExplicit), reason: StepResult.NotJoint, why: 'an empty change with an explicit transition' },
    { change: v2('r1 r2 r3'), reason: StepResult.Invalid, why: 'no voters would be left' },
    { change: v2('l1 l2 l3', JointImplicit), reason: StepResult.Invalid, why: 'only learners would be left' },
    { change: newConfChange({ type: 1, nodeId: 1 }), fields: { voters: [1] }, reason: StepResult.Invalid, why: 'the last voter would be removed' },
    { change: { ...v2('v4'), transition: 9 as ConfChangeTransition }, reason: StepResult.Invalid, why: 'an unknown transition' },
    { change: newConfChange({ type: 7 as 0, nodeId: 4 }), reason: StepResult.Invalid, why: 'an unknown type' },
    { change: newConfChange({ nodeId: 2n ** 64n - 1n }), reason: StepResult.Invalid, why: 'the id of a local thread' },
  ];

  test.each(rows)('$reason: $why', ({ change, fields = {}, reason }) => {
    const leader = readyLeader(fields);
    const before = stateHash(internalRaft(leader.node));

    expect(errorOf(() => leader.node.proposeConfChange(change))).toMatchObject({ code: RaftErrorCode.ProposalDropped, reason });
    expect(stateHash(internalRaft(leader.node))).toBe(before);
    expect(leader.node.hasReady()).toBe(false);
  });

  test('confChangePending: while another one is not applied, also one of the term before', () => {
    const leader = readyLeader();
    leader.node.proposeConfChange(v2('v4'));
    expect(errorOf(() => leader.node.proposeConfChange(v2('v5')))).toMatchObject({ reason: StepResult.ConfChangePending });

    const next = leaderWith({ log: [1, 1] });
    expect(errorOf(() => next.node.proposeConfChange(v2('v4')))).toMatchObject({ reason: StepResult.ConfChangePending });
    ackAll(next, 2);
    expect(next.node.proposeConfChange(v2('v4'))).toEqual({ term: 2, index: 4 });
  });

  test('B67: before an entry of its own term is committed a leader accepts none, if anything is unapplied', () => {
    const leader = leaderWith({ log: [1] });
    expect(errorOf(() => leader.node.proposeConfChange(v2('v4')))).toMatchObject({ reason: StepResult.ConfChangePending });
  });

  test('notVoter: a leader that was removed proposes nothing any more', () => {
    const leader = readyLeader();
    leader.node.proposeConfChange(newConfChange({ type: 1, nodeId: 1 }));
    ackAll(leader, 2, 3);

    expect(errorOf(() => leader.node.proposeConfChange(v2('v1')))).toMatchObject({ reason: StepResult.NotVoter });
    expect(errorOf(() => leader.node.propose(bytes('x')))).toMatchObject({ reason: StepResult.NotVoter });
  });

  test('several entries at once are taken all or none', () => {
    const leader = readyLeader();
    const change = (text: string): ReturnType<typeof newEntry> => newEntry(EntryType.EntryConfChangeV2, encodeConfChange(v2(text)));
    const normal = newEntry(EntryType.EntryNormal, bytes('x'));
    const before = stateHash(internalRaft(leader.node));

    expect(leader.node.step(message(MessageType.MsgProp, { entries: [normal, change('v4'), change('v5')] }))).toBe(StepResult.ConfChangePending);
    expect(leader.node.step(message(MessageType.MsgProp, { entries: [normal, change('r1 r2 r3')] }))).toBe(StepResult.Invalid);
    expect(stateHash(internalRaft(leader.node))).toBe(before);

    expect(leader.node.step(message(MessageType.MsgProp, { entries: [normal, change('v4'), normal] }))).toBe(StepResult.Ok);
    expect(internalRaft(leader.node).pendingConfIndex).toBe(3);
    expect(leader.lastIndex).toBe(4);
  });

  test('what D1 accepts does take effect', () => {
    const leader = readyLeader();
    leader.node.proposeConfChange(v2('v4 r3', JointExplicit));
    ackAll(leader, 2, 3);
    leader.node.proposeConfChange(v2(''));
    ackAll(leader, 2, 4);

    expect(leader.node.status().config).toEqual(newConfState({ voters: [1, 2, 4] }));
  });

  test('without validation everything goes into the log, and D8 deals with it', () => {
    const leader = readyLeader({ disableConfChangeValidation: true });

    leader.node.proposeConfChange(v2('r1 r2 r3'));
    leader.node.proposeConfChange(v2(''));
    ackAll(leader, 2, 3);

    expect(leader.applied.slice(-2).map(({ type }) => type)).toEqual([EntryType.EntryConfChangeV2, EntryType.EntryConfChangeV2]);
    expect(leader.node.status()).toMatchObject({ config: { voters: [1, 2, 3] }, ignoredConfChanges: 2 });
  });
});

describe('the quota of unapplied data', () => {
  test('a proposal that fits is taken, the next is dropped until something is applied', () => {
    const leader = readyLeader({ maxUncommittedEntriesSize: 10 });
    leader.node.propose(bytes('12345'));
    leader.node.propose(bytes('67890'));

    expect(errorOf(() => leader.node.propose(bytes('x')))).toMatchObject({ reason: StepResult.OverLimit });
    expect(leader.node.propose(bytes(''))).toEqual({ term: 1, index: 4 });
    ackAll(leader, 2);

    expect(leader.node.propose(bytes('x'))).toEqual({ term: 1, index: 5 });
  });

  test('one proposal of any size is taken while nothing else is unapplied', () => {
    const leader = readyLeader({ maxUncommittedEntriesSize: 10 });

    expect(leader.node.propose(bytes('x'.repeat(1000)))).not.toBeNull();
    expect(errorOf(() => leader.node.propose(bytes('x')))).toMatchObject({ reason: StepResult.OverLimit });
  });

  test('D7: a new leader counts the tail that it took over', () => {
    const leader = leaderWith({ log: [1], maxUncommittedEntriesSize: 20 });
    leader.node.propose(bytes('0123456789'));
    leader.settle();
    leader.receive(message(MessageType.MsgHeartbeat, { term: 3 }));
    leader.node.campaign();
    leader.receive(message(MessageType.MsgVoteResp, { term: 4 }));
    expect(internalRaft(leader.node).uncommittedSize).toBe(10);

    expect(leader.node.propose(bytes('0123456789'))).not.toBeNull();
    expect(errorOf(() => leader.node.propose(bytes('x')))).toMatchObject({ reason: StepResult.OverLimit });

    // B85: once everything is applied, nothing is left of it.
    ackAll(leader, 2);
    expect(internalRaft(leader.node).uncommittedSize).toBe(0);
  });

  test('D7: also what is handed out and not reported as applied yet', () => {
    const leader = leaderWith({ maxUncommittedEntriesSize: 20 });
    leader.node.propose(bytes('0123456789'));
    leader.settle();
    leader.node.step(message(MessageType.MsgAppResp, { term: 1, index: 2 }));
    const ready = leader.node.ready();
    expect(ready.committedEntries).toHaveLength(2);

    // Leadership is lost and won again in the middle of the Ready.
    leader.node.step(message(MessageType.MsgHeartbeat, { term: 2 }));
    leader.node.campaign();
    leader.node.step(message(MessageType.MsgVoteResp, { term: 3 }));
    leader.node.advance(ready);
    leader.settle();
    leader.receive(message(MessageType.MsgVoteResp, { term: 3 }));
    ackAll(leader, 2);

    expect(internalRaft(leader.node).uncommittedSize).toBe(0);
    checkInvariants(leader.node);
  });

  test('a follower has no quota, and passes on whatever it is given', () => {
    const leader = readyLeader({ maxUncommittedEntriesSize: 1 });
    leader.receive(message(MessageType.MsgHeartbeat, { term: 2 }));

    expect(leader.node.step(request(MessageType.MsgProp, 'x'.repeat(100)))).toBe(StepResult.Ok);
    expect(internalRaft(leader.node).uncommittedSize).toBe(0);
  });
});
