import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../src/core/checkInvariants.js';
import { RaftErrorCode } from '../../src/core/errors.js';
import type { Logger } from '../../src/core/logger.js';
import { newConfChange, newConfChangeV2 } from '../../src/core/raftpb/confChange.js';
import { EntryType, newEntry } from '../../src/core/raftpb/entry.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newMessage, type Message } from '../../src/core/raftpb/message.js';
import { StepResult } from '../../src/core/raft/stepResult.js';
import { internalRaft, RawNode } from '../../src/core/rawNode.js';
import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import { emptyBytes, LocalAppendThread, LocalApplyThread, SnapshotStatus, StateType } from '../../src/core/types.js';
import { ackAll, bytes, followerWith, leaderWith, message, nodeWith, request } from '../support/builders.js';
import { codeOf, errorOf } from '../support/errors.js';
import { stateHash } from '../support/stateHash.js';

const { ArgumentInvalid, CallOrder, InvariantViolated, NodeStopped, ProposalDropped } = RaftErrorCode;

/** Every call of the API, with arguments that are right. */
const calls: readonly { readonly name: string; readonly call: (node: RawNode) => unknown }[] = [
  { name: 'tick', call: (node) => node.tick() },
  { name: 'step', call: (node) => node.step(message(MessageType.MsgHeartbeat, { term: 1 })) },
  { name: 'stepStorageResponse', call: (node) => node.stepStorageResponse(newMessage(MessageType.MsgStorageApplyResp, 1)) },
  { name: 'campaign', call: (node) => node.campaign() },
  { name: 'propose', call: (node) => node.propose(bytes('x')) },
  { name: 'proposeConfChange', call: (node) => node.proposeConfChange(newConfChange({ nodeId: 4 })) },
  { name: 'applyConfChange', call: (node) => node.applyConfChange(newEntry(EntryType.EntryConfChange, emptyBytes, 1, 1)) },
  { name: 'readIndex', call: (node) => node.readIndex(bytes('x')) },
  { name: 'transferLeader', call: (node) => node.transferLeader(2) },
  { name: 'forgetLeader', call: (node) => node.forgetLeader() },
  { name: 'reportUnreachable', call: (node) => node.reportUnreachable(2) },
  { name: 'reportSnapshot', call: (node) => node.reportSnapshot(2, SnapshotStatus.Finish) },
  { name: 'hasReady', call: (node) => node.hasReady() },
  { name: 'ready', call: (node) => node.ready() },
  { name: 'advance', call: (node) => node.advance() },
  { name: 'status', call: (node) => node.status() },
  { name: 'basicStatus', call: (node) => node.basicStatus() },
  { name: 'withProgress', call: (node) => node.withProgress(() => undefined) },
  { name: 'bootstrap', call: (node) => node.bootstrap([{ id: 1 }]) },
  { name: 'checkInvariants', call: (node) => checkInvariants(node) },
];

describe('D11: after a broken invariant every call is refused', () => {
  function brokenNode(): RawNode {
    const { node } = nodeWith({ log: [1, 1] });
    internalRaft(node).lead = 1;
    expect(codeOf(() => checkInvariants(node))).toBe(InvariantViolated);
    return node;
  }

  test.each(calls)('$name says ERR_RAFT_NODE_STOPPED, with the cause', ({ call }) => {
    const node = brokenNode();
    const before = stateHash(internalRaft(node));

    const error = errorOf(() => call(node));

    expect(error).toMatchObject({ code: NodeStopped, cause: { code: InvariantViolated } });
    expect(stateHash(internalRaft(node))).toBe(before);
  });

  test('also in the middle of a Ready, and with arguments that are wrong', () => {
    const { node } = leaderWith();
    node.propose(bytes('x'));
    node.ready();
    internalRaft(node).leadTransferee = 2;
    internalRaft(node).lead = 2;
    expect(codeOf(() => checkInvariants(node))).toBe(InvariantViolated);

    expect(codeOf(() => node.ready())).toBe(NodeStopped);
    expect(codeOf(() => node.transferLeader(0))).toBe(NodeStopped);
    expect(codeOf(() => node.propose(undefined as unknown as Uint8Array))).toBe(NodeStopped);
    expect(codeOf(() => node.bootstrap([]))).toBe(NodeStopped);
  });

  test('whatever code the error has that was thrown in the middle of a change', () => {
    let mine: RawNode | null = null;
    const logger = loggerThat(() => mine?.transferLeader(0));
    const { node } = nodeWith({ logger });
    mine = node;

    expect(codeOf(() => node.campaign())).toBe(CallOrder);
    mine = null;

    expect(codeOf(() => node.tick())).toBe(NodeStopped);
  });
});

describe('D11: whatever is thrown in the middle of a call stops the node', () => {
  // A logger or a trace that throws stands for any mistake in the middle of a change.
  const thrown = new Error('disk full');
  const rows: { name: string; make: (node: RawNode) => void; call: (node: RawNode) => unknown }[] = [
    { name: 'tick', make: () => undefined, call: (node) => Array.from({ length: 30 }, () => node.tick()) },
    { name: 'step', make: () => undefined, call: (node) => node.step(message(MessageType.MsgHeartbeat, { term: 9 })) },
    { name: 'stepStorageResponse', make: () => undefined, call: (node) => node.stepStorageResponse(answerOfAppendThread()) },
    { name: 'campaign', make: () => undefined, call: (node) => node.campaign() },
    { name: 'propose', make: leads, call: (node) => node.propose(bytes('x')) },
    { name: 'applyConfChange', make: () => undefined, call: (node) => node.applyConfChange(newEntry(EntryType.EntryConfChange, emptyBytes, 1, 1)) },
    { name: 'bootstrap', make: () => undefined, call: (node) => node.bootstrap([{ id: 1 }]) },
    { name: 'advance', make: advances, call: (node) => node.advance() },
  ];

  function leads(node: RawNode): void {
    node.bootstrap([{ id: 1 }]);
    for (const entry of node.ready().committedEntries) node.applyConfChange(entry);
    node.advance();
    node.campaign();
    node.ready();
    node.advance();
  }

  function advances(node: RawNode): void {
    node.bootstrap([{ id: 1 }]);
    for (const entry of node.ready().committedEntries) node.applyConfChange(entry);
    node.advance();
    node.campaign();
    node.ready();
  }

  function answerOfAppendThread(): Message {
    return Object.assign(newMessage(MessageType.MsgStorageAppendResp, 1), { from: LocalAppendThread, term: 1 });
  }

  test.each(rows)('$name', ({ name, make, call }) => {
    let armed = false;
    const trace = {
      trace: () => {
        if (armed) throw thrown;
      },
    };
    const isGrouped = name === 'tick' || name === 'campaign';
    const storage = isGrouped ? nodeWith().storage : new MemoryStorage();
    const node = new RawNode({ id: 1, storage, trace, asyncStorageWrites: name === 'stepStorageResponse', random: () => 0 });
    make(node);
    armed = true;

    expect(errorOf(() => call(node))).toBe(thrown);
    armed = false;

    expect(errorOf(() => node.hasReady())).toMatchObject({ code: NodeStopped, cause: thrown });
  });
});

/** A logger that does something with every line. */
function loggerThat(act: (line: string) => void): Logger {
  return { debugEnabled: true, debug: act, info: act, warning: act, error: act };
}

describe('S20: a call while another one is running', () => {
  test.each(calls)('$name is refused with ERR_RAFT_CALL_ORDER, and harms nothing', ({ call }) => {
    const codes: unknown[] = [];
    let inside = false;
    const logger = loggerThat(() => {
      if (inside) codes.push(codeOf(() => call(node)));
    });
    const testNode = nodeWith({ logger });
    const { node } = testNode;

    inside = true;
    node.campaign();
    inside = false;

    expect(codes.length).toBeGreaterThan(0);
    expect(new Set(codes)).toEqual(new Set([CallOrder]));
    expect(testNode.state).toBe(StateType.Candidate);
    checkInvariants(node);
  });

  test('from the trace too; a trace that lets the error through stops the node', () => {
    let mine: RawNode | null = null;
    const { node } = nodeWith({ trace: { trace: () => mine?.tick() } });
    mine = node;

    expect(codeOf(() => node.tick())).toBeUndefined();
    expect(codeOf(() => node.campaign())).toBe(CallOrder);
    mine = null;

    expect(errorOf(() => node.hasReady())).toMatchObject({ code: NodeStopped, cause: { code: CallOrder } });
  });

  test('from the visitor of withProgress: that one may, it sees copies', () => {
    const leader = leaderWith();
    const seen: unknown[] = [];

    leader.node.withProgress((id, progress) => {
      leader.node.tick();
      seen.push([id, progress.match]);
    });

    expect(seen).toEqual([[1, 1], [2, 0], [3, 0]]);
  });
});

describe('S20: ready and advance', () => {
  test('a second ready before advance', () => {
    const { node } = leaderWith();
    node.propose(bytes('x'));
    const first = node.ready();
    const before = stateHash(internalRaft(node));

    expect(codeOf(() => node.ready())).toBe(CallOrder);
    expect(stateHash(internalRaft(node))).toBe(before);
    node.advance(first);
    expect(codeOf(() => node.ready())).toBeUndefined();
  });

  test('advance without a Ready, and a second time', () => {
    const { node } = leaderWith();

    expect(codeOf(() => node.advance())).toBe(CallOrder);
    node.advance(node.ready());
    expect(codeOf(() => node.advance())).toBe(CallOrder);
    checkInvariants(node);
  });

  test('advance with asynchronous writes; there several Readys may be under way', () => {
    const { node } = nodeWith();
    expect(codeOf(() => node.stepStorageResponse(newMessage(MessageType.MsgStorageApplyResp, 1)))).toBe(CallOrder);

    const asynchronous = nodeWith({ asyncStorageWrites: false }).config;
    const other = nodeWith({ ...asynchronous, asyncStorageWrites: true, storage: asynchronous.storage }).node;
    other.campaign();
    other.ready();
    other.tick();
    expect(codeOf(() => other.advance())).toBe(CallOrder);
    expect(codeOf(() => other.ready())).toBeUndefined();
  });
});

describe('S20: arguments that are wrong have a typed error, and change nothing', () => {
  const wrongBytes = [undefined, null, 'text', 7, [1, 2], {}, new DataView(new ArrayBuffer(1)), new Float64Array(2)] as unknown as Uint8Array[];
  const wrongIds = [0, -1, 0.5, Number.NaN, 5n, 2n ** 64n, '2', undefined] as unknown as number[];
  const wrongChanges: unknown[] = [
    undefined, null, 'v1', {}, { nodeId: 4 }, { ...newConfChange({ nodeId: 4 }), nodeId: '4' }, { ...newConfChange({ nodeId: 4 }), nodeId: 4n },
    { ...newConfChange({ nodeId: 4 }), type: 0.5 }, { ...newConfChange({ nodeId: 4 }), context: 'x' }, { ...newConfChange({ nodeId: 4 }), id: -1 },
    { ...newConfChangeV2(), changes: 'v4' }, { ...newConfChangeV2(), changes: [null] }, { ...newConfChangeV2(), transition: 2 ** 31 }, { ...newConfChangeV2(), transition: 1n },
    { ...newConfChangeV2(), changes: new Array(1) }, { ...newConfChangeV2(), changes: new Array(2 ** 32 - 1) }, { ...newConfChange({ nodeId: 4 }), nodeId: undefined }, { ...newConfChangeV2(), changes: undefined },
    { ...newConfChangeV2(), changes: [{ type: 0, nodeId: -4 }] },
  ];
  const wrongEntries: unknown[] = [
    undefined, null, {}, newEntry(EntryType.EntryNormal, bytes('x'), 1, 1), { ...newEntry(EntryType.EntryConfChange, emptyBytes, 1, 1), type: 7 },
    { ...newEntry(EntryType.EntryConfChange, emptyBytes, 1, 1), data: 'x' }, { ...newEntry(EntryType.EntryConfChange, emptyBytes, 1, 1), index: -1 },
  ];

  const rows: { name: string; call: (node: RawNode) => unknown }[] = [
    ...wrongBytes.map((data) => ({ name: `propose(${String(data)})`, call: (node: RawNode) => node.propose(data) })),
    ...wrongBytes.map((data) => ({ name: `readIndex(${String(data)})`, call: (node: RawNode) => node.readIndex(data) })),
    ...wrongIds.map((id) => ({ name: `transferLeader(${String(id)})`, call: (node: RawNode) => node.transferLeader(id) })),
    ...wrongIds.map((id) => ({ name: `reportUnreachable(${String(id)})`, call: (node: RawNode) => node.reportUnreachable(id) })),
    ...wrongIds.map((id) => ({ name: `reportSnapshot(${String(id)})`, call: (node: RawNode) => node.reportSnapshot(id, SnapshotStatus.Failure) })),
    ...wrongChanges.map((change, i) => ({ name: `proposeConfChange, row ${i}`, call: (node: RawNode) => node.proposeConfChange(change as never) })),
    ...wrongEntries.map((entry, i) => ({ name: `applyConfChange, row ${i}`, call: (node: RawNode) => node.applyConfChange(entry as never) })),
  ];

  test.each(rows)('$name', ({ call }) => {
    const leader = leaderWith();
    ackAll(leader, 2);
    const before = stateHash(internalRaft(leader.node));

    expect(codeOf(() => call(leader.node))).toBe(ArgumentInvalid);
    expect(stateHash(internalRaft(leader.node))).toBe(before);
    expect(leader.node.propose(bytes('goes on'))).toEqual({ term: 1, index: 2 });
  });
});

describe('S16: what is no answer of a storage thread of this node', () => {
  function answer(type: MessageType, changes: Record<string, unknown> = {}): Message {
    const from = type === MessageType.MsgStorageAppendResp ? LocalAppendThread : type === MessageType.MsgStorageApplyResp ? LocalApplyThread : 1;
    return Object.assign(newMessage(type, 1), { from, term: 2 }, changes);
  }

  const { MsgAppResp, MsgPreVoteResp, MsgStorageAppendResp, MsgStorageApplyResp, MsgVoteResp } = MessageType;
  const beyond = [newEntry(EntryType.EntryNormal, emptyBytes, 1, 9)];
  const wrong: { m: unknown; why: string }[] = [
    { m: undefined, why: 'nothing' },
    { m: {}, why: 'an empty object' },
    { m: answer(MessageType.MsgHup), why: 'another local type' },
    { m: answer(MessageType.MsgApp), why: 'a message of the network' },
    { m: answer(MsgStorageAppendResp, { to: 2 }), why: 'for another node of the same process' },
    { m: answer(MsgStorageAppendResp, { from: 2 }), why: 'from a peer' },
    { m: answer(MsgStorageAppendResp, { from: LocalApplyThread }), why: 'from the other thread' },
    { m: answer(MsgStorageAppendResp, { index: -1 }), why: 'a negative index' },
    { m: answer(MsgStorageAppendResp, { snapshot: undefined }), why: 'no field for the snapshot' },
    { m: answer(MsgStorageAppendResp, { snapshot: {} }), why: 'a snapshot without metadata' },
    { m: answer(MsgStorageAppendResp, { snapshot: { metadata: { index: 9, term: 1 } } }), why: 'a snapshot that we never had' },
    { m: answer(MsgStorageApplyResp, { entries: beyond }), why: 'entries that we never handed out' },
    { m: answer(MsgStorageApplyResp, { entries: [null] }), why: 'entries that are none' },
    { m: answer(MsgStorageApplyResp, { from: LocalAppendThread }), why: 'from the other thread' },
    { m: answer(MsgAppResp, { from: 2 }), why: 'an acknowledgement of a peer' },
    { m: answer(MsgAppResp, { index: 9 }), why: 'our own acknowledgement, of what a crash has lost' },
    { m: answer(MsgAppResp, { term: 3 }), why: 'our own acknowledgement, from a term that a crash has lost' },
    { m: answer(MsgVoteResp, { term: 3 }), why: 'our own vote, from a term that a crash has lost' },
    { m: answer(MsgPreVoteResp, { term: 4 }), why: 'our own pre-vote, from a term that a crash has lost' },
  ];

  test.each(wrong)('$why', ({ m }) => {
    const { node } = nodeWith({ asyncStorageWrites: true, log: [1, 1], term: 2, commit: 0 });
    const before = stateHash(internalRaft(node));

    expect(codeOf(() => node.stepStorageResponse(m as Message))).toBe(ArgumentInvalid);
    expect(stateHash(internalRaft(node))).toBe(before);
    checkInvariants(node);
  });

  test.each([
    { m: answer(MsgStorageAppendResp, { index: 9, logTerm: 2 }), why: 'durable entries that the log has lost since' },
    { m: answer(MsgStorageApplyResp), why: 'nothing applied' },
    { m: answer(MsgAppResp, { term: 1, index: 9 }), why: 'our acknowledgement of an old term, of entries that are cut off' },
    { m: answer(MsgVoteResp, { term: 1 }), why: 'our vote in an old term' },
    { m: answer(MsgPreVoteResp, { term: 3 }), why: 'our pre-vote for the next term' },
  ])('but right, and without effect: $why', ({ m }) => {
    const { node } = nodeWith({ asyncStorageWrites: true, log: [1, 1], term: 2, commit: 0 });
    const before = stateHash(internalRaft(node));

    expect(node.stepStorageResponse(m)).toBe(StepResult.Ok);
    expect(stateHash(internalRaft(node))).toBe(before);
  });
});

describe('D12: what is dropped says so, with a reason', () => {
  test.each([
    { reason: StepResult.NoLeader, node: () => nodeWith(), why: 'nobody leads' },
    { reason: StepResult.NoLeader, node: () => campaigning(), why: 'an election is going on' },
    { reason: StepResult.ForwardingDisabled, node: () => followerWith({ disableProposalForwarding: true }), why: 'somebody else leads' },
    { reason: StepResult.Transferring, node: () => transferring(), why: 'leadership is being handed over' },
    { reason: StepResult.OverLimit, node: () => full(), why: 'too much is not applied yet' },
  ])('propose: $reason, when $why', ({ reason, node: make }) => {
    const { node } = make();
    const before = stateHash(internalRaft(node));

    expect(errorOf(() => node.propose(bytes('x')))).toMatchObject({ code: ProposalDropped, reason });
    expect(stateHash(internalRaft(node))).toBe(before);
  });

  test.each([
    { call: (node: RawNode) => node.readIndex(bytes('x')), expected: StepResult.NoLeader, why: 'a read without a leader' },
    { call: (node: RawNode) => node.transferLeader(2), expected: StepResult.NoLeader, why: 'a transfer without a leader' },
    { call: (node: RawNode) => node.reportUnreachable(2), expected: StepResult.NotLeader, why: 'a report that only a leader can use' },
    { call: (node: RawNode) => node.reportSnapshot(2, SnapshotStatus.Finish), expected: StepResult.NotLeader, why: 'a report that only a leader can use' },
    { call: (node: RawNode) => node.forgetLeader(), expected: StepResult.Ok, why: 'there is nobody to forget' },
  ])('$expected: $why', ({ call, expected }) => {
    expect(call(nodeWith().node)).toBe(expected);
    expect(call(campaigning().node)).toBe(expected);
  });

  test.each([
    { call: (node: RawNode) => node.transferLeader(1), expected: StepResult.AlreadyLeader, why: 'it leads' },
    { call: (node: RawNode) => node.transferLeader(4), expected: StepResult.NotVoter, why: 'a learner cannot lead' },
    { call: (node: RawNode) => node.transferLeader(99), expected: StepResult.NotVoter, why: 'a stranger cannot lead' },
    { call: (node: RawNode) => node.campaign(), expected: StepResult.AlreadyLeader, why: 'it leads' },
    { call: (node: RawNode) => node.forgetLeader(), expected: StepResult.AlreadyLeader, why: 'it leads' },
    { call: (node: RawNode) => node.reportUnreachable(99), expected: StepResult.PeerNotFound, why: 'a stranger' },
    { call: (node: RawNode) => node.reportSnapshot(99, SnapshotStatus.Finish), expected: StepResult.PeerNotFound, why: 'a stranger' },
  ])('on a leader $expected: $why', ({ call, expected }) => {
    const leader = leaderWith({ learners: [4] });
    ackAll(leader, 2);
    const before = stateHash(internalRaft(leader.node));

    expect(call(leader.node)).toBe(expected);
    expect(stateHash(internalRaft(leader.node))).toBe(before);
  });

  test('on the leader, propose returns the index and term that the entry got; on a follower null', () => {
    expect(leaderWith({ log: [1, 1] }).node.propose(bytes('x'))).toEqual({ term: 2, index: 4 });
    expect(followerWith().node.propose(bytes('x'))).toBeNull();
  });

  test('a proposal that a follower has passed on is refused by the leader with its reason', () => {
    expect(transferring().node.step(request(MessageType.MsgProp, 'x'))).toBe(StepResult.Transferring);
    expect(full().node.step(request(MessageType.MsgProp, 'x'))).toBe(StepResult.OverLimit);
  });
});

function campaigning(): ReturnType<typeof nodeWith> {
  const node = nodeWith();
  node.node.campaign();
  node.settle();
  return node;
}

function transferring(): ReturnType<typeof nodeWith> {
  const leader = leaderWith();
  ackAll(leader, 2);
  expect(leader.node.transferLeader(3)).toBe(StepResult.Ok);
  return leader;
}

function full(): ReturnType<typeof nodeWith> {
  const leader = leaderWith({ maxUncommittedEntriesSize: 10 });
  leader.node.propose(bytes('0123456789'));
  return leader;
}

describe('V15: the library never proposes again by itself', () => {
  test('a proposal that is dropped, or whose leader is gone, does not come back', () => {
    const leader = leaderWith();
    leader.node.propose(bytes('lost'));
    leader.settle();

    // Another leader overwrites it; then this node leads again.
    leader.receive(message(MessageType.MsgApp, { term: 2, entries: [newEntry(EntryType.EntryNormal, emptyBytes, 2, 1)] }));
    leader.node.campaign();
    leader.receive(message(MessageType.MsgVoteResp, { term: 3 }));

    expect(leader.logTerms).toEqual([2, 3]);
    expect(leader.log.every((entry) => entry.data.length === 0)).toBe(true);
  });
});

describe('reports of the host about itself', () => {
  test('a node that calls itself unreachable goes on committing', () => {
    const leader = leaderWith();
    expect(leader.node.reportUnreachable(1)).toBe(StepResult.Ok);
    leader.node.propose(bytes('x'));

    ackAll(leader, 2);
    leader.settle();

    expect(leader.commit).toBe(2);
  });
});

describe('section 6: bytes belong to the node', () => {
  test('what was proposed is handed on as the same bytes, so they must not be changed: the contract', () => {
    const leader = leaderWith();
    const data = bytes('mine');
    leader.node.propose(data);

    expect(leader.node.ready().entries[0]!.data).toBe(data);
  });

  test('but the message around them, and its list of entries, is the caller’s own again (S18)', () => {
    const follower = followerWith();
    const m = message(MessageType.MsgApp, { term: 1, entries: [newEntry(EntryType.EntryNormal, bytes('kept'), 1, 1)] });
    const read = request(MessageType.MsgReadIndex, 'read', { from: 3 });
    const leader = leaderWith();

    follower.node.step(m);
    (m.entries as unknown[]).length = 0;
    m.term = 99;
    leader.node.step(read);
    read.from = 2;
    read.entries = [];
    follower.settle();
    const answers = ackAll(leader, 2, 3).concat(leader.receive(message(MessageType.MsgHeartbeatResp, { term: 1, context: sequence(1) })));

    expect(follower.log.map((entry) => String.fromCharCode(...entry.data))).toEqual(['kept']);
    expect(answers.filter((answer) => answer.type === MessageType.MsgReadIndexResp).map(({ to }) => to)).toEqual([3]);
  });
});

/** Context of a heartbeat for the read with this number. */
function sequence(number: number): Uint8Array {
  return Uint8Array.of(number, 0, 0, 0, 0, 0, 0, 0);
}
