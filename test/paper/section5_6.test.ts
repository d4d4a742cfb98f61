import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { StateType } from '../../src/core/types.js';
import { nodeWith } from '../support/builders.js';
import { Network } from '../support/network.js';
import { announceSeed, seededRandom } from '../support/seededRandom.js';

const { MsgHeartbeat, MsgVote } = MessageType;

describe('Raft §5.6, timing and availability', () => {
  test('heartbeats that come well within the election timeout keep a leader for ever', () => {
    const network = Network.of(5, { heartbeatTick: 1, electionTick: 10 });
    network.campaign(1);
    network.sent = [];

    network.tick(500);

    expect(network.leader.id).toBe(1);
    expect(network.leader.term).toBe(1);
    expect(network.sent.filter((m) => m.type === MsgVote)).toEqual([]);
  });

  test.each([
    { lost: 8, elections: 0, why: 'fewer than an election timeout are lost' },
    { lost: 10, elections: 1, why: 'an election timeout passes in silence' },
  ])('$lost lost heartbeats in a row make for $elections elections: $why', ({ lost, elections }) => {
    const network = Network.of(3, { electionTick: 10 });
    network.campaign(1);
    network.tick(1, [1]);
    network.drop((m) => m.type === MsgHeartbeat);

    network.tick(lost);
    network.heal();
    network.tick(1, [1]);

    expect(network.nodes.some((node) => node.term > 1)).toBe(elections > 0);
  });

  test('while the leader is down the group is unavailable for about an election timeout, and no longer', () => {
    const voters = [1, 2, 3, 4, 5];
    const network = new Network(voters.map((id) => nodeWith({ id, voters, electionTick: 10, random: () => 2 * (id - 1) })));
    network.campaign(1);
    network.isolate(1);

    network.tick(12, [2, 3, 4, 5]);

    expect(network.leader.id).toBe(2);
    expect(network.propose(2, 'available')).toEqual({ term: 2, index: 3 });
    expect(network.node(2).commit).toBe(3);
  });

  test('randomized timeouts resolve split votes: a leader is found in every run, within a few timeouts', () => {
    const seed = announceSeed('paper/section5_6');
    const random = seededRandom(seed);
    const voters = [1, 2, 3, 4, 5];

    for (let run = 0; run < 20; run++) {
      const network = new Network(voters.map((id) => nodeWith({ id, voters, electionTick: 10, random })));
      let ticks = 0;
      while (network.nodes.every((node) => node.state !== StateType.Leader)) {
        network.tick();
        if (++ticks > 1000) throw new Error('no leader in 1000 ticks');
      }

      expect(ticks).toBeGreaterThanOrEqual(10);
      expect(network.nodes.filter((node) => node.state === StateType.Leader).length).toBe(1);
    }
  });

  test('safety does not depend on time: however the clocks run, a term has one leader', () => {
    const network = Network.of(3);
    const leaders = new Map<number, Set<unknown>>();
    const note = () => {
      for (const node of network.nodes) {
        if (node.state === StateType.Leader) leaders.set(node.term, (leaders.get(node.term) ?? new Set()).add(node.id));
      }
    };

    // Node 1 runs fast, node 2 slowly, node 3 stands still now and then.
    for (let i = 0; i < 60; i++) {
      network.tick(7, [1]);
      note();
      if (i % 3 === 0) network.tick(11, [2]);
      note();
      if (i % 7 === 0) network.tick(20, [3]);
      note();
    }

    expect(leaders.size).toBeGreaterThan(1);
    expect([...leaders.values()].map((ids) => ids.size)).toEqual([...leaders].map(() => 1));
  });
});
