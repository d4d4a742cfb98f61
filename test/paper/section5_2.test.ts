import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { StateType } from '../../src/core/types.js';
import { ack, candidateWith, followerWith, leaderWith, message, nodeWith, ofType } from '../support/builders.js';
import { Network } from '../support/network.js';
import type { TestNode } from '../support/testNode.js';

const { Candidate, Follower, Leader } = StateType;
const { MsgApp, MsgHeartbeat, MsgVote, MsgVoteResp } = MessageType;

function ticksUntilCampaign(node: TestNode, most = 100): number {
  const term = node.term;
  for (let ticks = 1; ticks <= most; ticks++) {
    node.tick();
    if (node.term > term) return ticks;
  }
  return Infinity;
}

describe('Raft §5.2, leader election', () => {
  test('servers start as followers', () => {
    const network = Network.of(3, { log: [1, 1, 2] });

    expect(network.nodes.map((node) => node.state)).toEqual([Follower, Follower, Follower]);
    expect(network.nodes.map((node) => node.lead)).toEqual([0, 0, 0]);
  });

  test.each([
    { type: MsgHeartbeat, why: 'heartbeats of the leader' },
    { type: MsgApp, why: 'entries of the leader' },
  ])('a server stays follower as long as it hears its leader: $why', ({ type }) => {
    const node = followerWith({ term: 1 });

    for (let i = 0; i < 20; i++) {
      node.tick(9);
      node.receive(message(type, { term: 1 }));
    }

    expect(node.state).toBe(Follower);
    expect(node.term).toBe(1);
  });

  test('granting a vote restarts the timeout as well', () => {
    const node = nodeWith({ term: 1 });
    node.tick(9);

    node.receive(message(MsgVote, { term: 1 }));
    node.tick(9);

    expect(node.state).toBe(Follower);
    expect(node.tick(1).map((m) => m.type)).toEqual([MsgVote, MsgVote]);
  });

  test('refusing a vote does not restart the timeout: no valid request was heard', () => {
    const node = nodeWith({ log: [2] });
    node.tick(9);

    node.receive(message(MsgVote, { term: 2, logTerm: 1, index: 5 }));
    node.tick(1);

    expect(node.state).toBe(Candidate);
  });

  test('leaders send heartbeats to all followers at even intervals', () => {
    const leader = leaderWith({ heartbeatTick: 3 });

    const perTick = [1, 2, 3, 4, 5, 6].map(() => leader.tick().map((m) => `${m.type}>${m.to}`));

    const round = [`${MsgHeartbeat}>2`, `${MsgHeartbeat}>3`];
    expect(perTick).toEqual([[], [], round, [], [], round]);
  });

  test('heartbeats carry no entries', () => {
    const leader = leaderWith();
    leader.node.propose(new Uint8Array(1));
    leader.settle();

    const heartbeats = leader.tick();

    expect(heartbeats.map((m) => m.type)).toEqual([MsgHeartbeat, MsgHeartbeat]);
    expect(heartbeats.map((m) => m.entries)).toEqual([[], []]);
  });

  test('a follower that hears nothing for an election timeout starts an election', () => {
    const node = followerWith({ term: 1 });

    const before = node.tick(9);
    node.tick(1);

    expect(before).toEqual([]);
    expect(node.state).toBe(Candidate);
  });

  test('a candidate raises its term, votes for itself and asks all others at once', () => {
    const node = nodeWith({ voters: [1, 2, 3, 4, 5], term: 2 });
    node.node.campaign();

    const sent = node.settle();

    expect(node.term).toBe(3);
    expect(node.vote).toBe(1);
    expect(sent.map((m) => [m.type, m.to, m.term])).toEqual([2, 3, 4, 5].map((to) => [MsgVote, to, 3]));
  });

  describe('a candidate wins with the votes of a majority of the full cluster', () => {
    test.each([
      { size: 1, grants: 0, rejects: 0, state: Leader, why: 'its own vote is all there is' },
      { size: 2, grants: 0, rejects: 0, state: Candidate, why: 'one of two is no majority' },
      { size: 2, grants: 1, rejects: 0, state: Leader, why: 'two of two' },
      { size: 3, grants: 0, rejects: 0, state: Candidate, why: 'one of three' },
      { size: 3, grants: 0, rejects: 1, state: Candidate, why: 'the third may still grant' },
      { size: 3, grants: 1, rejects: 0, state: Leader, why: 'two of three, without waiting for the third' },
      { size: 3, grants: 1, rejects: 1, state: Leader, why: 'two of three, one against' },
      { size: 3, grants: 0, rejects: 2, state: Follower, why: 'a majority refuses' },
      { size: 4, grants: 1, rejects: 0, state: Candidate, why: 'half is no majority' },
      { size: 4, grants: 1, rejects: 2, state: Follower, why: 'half against: no majority is left' },
      { size: 4, grants: 2, rejects: 0, state: Leader, why: 'three of four' },
      { size: 5, grants: 1, rejects: 2, state: Candidate, why: 'two each, one to come' },
      { size: 5, grants: 2, rejects: 0, state: Leader, why: 'three of five' },
      { size: 5, grants: 1, rejects: 3, state: Follower, why: 'three against' },
    ])('$size servers, $grants grant and $rejects refuse: $why', ({ size, grants, rejects, state }) => {
      const voters = Array.from({ length: size }, (_, i) => i + 1);
      const node = candidateWith({ voters });

      for (let i = 0; i < rejects; i++) node.receive(message(MsgVoteResp, { from: 2 + i, term: 1, reject: true }));
      for (let i = 0; i < grants; i++) node.receive(message(MsgVoteResp, { from: 2 + rejects + i, term: 1 }));

      expect(node.state).toBe(state);
      expect(node.term).toBe(1);
    });
  });

  describe('every voter counts once, with its first answer', () => {
    test.each([
      { answers: [[2, true], [2, true], [2, true]], state: Candidate, why: 'copies of one grant are one vote of five' },
      { answers: [[2, false], [2, true], [3, true]], state: Candidate, why: 'a refusal cannot be taken back' },
      { answers: [[2, true], [2, false], [3, true]], state: Leader, why: 'a grant cannot be taken back either' },
      { answers: [[2, false], [2, false], [2, false]], state: Candidate, why: 'copies of one refusal do not lose the election' },
    ] as const)('$answers: $why', ({ answers, state }) => {
      const node = candidateWith({ voters: [1, 2, 3, 4, 5] });

      for (const [from, granted] of answers) node.receive(message(MsgVoteResp, { from, term: 1, reject: !granted }));

      expect(node.state).toBe(state);
    });
  });

  test('votes of an earlier term do not count', () => {
    const node = candidateWith({ term: 2 });

    node.receive(message(MsgVoteResp, { term: 1 }), message(MsgVoteResp, { from: 3, term: 1 }));

    expect(node.state).toBe(Candidate);
  });

  describe('a server votes for one candidate per term, first come first served', () => {
    test.each([
      { vote: 0, from: 2, reject: false, why: 'the first to ask' },
      { vote: 2, from: 2, reject: false, why: 'the same one again: the answer was lost' },
      { vote: 3, from: 2, reject: true, why: 'another one came first' },
      { vote: 1, from: 2, reject: true, why: 'it has voted for itself' },
    ])('vote $vote, asked by $from: $why', ({ vote, from, reject }) => {
      const node = nodeWith({ term: 1, vote });

      const answers = node.receive(message(MsgVote, { from, term: 1 }));

      expect(answers).toMatchObject([{ type: MsgVoteResp, to: from, term: 1, reject }]);
      expect(node.vote).toBe(vote === 0 ? from : vote);
    });
  });

  test('a vote binds after a crash too', () => {
    const node = nodeWith();
    node.receive(message(MsgVote, { from: 2, term: 1 }));

    node.restart();
    const answers = node.receive(message(MsgVote, { from: 3, term: 1 }));

    expect(answers).toMatchObject([{ type: MsgVoteResp, to: 3, reject: true }]);
  });

  test('a follower that knows the leader of the term votes for nobody else in it', () => {
    const node = followerWith({ term: 1, lead: 2 });

    const answers = node.receive(message(MsgVote, { from: 3, term: 1 }));

    expect(answers).toMatchObject([{ type: MsgVoteResp, to: 3, reject: true }]);
  });

  test('once elected, a leader tells all others at once, so that no new election starts', () => {
    const candidate = candidateWith();

    const sent = candidate.receive(message(MsgVoteResp, { term: 1 }));

    expect(ofType(sent, MsgApp).map((m) => [m.to, m.term])).toEqual([
      [2, 1],
      [3, 1],
    ]);
  });

  describe('a candidate that hears a leader recognises it if its term is at least as large', () => {
    test.each([
      { term: 4, name: 'MsgApp', type: MsgApp, state: Candidate, lead: 0, why: 'a smaller term is rejected' },
      { term: 5, name: 'MsgApp', type: MsgApp, state: Follower, lead: 2, why: 'the winner of this term' },
      { term: 6, name: 'MsgApp', type: MsgApp, state: Follower, lead: 2, why: 'the winner of a later term' },
      { term: 4, name: 'MsgHeartbeat', type: MsgHeartbeat, state: Candidate, lead: 0, why: 'a smaller term is rejected' },
      { term: 5, name: 'MsgHeartbeat', type: MsgHeartbeat, state: Follower, lead: 2, why: 'the winner of this term' },
      { term: 6, name: 'MsgHeartbeat', type: MsgHeartbeat, state: Follower, lead: 2, why: 'the winner of a later term' },
    ])('$name of term $term in term 5: $why', ({ term, type, state, lead }) => {
      const node = candidateWith({ term: 5 });

      node.receive(message(type, { term }));

      expect(node.state).toBe(state);
      expect(node.lead).toBe(lead);
      expect(node.term).toBe(Math.max(term, 5));
    });
  });

  test('a candidate that recognises the winner keeps the vote it gave itself', () => {
    const node = candidateWith({ term: 5 });

    node.receive(message(MsgHeartbeat, { term: 5 }));

    expect(node.vote).toBe(1);
  });

  test('a candidate that neither wins nor loses times out and starts a new election', () => {
    const node = candidateWith({ term: 1 });

    const requests = ofType(node.tick(10), MsgVote);

    expect(node.term).toBe(2);
    expect(requests.map((m) => [m.to, m.term])).toEqual([
      [2, 2],
      [3, 2],
    ]);
  });

  test.each([
    { drawn: 0, ticks: 10, why: 'the shortest' },
    { drawn: 4, ticks: 14, why: 'in between' },
    { drawn: 9, ticks: 19, why: 'the longest' },
  ])('the timeout is drawn from a fixed interval: $drawn makes $ticks ticks, $why', ({ drawn, ticks }) => {
    const bounds = new Set<number>();
    const node = nodeWith({
      electionTick: 10,
      random: (bound) => {
        bounds.add(bound);
        return drawn;
      },
    });

    const waited = ticksUntilCampaign(node);

    expect(waited).toBe(ticks);
    expect([...bounds]).toEqual([10]);
  });

  test('a candidate draws a new timeout for every election', () => {
    const draws = [3, 7, 1];
    const node = nodeWith({ random: () => draws.shift() ?? 0 });

    const waited = [ticksUntilCampaign(node), ticksUntilCampaign(node), ticksUntilCampaign(node)];

    expect(waited).toEqual([13, 17, 11]);
  });

  test('with different timeouts one server wins before the others time out', () => {
    const voters = [1, 2, 3];
    const network = new Network(voters.map((id) => nodeWith({ id, voters, random: () => 3 * (3 - id) })));

    network.tick(10);

    expect(network.leader.id).toBe(3);
    expect(network.nodes.map((node) => [node.lead, node.term])).toEqual([
      [3, 1],
      [3, 1],
      [3, 1],
    ]);
  });

  test('a leader does not count votes that come late, and stays leader', () => {
    const leader = leaderWith();

    leader.receive(message(MsgVoteResp, { term: 1, reject: true }), message(MsgVoteResp, { from: 3, term: 1, reject: true }), ack(2, 1, 1));

    expect(leader.state).toBe(Leader);
    expect(leader.commit).toBe(1);
  });
});
