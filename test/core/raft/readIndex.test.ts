import { describe, expect, test } from '@jest/globals';
import { newConfChange } from '../../../src/core/raftpb/confChange.js';
import type { Message } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { ReadOnlyOption, StateType, type NodeId } from '../../../src/core/types.js';
import { ackAll, bytes, followerWith, leaderWith, message, nodeWith, ofType, request, type NodeFields } from '../../support/builders.js';
import { Network } from '../../support/network.js';
import { stateHash } from '../../support/stateHash.js';
import type { TestNode } from '../../support/testNode.js';

const { MsgHeartbeat, MsgHeartbeatResp, MsgReadIndex, MsgReadIndexResp, MsgTimeoutNow } = MessageType;

const lease = { readOnlyOption: ReadOnlyOption.LeaseBased, checkQuorum: true, leaseMarginTicks: 1 } as const;

/** A leader that has committed the entry of its term. */
function readyLeader(fields: NodeFields = {}): TestNode {
  const leader = leaderWith(fields);
  const { voters, votersOutgoing } = leader.node.status().config;
  for (const id of new Set([...voters, ...votersOutgoing])) if (id !== 1) ackAll(leader, id);
  leader.settle();
  return leader;
}

/** Reads and returns the heartbeats that ask for a confirmation. */
function read(leader: TestNode, context: string): Message[] {
  expect(leader.node.readIndex(bytes(context))).toBe(StepResult.Ok);
  return ofType(leader.settle(), MsgHeartbeat);
}

/** The answer of a member to a heartbeat. */
function confirm(leader: TestNode, from: NodeId, heartbeat: Message): Message[] {
  return leader.receive(message(MsgHeartbeatResp, { from, term: heartbeat.term, context: heartbeat.context }));
}

/** The reads that may be served so far, as `index context`. */
function served(node: TestNode): string[] {
  return node.reads.map(({ index, requestContext }) => `${index} ${String.fromCharCode(...requestContext)}`);
}

describe('D2, O2, B76: nothing is answered before an entry of the own term is committed', () => {
  test('a read waits, and is answered at an index that covers that entry', () => {
    const leader = leaderWith({ log: [1, 1], commit: 2 });
    leader.node.readIndex(bytes('early'));
    expect(ofType(leader.settle(), MsgHeartbeat)).toEqual([]);

    const [heartbeat] = ofType(ackAll(leader, 2), MsgHeartbeat);
    confirm(leader, 2, heartbeat!);

    expect(served(leader)).toEqual(['3 early']);
  });

  test('a group of one as well: after a restart it may have acknowledged more than it knows to be committed', () => {
    const leader = nodeWith({ voters: [1], log: [1, 1], commit: 1 });
    leader.node.campaign();
    const ready = leader.node.ready();
    leader.node.advance(ready);
    expect([leader.state, leader.commit]).toEqual([StateType.Leader, 1]);

    leader.node.readIndex(bytes('x'));
    expect(internalRaft(leader.node).readStates).toEqual([]);
    leader.settle();

    expect(served(leader)).toEqual(['3 x']);
  });

  test('O2: a restored commit index of the last term does not count', () => {
    const leader = leaderWith({ log: [1, 1], commit: 2 });
    expect(leader.commit).toBe(2);

    leader.node.readIndex(bytes('x'));
    leader.settle();

    expect(internalRaft(leader.node).pendingReads).toHaveLength(1);
    expect(served(leader)).toEqual([]);
  });

  test('a read that a follower has passed on waits too, and goes back to the follower', () => {
    const leader = leaderWith();
    leader.receive(request(MsgReadIndex, 'theirs', { from: 3 }));
    const [heartbeat] = ofType(ackAll(leader, 2), MsgHeartbeat);

    const [answer] = ofType(confirm(leader, 2, heartbeat!), MsgReadIndexResp);

    expect(answer).toMatchObject({ to: 3, index: 1, term: 1 });
    expect(String.fromCharCode(...answer!.entries[0]!.data)).toBe('theirs');
    expect(served(leader)).toEqual([]);
  });
});

describe('O3: a safe read is confirmed by a quorum, by messages sent after the request', () => {
  test('one heartbeat response of three voters is enough, and confirms all reads before it', () => {
    const leader = readyLeader();
    const [first] = read(leader, 'a');
    const [second] = read(leader, 'b');

    confirm(leader, 2, first!);
    expect(served(leader)).toEqual(['1 a']);
    confirm(leader, 3, second!);
    expect(served(leader)).toEqual(['1 a', '1 b']);
  });

  test('a heartbeat from before the read confirms nothing', () => {
    const leader = readyLeader();
    const [before] = ofType(leader.tick(), MsgHeartbeat);
    read(leader, 'x');

    confirm(leader, 2, before!);
    confirm(leader, 3, before!);

    expect(served(leader)).toEqual([]);
  });

  test('a later heartbeat asks again, should the first be lost', () => {
    const leader = readyLeader();
    read(leader, 'x');
    const [again] = ofType(leader.tick(), MsgHeartbeat);

    confirm(leader, 3, again!);

    expect(served(leader)).toEqual(['1 x']);
  });

  test('the index is the commit index when the read arrived', () => {
    const leader = readyLeader();
    const [heartbeat] = read(leader, 'x');
    leader.node.propose(bytes('later'));
    ackAll(leader, 2);
    expect(leader.commit).toBe(2);

    confirm(leader, 2, heartbeat!);

    expect(served(leader)).toEqual(['1 x']);
  });

  test('learners and strangers confirm nothing; a joint configuration needs both halves', () => {
    const leader = readyLeader({ confState: newConfState({ voters: [1, 2, 3], votersOutgoing: [1, 4, 5], learners: [6] }) });
    const [heartbeat] = read(leader, 'x');

    for (const id of [6, 2, 3]) confirm(leader, id, heartbeat!);
    expect(leader.node.step(message(MsgHeartbeatResp, { from: 9, term: 1, context: heartbeat!.context }))).toBe(StepResult.PeerNotFound);
    expect(served(leader)).toEqual([]);
    confirm(leader, 5, heartbeat!);

    expect(served(leader)).toEqual(['1 x']);
  });

  test.each([
    { context: Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0), why: 'a read of the future' },
    { context: new Uint8Array(8).fill(255), why: 'a number beyond all' },
    { context: Uint8Array.of(1), why: 'a context that is too short' },
    { context: new Uint8Array(0), why: 'no context' },
  ])('D9: $why confirms nothing, now or later', ({ context }) => {
    const leader = readyLeader();
    read(leader, 'x');

    for (const from of [2, 3]) leader.receive(message(MsgHeartbeatResp, { from, term: 1, context }));
    read(leader, 'y');

    expect(served(leader)).toEqual([]);
  });
});

describe('section 6, B77: acknowledgements are keyed by a sequence of our own, never by the caller’s context', () => {
  test('the same context twice: late answers to the first read do not confirm the second', () => {
    const leader = readyLeader();
    const [first] = read(leader, 'same');
    confirm(leader, 2, first!);
    expect(served(leader)).toEqual(['1 same']);

    read(leader, 'same');
    confirm(leader, 3, first!);
    confirm(leader, 2, first!);

    expect(served(leader)).toEqual(['1 same']);
  });

  test('a context that looks like a sequence of ours is only bytes', () => {
    const leader = readyLeader();
    const [heartbeat] = read(leader, '\x09\0\0\0\0\0\0\0');

    confirm(leader, 2, heartbeat!);

    expect(served(leader)).toEqual(['1 \x09\0\0\0\0\0\0\0']);
  });
});

describe('D3: a configuration that confirms pending reads answers them at once', () => {
  test('down to a single voter', () => {
    const leader = readyLeader({ voters: [1, 2] });
    read(leader, 'x');
    leader.node.proposeConfChange(newConfChange({ type: 1, nodeId: 2 }));
    ackAll(leader, 2);

    expect(leader.node.status().config.voters).toEqual([1]);
    expect(served(leader)).toEqual(['1 x']);
  });

  test('to a smaller quorum, which has answered already', () => {
    const leader = readyLeader({ voters: [1, 2, 3, 4] });
    const [heartbeat] = read(leader, 'x');
    confirm(leader, 2, heartbeat!);
    expect(served(leader)).toEqual([]);

    leader.node.proposeConfChange(newConfChange({ type: 1, nodeId: 4 }));
    ackAll(leader, 2, 3);

    expect(served(leader)).toEqual(['1 x']);
  });

  test('also on a leader that is no voter of it', () => {
    const leader = readyLeader({ voters: [1, 2, 3] });
    const [heartbeat] = read(leader, 'x');
    // Three voters: the leader and one more would do. Without the leader, both others must have answered.
    leader.node.proposeConfChange(newConfChange({ type: 1, nodeId: 1 }));
    ackAll(leader, 2, 3);
    expect(leader.node.status().config.voters).toEqual([2, 3]);
    expect(served(leader)).toEqual([]);

    confirm(leader, 2, heartbeat!);
    expect(served(leader)).toEqual([]);
    confirm(leader, 3, heartbeat!);

    expect(served(leader)).toEqual(['1 x']);
  });
});

describe('D4: a lease is worth nothing once MsgTimeoutNow was sent', () => {
  test('until the end of the term, also if the transfer is given up', () => {
    const leader = readyLeader(lease);
    const [heartbeat] = ofType(leader.tick(), MsgHeartbeat);
    confirm(leader, 2, heartbeat!);
    read(leader, 'by lease');
    expect(served(leader)).toEqual(['1 by lease']);

    expect(leader.node.transferLeader(2)).toBe(StepResult.Ok);
    expect(ofType(leader.settle(), MsgTimeoutNow)).toHaveLength(1);
    const [asked] = read(leader, 'by quorum');
    expect(served(leader)).toEqual(['1 by lease']);
    confirm(leader, 3, asked!);
    expect(served(leader)).toEqual(['1 by lease', '1 by quorum']);

    for (let i = 0; i < 10; i++) {
      const [beat] = ofType(leader.tick(), MsgHeartbeat);
      confirm(leader, 2, beat!);
      confirm(leader, 3, beat!);
    }
    expect(leader.node.status().leadTransferee).toBe(0);
    expect(read(leader, 'by quorum again')).toHaveLength(2);
    expect(served(leader)).toHaveLength(2);
  });

  test('a transfer whose MsgTimeoutNow was never sent does no harm', () => {
    const leader = readyLeader(lease);
    leader.node.propose(bytes('x'));
    ackAll(leader, 2);
    expect(leader.node.transferLeader(3)).toBe(StepResult.Ok);
    expect(ofType(leader.settle(), MsgTimeoutNow)).toEqual([]);
    const [heartbeat] = ofType(leader.tick(), MsgHeartbeat);
    confirm(leader, 2, heartbeat!);

    read(leader, 'x');

    expect(served(leader)).toEqual(['2 x']);
  });
});

describe('D6: reads die with the leadership they waited for, and are reported', () => {
  test.each([
    { make: () => leaderWith(), why: 'reads that wait for the first commit' },
    { make: () => readyLeader(), why: 'reads that wait for a quorum' },
  ])('$why: those of this node are reported, those of followers run into their timeout', ({ make }) => {
    const leader = make();
    leader.node.readIndex(bytes('mine'));
    leader.receive(request(MsgReadIndex, 'theirs', { from: 3 }));

    const sent = leader.receive(message(MsgHeartbeat, { term: 5 }));

    expect(leader.abortedReads).toEqual([{ requestContext: bytes('mine'), reason: 'leadershipLost' }]);
    expect(ofType(sent, MsgReadIndexResp)).toEqual([]);
    expect(internalRaft(leader.node)).toMatchObject({ pendingReads: [] });
  });

  test('they do not come back with the next term of this node', () => {
    const leader = leaderWith();
    leader.node.readIndex(bytes('old'));
    leader.receive(message(MsgHeartbeat, { term: 2 }));
    leader.node.campaign();
    leader.receive(message(MessageType.MsgVoteResp, { term: 3 }));
    const [, heartbeat] = [ackAll(leader, 2, 3), leader.tick()];
    for (const m of ofType(heartbeat, MsgHeartbeat)) confirm(leader, m.to, m);

    expect(served(leader)).toEqual([]);
    expect(leader.abortedReads).toHaveLength(1);
  });

  test('a quorum that is lost, and a removal with stepDownOnRemoval, abort them as well', () => {
    const cutOff = readyLeader({ checkQuorum: true });
    cutOff.tick(10);
    read(cutOff, 'x');
    cutOff.tick(10);
    expect(cutOff.abortedReads).toHaveLength(1);

    const removed = readyLeader({ stepDownOnRemoval: true });
    read(removed, 'x');
    removed.node.proposeConfChange(newConfChange({ type: 1, nodeId: 1 }));
    ackAll(removed, 2, 3);
    expect([removed.state, removed.abortedReads.length]).toEqual([StateType.Follower, 1]);
  });

  test('what was answered before stays answered', () => {
    const leader = readyLeader();
    leader.node.readIndex(bytes('x'));
    const [heartbeat] = ofType(leader.settle(), MsgHeartbeat);
    leader.node.step(message(MsgHeartbeatResp, { term: 1, context: heartbeat!.context }));
    leader.node.step(message(MsgHeartbeat, { term: 5 }));
    leader.settle();

    expect(served(leader)).toEqual(['1 x']);
    expect(leader.abortedReads).toEqual([]);
  });
});

describe('D13, O4: a lease read is answered at once while a quorum has acknowledged a recent heartbeat', () => {
  // electionTick 10, margin 1: a heartbeat counts for 10 - 2 - 1 = 7 ticks from its sending.
  function leasedLeader(fields: NodeFields = {}): TestNode {
    const leader = readyLeader({ ...lease, ...fields });
    const heartbeats = ofType(leader.tick(), MsgHeartbeat);
    confirm(leader, 2, heartbeats.find(({ to }) => to === 2)!);
    return leader;
  }

  test.each([
    { later: 0, atOnce: true },
    { later: 7, atOnce: true },
    { later: 8, atOnce: false },
  ])('$later ticks after it was sent: answered at once is $atOnce', ({ later, atOnce }) => {
    const leader = leasedLeader();
    leader.tick(later);

    const heartbeats = read(leader, 'x');

    expect(served(leader)).toEqual(atOnce ? ['1 x'] : []);
    expect(heartbeats).toHaveLength(atOnce ? 0 : 2);
  });

  test('the sending counts, not the answer, which may be late', () => {
    const leader = readyLeader(lease);
    const [heartbeat] = ofType(leader.tick(), MsgHeartbeat);
    leader.tick(8);
    confirm(leader, 2, heartbeat!);

    read(leader, 'x');

    expect(served(leader)).toEqual([]);
  });

  test('a leader just elected asks the quorum', () => {
    const leader = readyLeader(lease);

    expect(read(leader, 'x')).toHaveLength(2);
    expect(served(leader)).toEqual([]);
  });

  test.each([
    { fields: { leaseMarginTicks: 8 }, longest: 0, why: 'the largest margin that leaves a lease' },
    { fields: { leaseMarginTicks: 9 }, longest: -1, why: 'a margin that leaves none' },
    { fields: { leaseMarginTicks: 0 }, longest: 8, why: 'no margin' },
  ])('leaseMarginTicks: $why', ({ fields, longest }) => {
    const leader = leasedLeader(fields);
    read(leader, 'now');
    expect(served(leader)).toHaveLength(longest >= 0 ? 1 : 0);
  });

  test('D9: an answer to a heartbeat that was never sent gives no lease', () => {
    const leader = readyLeader(lease);
    const context = new Uint8Array(16);
    context[8] = 200;
    leader.receive(message(MsgHeartbeatResp, { from: 2, term: 1, context }));
    leader.receive(message(MsgHeartbeatResp, { from: 3, term: 1, context: new Uint8Array(16).fill(255) }));

    read(leader, 'x');

    expect(served(leader)).toEqual([]);
  });

  test('answers of learners give no lease, and both halves of a joint configuration must have answered', () => {
    const leader = readyLeader({ ...lease, confState: newConfState({ voters: [1, 2, 3], votersOutgoing: [1, 4, 5], learners: [6] }) });
    const [heartbeat] = ofType(leader.tick(), MsgHeartbeat);
    for (const id of [6, 2, 3]) confirm(leader, id, heartbeat!);
    read(leader, 'x');
    expect(served(leader)).toEqual([]);

    confirm(leader, 4, heartbeat!);
    read(leader, 'y');

    expect(served(leader)).toEqual(['1 y']);
  });

  test('followers give the context back untouched, whatever it is', () => {
    const follower = followerWith();
    const context = Uint8Array.of(1, 2, 3);

    expect(follower.receive(message(MsgHeartbeat, { term: 1, context }))[0]!.context).toBe(context);
  });

  test('a partitioned leader stops serving before another can be elected', () => {
    let drawn = 0;
    const network = Network.of(3, { ...lease, preVote: true, random: (bound) => drawn++ % bound });
    network.campaign(1);
    network.tick(5);
    network.isolate(1);
    let servedLast = 0;
    let electedAt = 0;
    for (let tick = 1; tick <= 40 && electedAt === 0; tick++) {
      network.tick();
      const { reads } = network.node(1);
      const before = reads.length;
      if (network.node(1).node.readIndex(bytes('x')) === StepResult.Ok) network.node(1).settle();
      if (reads.length > before) servedLast = tick;
      if ([2, 3].some((id) => network.node(id).state === StateType.Leader)) electedAt = tick;
    }

    expect(servedLast).toBeGreaterThan(0);
    expect(electedAt).toBeGreaterThan(servedLast);
  });
});

describe('D12: a read that will not be answered says so', () => {
  test('and changes nothing', () => {
    const follower = followerWith();
    follower.node.forgetLeader();
    follower.settle();
    const before = stateHash(internalRaft(follower.node));

    expect(follower.node.readIndex(bytes('x'))).toBe(StepResult.NoLeader);
    expect(stateHash(internalRaft(follower.node))).toBe(before);
  });

  test('a follower passes it on, and serves it at the index it gets back', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.node(3).node.readIndex(bytes('x'));
    network.settle();

    expect(served(network.node(3))).toEqual(['1 x']);
    expect(network.node(3).commit).toBeGreaterThanOrEqual(1);
  });

  test('forgetLeader is refused where leases count on it', () => {
    const follower = followerWith(lease);

    expect(follower.node.forgetLeader()).toBe(StepResult.LeaseBased);
    expect(follower.lead).toBe(2);
  });
});
