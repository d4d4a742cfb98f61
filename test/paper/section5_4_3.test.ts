import { describe, expect, test } from '@jest/globals';
import { StateType, type NodeId } from '../../src/core/types.js';
import { nodeWith, texts } from '../support/builders.js';
import { Network } from '../support/network.js';

/** All ways to choose `count` of `ids`. */
function subsets(ids: readonly NodeId[], count: number): NodeId[][] {
  if (count === 0) return [[]];
  return ids.flatMap((id, i) => subsets(ids.slice(i + 1), count - 1).map((rest) => [id, ...rest]));
}

/** Five servers; node 1 leads term 1 and has committed an entry with the help of `quorum` alone. */
function committedOn(quorum: readonly NodeId[]): Network {
  const network = Network.of(5);
  network.campaign(1);
  network.cut(1, ...quorum);
  network.propose(1, 'precious');
  network.heal();
  return network;
}

describe('Raft §5.4.3, safety argument', () => {
  test.each(subsets([2, 3, 4, 5], 2).map((quorum) => ({ quorum })))(
    'one voter of every later election has the committed entry: stored by 1 and $quorum',
    ({ quorum }) => {
      for (const candidate of [2, 3, 4, 5]) {
        const network = committedOn(quorum);
        network.isolate(1);

        const won = network.campaign(candidate);

        expect(won).toBe(quorum.includes(candidate));
      }
    },
  );

  test('the entry is in the log of every leader of every later term', () => {
    const network = committedOn([2, 3]);
    const entry = { term: 1, index: 2 };

    for (let crash = 0; crash < 8; crash++) {
      const crashed = network.leader.id;
      network.isolate(crashed);
      for (const id of network.ids) if (id !== crashed && network.campaign(id)) break;
      const { leader } = network;
      network.propose(leader.id, `after ${crash}`);
      network.heal();
      network.tick(1, [leader.id]);

      expect(leader.id).not.toBe(crashed);
      expect(leader.log[entry.index - 1]).toMatchObject(entry);
      expect(texts(leader.applied).slice(0, 2)).toEqual(['precious', 'after 0']);
    }
    expect(network.leader.term).toBeGreaterThan(7);
  });

  test('no server ever applies another entry at the index of one that was applied', () => {
    const network = committedOn([4, 5]);
    network.isolate(1);
    network.propose(1, 'lost');
    network.campaign(4);
    network.propose(4, 'kept');

    network.heal();
    network.tick(2, [4]);

    expect(network.nodes.map((node) => texts(node.applied))).toEqual(network.nodes.map(() => ['precious', 'kept']));
  });

  test('servers apply in the order of the log, so all apply the same commands in the same order', () => {
    const network = Network.of(3);
    for (const id of [1, 2, 3, 1]) {
      network.campaign(id);
      network.propose(id, `a${id}`);
      network.propose(id, `b${id}`);
    }

    network.tick(2, [network.leader.id]);

    const expected = ['a1', 'b1', 'a2', 'b2', 'a3', 'b3', 'a1', 'b1'];
    expect(network.nodes.map((node) => texts(node.applied))).toEqual([expected, expected, expected]);
  });

  test('a single server that restarts has every committed entry when it leads again', () => {
    const network = new Network([nodeWith({ voters: [1] })]);
    network.campaign(1);
    network.propose(1, 'precious');

    network.restart(1);
    network.campaign(1);

    expect(network.node(1).state).toBe(StateType.Leader);
    expect(texts(network.node(1).applied)).toEqual(['precious']);
  });
});
