import { describe, expect, test } from '@jest/globals';
import { ConfChangeTransition, newConfChangeV2, parseConfChanges } from '../../src/core/raftpb/confChange.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { StateType, type NodeId } from '../../src/core/types.js';
import { ack, ackAll, bytes, candidateWith, followerWith, leaderWith, message, nodeWith, ofType, texts } from '../support/builders.js';
import { Network } from '../support/network.js';

const { Candidate, Follower, Leader } = StateType;
const { MsgVote, MsgVoteResp } = MessageType;
const { JointExplicit, JointImplicit } = ConfChangeTransition;

/** In the middle of the change from {1, 2, 3} to {3, 4, 5}. */
const joint = newConfState({ voters: [3, 4, 5], votersOutgoing: [1, 2, 3] });

/** Nodes 1 to 5, of which 1, 2 and 3 are the members and 1 leads. */
function threeOfFive(): Network {
  const network = new Network([1, 2, 3, 4, 5].map((id) => nodeWith({ id, voters: [1, 2, 3] })));
  network.campaign(1);
  return network;
}

function change(network: Network, changes: string, transition: ConfChangeTransition = JointImplicit): void {
  network.leader.node.proposeConfChange(newConfChangeV2({ transition, changes: parseConfChanges(changes) }));
  network.settle();
  // Members that got the change with the last commit index need one more word to be caught up.
  network.tick(2, [network.leader.id]);
}

const toThreeFourFive = 'v4 v5 r1 r2';

describe('Raft §6, cluster membership changes', () => {
  test('the group first switches to a joint configuration of old and new', () => {
    const network = threeOfFive();

    change(network, toThreeFourFive, JointExplicit);

    expect(network.nodes.map((node) => node.node.status().config)).toEqual(network.nodes.map(() => joint));
  });

  test('while it is joint, entries go to all servers of both configurations', () => {
    const network = threeOfFive();
    change(network, toThreeFourFive, JointExplicit);

    network.propose(1, 'x');
    network.tick(2, [1]);

    expect(network.nodes.map((node) => texts(node.applied))).toEqual([['x'], ['x'], ['x'], ['x'], ['x']]);
  });

  test.each([
    { id: 2, why: 'of the old configuration alone' },
    { id: 3, why: 'of both' },
    { id: 5, why: 'of the new configuration alone' },
  ])('while it is joint, any server of either may lead: $id, $why', ({ id }) => {
    const network = threeOfFive();
    change(network, toThreeFourFive, JointExplicit);

    const won = network.campaign(id);

    expect(won).toBe(true);
    expect(network.propose(id, 'x')).not.toBeNull();
    expect(texts(network.node(id).applied)).toEqual(['x']);
  });

  describe('while it is joint, a commit needs separate majorities of both', () => {
    test.each([
      { acks: [2], committed: false, why: 'the old majority alone' },
      { acks: [4, 5], committed: false, why: 'the new majority alone' },
      { acks: [2, 4], committed: false, why: 'one of the new is not enough' },
      { acks: [3], committed: false, why: 'old majority with the shared one, one of the new' },
      { acks: [3, 4], committed: true, why: 'the shared one counts in both' },
      { acks: [2, 4, 5], committed: true, why: 'a majority of either' },
      { acks: [2, 3], committed: false, why: 'all of the old' },
    ])('leader 1, acknowledged by $acks: $why', ({ acks, committed }) => {
      const leader = leaderWith({ confState: joint });

      ackAll(leader, ...acks);

      expect(leader.commit).toBe(committed ? 1 : 0);
    });
  });

  describe('while it is joint, an election needs separate majorities of both', () => {
    test.each([
      { grants: [2, 3], rejects: [], state: Candidate, why: 'all of the old' },
      { grants: [2, 4, 5], rejects: [], state: Leader, why: 'a majority of either' },
      { grants: [3, 5], rejects: [], state: Leader, why: 'the shared one counts in both' },
      { grants: [2], rejects: [4, 5], state: Follower, why: 'the new majority refuses' },
      { grants: [4, 5], rejects: [2, 3], state: Follower, why: 'the old majority refuses' },
    ])('candidate 1, granted by $grants, refused by $rejects: $why', ({ grants, rejects, state }) => {
      const node = candidateWith({ confState: joint });

      for (const from of grants) node.receive(message(MsgVoteResp, { from, term: 1 }));
      for (const from of rejects) node.receive(message(MsgVoteResp, { from, term: 1, reject: true }));

      expect(node.state).toBe(state);
    });
  });

  test('a candidate asks the servers of both configurations', () => {
    const node = nodeWith({ confState: joint });
    node.node.campaign();

    const asked = ofType(node.settle(), MsgVote).map((m) => m.to);

    expect(asked).toEqual([2, 3, 4, 5]);
  });

  test('the group stays available all along: commands are committed before, during and after the change', () => {
    const network = threeOfFive();

    network.propose(1, 'before');
    change(network, 'v4', JointExplicit);
    network.propose(1, 'during');
    change(network, '', ConfChangeTransition.Auto);
    network.propose(1, 'after');
    network.tick(2, [1]);

    for (const id of [1, 2, 3, 4]) expect(texts(network.node(id).applied)).toEqual(['before', 'during', 'after']);
  });

  test('once the joint configuration is committed, the leader moves on to the new one by itself', () => {
    const network = threeOfFive();

    change(network, 'v4 v5', JointImplicit);

    const target = newConfState({ voters: [1, 2, 3, 4, 5] });
    expect(network.nodes.map((node) => node.node.status().config)).toEqual(network.nodes.map(() => target));
  });

  test('the new configuration is not proposed before the joint one is committed', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);

    leader.node.proposeConfChange(newConfChangeV2({ changes: parseConfChanges('v4 v5') }));
    leader.settle();
    const waiting = leader.lastIndex;
    ackAll(leader, 2);

    expect(waiting).toBe(2);
    // Committed and applied: the leader appends the exit.
    expect(leader.node.status().config.votersOutgoing).toEqual([1, 2, 3]);
    expect(leader.lastIndex).toBe(3);
  });

  test.each([
    { leader: 1, other: 2, why: 'a majority of the old' },
    { leader: 4, other: 5, why: 'a majority of the new' },
  ])('at no point can one of both decide alone: $why', ({ leader, other }) => {
    const network = threeOfFive();
    change(network, toThreeFourFive, JointExplicit);
    network.campaign(leader);
    network.cut(leader, other);
    const before = network.node(leader).commit;

    network.propose(leader, 'x');
    const won = network.campaign(other);

    expect(network.node(leader).commit).toBe(before);
    expect(won).toBe(false);
  });

  test('a leader elected in the middle of a change carries it to its end', () => {
    const network = threeOfFive();
    // The change reaches 2 and 3 and is committed; what comes after it is lost with the leader.
    network.drop((m) => m.from === 1 && m.entries.some((entry) => entry.index > 2));
    network.leader.node.proposeConfChange(newConfChangeV2({ changes: parseConfChanges('v4 v5') }));
    network.settle();
    network.tick(2, [1]);
    network.isolate(1);
    network.campaign(2);
    network.heal();

    network.tick(3, [2]);

    expect(network.leader.id).toBe(2);
    expect(network.nodes.map((node) => node.node.status().config.voters)).toEqual(network.nodes.map(() => [1, 2, 3, 4, 5]));
    expect(network.nodes.map((node) => node.node.status().config.votersOutgoing)).toEqual(network.nodes.map(() => []));
  });

  describe('new servers first join as non-voting members', () => {
    test('O8: they get the log', () => {
      const network = threeOfFive();
      network.propose(1, 'x');

      change(network, 'l4', ConfChangeTransition.Auto);

      expect(texts(network.node(4).applied)).toEqual(['x']);
    });

    test.each([
      { acks: [4, 5], commit: 0, why: 'learners are not counted' },
      { acks: [2, 4], commit: 1, why: 'the majority of the voters' },
    ])('O8: they do not count for majorities: acknowledged by $acks, $why', ({ acks, commit }) => {
      const leader = leaderWith({ learners: [4, 5] });

      ackAll(leader, ...acks);

      expect(leader.commit).toBe(commit);
    });

    test('O8: they do not campaign', () => {
      const node = nodeWith({ id: 4, learners: [4] });

      const sent = node.tick(100);

      expect(sent).toEqual([]);
      expect(node.term).toBe(0);
    });

    test('O8: once caught up they are made voters', () => {
      const network = threeOfFive();
      change(network, 'l4', ConfChangeTransition.Auto);

      change(network, 'v4', ConfChangeTransition.Auto);

      expect(network.node(4).node.status().config).toEqual(newConfState({ voters: [1, 2, 3, 4] }));
      expect(network.campaign(4)).toBe(true);
    });
  });

  describe('the leader may not be part of the new configuration', () => {
    test('it does not count itself in the majority for it', () => {
      const leader = leaderWith({ confState: newConfState({ voters: [2, 3], votersOutgoing: [1, 2, 3] }) });

      ackAll(leader, 2);
      const withOne = leader.commit;
      ackAll(leader, 3);

      expect(withOne).toBe(0);
      expect(leader.commit).toBe(1);
    });

    test('it steps down once it has applied the new configuration, with stepDownOnRemoval', () => {
      const voters: readonly NodeId[] = [1, 2, 3];
      const network = new Network(voters.map((id) => nodeWith({ id, voters, stepDownOnRemoval: true })));
      network.campaign(1);

      network.node(1).node.proposeConfChange(newConfChangeV2({ changes: parseConfChanges('r1') }));
      network.settle();

      expect(network.node(1).state).toBe(Follower);
      expect(network.node(1).node.status().config.voters).toEqual([2, 3]);
    });

    test('without it, it goes on to serve the others until they have the change, and takes no new commands', () => {
      const network = new Network([1, 2, 3].map((id) => nodeWith({ id, voters: [1, 2, 3] })));
      network.campaign(1);

      change(network, 'r1', ConfChangeTransition.Auto);

      expect(network.node(1).state).toBe(Leader);
      expect(network.nodes.map((node) => node.node.status().config.voters)).toEqual([
        [2, 3],
        [2, 3],
        [2, 3],
      ]);
      expect(() => network.node(1).node.propose(bytes('x'))).toThrow(expect.objectContaining({ reason: 'notVoter' }));
    });
  });

  describe('removed servers cannot disrupt the group', () => {
    test.each([
      { elapsed: 0, term: 1, why: 'a leader was heard just now' },
      { elapsed: 9, term: 1, why: 'less than the minimum election timeout ago' },
      { elapsed: 10, term: 7, why: 'an election timeout of silence: the request counts' },
    ])('V11: a vote request is ignored while a leader is believed to exist: $elapsed ticks, $why', ({ elapsed, term }) => {
      // The longest randomized timeout: the base timeout is what counts.
      const node = followerWith({ term: 1, checkQuorum: true, random: () => 9 });
      node.tick(elapsed);

      const answers = node.receive(message(MsgVote, { from: 3, term: 7, index: 9, logTerm: 6 }));

      expect(node.term).toBe(term);
      expect(answers.length).toBe(term === 1 ? 0 : 1);
    });

    test('a removed server that times out again and again does not end the term of the leader', () => {
      const network = Network.of(4, { checkQuorum: true });
      network.tick(10, [1]);
      network.drop((m) => m.to === 4);
      change(network, 'r4', ConfChangeTransition.Auto);
      network.heal();

      network.tick(100);

      expect(network.node(4).term).toBeGreaterThan(5);
      expect(network.leader.id).not.toBe(4);
      expect([1, 2, 3].map((id) => network.node(id).term)).toEqual([1, 1, 1]);
    });
  });

  test('a change takes effect on each server when that server applies it', () => {
    // The paper switches when the entry is appended; this library, like etcd's raft, when it is applied.
    const leader = leaderWith();
    ackAll(leader, 2, 3);

    leader.node.proposeConfChange(newConfChangeV2({ changes: parseConfChanges('v4') }));
    leader.settle();
    const appended = leader.node.status().config.voters;
    leader.receive(ack(2, 1, 2));

    expect(appended).toEqual([1, 2, 3]);
    expect(leader.node.status().config.voters).toEqual([1, 2, 3, 4]);
  });
});
