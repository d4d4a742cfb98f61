import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { StateType } from '../../../src/core/types.js';
import { ack, ackAll, bytes, candidateWith, followerWith, leaderWith, message, ofType } from '../../support/builders.js';
import { Network } from '../../support/network.js';
import { stateHash } from '../../support/stateHash.js';

const { MsgApp, MsgTimeoutNow, MsgTransferLeader } = MessageType;

describe('a transfer', () => {
  test('to a node that is up to date: told to campaign at once', () => {
    const leader = leaderWith();
    ackAll(leader, 2);

    expect(leader.node.transferLeader(2)).toBe(StepResult.Ok);
    expect(leader.settle().map(({ type, to }) => [type, to])).toEqual([[MsgTimeoutNow, 2]]);
  });

  test('to a node that is behind: brought up to date first', () => {
    const leader = leaderWith();
    ackAll(leader, 2);
    leader.node.propose(bytes('x'));
    leader.settle();

    leader.node.transferLeader(2);
    expect(ofType(leader.settle(), MsgTimeoutNow)).toEqual([]);
    expect(ofType(leader.receive(ack(2, 1, 2)), MsgTimeoutNow)).toMatchObject([{ to: 2 }]);
  });

  test.each([
    { first: 2, second: 2, result: StepResult.Transferring, transferee: 2, why: 'the same again is under way' },
    { first: 2, second: 3, result: StepResult.Ok, transferee: 3, why: 'a newer wish replaces an older one' },
    { first: 2, second: 1, result: StepResult.Ok, transferee: 0, why: 'the leader is to stay: that ends it' },
  ])('S13: $why', ({ first, second, result, transferee }) => {
    const leader = leaderWith();
    leader.node.transferLeader(first);

    expect(leader.node.transferLeader(second)).toBe(result);
    expect(leader.node.status().leadTransferee).toBe(transferee);
  });

  test('B80: proposals are dropped until it is decided, and accepted again after an election timeout', () => {
    const leader = leaderWith();
    ackAll(leader, 2);
    leader.node.transferLeader(2);
    leader.tick(9);
    expect(leader.node.status().leadTransferee).toBe(2);
    leader.tick(1);

    expect(leader.node.status().leadTransferee).toBe(0);
    expect(leader.node.propose(bytes('x'))).not.toBeNull();
  });

  test('B82: works with pre-vote and check-quorum, and within the lease', () => {
    const network = Network.of(3, { preVote: true, checkQuorum: true });
    network.campaign(1);
    network.tick(3);

    network.node(1).node.transferLeader(3);
    network.settle();

    expect([network.leader.id, network.node(1).state]).toEqual([3, StateType.Follower]);
  });

  test('B83, section 6: one that is forwarded twice carries no old term, and the caller’s message is not changed', () => {
    const follower = followerWith({ term: 3 });
    const m = message(MsgTransferLeader, { from: 3, to: 1, term: 3 });
    const copy = { ...m };

    follower.node.step(m);
    const [forwarded] = follower.settle();

    expect(m).toEqual(copy);
    expect(forwarded).toMatchObject({ type: MsgTransferLeader, from: 3, to: 2, term: 3 });
    const next = followerWith({ id: 2, lead: 3, term: 4 });
    next.node.step({ ...forwarded!, term: 4 });
    expect(next.settle()).toMatchObject([{ type: MsgTransferLeader, from: 3, to: 3, term: 4 }]);
  });

  test('V16: asked of a follower, it reaches the leader', () => {
    const network = Network.of(3);
    network.campaign(1);
    expect(network.node(2).node.transferLeader(2)).toBe(StepResult.Ok);
    network.settle();

    expect(network.leader.id).toBe(2);
  });
});

describe('MsgTimeoutNow', () => {
  test.each([
    { make: () => leaderWith(), why: 'a leader leads already' },
    { make: () => candidateWith(), why: 'a candidate campaigns already' },
  ])('S12: changes nothing where it makes no sense: $why', ({ make }) => {
    const { node } = make();
    const before = stateHash(internalRaft(node));

    expect(node.step(message(MsgTimeoutNow, { term: internalRaft(node).term }))).toBe(StepResult.Ok);
    expect(stateHash(internalRaft(node))).toBe(before);
  });

  test('B81: is never sent to a node whose disk does not have the whole log', () => {
    const leader = leaderWith();
    leader.node.transferLeader(2);

    const sent = leader.settle();

    expect(ofType(sent, MsgTimeoutNow)).toEqual([]);
    expect(ofType(leader.receive(message(MessageType.MsgHeartbeatResp, { term: 1 })), MsgApp)).toHaveLength(1);
  });
});
