import { describe, expect, test } from '@jest/globals';
import { ConfChangeType, newConfChangeV2 } from '../../../src/core/raftpb/confChange.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { StateType, type NodeId } from '../../../src/core/types.js';
import { nodeWith, storageWith, texts } from '../../support/builders.js';
import { Network } from '../../support/network.js';
import { wipedNode } from '../../support/reversions.js';

/** A node stops, its data is removed, and it starts again: the operator's sequence, without the permission. */
function wipe(network: Network, id: NodeId): void {
  network.add(wipedNode(id, network.ids));
}

describe('O12: a whole group with a node whose disk was wiped', () => {
  function group(): Network {
    const network = Network.of(3);
    network.campaign(1);
    network.propose(1, 'a');
    network.tick(1);
    return network;
  }

  test.each([
    { busy: false, why: 'an idle group notices by its heartbeats' },
    { busy: true, why: 'a busy one by its entries' },
  ])('$why', ({ busy }) => {
    const network = group();
    wipe(network, 3);
    for (let i = 0; i < 3; i++) {
      if (busy) network.propose(1, 'more');
      network.tick(1, [1]);
    }

    expect(network.node(1).node.status().progress.get(3)).toMatchObject({ quarantined: true });
    expect(network.node(3).node.status().lostUpTo).toBeGreaterThan(0);
    expect(network.node(1).state).toBe(StateType.Leader);
    expect(network.node(1).commit).toBe(network.node(1).lastIndex);
    expect(network.node(2).commit).toBe(network.node(1).lastIndex);
    expect(network.node(3).log).toEqual([]);
  });

  test('O15: with permission it has everything again, within a few heartbeats', () => {
    const network = group();
    network.node(1).node.allowNextRevert(3, true);
    wipe(network, 3);
    network.tick(3, [1]);

    expect(texts(network.node(3).log)).toEqual(['a']);
    expect(network.node(1).node.status()).toMatchObject({ quarantines: 1 });
    expect(network.node(1).node.status().progress.get(3)).toMatchObject({ quarantined: false, match: network.node(1).lastIndex });
    expect(network.node(3).commit).toBe(network.node(1).commit);
    expect(network.node(3).node.campaign()).toBe(StepResult.Ok);
  });

  test('with permission after a compaction it gets a snapshot', () => {
    const network = group();
    network.node(1).node.allowNextRevert(3, true);
    network.node(1).compact();
    wipe(network, 3);
    network.tick(3, [1]);

    expect(network.node(3).restored).toHaveLength(1);
    expect(network.node(1).node.status().progress.get(3)).toMatchObject({ match: network.node(1).lastIndex });
  });

  test('the next leader replicates to it as to any new node, and then it votes again', () => {
    const network = group();
    wipe(network, 3);
    network.tick(3, [1]);
    expect(network.campaign(2)).toBe(true);
    network.tick(2, [2]);

    expect(texts(network.node(3).log)).toEqual(['a']);
    expect(network.node(3).node.status().lostUpTo).toBe(0);
  });

  test('it is out also while it becomes a learner and a voter again, through joint configurations', () => {
    const network = group();
    wipe(network, 3);
    network.tick(3, [1]);
    for (const type of [ConfChangeType.ConfChangeAddLearnerNode, ConfChangeType.ConfChangeAddNode]) {
      network.node(1).node.proposeConfChange(newConfChangeV2({ transition: 1, changes: [{ type, nodeId: 3 }] }));
      network.settle();
      expect(network.node(1).node.status().progress.get(3)).toMatchObject({ quarantined: true, isLearner: type === ConfChangeType.ConfChangeAddLearnerNode });
    }
  });

  test('a backup of the same term, and one from an earlier term that is as long as the log', () => {
    const network = group();
    const backup = nodeWith({ id: 3, storage: storageWith(newConfState({ voters: [1, 2, 3] }), [1]), term: 1 });
    network.add(backup);
    network.propose(1, 'b');
    network.tick(3, [1]);
    expect(network.node(1).node.status().progress.get(3)).toMatchObject({ quarantined: true });

    const other = group();
    other.campaign(2);
    other.tick(1);
    // Node 3 was alone with this tail once, and a later leader has replaced it.
    other.add(nodeWith({ id: 3, log: [1, 1, 1, 1], term: 1 }));
    other.propose(2, 'b');
    other.tick(3, [2]);
    expect(other.node(2).node.status().progress.get(3)).toMatchObject({ quarantined: true });
    expect(other.node(3).commit).toBe(0);
  });
});

describe('O15: five nodes, an entry on 1 to 3, 3 is wiped, 1 dies, 5 asks for votes', () => {
  /** The moment when node 1 dies: it has heard of the wipe, and no entry has reached node 3 since. */
  function group(permit: boolean): Network {
    const network = Network.of(5);
    network.campaign(1);
    network.tick(1);
    network.cut(4, 5);
    // Only the leader knows that the entry is committed.
    network.drop((m) => m.from === 1 && m.commit > 1);
    network.propose(1, 'precious');
    expect(network.node(1).commit).toBe(2);
    network.heal();
    network.cut(4, 5);
    network.drop((m) => (m.to === 3 && m.entries.length > 0) || m.to === 2);

    if (permit) network.node(1).node.allowNextRevert(3, true);
    wipe(network, 3);
    network.tick(3, [1]);
    expect(network.node(1).node.status()).toMatchObject({ quarantines: 1 });
    expect(network.node(1).node.status().progress.get(3)).toMatchObject({ quarantined: !permit });
    return network;
  }

  function withoutNode1(network: Network): void {
    network.heal();
    network.isolate(1);
  }

  test('the quarantine prevents the loss: 3 does not vote for 5, and 2 wins without it', () => {
    const network = group(false);
    withoutNode1(network);

    expect(network.campaign(5)).toBe(false);
    expect(network.campaign(2)).toBe(true);
    network.tick(2, [2]);
    for (const id of [2, 3, 4, 5]) expect(texts(network.node(id).log)).toEqual(['precious']);
  });

  test('also if 3 is started once more, as long as the leader has had time to remind it', () => {
    const network = group(false);
    wipe(network, 3);
    network.tick(1, [1]);
    withoutNode1(network);

    expect(network.campaign(5)).toBe(false);
    expect(network.campaign(2)).toBe(true);
  });

  test('nothing prevents it if 3 is started once more without having heard a leader', () => {
    const network = group(false);
    withoutNode1(network);
    wipe(network, 3);

    expect(network.campaign(5)).toBe(true);
  });

  test('the permission does not prevent it: 3 votes, 5 leads, and what was committed is gone', () => {
    const network = group(true);
    withoutNode1(network);

    expect(network.campaign(5)).toBe(true);
    network.tick(2, [5]);
    for (const id of [2, 3, 4, 5]) expect(texts(network.node(id).log)).toEqual([]);
    expect(network.node(5).commit).toBe(2);
    expect(texts(network.node(1).log)).toEqual(['precious']);
    expect(network.node(1).commit).toBe(2);
  });

  test('if the entry reaches 3 again before 1 dies, the permission did no harm', () => {
    const network = group(true);
    network.heal();
    network.cut(4, 5);
    network.tick(3, [1]);
    withoutNode1(network);

    expect(network.campaign(5)).toBe(false);
    expect(network.campaign(3)).toBe(true);
  });
});
