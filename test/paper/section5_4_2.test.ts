import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { ack, ackAll, leaderWith, nodeWith } from '../support/builders.js';
import { Network } from '../support/network.js';

const { MsgApp } = MessageType;

/**
 * Figure 8 up to (c): S1 led term 2 and brought its entry to S2 alone; S5 led term 3 and brought its entry
 * to nobody; S1 leads again, in term 4, and has brought the entry of term 2 to S3. What S1 appended in
 * term 4 has reached nobody.
 */
function figure8c(): Network {
  const voters = [1, 2, 3, 4, 5];
  const logs = [[1, 2], [1, 2], [1], [1], [1, 3]];
  const network = new Network(voters.map((id, i) => nodeWith({ id, voters, log: logs[i]!, term: 3, commit: 1, maxSizePerMsg: 0 })));
  network.isolate(5);
  // One entry per message (limit 0), so that S3 can get the entry of term 2 and not that of term 4.
  network.drop((m) => m.type === MsgApp && (m.to !== 3 || network.node(3).lastIndex === 2));
  network.campaign(1);
  return network;
}

describe('Raft §5.4.2, committing entries from previous terms', () => {
  describe('only entries of the own term are committed by counting', () => {
    test.each([
      { acked: 1, commit: 0, why: 'term 1 on a majority, not ours to commit' },
      { acked: 2, commit: 0, why: 'term 2 on a majority, Figure 8(c)' },
      { acked: 3, commit: 3, why: 'our own entry of term 3, which commits all before it' },
    ])('a majority holds up to $acked: $why', ({ acked, commit }) => {
      const leader = leaderWith({ log: [1, 2], term: 3 });

      leader.receive(ack(2, 3, acked));

      expect(leader.commit).toBe(commit);
    });
  });

  test('Figure 8(c): an entry of term 2 on three of five servers is not committed in term 4', () => {
    const network = figure8c();

    const holders = network.nodes.filter((node) => node.logTerms[1] === 2);

    expect(network.leader.id).toBe(1);
    expect(network.leader.term).toBe(4);
    expect(holders.map((node) => node.id)).toEqual([1, 2, 3]);
    expect(network.node(1).node.status().progress.get(3)?.match).toBe(2);
    expect(network.nodes.map((node) => node.commit)).toEqual([1, 1, 1, 1, 1]);
  });

  test('Figure 8(d): if S1 crashes now, S5 may win and overwrite the entry of term 2 everywhere', () => {
    const network = figure8c();
    network.heal();
    network.isolate(1);

    const refused = network.campaign(5);
    const won = network.campaign(5);
    network.heal();
    network.tick(2, [5]);

    // The first attempt in term 4 fails on the votes for S1; the next term is S5's.
    expect(refused).toBe(false);
    expect(won).toBe(true);
    expect(network.nodes.map((node) => node.logTerms)).toEqual(network.nodes.map(() => [1, 3, 5]));
  });

  test('Figure 8(e): once an entry of term 4 is on a majority, S5 can no longer win, and term 2 is committed with it', () => {
    const network = figure8c();
    network.heal();
    network.cut(4, 5);
    network.tick(2, [1]);

    const attempts = [1, 2, 3, 4].map(() => {
      network.heal();
      network.isolate(1);
      return network.campaign(5);
    });

    expect(network.node(1).commit).toBe(3);
    expect(attempts).toEqual([false, false, false, false]);
    expect(network.node(1).applied.map((entry) => entry.term)).toEqual([1, 2, 4]);
  });

  test('entries of earlier leaders keep their original terms when a new leader replicates them', () => {
    const voters = [1, 2, 3];
    const network = new Network([
      nodeWith({ id: 1, voters, log: [1, 1, 2, 4], term: 4 }),
      nodeWith({ id: 2, voters, log: [1], term: 4 }),
      nodeWith({ id: 3, voters, term: 4 }),
    ]);

    network.campaign(1);

    expect(network.node(2).logTerms).toEqual([1, 1, 2, 4, 5]);
    expect(network.node(3).logTerms).toEqual([1, 1, 2, 4, 5]);
  });

  test('a leader without an entry of its own term on a majority commits nothing, however often it is acknowledged', () => {
    const leader = leaderWith({ log: [1, 1], term: 2, voters: [1, 2, 3, 4, 5] });

    leader.receive(...[2, 3, 4, 5].map((from) => ack(from, 2, 2)));
    const before = leader.commit;
    ackAll(leader, 2, 3);

    expect(before).toBe(0);
    expect(leader.commit).toBe(3);
  });
});
