import { describe, expect, test } from '@jest/globals';
import { newConfChange, newConfChangeV2, parseConfChanges, type ConfChange, type ConfChangeV2 } from '../../src/core/raftpb/confChange.js';
import { encodeConfChange } from '../../src/core/raftpb/confChangeWire.js';
import { EntryType, newEntry } from '../../src/core/raftpb/entry.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { ack, ackAll, bytes, leaderWith, message, nodeWith, texts } from '../support/builders.js';
import { Network } from '../support/network.js';
import type { TestNode } from '../support/testNode.js';

const { MsgVoteResp } = MessageType;

const change = (text: string) => newConfChangeV2({ changes: parseConfChanges(text) });

/** Why the leader does not take the change, or null if it does. */
function refusal(node: TestNode, wanted: ConfChange | ConfChangeV2): string | null {
  try {
    node.node.proposeConfChange(wanted);
    return null;
  } catch (error) {
    return (error as { reason: string }).reason;
  }
}

describe('Raft dissertation §4.1, safety of single-server changes', () => {
  test.each([
    { voters: [1, 2, 3], text: 'v4', after: [1, 2, 3, 4], why: 'one is added' },
    { voters: [1, 2, 3], text: 'r3', after: [1, 2], why: 'one is removed' },
    { voters: [1, 2], text: 'r2', after: [1], why: 'down to one' },
    { voters: [1], text: 'v2', after: [1, 2], why: 'from one to two' },
  ])('one server is added to or removed from the group at a time, without a joint configuration: $text, $why', ({ voters, text, after }) => {
    const leader = leaderWith({ voters });
    ackAll(leader, ...voters.slice(1));

    leader.node.proposeConfChange(change(text));
    leader.settle();
    ackAll(leader, ...voters.slice(1));

    expect(leader.node.status().config).toMatchObject({ voters: after, votersOutgoing: [] });
  });

  test('the change is an entry of the log, replicated like any other and committed by a majority', () => {
    const leader = leaderWith({ voters: [1, 2, 3, 4, 5] });
    ackAll(leader, 2, 3, 4, 5);
    leader.node.proposeConfChange(change('v6'));
    leader.settle();

    ackAll(leader, 2);
    const withTwo = leader.node.status().config.voters.length;
    ackAll(leader, 3);

    expect(withTwo).toBe(5);
    expect(leader.node.status().config.voters).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('an addition counts for the majority from then on', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);
    leader.node.proposeConfChange(change('v4'));
    leader.settle();
    ackAll(leader, 2);

    leader.node.propose(bytes('x'));
    leader.settle();
    ackAll(leader, 2);
    const withTwo = leader.commit;
    ackAll(leader, 4);

    expect(withTwo).toBe(2);
    expect(leader.commit).toBe(3);
  });

  test('E4: a removal may commit what was waiting for the larger majority', () => {
    const leader = leaderWith({ voters: [1, 2, 3, 4] });
    leader.receive(...[2, 3, 4].map((from) => ack(from, 1, 1)));
    leader.node.proposeConfChange(change('r4'));
    leader.settle();
    leader.node.propose(bytes('x'));
    leader.settle();
    leader.receive(ack(2, 1, 3));
    const before = leader.commit;

    leader.receive(ack(3, 1, 2));

    expect(before).toBe(1);
    expect(leader.commit).toBe(3);
    expect(texts(leader.applied)).toEqual(['x']);
  });

  describe('D1: one change must be done before the next may start', () => {
    test('a second change is refused while the first is not applied', () => {
      const leader = leaderWith();
      ackAll(leader, 2, 3);
      leader.node.proposeConfChange(change('v4'));
      leader.settle();

      const reason = refusal(leader, change('v5'));
      const length = leader.lastIndex;
      ackAll(leader, 2);
      const afterwards = refusal(leader, change('v5'));

      expect(reason).toBe('confChangePending');
      expect(length).toBe(2);
      expect(afterwards).toBeNull();
    });

    test('a change that two servers propose at the same time is made once: the second is dropped', () => {
      const network = Network.of(3);
      network.campaign(1);

      network.node(2).node.proposeConfChange(change('v4'));
      network.node(3).node.proposeConfChange(change('v5'));
      network.settle();
      network.tick(1, [1]);

      expect(network.nodes.map((node) => node.node.status().config.voters)).toEqual(network.nodes.map(() => [1, 2, 3, 4]));
    });

    test('a new leader waits until everything in its log is applied: a change might be in there', () => {
      const leader = leaderWith({ log: [1], term: 2 });

      const early = refusal(leader, change('v4'));
      ackAll(leader, 2);
      const later = refusal(leader, change('v4'));

      expect(early).toBe('confChangePending');
      expect(later).toBeNull();
    });

    test('after a change of leaders the successor does not start a second one while the first is under way', () => {
      const network = Network.of(5);
      network.campaign(1);
      network.node(1).node.proposeConfChange(change('v6'));
      const [first] = network.node(1).settle().filter((m) => m.to === 2);
      network.deliver([first!]);
      network.isolate(1);
      network.drop((m) => m.type === MessageType.MsgAppResp);
      network.campaign(2);

      const reason = refusal(network.node(2), change('v7'));

      expect(network.node(2).logTerms).toEqual([1, 1, 2]);
      expect(reason).toBe('confChangePending');
    });
  });

  test.each([
    { text: 'r1 r2 r3', reason: 'invalid', why: 'nobody would be left to vote' },
    { text: '', reason: 'notJoint', why: 'there is no joint configuration to leave' },
  ])('D1: a change that cannot be made is refused before it is appended: "$text", $why', ({ text, reason }) => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);

    const result = refusal(leader, change(text));

    expect(result).toBe(reason);
    expect(leader.lastIndex).toBe(1);
  });

  test('E3: a server does not campaign before it has applied the changes it knows to be committed', () => {
    const entry = { ...newEntry(EntryType.EntryConfChangeV2, encodeConfChange(change('v4'))), term: 1, index: 1 };
    const node = nodeWith({ term: 1 });
    node.node.step(message(MessageType.MsgApp, { term: 1, entries: [entry], commit: 1 }));

    const early = node.node.campaign();
    node.settle();
    const later = node.node.campaign();

    expect(early).toBe('confChangePending');
    expect(later).toBe('ok');
    expect(node.settle().map((m) => m.to)).toEqual([2, 3, 4]);
  });

  test('the old and the new majority overlap: during the change two leaders in one term are impossible', () => {
    // Node 1 has applied the removal of 4; 3 and 4 have not heard of it.
    const network = Network.of(4);
    network.campaign(1);
    network.node(1).node.proposeConfChange(newConfChange({ type: 1, nodeId: 4 }));
    network.drop((m) => m.to === 4);
    network.settle();
    network.tick(1, [1]);
    network.heal();

    network.cut(3, 4);
    const won = [network.campaign(3), network.campaign(4)];

    expect(network.node(1).node.status().config.voters).toEqual([1, 2, 3]);
    expect(won).toEqual([false, false]);
  });

  test('a server uses the configuration for the votes it counts, and does not ask who the voters believe to be members', () => {
    // Node 4 believes in {1, 2, 3, 4}; the voters know of nobody but themselves.
    const candidate = nodeWith({ id: 4, voters: [1, 2, 3, 4] });
    const voter = nodeWith({ id: 2, voters: [1, 2, 3] });
    candidate.node.campaign();
    const [request] = candidate.settle().filter((m) => m.to === 2);

    const [answer] = voter.receive(request!);

    expect(answer).toMatchObject({ type: MsgVoteResp, to: 4, reject: false });
  });

  test('a server follows a leader that is not in its own configuration', () => {
    const node = nodeWith({ voters: [1, 2, 3] });

    node.receive(message(MessageType.MsgApp, { from: 9, term: 3 }));

    expect(node.lead).toBe(9);
    expect(node.term).toBe(3);
  });
});
