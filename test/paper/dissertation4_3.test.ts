import { describe, expect, test } from '@jest/globals';
import { ConfChangeTransition, newConfChangeV2, parseConfChanges, type ConfChangeV2 } from '../../src/core/raftpb/confChange.js';
import { isConfChangeEntry } from '../../src/core/raftpb/entry.js';
import { newConfState, type ConfState } from '../../src/core/raftpb/state.js';
import { ack, ackAll, bytes, leaderWith, nodeWith, texts } from '../support/builders.js';
import { Network } from '../support/network.js';

const { Auto, JointExplicit, JointImplicit } = ConfChangeTransition;

function change(text: string, transition: ConfChangeTransition = Auto): ConfChangeV2 {
  return newConfChangeV2({ transition, changes: parseConfChanges(text) });
}

/** The members 1, 2 and 3, led by 1, and the nodes up to `size` that are about to join. */
function groupOf3(size: number): Network {
  const ids = Array.from({ length: size }, (_, i) => i + 1);
  const network = new Network(ids.map((id) => nodeWith({ id, voters: [1, 2, 3] })));
  network.campaign(1);
  return network;
}

function configs(network: Network): ConfState[] {
  return network.nodes.map((node) => node.node.status().config);
}

describe('Raft dissertation §4.3, arbitrary changes by joint consensus', () => {
  test.each([
    { text: 'v4 v5', after: { voters: [1, 2, 3, 4, 5] }, why: 'two are added' },
    { text: 'r2 v4', after: { voters: [1, 3, 4] }, why: 'one is replaced' },
    { text: 'r1 r2 r3 v4 v5', after: { voters: [4, 5] }, why: 'all are replaced' },
    { text: 'v4 l5', after: { voters: [1, 2, 3, 4], learners: [5] }, why: 'a voter and a learner' },
    { text: 'l3 v4', after: { voters: [1, 2, 4], learners: [3] }, why: 'a voter is demoted while another comes' },
  ])('a group may be changed to any other in one step: $text, $why', ({ text, after }) => {
    const network = groupOf3(5);

    network.node(1).node.proposeConfChange(change(text, JointImplicit));
    network.settle();
    network.tick(3, [1]);

    const members = [...after.voters, ...(after.learners ?? [])];
    const expected = newConfState(after);
    expect(members.map((id) => network.node(id).node.status().config)).toEqual(members.map(() => expected));
  });

  test('several changes go through a joint configuration without being asked to', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);

    leader.node.proposeConfChange(change('v4 v5'));
    leader.settle();
    ackAll(leader, 2);

    expect(leader.node.status().config).toEqual(newConfState({ voters: [1, 2, 3, 4, 5], votersOutgoing: [1, 2, 3], autoLeave: true }));
  });

  test('a single change can go through one too', () => {
    const network = groupOf3(4);

    network.node(1).node.proposeConfChange(change('v4', JointExplicit));
    network.settle();
    network.tick(2, [1]);

    expect(configs(network)).toEqual(configs(network).map(() => newConfState({ voters: [1, 2, 3, 4], votersOutgoing: [1, 2, 3] })));
  });

  test('a joint configuration that was asked for explicitly lasts until it is left by a change of its own', () => {
    const network = groupOf3(4);
    network.node(1).node.proposeConfChange(change('v4 r3', JointExplicit));
    network.settle();
    network.tick(20, [1]);
    const during = network.node(1).node.status().config;

    network.node(1).node.proposeConfChange(change(''));
    network.settle();
    network.tick(2, [1]);

    expect(during).toEqual(newConfState({ voters: [1, 2, 4], votersOutgoing: [1, 2, 3] }));
    expect([1, 2, 4].map((id) => network.node(id).node.status().config)).toEqual([1, 2, 4].map(() => newConfState({ voters: [1, 2, 4] })));
  });

  test.each([
    { text: 'v4', transition: Auto, why: 'a single change' },
    { text: 'v4 v5', transition: JointImplicit, why: 'another joint one' },
  ])('D1: while it is joint, no other change is accepted: $why', ({ text, transition }) => {
    const confState = newConfState({ voters: [1, 2, 3], votersOutgoing: [1, 2] });
    const leader = leaderWith({ confState });
    ackAll(leader, 2, 3);

    const propose = () => leader.node.proposeConfChange(change(text, transition));

    expect(propose).toThrow(expect.objectContaining({ reason: 'joint' }));
    expect(leader.lastIndex).toBe(1);
  });

  test('a demoted voter stays a voter of the old half until the joint configuration is left', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);
    leader.node.proposeConfChange(change('l3 v4', JointExplicit));
    leader.settle();
    ackAll(leader, 2);
    const during = leader.node.status().config;

    leader.node.proposeConfChange(change(''));
    leader.settle();
    ackAll(leader, 2, 4);

    expect(during).toEqual(newConfState({ voters: [1, 2, 4], votersOutgoing: [1, 2, 3], learnersNext: [3] }));
    expect(leader.node.status().config).toEqual(newConfState({ voters: [1, 2, 4], learners: [3] }));
  });

  test('the exit needs both majorities as well', () => {
    const leader = leaderWith({ confState: newConfState({ voters: [1, 4, 5], votersOutgoing: [1, 2, 3] }) });
    ackAll(leader, 2, 4);
    leader.node.proposeConfChange(change(''));
    leader.settle();

    ackAll(leader, 4, 5);
    const newHalf = leader.node.status().config.votersOutgoing;
    ackAll(leader, 2);

    expect(newHalf).toEqual([1, 2, 3]);
    expect(leader.node.status().config).toEqual(newConfState({ voters: [1, 4, 5] }));
  });

  test('the leader leaves once, however many entries are applied meanwhile', () => {
    // Without validation nothing else would refuse a second exit.
    const leader = leaderWith({ disableConfChangeValidation: true });
    ackAll(leader, 2, 3);
    leader.node.proposeConfChange(change('v4 v5'));
    leader.node.propose(bytes('x'));
    leader.settle();
    leader.receive(ack(2, 1, 2));

    leader.receive(ack(2, 1, 3), ack(3, 1, 3));
    const applied = texts(leader.applied);
    ackAll(leader, 2, 3);

    expect(applied).toEqual(['x']);
    expect(leader.log.filter(isConfChangeEntry).map((entry) => entry.index)).toEqual([2, 4]);
    expect(leader.node.status().config).toEqual(newConfState({ voters: [1, 2, 3, 4, 5] }));
    expect(leader.node.basicStatus().ignoredConfChanges).toBe(0);
  });

  test('a removed server is part of decisions until the exit, and of none after it', () => {
    const leader = leaderWith({ confState: newConfState({ voters: [1, 4, 5], votersOutgoing: [1, 2, 3] }) });
    ackAll(leader, 2, 4);
    leader.node.proposeConfChange(change(''));
    leader.settle();
    ackAll(leader, 2, 4, 5);

    leader.node.propose(bytes('x'));
    const receivers = new Set(leader.settle().map((m) => m.to));
    ackAll(leader, 5);

    expect(receivers).toEqual(new Set([4, 5]));
    expect(texts(leader.applied)).toEqual(['x']);
  });

  test('a restart in the middle of a change comes back in the middle of it', () => {
    const network = groupOf3(4);
    network.node(1).node.proposeConfChange(change('v4 r2', JointExplicit));
    network.settle();
    network.tick(2, [1]);
    const before = configs(network);
    network.node(1).compact();

    for (const id of network.ids) network.restart(id);

    expect(before[0]).toEqual(newConfState({ voters: [1, 3, 4], votersOutgoing: [1, 2, 3] }));
    expect(configs(network)).toEqual(before);
  });
});
