import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../../src/core/checkInvariants.js';
import { encodeConfChange } from '../../../src/core/raftpb/confChangeWire.js';
import { newConfChange } from '../../../src/core/raftpb/confChange.js';
import { EntryType, newEntry, type Entry } from '../../../src/core/raftpb/entry.js';
import type { Message } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { newConfState, type ConfState, type Snapshot } from '../../../src/core/raftpb/state.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { emptyBytes, LocalAppendThread, LocalApplyThread, maxTerm, StateType } from '../../../src/core/types.js';
import { ackAll, bytes, candidateWith, followerWith, leaderWith, message, nodeWith } from '../../support/builders.js';
import { stateHash } from '../../support/stateHash.js';
import type { TestNode } from '../../support/testNode.js';

// Node 1 of the voters 1, 2, 3 and the learner 4, in term 5, with a log up to index 6, the empty entry of the leader included.
const fields = { learners: [4], log: [1, 1, 2, 4, 4], commit: 3 } as const;

const roles: readonly { readonly role: string; readonly make: () => TestNode }[] = [
  { role: 'follower', make: () => followerWith({ ...fields, term: 5 }) },
  { role: 'candidate', make: () => candidateWith({ ...fields, term: 5 }) },
  { role: 'pre-candidate', make: () => preCandidate() },
  { role: 'leader', make: () => leaderWith({ ...fields, term: 5 }) },
  { role: 'removed node', make: () => nodeWith({ ...fields, term: 5, id: 9 }) },
];

function preCandidate(): TestNode {
  const node = nodeWith({ ...fields, term: 5, preVote: true });
  node.node.campaign();
  return node;
}

/** Steps a message and checks that a refusal changes nothing but the counter. */
function stepInto(make: () => TestNode, m: Message): StepResult {
  const { node } = make();
  const raft = internalRaft(node);
  const before = stateHash(raft);

  const result = node.step(m);

  const refused = node.basicStatus().refused;
  if (result !== StepResult.Ok) {
    expect(stateHash(raft)).toBe(before);
    expect([...refused]).toEqual([[result, 1]]);
  } else {
    expect([...refused]).toEqual([]);
  }
  checkInvariants(node);
  return result;
}

function toMe(type: MessageType, rest: Partial<Omit<Message, 'type'>> = {}): Message {
  return message(type, { term: 5, ...rest });
}

function entriesOf(...pairs: readonly (readonly [term: number, index: number])[]): Entry[] {
  return pairs.map(([term, index]) => newEntry(EntryType.EntryNormal, bytes('x'), term, index));
}

function snapshot(confState: Partial<ConfState>, index = 9, term = 5): Snapshot {
  return { data: emptyBytes, metadata: { index, term, confState: newConfState(confState) } };
}

/** What no value of the right type can say. */
function wrong(m: Message, changes: Record<string, unknown>): Message {
  return Object.assign(m, changes);
}

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgProp, MsgReadIndex, MsgReadIndexResp, MsgSnap, MsgTimeoutNow, MsgVote } = MessageType;

interface Row {
  readonly m: Message;
  readonly result: StepResult;
  readonly why: string;
}

const envelope: readonly Row[] = [
  { m: toMe(MsgHeartbeat, { to: 2 }), result: StepResult.NotForMe, why: 'to another member' },
  { m: toMe(MsgHeartbeat, { to: 0 }), result: StepResult.NotForMe, why: 'to nobody' },
  { m: toMe(MsgHeartbeat, { from: 0 }), result: StepResult.BadSender, why: 'from nobody' },
  { m: toMe(MsgHeartbeat, { from: LocalAppendThread }), result: StepResult.BadSender, why: 'from the append thread' },
  { m: toMe(MsgHeartbeat, { from: LocalApplyThread }), result: StepResult.BadSender, why: 'from the apply thread' },
  { m: toMe(MsgHeartbeat, { from: 5n }), result: StepResult.BadSender, why: 'an id that is not in canonical form' },
  { m: toMe(MsgHeartbeat, { from: -2 }), result: StepResult.BadSender, why: 'a negative id' },
  { m: toMe(MsgHeartbeat, { term: 0 }), result: StepResult.BadTerm, why: 'without a term' },
  { m: toMe(MessageType.MsgTransferLeader, { term: 0 }), result: StepResult.BadTerm, why: 'a forwarded transfer without a term' },
  { m: toMe(MsgVote, { term: 6 + 2 ** 32 }), result: StepResult.BadTerm, why: 'a term too far ahead' },
  { m: toMe(MsgVote, { term: maxTerm + 1 }), result: StepResult.BadNumber, why: 'a term that nothing can be added to' },
  { m: toMe(MsgVote, { term: 2 ** 53 }), result: StepResult.BadNumber, why: 'a term that is not exact' },
  { m: toMe(MsgVote, { term: Number.NaN }), result: StepResult.BadNumber, why: 'a term that is no number' },
  { m: toMe(MsgVote, { term: -1 }), result: StepResult.BadNumber, why: 'a negative term' },
  { m: toMe(MsgVote, { term: 5.5 }), result: StepResult.BadNumber, why: 'a term between two' },
  { m: toMe(MsgVote, { index: maxTerm + 1 }), result: StepResult.BadNumber, why: 'an index that nothing can be added to' },
  { m: toMe(MsgHeartbeat, { commit: Infinity }), result: StepResult.BadNumber, why: 'an infinite commit index' },
  { m: toMe(MsgVote, { logTerm: -3 }), result: StepResult.BadNumber, why: 'a negative log term' },
  { m: toMe(MsgAppResp, { rejectHint: 0.5 }), result: StepResult.BadNumber, why: 'a hint between two entries' },
  { m: wrong(toMe(MsgVote), { type: 24 }), result: StepResult.UnknownType, why: 'the first number that is no type' },
  { m: wrong(toMe(MsgVote), { type: 250 }), result: StepResult.UnknownType, why: 'a type of the future' },
  { m: wrong(toMe(MsgVote), { type: -1 }), result: StepResult.UnknownType, why: 'a negative type' },
  { m: wrong(toMe(MsgVote), { type: 'length' }), result: StepResult.UnknownType, why: 'the name of a property of arrays' },
  { m: wrong(toMe(MsgVote), { type: '3' }), result: StepResult.UnknownType, why: 'a number as text' },
  { m: wrong(toMe(MsgVote), { type: undefined }), result: StepResult.UnknownType, why: 'no type' },
];

const shape: readonly Row[] = [
  { m: wrong(toMe(MsgApp), { entries: undefined }), result: StepResult.Malformed, why: 'no entries' },
  { m: wrong(toMe(MsgApp), { entries: 'abc' }), result: StepResult.Malformed, why: 'entries that are no array' },
  { m: wrong(toMe(MsgApp), { context: null }), result: StepResult.Malformed, why: 'no context' },
  { m: wrong(toMe(MsgApp), { context: new DataView(new ArrayBuffer(8)) }), result: StepResult.Malformed, why: 'a context that is no bytes' },
  { m: wrong(toMe(MsgApp), { context: new Int8Array([-1]) }), result: StepResult.Malformed, why: 'a context with negative bytes' },
  { m: wrong(toMe(MsgApp), { reject: 1 }), result: StepResult.Malformed, why: 'a number as a flag' },
];

const bodies: readonly Row[] = [
  { m: toMe(MsgApp, { index: 2, logTerm: 1, entries: entriesOf([5, 9]) }), result: StepResult.BadEntries, why: 'a gap after the previous entry' },
  { m: toMe(MsgApp, { index: 2, logTerm: 1, entries: entriesOf([5, 3], [5, 3]) }), result: StepResult.BadEntries, why: 'the same index twice' },
  { m: toMe(MsgApp, { index: 2, logTerm: 1, entries: entriesOf([5, 3], [5, 5]) }), result: StepResult.BadEntries, why: 'a gap between entries' },
  { m: toMe(MsgApp, { index: 2, logTerm: 1, entries: entriesOf([5, 3], [2, 4]) }), result: StepResult.BadEntries, why: 'falling terms' },
  { m: toMe(MsgApp, { index: 2, logTerm: 3, entries: entriesOf([2, 3]) }), result: StepResult.BadEntries, why: 'a term below that of the previous entry' },
  { m: toMe(MsgApp, { index: 2, logTerm: 1, entries: entriesOf([999, 3]) }), result: StepResult.BadEntries, why: 'a term above that of the message' },
  { m: toMe(MsgApp, { index: 2, logTerm: 6 }), result: StepResult.BadEntries, why: 'a previous term above that of the message' },
  { m: toMe(MsgApp, { index: 2, logTerm: 1, entries: entriesOf([0, 3]) }), result: StepResult.BadEntries, why: 'an entry without a term' },
  { m: toMe(MsgApp, { index: 0, logTerm: 0, entries: entriesOf([1, 0]) }), result: StepResult.BadEntries, why: 'an entry with index 0' },
  { m: toMe(MsgApp, { index: 0, logTerm: 1 }), result: StepResult.BadEntries, why: 'a term at index 0' },
  { m: toMe(MsgApp, { index: 2, logTerm: 0 }), result: StepResult.BadEntries, why: 'no term at index 2' },
  { m: toMe(MsgApp, { index: maxTerm, logTerm: 5, entries: entriesOf([5, maxTerm + 1]) }), result: StepResult.BadEntries, why: 'an index beyond all' },
  { m: toMe(MsgApp, { entries: [newEntry(EntryType.EntryNormal, wrongBytes(), 5, 1)] }), result: StepResult.BadEntries, why: 'data that are no bytes' },
  { m: toMe(MsgApp, { entries: [wrongEntry({ type: 3 })] }), result: StepResult.BadEntries, why: 'an unknown type of entry' },
  { m: toMe(MsgApp, { entries: [wrongEntry({ type: Symbol('x') })] }), result: StepResult.BadEntries, why: 'a symbol as the type of an entry' },
  { m: toMe(MsgApp, { entries: [wrongEntry({ term: Symbol('x') })] }), result: StepResult.BadEntries, why: 'a symbol as the term of an entry' },
  { m: wrong(toMe(MsgApp), { entries: [null] }), result: StepResult.BadEntries, why: 'no entry at all' },
  { m: wrong(toMe(MsgApp), { entries: new Array(2) }), result: StepResult.BadEntries, why: 'holes' },
  { m: toMe(MsgAppResp, { index: 7 }), result: StepResult.BadIndex, why: 'an acknowledgement beyond our log' },
  { m: toMe(MsgSnap), result: StepResult.BadSnapshot, why: 'no snapshot' },
  { m: wrong(toMe(MsgSnap), { snapshot: undefined }), result: StepResult.BadSnapshot, why: 'no field for the snapshot' },
  { m: wrong(toMe(MsgSnap), { snapshot: { data: emptyBytes } }), result: StepResult.BadSnapshot, why: 'no metadata' },
  { m: wrong(toMe(MsgSnap), { snapshot: { ...snapshot({ voters: [1] }), data: 'abc' } }), result: StepResult.BadSnapshot, why: 'data that are no bytes' },
  { m: wrong(toMe(MsgSnap), { snapshot: { data: emptyBytes, metadata: { index: 9, term: 5 } } }), result: StepResult.BadSnapshot, why: 'no configuration' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1] }, 0) }), result: StepResult.BadSnapshot, why: 'index 0' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1] }, 9, 0) }), result: StepResult.BadSnapshot, why: 'term 0' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1] }, 9, 6) }), result: StepResult.BadSnapshot, why: 'a term above that of the message' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1] }, maxTerm + 1) }), result: StepResult.BadSnapshot, why: 'an index beyond all' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ learners: [1] }) }), result: StepResult.BadSnapshot, why: 'no voters' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1, 0] }) }), result: StepResult.BadSnapshot, why: 'a voter 0' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1, LocalAppendThread] }) }), result: StepResult.BadSnapshot, why: 'a local thread as a voter' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1, 1] }) }), result: StepResult.BadSnapshot, why: 'a voter twice' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1, 2], learners: [2] }) }), result: StepResult.BadSnapshot, why: 'a voter that is a learner' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1], votersOutgoing: [2], learners: [2] }) }), result: StepResult.BadSnapshot, why: 'an outgoing voter that is a learner already' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1], learnersNext: [2] }) }), result: StepResult.BadSnapshot, why: 'a future learner that does not vote' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1], autoLeave: true }) }), result: StepResult.BadSnapshot, why: 'leaves a configuration that is not joint' },
  { m: toMe(MsgSnap, { snapshot: snapshot({ voters: [1, 5n] }) }), result: StepResult.BadSnapshot, why: 'an id that is not in canonical form' },
  { m: toMe(MsgSnap, { snapshot: snapshot(wrongConfState({ voters: 'abc' })) }), result: StepResult.BadSnapshot, why: 'a text in place of voters' },
  { m: toMe(MsgSnap, { snapshot: snapshot(wrongConfState({ voters: [1], learners: {} })) }), result: StepResult.BadSnapshot, why: 'an object in place of learners' },
  { m: toMe(MsgSnap, { snapshot: snapshot(wrongConfState({ voters: [1, Number.NaN] })) }), result: StepResult.BadSnapshot, why: 'a voter that is no number' },
  { m: toMe(MsgSnap, { snapshot: snapshot(wrongConfState({ voters: [1], autoLeave: 1 })) }), result: StepResult.BadSnapshot, why: 'a number as a flag' },
  { m: toMe(MsgProp, { term: 0 }), result: StepResult.BadProposal, why: 'a proposal of nothing' },
  { m: toMe(MsgProp, { term: 0, entries: [newEntry(EntryType.EntryConfChange, bytes('garbage'))] }), result: StepResult.BadProposal, why: 'an undecodable change' },
  { m: toMe(MsgProp, { term: 0, entries: [newEntry(EntryType.EntryConfChangeV2, Uint8Array.of(0x12, 0x7f))] }), result: StepResult.BadProposal, why: 'a change that is cut short' },
  { m: toMe(MsgProp, { term: 0, entries: [newEntry(EntryType.EntryConfChange, wrongBytes())] }), result: StepResult.BadProposal, why: 'a change whose bytes are fractions' },
  { m: toMe(MsgProp, { term: 0, entries: [wrongEntry({ index: undefined })] }), result: StepResult.BadProposal, why: 'an entry without an index, which would be passed on' },
  { m: toMe(MsgReadIndex, { term: 0 }), result: StepResult.BadProposal, why: 'a read without a context' },
  { m: toMe(MsgReadIndex, { term: 0, entries: entriesOf([0, 0], [0, 0]) }), result: StepResult.BadProposal, why: 'a read with two contexts' },
  { m: toMe(MsgReadIndexResp), result: StepResult.BadProposal, why: 'an answer without a context' },
];

const senders: readonly Row[] = [
  { m: toMe(MsgTimeoutNow, { from: 99 }), result: StepResult.NotEntitled, why: 'neither the leader nor a member tells us to campaign' },
  ...[MsgAppResp, MessageType.MsgVoteResp, MessageType.MsgPreVoteResp, MessageType.MsgHeartbeatResp, MsgReadIndexResp].map((type) => ({
    m: toMe(type, { from: 99, entries: entriesOf([0, 0]) }),
    result: StepResult.PeerNotFound,
    why: `a stranger answers with type ${type}`,
  })),
];

const localTypes = [
  MessageType.MsgHup, MessageType.MsgBeat, MessageType.MsgCheckQuorum, MessageType.MsgUnreachable, MessageType.MsgSnapStatus,
  MessageType.MsgStorageAppend, MessageType.MsgStorageAppendResp, MessageType.MsgStorageApply, MessageType.MsgStorageApplyResp,
  MessageType.MsgForgetLeader,
];
const local: readonly Row[] = localTypes.map((type) => ({ m: toMe(type), result: StepResult.LocalMessage, why: `the local type ${type}` }));

function wrongBytes(): Uint8Array {
  return new Float64Array([255.5, 255.5, 255.5, 255.5, 255.5, 255.5, 255.5, 200.5]) as unknown as Uint8Array;
}

function wrongEntry(changes: Record<string, unknown>): Entry {
  return { ...newEntry(EntryType.EntryNormal, bytes('x'), 5, 1), ...changes } as Entry;
}

function wrongConfState(changes: Record<string, unknown>): Partial<ConfState> {
  return changes as Partial<ConfState>;
}

describe.each(roles)('D9, section 5: a $role refuses, and stays as it was', ({ role, make }) => {
  const to = role === 'removed node' ? 9 : 1;
  const addressed = (m: Message): Message => (m.to === 1 ? Object.assign({ ...m }, { to }) : m);

  test.each([...envelope, ...shape, ...local])('$result: $why', ({ m, result }) => {
    expect(stepInto(make, addressed(m))).toBe(result);
  });

  test.each([...bodies, ...senders])('$result: $why', ({ m, result }) => {
    expect(stepInto(make, addressed(m))).toBe(result);
  });

  test.each([undefined, null, 0, 'message', 7n, [], {}])('malformed: %p', (m) => {
    expect(stepInto(make, m as unknown as Message)).toBe(StepResult.Malformed);
  });
});

describe('section 5: from is me only in what comes back after being forwarded', () => {
  test.each([
    { m: toMe(MsgVote, { from: 1 }), result: StepResult.BadSender, why: 'we do not vote for ourselves over the network' },
    { m: toMe(MessageType.MsgHeartbeatResp, { from: 1 }), result: StepResult.BadSender, why: 'nor answer ourselves' },
    { m: toMe(MsgAppResp, { from: 1 }), result: StepResult.BadSender, why: 'nor acknowledge to ourselves' },
    { m: toMe(MsgProp, { from: 1, term: 0, entries: entriesOf([0, 0]) }), result: StepResult.Ok, why: 'our proposal, passed on to us by its receiver' },
    { m: toMe(MsgReadIndex, { from: 1, term: 0, entries: entriesOf([0, 0]) }), result: StepResult.Ok, why: 'our read, passed on to us by its receiver' },
  ])('$result: $why', ({ m, result }) => {
    expect(stepInto(() => leaderWith({ ...fields, term: 5 }), m)).toBe(result);
  });

  test('a transfer to us, which somebody passed on, is past the wall, and is no news', () => {
    const { node } = leaderWith({ ...fields, term: 5 });

    expect(node.step(toMe(MessageType.MsgTransferLeader, { from: 1 }))).toBe(StepResult.AlreadyLeader);
    expect(node.status().refused.size).toBe(0);
  });
});

describe('section 5: what is legal in Raft stays legal', () => {
  test.each([
    { m: toMe(MsgApp, { from: 99, term: 7, index: 5, logTerm: 4 }), why: 'an unknown leader appends' },
    { m: toMe(MsgHeartbeat, { from: 99, term: 7 }), why: 'an unknown leader sends heartbeats' },
    { m: toMe(MsgSnap, { from: 99, term: 7, snapshot: snapshot({ voters: [1, 99] }) }), why: 'an unknown leader sends a snapshot' },
    { m: toMe(MsgVote, { from: 99, term: 7, index: 9, logTerm: 6 }), why: 'an unknown candidate asks for a vote' },
    { m: toMe(MessageType.MsgPreVote, { from: 2n ** 64n - 3n, term: 7 }), why: 'an unknown pre-candidate with a 64-bit id' },
    { m: toMe(MsgVote, { term: 5 + 2 ** 32 }), why: 'a term as far ahead as it may be' },
    { m: toMe(MsgTimeoutNow), why: 'a member tells us to campaign' },
    { m: toMe(MsgProp, { from: 99, term: 0, entries: [newEntry(EntryType.EntryConfChange, encodeConfChange(newConfChange({ nodeId: 7 })))] }), why: 'a stranger proposes' },
    { m: toMe(MsgApp, { index: 5, logTerm: 4, entries: [newEntry(EntryType.EntryConfChange, bytes('garbage'), 5, 6)] }), why: 'what is in the log of a leader goes into ours, readable or not (D8)' },
    { m: toMe(MsgAppResp, { index: 5 }), why: 'an acknowledgement of our last entry' },
    { m: toMe(MsgVote, { term: 4 }), why: 'a message of an old term, which is ignored' },
    { m: toMe(MsgHeartbeat, { commit: 5000 }), why: 'a leader that has committed what our log has lost (D10)' },
  ])('$why', ({ m }) => {
    expect(stepInto(() => followerWith({ ...fields, term: 5 }), m)).toBe(StepResult.Ok);
  });

  test('MsgTimeoutNow of a leader that we do not know as a member', () => {
    const follower = followerWith({ ...fields, term: 5, lead: 99 });

    expect(follower.node.step(toMe(MsgTimeoutNow, { from: 99 }))).toBe(StepResult.Ok);
    expect(follower.state).toBe(StateType.Candidate);
  });
});

describe('section 5: refusals are counted by reason', () => {
  test('in the status, and nowhere else', () => {
    const leader = leaderWith({ ...fields, term: 5 });
    ackAll(leader, 2, 3);

    for (let i = 0; i < 3; i++) leader.node.step(toMe(MsgVote, { to: 7 }));
    leader.node.step(toMe(MsgAppResp, { index: 70 }));

    expect([...leader.node.status().refused]).toEqual([[StepResult.NotForMe, 3], [StepResult.BadIndex, 1]]);
    expect(leader.node.hasReady()).toBe(false);
  });
});

test('D9: nothing that the wall has not looked at is passed on to the leader', () => {
  const follower = followerWith({ ...fields, term: 5 });
  const hostile = { commit: 7, index: 8, logTerm: 2, vote: 'nobody', responses: 17, snapshot: 'none', rejectHint: 4 };

  const [proposal] = sentAfter(follower, wrong(toMe(MsgProp, { from: 3, term: 0, entries: entriesOf([0, 0]) }), hostile));
  const [transfer] = sentAfter(follower, wrong(toMe(MessageType.MsgTransferLeader, { from: 3, entries: [wrongEntry({ index: Symbol('x') })] }), hostile));

  expect(proposal).toEqual(message(MsgProp, { to: 2, from: 3, entries: entriesOf([0, 0]) }));
  expect(transfer).toEqual(message(MessageType.MsgTransferLeader, { to: 2, from: 3, term: 5 }));
});

function sentAfter(node: TestNode, m: Message): Message[] {
  expect(node.node.step(m)).toBe(StepResult.Ok);
  return node.settle();
}
