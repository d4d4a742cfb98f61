import { describe, expect, test } from '@jest/globals';
import { ConfChangeTransition, newConfChange, newConfChangeV2, parseConfChanges, type ConfChangeV2 } from '../../../src/core/raftpb/confChange.js';
import { encodeConfChange } from '../../../src/core/raftpb/confChangeWire.js';
import { EntryType, newEntry, type Entry } from '../../../src/core/raftpb/entry.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { newConfState, type ConfState } from '../../../src/core/raftpb/state.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { MemoryStorage } from '../../../src/core/storage/memoryStorage.js';
import { emptyBytes, StateType, type NodeId } from '../../../src/core/types.js';
import { ack, ackAll, bytes, followerWith, leaderWith, message, nodeWith, ofType, type NodeFields } from '../../support/builders.js';
import { Network } from '../../support/network.js';
import { RawGroup } from '../../support/rawGroup.js';
import type { TestNode } from '../../support/testNode.js';

const { MsgApp, MsgSnap } = MessageType;
const { Auto, JointExplicit, JointImplicit } = ConfChangeTransition;

function v2(text: string, transition: ConfChangeTransition = Auto): ConfChangeV2 {
  return newConfChangeV2({ changes: parseConfChanges(text), transition });
}

function changeEntry(change: ConfChangeV2, index: number, term = 1): Entry {
  return newEntry(EntryType.EntryConfChangeV2, encodeConfChange(change), term, index);
}

/** A leader that has committed the entry of its term. */
function readyLeader(fields: NodeFields = {}): TestNode {
  const leader = leaderWith(fields);
  for (const id of others(leader)) ackAll(leader, id);
  leader.settle();
  return leader;
}

function others(leader: TestNode): NodeId[] {
  const { voters, votersOutgoing } = leader.node.status().config;
  return [...new Set([...voters, ...votersOutgoing])].filter((id) => id !== leader.id);
}

describe('D8: a change that is invalid when it is applied has no effect, on every replica alike, and is counted', () => {
  const joint = newConfState({ voters: [1, 2], votersOutgoing: [1, 3] });
  const rows: { data: Uint8Array; confState?: ConfState; why: string }[] = [
    { data: encodeConfChange(v2('r1 r2 r3')), why: 'no voters would be left' },
    { data: encodeConfChange(v2('')), why: 'there is no joint configuration to leave' },
    { data: encodeConfChange(v2('v4')), confState: joint, why: 'a simple change of a joint configuration' },
    { data: encodeConfChange(v2('v4', JointExplicit)), confState: joint, why: 'the configuration is joint already' },
    { data: encodeConfChange(v2('', JointExplicit)), confState: joint, why: 'an empty change with an explicit transition' },
    { data: encodeConfChange({ ...v2('v4'), transition: 77 as ConfChangeTransition }), why: 'an unknown transition' },
    { data: bytes('no protobuf'), why: 'it does not decode' },
  ];

  test.each(rows)('$why', ({ data, confState = newConfState({ voters: [1, 2, 3] }) }) => {
    const entry = newEntry(EntryType.EntryConfChangeV2, data, 1, 1);
    for (const make of [() => followerWith({ confState }), () => nodeWith({ confState, id: 9 })]) {
      const node = make();
      const before = node.node.status().config;

      node.receive(message(MsgApp, { to: node.id, term: 1, entries: [entry], commit: 1 }));

      expect(node.applied).toEqual([entry]);
      expect(node.node.status()).toMatchObject({ config: before, ignoredConfChanges: 1, applied: 1 });
      expect(node.node.applyConfChange(entry)).toBeNull();
    }
  });

  test('the node goes on, and takes the next change', () => {
    const leader = readyLeader({ disableConfChangeValidation: true });
    leader.node.proposeConfChange(v2('r1 r2 r3'));
    ackAll(leader, 2);
    leader.node.proposeConfChange(v2('v4'));
    ackAll(leader, 2);

    expect(leader.node.status().config.voters).toEqual([1, 2, 3, 4]);
  });
});

describe('D14: a change that a restored snapshot already contains has no effect', () => {
  test('older entries that the apply thread still holds when a snapshot arrives', () => {
    const group = new RawGroup(3, { asyncStorageWrites: true });
    const node = group.get(2);
    const change = changeEntry(v2('v4 r3', JointExplicit), 3);
    node.node.step(message(MsgApp, { from: 1, to: 2, term: 1, index: 2, logTerm: 1, entries: [change], commit: 3 }));
    node.handleReady();
    node.doWork();
    node.handleReady();
    expect(node.work.map(({ type }) => type)).toContain(MessageType.MsgStorageApply);

    // The apply thread has the change; now a snapshot from behind the joint configuration arrives.
    const confState = newConfState({ voters: [1, 2, 4] });
    node.node.step(message(MsgSnap, { from: 1, to: 2, term: 1, snapshot: { data: emptyBytes, metadata: { index: 9, term: 1, confState } } }));

    expect(node.node.applyConfChange(change)).toBeNull();
    expect(node.node.status().config).toEqual(confState);
    expect(node.node.status().ignoredConfChanges).toBe(0);
  });

  test('the first change after the snapshot has its effect', () => {
    const follower = followerWith();
    const confState = newConfState({ voters: [1, 2, 3] });
    follower.receive(message(MsgSnap, { term: 1, snapshot: { data: emptyBytes, metadata: { index: 9, term: 1, confState } } }));

    expect(follower.node.applyConfChange(changeEntry(v2('v4'), 9))).toBeNull();
    expect(follower.node.applyConfChange(changeEntry(v2('v4'), 10))).toEqual(newConfState({ voters: [1, 2, 3, 4] }));
  });

  test('the same after a restart from that snapshot', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot({ data: emptyBytes, metadata: { index: 9, term: 1, confState: newConfState({ voters: [1, 2, 3] }) } });
    const { node } = nodeWith({ storage });

    expect(node.applyConfChange(changeEntry(v2('r3'), 9))).toBeNull();
    expect(node.status().config.voters).toEqual([1, 2, 3]);
  });
});

describe('E4: applying a change on the leader recomputes the commit index', () => {
  test('if it moves, everyone is told', () => {
    const leader = readyLeader({ voters: [1, 2, 3, 4] });
    leader.node.proposeConfChange(newConfChange({ type: 1, nodeId: 4 }));
    leader.node.propose(bytes('x'));
    leader.settle();
    leader.receive(ack(2, 1, 3), ack(3, 1, 2));
    // Of four voters two hold the last entry; of three voters that is a majority.
    expect(leader.node.status().config.voters).toEqual([1, 2, 3]);
    expect(leader.commit).toBe(3);
  });

  test('if not, the peers get what they have not been sent yet: a new member need not wait', () => {
    const leader = readyLeader();
    leader.node.proposeConfChange(v2('l4'));

    const sent = ackAll(leader, 2).concat(leader.settle());

    expect(ofType(sent, MsgApp).filter(({ to }) => to === 4)).toHaveLength(1);
  });

  test('a transfer to a node that is no longer a voter ends', () => {
    const leader = readyLeader({ voters: [1, 2, 3, 4] });
    leader.node.proposeConfChange(newConfChange({ type: 1, nodeId: 4 }));
    expect(leader.node.transferLeader(4)).toBe(StepResult.Ok);
    expect(leader.node.status().leadTransferee).toBe(4);
    ackAll(leader, 2, 3);

    expect(leader.node.status().leadTransferee).toBe(0);
    expect(leader.node.propose(bytes('x'))).not.toBeNull();
  });

  test('section 6: also on a leader that was demoted by the same change', () => {
    const leader = readyLeader({ voters: [1, 2, 3, 4] });
    leader.node.proposeConfChange(v2('l1 r4', JointExplicit));
    ackAll(leader, 2, 3, 4);
    expect(leader.node.transferLeader(4)).toBe(StepResult.Ok);
    leader.receive(message(MessageType.MsgHeartbeatResp, { from: 4, term: 1 }));
    expect(internalRaft(leader.node).leadTransferee).toBe(4);

    // The joint configuration is left while the transfer is under way: its target is gone.
    leader.node.applyConfChange(changeEntry(v2(''), 3));

    expect(leader.node.status()).toMatchObject({ leadTransferee: 0, state: StateType.Leader, config: { voters: [2, 3], learners: [1] } });
  });

  test('a transfer to a voter goes on', () => {
    const leader = readyLeader();
    leader.node.propose(bytes('x'));
    leader.node.transferLeader(3);
    leader.node.applyConfChange(changeEntry(v2('l4'), 2));

    expect(leader.node.status().leadTransferee).toBe(3);
  });
});

describe('a leader that is not a voter any more', () => {
  test('without stepDownOnRemoval it leads until the others have elected another; they commit without it', () => {
    const leader = readyLeader();
    leader.node.proposeConfChange(newConfChange({ type: 1, nodeId: 1 }));
    ackAll(leader, 2, 3);

    expect(leader.state).toBe(StateType.Leader);
    expect(leader.node.status().config.voters).toEqual([2, 3]);
    expect(leader.node.campaign()).toBe(StepResult.AlreadyLeader);
    leader.tick(50);
    expect(leader.node.step(message(MessageType.MsgHeartbeat, { term: 2 }))).toBe(StepResult.Ok);
    expect(leader.node.campaign()).toBe(StepResult.NotVoter);
  });

  test.each([
    { change: newConfChange({ type: 1, nodeId: 1 }), why: 'removed' },
    { change: newConfChange({ type: 3, nodeId: 1 }), why: 'demoted' },
  ])('with stepDownOnRemoval it steps down as soon as it is $why', ({ change }) => {
    const leader = readyLeader({ stepDownOnRemoval: true });
    leader.node.proposeConfChange(change);
    ackAll(leader, 2, 3);

    expect([leader.state, leader.lead]).toEqual([StateType.Follower, 0]);
  });

  test('B75: a removed node that is left alive does not disturb the others', () => {
    const network = Network.of(3, { checkQuorum: true, preVote: true });
    network.campaign(1);
    network.node(1).node.proposeConfChange(newConfChange({ type: 1, nodeId: 3 }));
    network.settle();
    const { term } = network.node(1);

    network.tick(300);

    expect(network.node(1)).toMatchObject({ state: StateType.Leader, term });
  });
});

describe('B70, B74: a joint configuration is left by itself, once, and not before it is committed', () => {
  test('with JointImplicit the leader proposes to leave when the change is applied, and only then', () => {
    const leader = readyLeader();
    leader.node.proposeConfChange(v2('v4', JointImplicit));
    for (let i = 0; i < 5; i++) leader.node.propose(bytes('x'));
    leader.settle();
    expect(leader.lastIndex).toBe(7);

    ackAll(leader, 2, 3);
    expect(leader.lastIndex).toBe(8);
    ackAll(leader, 2, 3, 4);
    ackAll(leader, 2, 3, 4);

    expect(leader.lastIndex).toBe(8);
    expect(leader.node.status().config).toEqual(newConfState({ voters: [1, 2, 3, 4] }));
  });

  test('with JointExplicit it does not', () => {
    const leader = readyLeader();
    leader.node.proposeConfChange(v2('v4', JointExplicit));
    ackAll(leader, 2, 3, 4);
    ackAll(leader, 2, 3, 4);

    expect(leader.node.status().config).toMatchObject({ votersOutgoing: [1, 2, 3], autoLeave: false });
  });

  test('the next leader leaves it, once its own first entry is applied', () => {
    const leader = leaderWith({ confState: newConfState({ voters: [1, 2], votersOutgoing: [1, 3], autoLeave: true }), log: [1] });
    expect(leader.lastIndex).toBe(2);

    ackAll(leader, 2, 3);

    expect(leader.lastIndex).toBe(3);
    ackAll(leader, 2, 3);
    expect(leader.node.status().config).toEqual(newConfState({ voters: [1, 2] }));
  });

  test('during a transfer it waits; the next applied entry tries again', () => {
    const leader = readyLeader();
    leader.node.proposeConfChange(v2('v4', JointImplicit));
    leader.settle();
    leader.node.transferLeader(3);
    ackAll(leader, 2, 3);
    expect(leader.node.status().config.autoLeave).toBe(true);
    expect(leader.lastIndex).toBe(2);

    leader.tick(10);
    leader.node.propose(bytes('x'));
    ackAll(leader, 2, 3, 4);

    expect(leader.lastIndex).toBe(4);
  });

  test('a full quota does not keep it: leaving costs nothing', () => {
    const leader = readyLeader({ maxUncommittedEntriesSize: 1 });
    leader.node.proposeConfChange(v2('v4', JointImplicit));
    leader.settle();
    leader.receive(ack(2, 1, 2));
    expect(leader.node.status().config.autoLeave).toBe(true);
    ackAll(leader, 2, 4);

    expect(leader.node.status().config).toEqual(newConfState({ voters: [1, 2, 3, 4] }));
  });
});

describe('section 6: a snapshot of a joint configuration with future learners', () => {
  test('B59: the one that restores it leaves it as the others do', () => {
    const follower = followerWith();
    const confState = newConfState({ voters: [1, 2], votersOutgoing: [1, 2, 3], learnersNext: [3], learners: [4], autoLeave: true });
    follower.receive(message(MsgSnap, { term: 1, snapshot: { data: emptyBytes, metadata: { index: 9, term: 1, confState } } }));
    expect(follower.node.status().config).toEqual(confState);

    follower.receive(message(MsgApp, { term: 1, index: 9, logTerm: 1, entries: [changeEntry(v2(''), 10)], commit: 10 }));

    expect(follower.node.status().config).toEqual(newConfState({ voters: [1, 2], learners: [3, 4] }));
    expect(internalRaft(follower.node).tracker.get(3)?.isLearner).toBe(true);
  });
});

describe('O9: one voter first, the rest by configuration changes', () => {
  test('learners are added and promoted; each has the whole log then', () => {
    const first = nodeWith({ storage: new MemoryStorage() });
    first.node.bootstrap([{ id: 1 }]);
    const network = new Network([first]);
    network.settle();
    network.campaign(1);
    network.propose(1, 'first');
    for (const id of [2, 3]) {
      network.add(nodeWith({ id, storage: new MemoryStorage() }));
      network.node(1).node.proposeConfChange(newConfChange({ type: 3, nodeId: id }));
      network.settle();
      network.tick(2);
      network.node(1).node.proposeConfChange(newConfChange({ nodeId: id }));
      network.settle();
      network.tick(2);
    }

    for (const node of network.nodes) {
      expect(node.node.status().config).toEqual(newConfState({ voters: [1, 2, 3] }));
      expect(node.commit).toBe(network.node(1).commit);
    }
  });
});

describe('B71: changes that change nothing do not block later ones', () => {
  test.each(['v2', 'r9', 'u3'])('%s', (text) => {
    const leader = readyLeader();
    leader.node.proposeConfChange(v2(text));
    ackAll(leader, 2);

    expect(leader.node.proposeConfChange(v2('v4'))).not.toBeNull();
  });
});
