import { describe, expect, test } from '@jest/globals';
import { EntryType } from '../../src/core/raftpb/entry.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { StateType } from '../../src/core/types.js';
import { bytes, candidateWith, followerWith, nodeWith, ofType, request, texts } from '../support/builders.js';
import { Network } from '../support/network.js';
import type { TestNode } from '../support/testNode.js';

const { MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgProp, MsgReadIndex } = MessageType;

const answered = (node: TestNode) => node.reads.map((read) => [new TextDecoder().decode(read.requestContext), read.index]);

function read(network: Network, id: number, context: string): string {
  const result = network.node(id).node.readIndex(bytes(context));
  network.settle();
  return result;
}

describe('Raft §8, client interaction', () => {
  test('a server that is not the leader knows who is, so that the client can be told', () => {
    const network = Network.of(3);

    network.campaign(2);

    expect(network.nodes.map((node) => node.lead)).toEqual([2, 2, 2]);
  });

  test('a request to another server reaches the leader', () => {
    const network = Network.of(3);
    network.campaign(1);

    const place = network.propose(3, 'x');
    network.tick(1, [1]);

    expect(place).toBeNull();
    expect(ofType(network.sent, MsgProp).map((m) => [m.from, m.to])).toEqual([[3, 1]]);
    expect(network.nodes.map((node) => texts(node.applied))).toEqual([['x'], ['x'], ['x']]);
  });

  test.each([
    { role: 'a candidate', make: () => candidateWith(), reason: 'noLeader' },
    { role: 'a follower that knows no leader', make: () => nodeWith(), reason: 'noLeader' },
    { role: 'a follower that must not forward', make: () => followerWith({ disableProposalForwarding: true }), reason: 'forwardingDisabled' },
  ])('D12: $role rejects a request and says why', ({ make, reason }) => {
    const node = make();

    const propose = () => node.node.propose(bytes('x'));

    expect(propose).toThrow(expect.objectContaining({ code: 'ERR_RAFT_PROPOSAL_DROPPED', reason }));
    expect(node.settle()).toEqual([]);
  });

  test('V15: a request whose leader crashes is not repeated by the library: the client retries', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.isolate(1);
    network.propose(3, 'lost with the leader');

    network.campaign(2);
    network.heal();
    network.tick(20, [2]);

    expect(network.nodes.flatMap((node) => texts(node.applied))).toEqual([]);
  });

  test('a leader commits an empty entry at the start of its term, to learn what is committed', () => {
    const network = Network.of(3, { log: [1, 1], term: 1 });

    network.campaign(1);

    const node = network.node(1);
    expect(node.log[2]).toMatchObject({ term: 2, index: 3, type: EntryType.EntryNormal, data: new Uint8Array(0) });
    expect(node.commit).toBe(3);
  });

  describe('D2: no read is answered before that entry is committed', () => {
    test('in a group of three', () => {
      const network = Network.of(3);
      network.drop((m) => m.type === MsgAppResp);
      network.campaign(1);

      const result = read(network, 1, 'r');
      const early = answered(network.node(1));
      network.heal();
      network.tick(2, [1]);

      expect(result).toBe('ok');
      expect(early).toEqual([]);
      expect(answered(network.node(1))).toEqual([['r', 1]]);
    });

    test('in a group of one', () => {
      const node = nodeWith({ voters: [1], log: [1, 1, 1], commit: 1 });
      node.node.campaign();
      // The vote is counted, and the entry of the new term is not durable yet.
      node.handleReady();
      expect(node.state).toBe(StateType.Leader);

      node.node.readIndex(bytes('r'));
      const early = node.node.hasReady() && answered(node).length;
      node.settle();

      expect(early).toBe(0);
      // Everything that the node acknowledged before the crash counts, and not only what it knew to be committed.
      expect(answered(node)).toEqual([['r', 4]]);
    });
  });

  test('a read writes nothing into the log', () => {
    const network = Network.of(3);
    network.campaign(1);
    const before = network.node(1).lastIndex;

    read(network, 1, 'r');

    expect(answered(network.node(1))).toEqual([['r', 1]]);
    expect(network.nodes.map((node) => node.lastIndex)).toEqual([before, before, before]);
  });

  test('before it answers a read, the leader exchanges heartbeats with a majority', () => {
    const network = Network.of(5);
    network.campaign(1);
    network.hold((m) => m.type === MsgHeartbeatResp);
    network.sent = [];

    read(network, 1, 'r');
    const early = answered(network.node(1));
    network.drop((m) => m.from > 3);
    network.release();

    expect(ofType(network.sent, MsgHeartbeat).map((m) => m.to)).toEqual([2, 3, 4, 5]);
    expect(early).toEqual([]);
    expect(answered(network.node(1))).toEqual([['r', 1]]);
  });

  test('half of the group is not enough for a read', () => {
    const network = Network.of(4);
    network.campaign(1);
    network.cut(1, 2);

    read(network, 1, 'r');

    expect(answered(network.node(1))).toEqual([]);
  });

  test('a leader that was deposed without knowing answers no read', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.isolate(1);
    network.campaign(2);
    network.propose(2, 'newer');

    read(network, 1, 'stale?');
    const early = answered(network.node(1));
    network.heal();
    network.tick(2);

    expect(early).toEqual([]);
    expect(answered(network.node(1))).toEqual([]);
    // D6: it says so as soon as it knows.
    expect(network.node(1).abortedReads).toMatchObject([{ reason: 'leadershipLost' }]);
  });

  test('a read sees every command that was committed before it was asked', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.propose(1, 'a');
    network.propose(1, 'b');

    read(network, 1, 'r');

    expect(answered(network.node(1))).toEqual([['r', 3]]);
    expect(network.node(1).node.basicStatus().applied).toBeGreaterThanOrEqual(3);
  });

  test('a follower asks the leader for the index of a read and serves it itself', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.propose(1, 'a');

    read(network, 2, 'r');

    expect(ofType(network.sent, MsgReadIndex).map((m) => [m.from, m.to])).toEqual([[2, 1]]);
    expect(answered(network.node(2))).toEqual([['r', 2]]);
    expect(answered(network.node(1))).toEqual([]);
  });

  test('a read that is passed on twice is answered to the server that asked', () => {
    // Node 3 still believes that 2 leads; 2 follows 1.
    const follower = followerWith({ id: 2, lead: 1 });

    const sent = follower.receive(request(MsgReadIndex, 'r', { from: 3, to: 2 }));

    expect(sent).toMatchObject([{ type: MsgReadIndex, from: 3, to: 1, term: 0 }]);
  });

  test.each([
    { role: 'a candidate', make: () => candidateWith() },
    { role: 'a follower that knows no leader', make: () => nodeWith() },
  ])('D12: $role says that there is nobody to confirm a read', ({ make }) => {
    const node = make();

    expect(node.node.readIndex(bytes('r'))).toBe('noLeader');
  });
});
