import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { StateType } from '../../src/core/types.js';
import { ack, bytes, candidateWith, followerWith, leaderWith, message } from '../support/builders.js';
import { Network } from '../support/network.js';

const { Candidate, Follower, Leader } = StateType;
const { MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp } = MessageType;

describe('Raft dissertation §6.2, a leader without a quorum steps down', () => {
  test.each([
    { voters: [1, 2, 3], heard: [], state: Follower, why: 'nobody of two' },
    { voters: [1, 2, 3], heard: [2], state: Leader, why: 'with itself two of three' },
    { voters: [1, 2, 3, 4], heard: [2], state: Follower, why: 'half is no majority' },
    { voters: [1, 2, 3, 4], heard: [2, 3], state: Leader, why: 'three of four' },
    { voters: [1, 2, 3, 4, 5], heard: [5], state: Follower, why: 'two of five' },
    { voters: [1, 2, 3, 4, 5], heard: [2, 5], state: Leader, why: 'three of five' },
    { voters: [1], heard: [], state: Leader, why: 'it is the majority' },
  ])('after an election timeout, $voters with $heard heard: $why', ({ voters, heard, state }) => {
    const leader = leaderWith({ voters, checkQuorum: true });
    // The first timeout counts everyone as unheard but those that answer within it.
    for (const from of heard) leader.receive(message(MsgHeartbeatResp, { from, term: 1 }));

    leader.tick(10);

    expect(leader.state).toBe(state);
    expect(leader.term).toBe(1);
  });

  test.each([
    { heard: [2], state: Follower, why: 'the old half alone' },
    { heard: [4, 5], state: Follower, why: 'the new half alone' },
    { heard: [2, 4, 5], state: Leader, why: 'a majority of both' },
  ])('a joint configuration needs to hear both majorities: $heard, $why', ({ heard, state }) => {
    const leader = leaderWith({ confState: newConfState({ voters: [3, 4, 5], votersOutgoing: [1, 2, 3] }), checkQuorum: true });
    for (const from of heard) leader.receive(message(MsgHeartbeatResp, { from, term: 1 }));

    leader.tick(10);

    expect(leader.state).toBe(state);
  });

  test('O8: learners do not count', () => {
    const leader = leaderWith({ learners: [4, 5], checkQuorum: true });
    leader.receive(message(MsgHeartbeatResp, { from: 4, term: 1 }), message(MsgHeartbeatResp, { from: 5, term: 1 }));

    leader.tick(10);

    expect(leader.state).toBe(Follower);
  });

  test('every timeout asks anew: to have been heard long ago is not enough', () => {
    const leader = leaderWith({ checkQuorum: true });
    leader.receive(message(MsgHeartbeatResp, { term: 1 }));
    leader.tick(10);
    const first = leader.state;

    leader.tick(10);

    expect(first).toBe(Leader);
    expect(leader.state).toBe(Follower);
  });

  test.each([
    { type: MsgHeartbeatResp, why: 'the answer to a heartbeat' },
    { type: MsgAppResp, why: 'the answer to an append' },
  ])('any answer proves that a server is there: $why', ({ type }) => {
    const leader = leaderWith({ checkQuorum: true });

    leader.receive(message(type, { from: 3, term: 1 }));
    leader.tick(10);

    expect(leader.state).toBe(Leader);
  });

  test('a leader that is cut off stops to take requests, so that its clients look for another one', () => {
    const network = Network.of(3, { checkQuorum: true });
    network.campaign(1);
    network.isolate(1);

    // In the first timeout it has heard the others; in the second it hears nobody.
    network.tick(20, [1]);

    expect(network.node(1).state).toBe(Follower);
    expect(network.node(1).lead).toBe(0);
    expect(() => network.node(1).node.propose(bytes('x'))).toThrow(expect.objectContaining({ reason: 'noLeader' }));
  });

  test('without check-quorum it leads on, and its clients wait for ever', () => {
    const network = Network.of(3, { checkQuorum: false });
    network.campaign(1);
    network.isolate(1);

    network.tick(100, [1]);

    expect(network.node(1).state).toBe(Leader);
  });

  test('the leader of a healthy group never steps down', () => {
    const network = Network.of(5, { checkQuorum: true });
    network.campaign(1);
    network.cut(4, 5);

    network.tick(200, [1, 2, 3]);

    expect(network.node(1).state).toBe(Leader);
    expect(network.node(1).term).toBe(1);
  });

  test('a server that has moved on to a higher term tells a leader it hears, which cannot reach it otherwise', () => {
    // Its vote requests are ignored by those that hear the leader; it would be stuck.
    const node = candidateWith({ term: 7, checkQuorum: true });

    const answers = node.receive(message(MsgHeartbeat, { term: 3 }), message(MsgApp, { term: 3 }));

    expect(node.state).toBe(Candidate);
    expect(answers).toMatchObject([
      { type: MsgAppResp, to: 2, term: 7 },
      { type: MsgAppResp, to: 2, term: 7 },
    ]);
  });

  test('so a server that was cut off for long finds back into the group', () => {
    const network = Network.of(3, { checkQuorum: true });
    network.campaign(1);
    network.isolate(3);
    network.tick(60, [3]);
    const termOf3 = network.node(3).term;
    network.heal();

    network.tick(1, [1]);
    network.tick(10, [1]);

    expect(termOf3).toBeGreaterThan(3);
    expect(network.leader.term).toBeGreaterThan(termOf3);
    expect(network.nodes.map((node) => node.lead)).toEqual(network.nodes.map(() => network.leader.id));
  });

  test('a follower knows its leader for as long as it hears it, and so can tell clients', () => {
    const node = followerWith({ term: 1, lead: 3, checkQuorum: true });
    const before = node.lead;

    node.tick(10);

    expect(before).toBe(3);
    expect(node.lead).toBe(0);
  });

  test('V14: an acknowledgement of an earlier term is no sign of a quorum', () => {
    const leader = leaderWith({ term: 4, checkQuorum: true });

    leader.receive(ack(2, 3, 1), message(MsgHeartbeatResp, { from: 3, term: 3 }));
    leader.tick(10);

    expect(leader.state).toBe(Follower);
  });
});
