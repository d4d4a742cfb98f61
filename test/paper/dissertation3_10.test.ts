import { describe, expect, test } from '@jest/globals';
import { newConfChangeV2, parseConfChanges } from '../../src/core/raftpb/confChange.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { ReadOnlyOption, StateType } from '../../src/core/types.js';
import { ack, ackAll, bytes, followerWith, leaderWith, message, nodeWith, ofType, texts } from '../support/builders.js';
import { Network } from '../support/network.js';

const { Candidate, Leader } = StateType;
const { MsgApp, MsgHeartbeat, MsgHeartbeatResp, MsgPreVote, MsgTimeoutNow, MsgTransferLeader, MsgVote, MsgVoteResp } = MessageType;

/** With every obstacle to elections switched on. */
const careful = { preVote: true, checkQuorum: true };

function transfer(network: Network, from: number, to: number): string {
  const result = network.node(from).node.transferLeader(to);
  network.settle();
  return result;
}

describe('Raft dissertation §3.10, leadership transfer', () => {
  test('leadership passes to the server that was asked for', () => {
    const network = Network.of(3, careful);
    network.campaign(1);

    const result = transfer(network, 1, 3);

    expect(result).toBe('ok');
    expect(network.leader.id).toBe(3);
    expect(network.node(1).lead).toBe(3);
  });

  test('1. the prior leader stops to accept requests', () => {
    const leader = leaderWith();
    ackAll(leader, 3);
    leader.node.transferLeader(2);

    const propose = () => leader.node.propose(bytes('x'));

    expect(propose).toThrow(expect.objectContaining({ reason: 'transferring' }));
    expect(leader.lastIndex).toBe(1);
  });

  test('2. it first brings the log of the target up to its own', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.isolate(3);
    network.propose(1, 'a');
    network.propose(1, 'b');
    network.heal();

    transfer(network, 1, 3);
    network.tick(1, [1]);

    expect(network.leader.id).toBe(3);
    expect(texts(network.node(3).applied)).toEqual(['a', 'b']);
  });

  test('2. the target is not told to campaign before it has everything', () => {
    const leader = leaderWith({ log: [1, 1], term: 2 });

    leader.node.transferLeader(2);
    const early = leader.settle();
    const partly = leader.receive(ack(2, 2, 2));
    const fully = leader.receive(ack(2, 2, 3));

    expect(ofType([...early, ...partly], MsgTimeoutNow)).toEqual([]);
    expect(ofType(fully, MsgTimeoutNow)).toMatchObject([{ to: 2, term: 2 }]);
  });

  test('3. a target that is up to date already is told at once', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);

    leader.node.transferLeader(3);

    expect(ofType(leader.settle(), MsgTimeoutNow)).toMatchObject([{ to: 3, term: 1 }]);
  });

  test('the target starts an election as if its timeout had elapsed: next term, candidate', () => {
    const target = followerWith({ term: 4, ...careful });

    const sent = target.receive(message(MsgTimeoutNow, { term: 4 }));

    expect(target.state).toBe(Candidate);
    expect(target.term).toBe(5);
    expect(sent.map((m) => [m.type, m.to])).toEqual([
      [MsgVote, 2],
      [MsgVote, 3],
    ]);
  });

  test('V10: no pre-vote is held for a transfer', () => {
    const network = Network.of(3, careful);
    network.campaign(1);
    network.sent = [];

    transfer(network, 1, 2);

    expect(ofType(network.sent, MsgPreVote)).toEqual([]);
    expect(network.leader.id).toBe(2);
  });

  test('voters grant the vote although they have just heard from the leader: the request says that the leader wants it', () => {
    const voter = followerWith({ term: 1, lead: 2, ...careful });
    const target = followerWith({ id: 3, term: 1, lead: 2, ...careful });
    const [vote] = ofType(target.receive(message(MsgTimeoutNow, { to: 3, term: 1 })), MsgVote);

    const ordinary = voter.receive(message(MsgVote, { from: 3, term: 2 }));
    const wanted = voter.receive({ ...vote!, to: 1 });

    expect(ordinary).toEqual([]);
    expect(wanted).toMatchObject([{ type: MsgVoteResp, to: 3, term: 2, reject: false }]);
  });

  test('the prior leader steps down when it hears of the new term', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);
    leader.node.transferLeader(2);
    leader.settle();

    leader.receive(message(MsgVote, { term: 2, index: 1, logTerm: 1 }));

    expect(leader.state).toBe(StateType.Follower);
    expect(leader.vote).toBe(2);
    expect(leader.node.basicStatus().leadTransferee).toBe(0);
  });

  test.each([
    { ticks: 9, reason: 'transferring', why: 'it may still succeed' },
    { ticks: 10, reason: null, why: 'after about an election timeout it is given up' },
  ])('if the transfer does not complete, requests are accepted again: after $ticks ticks, $why', ({ ticks, reason }) => {
    const leader = leaderWith();
    ackAll(leader, 3);
    leader.node.transferLeader(2);
    leader.settle();
    leader.tick(ticks);

    const attempt = (): string | null => {
      try {
        leader.node.propose(bytes('x'));
        return null;
      } catch (error) {
        return (error as { reason: string }).reason;
      }
    };

    expect(attempt()).toBe(reason);
    expect(leader.state).toBe(Leader);
  });

  test('a transfer asked for in the middle of the leader\'s timeout gets a whole one', () => {
    const leader = leaderWith();
    ackAll(leader, 3);
    leader.tick(9);

    leader.node.transferLeader(2);
    leader.tick(9);

    expect(leader.node.basicStatus().leadTransferee).toBe(2);
  });

  test.each([
    { to: 3, result: 'ok', transferee: 3, why: 'a newer wish replaces the older one' },
    { to: 2, result: 'transferring', transferee: 2, why: 'the same wish again changes nothing' },
    { to: 1, result: 'ok', transferee: 0, why: 'back to the leader: the transfer ends' },
    { to: 4, result: 'notVoter', transferee: 2, why: 'a learner cannot lead' },
    { to: 9, result: 'notVoter', transferee: 2, why: 'no member at all' },
  ])('D12: a second transfer, to $to: $why', ({ to, result, transferee }) => {
    const leader = leaderWith({ learners: [4] });
    leader.node.transferLeader(2);

    const outcome = leader.node.transferLeader(to);

    expect(outcome).toBe(result);
    expect(leader.node.basicStatus().leadTransferee).toBe(transferee);
  });

  test('a target that crashes is no loss: the leader goes on', () => {
    const network = Network.of(3, careful);
    network.campaign(1);
    network.isolate(3);
    transfer(network, 1, 3);

    network.tick(11, [1, 2]);

    expect(network.leader.id).toBe(1);
    expect(network.propose(1, 'x')).toEqual({ term: 1, index: 2 });
    expect(network.node(1).commit).toBe(2);
  });

  test('a server that was removed or is a learner does not campaign, even if told to', () => {
    const learner = followerWith({ id: 4, learners: [4], term: 1 });

    const sent = learner.receive(message(MsgTimeoutNow, { to: 4, term: 1 }));

    expect(sent).toEqual([]);
    expect(learner.term).toBe(1);
  });

  test('a follower passes the wish on to the leader', () => {
    const network = Network.of(3);
    network.campaign(1);

    const result = transfer(network, 2, 2);

    expect(result).toBe('ok');
    expect(ofType(network.sent, MsgTransferLeader)).toMatchObject([{ from: 2, to: 1 }]);
    expect(network.leader.id).toBe(2);
  });

  test('E4: a transfer to a server that is being removed ends', () => {
    const leader = leaderWith();
    ackAll(leader, 3);
    leader.node.proposeConfChange(newConfChangeV2({ changes: parseConfChanges('r2') }));
    leader.settle();
    leader.node.transferLeader(2);

    leader.receive(ack(3, 1, 2));

    expect(leader.node.basicStatus().leadTransferee).toBe(0);
    expect(leader.node.propose(bytes('x'))).toEqual({ term: 1, index: 3 });
  });

  test('D4: from the moment the target is told, a lease is worth nothing until the end of the term', () => {
    const leader = leaderWith({ checkQuorum: true, readOnlyOption: ReadOnlyOption.LeaseBased });
    ackAll(leader, 2, 3);
    const [beat] = ofType(leader.tick(), MsgHeartbeat);
    leader.receive(message(MsgHeartbeatResp, { term: 1, context: beat!.context }));
    leader.node.readIndex(bytes('before'));
    leader.settle();
    const before = leader.reads.length;

    leader.node.transferLeader(2);
    leader.settle();
    leader.node.transferLeader(1);
    leader.node.readIndex(bytes('after'));
    const sent = leader.settle();

    expect(before).toBe(1);
    expect(leader.reads.length).toBe(1);
    expect(ofType(sent, MsgHeartbeat).map((m) => m.to)).toEqual([2, 3]);
  });

  test('an idle leader sends the target nothing but the word to campaign', () => {
    const network = new Network([1, 2, 3].map((id) => nodeWith({ id, voters: [1, 2, 3] })));
    network.campaign(1);
    network.sent = [];

    network.node(1).node.transferLeader(2);
    const sent = network.node(1).settle();

    expect(sent.map((m) => [m.type, m.to])).toEqual([[MsgTimeoutNow, 2]]);
    expect(ofType(sent, MsgApp)).toEqual([]);
  });
});
