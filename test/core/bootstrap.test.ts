import { describe, expect, test } from '@jest/globals';
import type { Peer } from '../../src/core/bootstrap.js';
import { RaftErrorCode } from '../../src/core/errors.js';
import { tryDecodeConfChange } from '../../src/core/raftpb/confChangeWire.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { StepResult } from '../../src/core/raft/stepResult.js';
import { internalRaft } from '../../src/core/rawNode.js';
import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import { LocalAppendThread, StateType } from '../../src/core/types.js';
import { ackAll, bytes, leaderWith, message, nodeWith } from '../support/builders.js';
import { codeOf } from '../support/errors.js';
import { Network } from '../support/network.js';
import { stateHash } from '../support/stateHash.js';
import type { TestNode } from '../support/testNode.js';

const peers: readonly Peer[] = [{ id: 1, context: bytes('one:2380') }, { id: 2 }, { id: 2n ** 64n - 9n }];

function emptyNode(id: number | bigint = 1): TestNode {
  return nodeWith({ id, storage: new MemoryStorage() });
}

describe('O9: all voters at once', () => {
  test('one committed entry for each, in term 1; the first Ready saves and applies them', () => {
    const node = emptyNode();
    node.node.bootstrap(peers);

    const ready = node.node.ready();

    expect(ready.hardState).toEqual({ term: 1, vote: 0, commit: 3 });
    expect(ready.mustSync).toBe(true);
    expect(ready.entries.map(({ term, index, type }) => `${term}/${index} ${type}`)).toEqual(['1/1 1', '1/2 1', '1/3 1']);
    expect(ready.entries.map((entry) => tryDecodeConfChange(entry)!.changes[0]!.nodeId)).toEqual(peers.map(({ id }) => id));
    expect(tryDecodeConfChange(ready.entries[0]!)!.context).toEqual(bytes('one:2380'));
    expect(ready.committedEntries).toEqual(ready.entries);
  });

  test('the same peers in the same order give equal entries on every node; then one campaigns', () => {
    const ids = [1, 2, 2n ** 64n - 9n];
    const network = new Network(ids.map(emptyNode));
    for (const node of network.nodes) node.node.bootstrap(peers);
    network.settle();
    const logs = network.nodes.map((node) => JSON.stringify(node.log.map(({ data }) => [...data])));
    expect(new Set(logs).size).toBe(1);

    expect(network.campaign(2)).toBe(true);
    network.propose(1, 'hello');

    for (const node of network.nodes) {
      expect(node.node.status().config).toEqual(newConfState({ voters: ids }));
      expect(node.commit).toBe(5);
    }
  });

  test('applying the entries once more, as the host does, has the same effect', () => {
    const node = emptyNode();
    node.node.bootstrap(peers);
    const before = node.node.status().config;
    node.settle();

    expect(node.node.status()).toMatchObject({ config: before, applied: 3, ignoredConfChanges: 0 });
  });

  test('a restart starts from what was saved', () => {
    const node = emptyNode();
    node.node.bootstrap([{ id: 1 }]);
    node.settle();

    node.restart();
    node.settle();

    expect(node.node.status()).toMatchObject({ config: { voters: [1] }, hardState: { term: 1, commit: 1 } });
    expect(node.node.campaign()).toBe(StepResult.Ok);
  });

  test('E3: campaign waits until the first Ready is applied', () => {
    const { node } = emptyNode();
    node.bootstrap(peers);

    expect(node.campaign()).toBe(StepResult.ConfChangePending);
  });
});

describe('bootstrapping twice, or on a node that has something, is ERR_RAFT_ALREADY_BOOTSTRAPPED', () => {
  function bootstrapped(): TestNode {
    const node = emptyNode();
    node.node.bootstrap(peers);
    return node;
  }

  test.each<{ make: () => TestNode; why: string }>([
    { make: bootstrapped, why: 'twice' },
    { make: () => nodeWith(), why: 'a configuration' },
    { make: () => nodeWith({ log: [1] }), why: 'a log' },
    { make: () => leaderWith(), why: 'a leader' },
    { make: () => restartedAfterBootstrap(bootstrapped()), why: 'a restart' },
  ])('$why: nothing is changed, and the node goes on', ({ make }) => {
    const { node } = make();
    const before = stateHash(internalRaft(node));

    expect(codeOf(() => node.bootstrap(peers))).toBe(RaftErrorCode.AlreadyBootstrapped);
    expect(stateHash(internalRaft(node))).toBe(before);
    node.tick();
  });
});

function restartedAfterBootstrap(node: TestNode): TestNode {
  node.settle();
  node.restart();
  return node;
}

describe('S20: peers that are none', () => {
  const wrong: { peers: unknown; why: string }[] = [
    { peers: [], why: 'nobody' },
    { peers: undefined, why: 'nothing' },
    { peers: { id: 1 }, why: 'no list' },
    { peers: [{ id: 1 }, { id: 1 }], why: 'the same twice' },
    { peers: [{ id: 0 }], why: 'id 0' },
    { peers: [{ id: 5n }], why: 'an id that is not in canonical form' },
    { peers: [{ id: LocalAppendThread }], why: 'a local thread' },
    { peers: [1, 2], why: 'numbers' },
    { peers: [null], why: 'null' },
    { peers: [{ id: 1, context: 'text' }], why: 'a context that is no bytes' },
  ];

  test.each(wrong)('$why', ({ peers: given }) => {
    const { node } = emptyNode();
    const before = stateHash(internalRaft(node));

    expect(codeOf(() => node.bootstrap(given as readonly Peer[]))).toBe(RaftErrorCode.ArgumentInvalid);
    expect(stateHash(internalRaft(node))).toBe(before);
    node.bootstrap(peers);
    expect(node.status().config.voters).toHaveLength(3);
  });
});

describe('a node that is bootstrapped after others', () => {
  test('keeps the vote and the term that a faster peer has made it give: no second vote in one term', () => {
    const node = emptyNode(3);
    const group = [1, 2, 3].map((id) => ({ id }));
    const [granted] = node.receive(message(MessageType.MsgVote, { from: 1, to: 3, term: 2, index: 3, logTerm: 1 }));
    expect(granted?.reject).toBe(false);

    node.node.bootstrap(group);
    node.settle();
    expect([node.term, node.vote]).toEqual([2, 1]);
    const [second] = node.receive(message(MessageType.MsgVote, { from: 2, to: 3, term: 2, index: 9, logTerm: 1 }));

    expect(second?.reject).toBe(true);
    node.restart();
    expect([node.term, node.vote]).toEqual([2, 1]);
  });

  test('follows the leader that is there already', () => {
    const late = emptyNode(3);
    const network = new Network([emptyNode(1), emptyNode(2)]);
    const group = [1, 2, 3].map((id) => ({ id }));
    for (const node of network.nodes) node.node.bootstrap(group);
    network.settle();
    network.campaign(1);
    network.add(late);
    late.node.bootstrap(group);
    network.tick(3);

    expect([late.state, late.lead, late.commit]).toEqual([StateType.Follower, 1, network.node(1).commit]);
    expect(ackAll(network.node(1), 2)).toEqual([]);
  });
});
