import { describe, expect, test } from '@jest/globals';
import { MessageType, messageTypeName } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { StateType, emptyBytes } from '../../src/core/types.js';
import { candidateWith, entries, followerWith, leaderWith, message, nodeWith, ofType, type NodeFields } from '../support/builders.js';
import { Network } from '../support/network.js';
import type { TestNode } from '../support/testNode.js';

const { Candidate, Follower, Leader } = StateType;
const { MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgProp, MsgReadIndex, MsgSnap, MsgVote, MsgVoteResp } = MessageType;

const inTerm = (term: number): { role: string; make: (fields?: NodeFields) => TestNode }[] => [
  { role: 'follower', make: () => followerWith({ term }) },
  { role: 'candidate', make: () => candidateWith({ term }) },
  { role: 'leader', make: () => leaderWith({ term }) },
];

const snapshot = { data: emptyBytes, metadata: { confState: newConfState({ voters: [1, 2, 3] }), index: 9, term: 1 } };

describe('Raft §5.1, terms', () => {
  test('every term begins with an election, and terms are consecutive integers', () => {
    const node = nodeWith({ term: 4 });

    const terms = [1, 2, 3].map(() => {
      node.node.campaign();
      node.settle();
      return node.term;
    });

    expect(terms).toEqual([5, 6, 7]);
  });

  test('a candidate that wins leads for the rest of the term: it campaigns no more', () => {
    const leader = leaderWith({ term: 2 });

    leader.tick(100);
    leader.node.campaign();
    leader.settle();

    expect(leader.state).toBe(Leader);
    expect(leader.term).toBe(2);
  });

  test('a term may end without a leader, by a split vote; the next term begins soon', () => {
    const network = Network.of(4);
    network.hold((m) => m.type === MsgVote);
    network.campaign(1);
    network.campaign(2);
    network.drop((m) => m.type === MsgVote && (m.from === 1 ? m.to === 4 : m.to === 3));

    network.release();
    const leadersOfTerm1 = network.nodes.filter((node) => node.state === Leader);
    network.heal();
    network.tick(10, [1]);

    expect(leadersOfTerm1).toEqual([]);
    expect(network.leader.id).toBe(1);
    expect(network.leader.term).toBe(2);
  });

  test('every message between servers carries the term of its sender', () => {
    const network = Network.of(3, { term: 6 });

    network.campaign(1);
    network.propose(2, 'a');
    network.tick(1, [1]);

    const carriers = network.sent.filter((m) => m.type !== MsgProp && m.type !== MsgReadIndex);
    expect(carriers.length).toBeGreaterThan(10);
    expect(carriers.map((m) => m.term)).toEqual(carriers.map(() => 7));
  });

  describe('a server with a smaller term adopts the larger one', () => {
    test.each(
      inTerm(2).flatMap(({ role, make }) =>
        [
          { type: MsgApp, lead: 2, why: 'comes from the leader of that term' },
          { type: MsgHeartbeat, lead: 2, why: 'comes from the leader of that term' },
          { type: MsgSnap, lead: 2, why: 'comes from the leader of that term' },
          { type: MsgVote, lead: 0, why: 'a candidate need not win' },
          { type: MsgAppResp, lead: 0, why: 'an answer knows no leader' },
          { type: MsgHeartbeatResp, lead: 0, why: 'an answer knows no leader' },
          { type: MsgVoteResp, lead: 0, why: 'a refusal by a voter that is ahead' },
        ].map((row) => ({ role, make, name: messageTypeName(row.type), ...row })),
      ),
    )('$role, $name: $why', ({ make, type, lead }) => {
      const node = make();

      node.receive(message(type, { term: 5, reject: type === MsgVoteResp, snapshot: type === MsgSnap ? snapshot : null }));

      expect(node.term).toBe(5);
      expect(node.lead).toBe(lead);
    });
  });

  test.each(inTerm(3).slice(1))('a $role that finds its term out of date reverts to follower at once', ({ make }) => {
    const node = make();

    node.receive(message(MsgHeartbeatResp, { term: 4 }));

    expect(node.state).toBe(Follower);
    expect(node.term).toBe(4);
  });

  test('the vote belongs to a term: a new term comes with a new vote', () => {
    const candidate = candidateWith({ term: 3 });

    candidate.receive(message(MsgHeartbeatResp, { term: 4 }));

    expect(candidate.vote).toBe(0);
    expect(candidate.storage.initialState().hardState).toEqual({ term: 4, vote: 0, commit: 0 });
  });

  describe('a request with a stale term is rejected', () => {
    test.each(inTerm(3).flatMap((row) => [MsgApp, MsgHeartbeat, MsgSnap, MsgVote].map((type) => ({ ...row, type, name: messageTypeName(type) }))))(
      '$role, $name',
      ({ make, type }) => {
        const node = make();
        const before = node.node.status();
        const logBefore = node.logTerms;

        const answers = node.receive(
          message(type, { from: 3, term: 2, entries: type === MsgApp ? entries(2, 2) : [], commit: 1, snapshot: type === MsgSnap ? snapshot : null }),
        );

        expect(node.node.status()).toEqual(before);
        expect(node.logTerms).toEqual(logBefore);
        expect(answers).toEqual([]);
      },
    );
  });

  test('the term grows monotonically: no message lowers it', () => {
    const node = followerWith({ term: 5 });

    for (const type of [MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgVote, MsgVoteResp]) node.receive(message(type, { term: 4 }));

    expect(node.term).toBe(5);
    expect(node.storage.initialState().hardState.term).toBe(5);
  });

  test('the term survives a crash', () => {
    const node = candidateWith({ term: 3 });

    node.restart();

    expect(node.term).toBe(3);
    expect(node.state).toBe(Follower);
  });

  test('requests to all servers go out in parallel', () => {
    const leader = leaderWith({ voters: [1, 2, 3, 4, 5] });
    leader.receive(...[2, 3, 4, 5].map((from) => message(MsgAppResp, { from, term: 1, index: 1 })));
    leader.node.propose(new Uint8Array(1));

    const sent = leader.handleReady();

    expect(ofType([...sent], MsgApp).map((m) => m.to)).toEqual([2, 3, 4, 5]);
    expect(sent.every((m) => m.entries.length === 1)).toBe(true);
  });

  test('a request that is not answered in time is sent again', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.drop((m) => m.type === MsgApp && m.to === 3);
    network.propose(1, 'a');
    network.heal();

    network.tick(1, [1]);

    expect(network.node(3).logTerms).toEqual(network.node(1).logTerms);
  });

  test('a candidate among many is in the term it asked about', () => {
    const node = candidateWith({ term: 9 });

    const requests = ofType(node.tick(10), MsgVote);

    expect(node.state).toBe(Candidate);
    expect(requests.map((m) => m.term)).toEqual([10, 10]);
  });
});
