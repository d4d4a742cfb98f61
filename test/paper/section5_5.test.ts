import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { StateType } from '../../src/core/types.js';
import { bytes, entries, followerWith, message, ofType, texts } from '../support/builders.js';
import { entriesFrom } from '../support/logBuilders.js';
import { Network } from '../support/network.js';

const { MsgApp, MsgAppResp, MsgVote, MsgVoteResp } = MessageType;

describe('Raft §5.5, follower and candidate crashes', () => {
  test('appends to a crashed follower are retried until it restarts, and then succeed', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.isolate(3);
    for (const text of ['a', 'b', 'c']) network.propose(1, text);
    network.tick(50, [1]);

    network.heal();
    network.restart(3);
    network.tick(2, [1]);

    expect(texts(network.node(3).applied)).toEqual(['a', 'b', 'c']);
  });

  test('vote requests to crashed servers are retried by the next campaign', () => {
    const network = Network.of(3);
    network.isolate(1);
    network.tick(10, [1]);
    const alone = network.node(1).state;

    network.heal();
    network.tick(10, [1]);

    expect(alone).toBe(StateType.Candidate);
    expect(network.leader.id).toBe(1);
  });

  test('a server that crashes after it has done an append and before it answers gets it again', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.drop((m) => m.type === MsgAppResp && m.from === 3);
    network.propose(1, 'a');
    network.heal();
    network.restart(3);

    network.tick(2, [1]);

    expect(network.node(1).node.status().progress.get(3)?.match).toBe(2);
    expect(network.node(3).logTerms).toEqual([1, 1]);
  });

  describe('appends are idempotent: entries that are there already are ignored', () => {
    test.each([
      { again: 3, why: 'the same message twice' },
      { again: 2, why: 'an earlier, shorter one arrives late' },
      { again: 1, why: 'a still shorter one' },
      { again: 0, why: 'an empty one' },
    ])('$why', ({ again }) => {
      const node = followerWith({ term: 1 });
      node.receive(message(MsgApp, { term: 1, entries: entries(1, 1, 1) }));
      const stored = node.log;

      const answers = node.receive(message(MsgApp, { term: 1, entries: entries(1, 1, 1).slice(0, again) }));

      expect(node.log).toEqual(stored);
      expect(answers).toMatchObject([{ type: MsgAppResp, reject: false, index: again }]);
    });
  });

  test('nothing is written for an append that brings nothing new', () => {
    const node = followerWith({ term: 1 });
    node.receive(message(MsgApp, { term: 1, entries: entries(1, 1) }));
    node.node.step(message(MsgApp, { term: 1, entries: entries(1, 1) }));

    const ready = node.node.ready();

    expect(ready.entries).toEqual([]);
    expect(ready.mustSync).toBe(false);
  });

  test('vote requests are idempotent', () => {
    const node = followerWith({ term: 1 });

    const answers = node.receive(message(MsgVote, { from: 3, term: 2 }), message(MsgVote, { from: 3, term: 2 }));

    expect(answers).toMatchObject([
      { type: MsgVoteResp, to: 3, term: 2, reject: false },
      { type: MsgVoteResp, to: 3, term: 2, reject: false },
    ]);
  });

  test('a candidate that crashes and restarts asks for votes in a new term', () => {
    const network = Network.of(3);
    network.drop((m) => m.type === MsgVoteResp);
    network.campaign(1);
    network.heal();
    network.restart(1);

    const stillCandidate = network.node(1).state;
    network.tick(10, [1]);

    expect(stillCandidate).toBe(StateType.Follower);
    expect(network.leader.id).toBe(1);
    expect(network.leader.term).toBe(2);
  });

  test('a leader that crashes rejoins as a follower and loses what it had not committed', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.isolate(1);
    network.propose(1, 'lost');
    network.campaign(2);
    network.propose(2, 'kept');

    network.heal();
    network.restart(1);
    network.tick(2, [2]);

    expect(network.node(1).state).toBe(StateType.Follower);
    expect(network.node(1).logTerms).toEqual([1, 2, 2]);
    expect(texts(network.node(1).applied)).toEqual(['kept']);
  });

  test('V1: term, vote, log and commit index are restored as they were', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.propose(1, 'a');
    const before = network.nodes.map((node) => [node.node.basicStatus().hardState, node.log]);

    for (const id of network.ids) network.restart(id);

    expect(network.nodes.map((node) => [node.node.basicStatus().hardState, node.log])).toEqual(before);
    expect(network.nodes.map((node) => texts(node.applied))).toEqual([['a'], ['a'], ['a']]);
  });

  test('an append that was not durable when the follower crashed was not acknowledged either', () => {
    const node = followerWith({ term: 1 });
    node.node.step(message(MsgApp, { term: 1, entries: entriesFrom(1, [1, 1], bytes('x')) }));

    node.restart();

    expect(node.logTerms).toEqual([]);
    expect(ofType(node.settle(), MsgAppResp)).toEqual([]);
  });
});
