import { describe, expect, test } from '@jest/globals';
import { newConfChangeV2, parseConfChanges } from '../../src/core/raftpb/confChange.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { StateType } from '../../src/core/types.js';
import { ack, followerWith, leaderWith, message, nodeWith, ofType, texts } from '../support/builders.js';
import { Network } from '../support/network.js';

const { MsgApp, MsgHeartbeat, MsgPreVote, MsgPreVoteResp, MsgVote, MsgVoteResp } = MessageType;

const change = (text: string) => newConfChangeV2({ changes: parseConfChanges(text) });

function makeChange(network: Network, text: string): void {
  network.leader.node.proposeConfChange(change(text));
  network.settle();
  network.tick(2, [network.leader.id]);
}

describe('Raft dissertation §4.2.1, catching up new servers', () => {
  test('an empty server that is made a voter at once can block commits: four need three', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.isolate(3);

    makeChange(network, 'v4');
    network.propose(1, 'x');

    expect(network.node(1).commit).toBe(2);
  });

  test('as a non-voting member it blocks nothing', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.isolate(3);

    makeChange(network, 'l4');
    network.propose(1, 'x');

    expect(network.node(1).commit).toBe(3);
  });

  test('O8: the leader replicates to a non-voting member', () => {
    const leader = leaderWith({ learners: [4] });

    const sent = leader.tick();
    const answer = leader.receive(message(MessageType.MsgHeartbeatResp, { from: 4, term: 1 }));

    expect(ofType(sent, MsgHeartbeat).map((m) => m.to)).toEqual([2, 3, 4]);
    expect(ofType(answer, MsgApp)).toMatchObject([{ to: 4 }]);
  });

  test('O8: its progress is known, so that it can be promoted when it has caught up', () => {
    const leader = leaderWith({ learners: [4] });

    leader.receive(ack(4, 1, 1));

    expect(leader.node.status().progress.get(4)).toMatchObject({ isLearner: true, match: 1 });
  });

  test('O8: it is not asked for its vote', () => {
    const node = nodeWith({ learners: [4, 5] });
    node.node.campaign();

    const asked = node.settle().map((m) => m.to);

    expect(asked).toEqual([2, 3]);
  });

  test('O8: it grants its vote when it is asked: its promotion may not have reached it', () => {
    const learner = nodeWith({ id: 4, learners: [4] });

    const answers = learner.receive(message(MsgVote, { to: 4, term: 1 }));

    expect(answers).toMatchObject([{ type: MsgVoteResp, to: 2, reject: false }]);
  });

  test('O8: a vote of a non-voting member that nobody asked for does not count', () => {
    const node = nodeWith({ learners: [4] });
    node.node.campaign();
    node.settle();

    node.receive(message(MsgVoteResp, { from: 4, term: 1 }));

    expect(node.state).toBe(StateType.Candidate);
  });

  test('a voter can be demoted, and then counts no more', () => {
    const network = Network.of(3);
    network.campaign(1);

    makeChange(network, 'l3');
    network.isolate(2);
    network.propose(1, 'x');

    expect(network.node(3).node.status().config).toEqual(newConfState({ voters: [1, 2], learners: [3] }));
    expect(network.node(1).commit).toBe(2);
  });
});

describe('Raft dissertation §4.2.2, removing the current leader', () => {
  test('leadership can be handed over before the leader is removed', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.node(1).node.transferLeader(2);
    network.settle();

    makeChange(network, 'r1');

    expect(network.leader.id).toBe(2);
    expect(network.node(2).node.status().config.voters).toEqual([2, 3]);
  });

  test('a leader that has removed itself replicates on, so that the others learn of the commit', () => {
    const network = Network.of(3);
    network.campaign(1);

    network.node(1).node.proposeConfChange(change('r1'));
    network.settle();

    expect(network.nodes.map((node) => node.node.status().config.voters)).toEqual([
      [2, 3],
      [2, 3],
      [2, 3],
    ]);
  });

  test('it does not count itself for what follows', () => {
    const leader = leaderWith({ confState: newConfState({ voters: [2, 3, 4], votersOutgoing: [1, 2, 3] }) });

    leader.receive(ack(2, 1, 1));
    const oneOfTheNew = leader.commit;
    leader.receive(ack(4, 1, 1));

    expect(oneOfTheNew).toBe(0);
    expect(leader.commit).toBe(1);
  });

  test('a removed server does not campaign', () => {
    const network = Network.of(3);
    network.campaign(1);
    makeChange(network, 'r3');
    const term = network.node(3).term;
    network.isolate(3);

    network.tick(50, [3]);

    expect(network.node(3).term).toBe(term);
    expect(network.node(3).node.campaign()).toBe('notVoter');
  });

  test('a removed server still grants its vote: the other of two may not know yet that it can decide alone', () => {
    // 2 has the removal of 1 in its log and has not heard that it is committed.
    const network = Network.of(2);
    network.campaign(1);
    network.node(1).node.proposeConfChange(change('r1'));
    network.drop((m) => m.to === 2 && m.commit >= 2);
    network.settle();
    network.restart(1);
    network.heal();

    const won = network.campaign(2);
    network.tick(2, [2]);

    expect(won).toBe(true);
    expect(network.node(2).node.status().config.voters).toEqual([2]);
  });
});

describe('Raft dissertation §4.2.3, disruptive servers', () => {
  test.each([
    { type: MsgVote, what: 'a vote' },
    { type: MsgPreVote, what: 'a pre-vote' },
  ])('a server that hears its leader ignores a request for $what, whatever its term: it neither answers nor changes', ({ type }) => {
    const node = followerWith({ term: 2, checkQuorum: true });
    node.tick(5);
    const before = node.node.status();

    const answers = node.receive(message(type, { from: 3, term: 50, index: 9, logTerm: 9 }));

    expect(answers).toEqual([]);
    expect(node.node.status()).toEqual(before);
  });

  test('a leader that knows its quorum ignores such requests too', () => {
    const leader = leaderWith({ checkQuorum: true });

    const answers = leader.receive(message(MsgVote, { from: 3, term: 50, index: 9, logTerm: 9 }));

    expect(answers).toEqual([]);
    expect(leader.state).toBe(StateType.Leader);
    expect(leader.term).toBe(1);
  });

  test('pre-vote alone does not suffice: a removed server with an up-to-date log would win it', () => {
    const node = followerWith({ term: 2, preVote: true, checkQuorum: false });

    const answers = node.receive(message(MsgPreVote, { from: 9, term: 3, index: 9, logTerm: 2 }));

    expect(answers).toMatchObject([{ type: MsgPreVoteResp, to: 9, reject: false }]);
  });

  test('it does not slow down normal elections: silence for an election timeout, and votes are granted', () => {
    const voters = [1, 2, 3];
    const network = new Network(voters.map((id) => nodeWith({ id, voters, checkQuorum: true, random: () => 3 - id })));
    network.campaign(1);
    network.isolate(1);

    network.tick(10, [2, 3]);

    expect(network.leader.id).toBe(3);
    expect(network.leader.term).toBe(2);
  });

  test('the group serves clients while a server that was removed campaigns for ever', () => {
    const network = Network.of(4, { checkQuorum: true });
    network.tick(10, [1]);
    network.drop((m) => m.to === 4);
    makeChange(network, 'r4');
    network.heal();

    for (let i = 0; i < 5; i++) {
      network.tick(12);
      network.propose(1, `x${i}`);
    }

    expect(network.node(4).term).toBeGreaterThan(3);
    expect(texts(network.node(2).applied)).toEqual(['x0', 'x1', 'x2', 'x3', 'x4']);
    expect(network.node(1).term).toBe(1);
  });
});
