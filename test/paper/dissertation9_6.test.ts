import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { StateType } from '../../src/core/types.js';
import { followerWith, message, nodeWith, ofType, type NodeFields } from '../support/builders.js';
import { Network } from '../support/network.js';
import type { TestNode } from '../support/testNode.js';

const { Candidate, Follower, Leader, PreCandidate } = StateType;
const { MsgApp, MsgAppResp, MsgHeartbeat, MsgPreVote, MsgPreVoteResp, MsgVote, MsgVoteResp } = MessageType;

function preCandidateWith(fields: NodeFields = {}): TestNode {
  const node = nodeWith({ preVote: true, ...fields });
  node.node.campaign();
  node.settle();
  return node;
}

describe('Raft dissertation §9.6, pre-vote', () => {
  test('a candidate first asks whether the others would vote for it in the next term, and raises nothing', () => {
    const node = nodeWith({ preVote: true, term: 4, log: [1, 3] });
    node.node.campaign();

    const sent = node.settle();

    expect(sent).toMatchObject([
      { type: MsgPreVote, to: 2, term: 5, index: 2, logTerm: 3 },
      { type: MsgPreVote, to: 3, term: 5, index: 2, logTerm: 3 },
    ]);
    expect([node.state, node.term, node.vote]).toEqual([PreCandidate, 4, 0]);
  });

  test('V10: nothing of it is saved', () => {
    const node = preCandidateWith({ term: 4 });

    const hardState = node.storage.initialState().hardState;

    expect(hardState).toEqual({ term: 4, vote: 0, commit: 0 });
  });

  test('with a majority of pre-votes the election proper begins', () => {
    const node = preCandidateWith({ term: 4 });

    const sent = node.receive(message(MsgPreVoteResp, { term: 5 }));

    expect([node.state, node.term, node.vote]).toEqual([Candidate, 5, 1]);
    expect(sent.map((m) => [m.type, m.to, m.term])).toEqual([
      [MsgVote, 2, 5],
      [MsgVote, 3, 5],
    ]);
  });

  test('a pre-vote is no vote: the election is won by votes alone', () => {
    const node = preCandidateWith();
    node.receive(message(MsgPreVoteResp, { term: 1 }));

    node.receive(message(MsgPreVoteResp, { from: 3, term: 1 }));
    const before = node.state;
    node.receive(message(MsgVoteResp, { from: 3, term: 1 }));

    expect(before).toBe(Candidate);
    expect(node.state).toBe(Leader);
  });

  test('a majority of refusals ends it: the server follows again, in its own term', () => {
    const node = preCandidateWith({ term: 4 });

    node.receive(message(MsgPreVoteResp, { term: 4, reject: true }), message(MsgPreVoteResp, { from: 3, term: 4, reject: true }));

    expect([node.state, node.term]).toEqual([Follower, 4]);
  });

  test('a refusal from a later term tells the server that it is behind', () => {
    const node = preCandidateWith({ term: 4 });

    node.receive(message(MsgPreVoteResp, { term: 9, reject: true }));

    expect([node.state, node.term]).toEqual([Follower, 9]);
  });

  describe('a pre-vote is granted if the log is up to date and no leader was heard for an election timeout', () => {
    test.each([
      { make: () => nodeWith({ checkQuorum: true, log: [1, 2] }), index: 2, logTerm: 2, granted: true, why: 'same log, no leader' },
      { make: () => nodeWith({ checkQuorum: true, log: [1, 2] }), index: 1, logTerm: 2, granted: false, why: 'its log is shorter' },
      { make: () => nodeWith({ checkQuorum: true, log: [1, 2] }), index: 5, logTerm: 1, granted: false, why: 'its log is older' },
      { make: () => followerWith({ checkQuorum: true, log: [1, 2] }), index: 2, logTerm: 2, granted: false, why: 'the leader was just heard' },
      { make: () => nodeWith({ checkQuorum: true, log: [1, 2], vote: 3 }), index: 2, logTerm: 2, granted: true, why: 'a vote in this term does not bind in the next' },
    ])('$why', ({ make, index, logTerm, granted }) => {
      const node = make();

      const answers = node.receive(message(MsgPreVote, { term: 3, index, logTerm }));

      expect(answers.filter((m) => m.type === MsgPreVoteResp && !m.reject).length).toBe(granted ? 1 : 0);
    });
  });

  test('granting a pre-vote changes nothing: no term, no vote, no timer', () => {
    const node = nodeWith({ term: 2 });
    node.tick(9);

    node.receive(message(MsgPreVote, { term: 3 }));
    const after = [node.state, node.term, node.vote];
    node.tick(1);

    expect(after).toEqual([Follower, 2, 0]);
    expect(node.state).toBe(Candidate);
  });

  test('a pre-vote may be granted to several servers', () => {
    const node = nodeWith({ term: 2 });

    const answers = node.receive(message(MsgPreVote, { term: 3 }), message(MsgPreVote, { from: 3, term: 3 }));

    expect(answers).toMatchObject([
      { type: MsgPreVoteResp, to: 2, term: 3, reject: false },
      { type: MsgPreVoteResp, to: 3, term: 3, reject: false },
    ]);
  });

  test('a request from an earlier term is refused with our term, so that its sender catches up', () => {
    const node = nodeWith({ term: 8 });

    const answers = node.receive(message(MsgPreVote, { term: 3 }));

    expect(answers).toMatchObject([{ type: MsgPreVoteResp, to: 2, term: 8, reject: true }]);
  });

  test('V10: a server that is cut off raises no term, however long it lasts', () => {
    const network = Network.of(3, { preVote: true, checkQuorum: true });
    network.campaign(1);
    network.isolate(3);

    network.tick(200);

    expect(network.node(3).term).toBe(1);
    expect(network.node(3).state).toBe(PreCandidate);
  });

  test('so it does not disturb the leader when it comes back', () => {
    const network = Network.of(3, { preVote: true, checkQuorum: true });
    network.campaign(1);
    network.isolate(3);
    network.tick(200);
    network.heal();

    network.tick(30);

    expect(network.leader.id).toBe(1);
    expect(network.nodes.map((node) => [node.term, node.lead])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  test('V10: a candidate whose election comes to nothing goes back to asking first', () => {
    const node = preCandidateWith();
    node.receive(message(MsgPreVoteResp, { term: 1 }));

    const sent = node.tick(10);

    expect([node.state, node.term]).toEqual([PreCandidate, 1]);
    expect(ofType(sent, MsgPreVote).map((m) => m.term)).toEqual([2, 2]);
  });

  test('a pre-candidate follows a leader of its term', () => {
    const node = preCandidateWith({ term: 4 });

    node.receive(message(MsgHeartbeat, { term: 4 }));

    expect([node.state, node.lead, node.term]).toEqual([Follower, 2, 4]);
  });

  test('if the leader has failed, the pre-vote costs one round trip and an election succeeds', () => {
    const voters = [1, 2, 3];
    const network = new Network(voters.map((id) => nodeWith({ id, voters, preVote: true, checkQuorum: true, random: () => 3 - id })));
    network.campaign(1);
    network.isolate(1);

    network.tick(10, [2, 3]);

    expect(network.leader.id).toBe(3);
    expect(network.leader.term).toBe(2);
  });

  test('a server with pre-vote that is ahead tells a leader that is behind, which would not learn it by votes', () => {
    const node = nodeWith({ preVote: true, term: 9 });

    const answers = node.receive(message(MsgApp, { term: 3 }));

    expect(answers).toMatchObject([{ type: MsgAppResp, to: 2, term: 9 }]);
  });

  test('one server alone elects itself without asking anybody', () => {
    const node = preCandidateWith({ voters: [1] });

    expect([node.state, node.term]).toEqual([Leader, 1]);
  });
});
