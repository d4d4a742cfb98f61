import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { ProgressState } from '../../src/core/tracker/progress.js';
import { SnapshotStatus } from '../../src/core/types.js';
import { ack, bytes, followerWith, message, nodeWith, ofType, texts } from '../support/builders.js';
import { entriesFrom, snapshotAt } from '../support/logBuilders.js';
import { Network } from '../support/network.js';

const { MsgApp, MsgAppResp, MsgSnap, MsgVote, MsgVoteResp } = MessageType;

/** Nodes 1 and 2 have gone on without node 3 and have compacted what it lacks; everything is delivered again. */
function laggingThird(): Network {
  const network = Network.of(3);
  network.campaign(1);
  network.isolate(3);
  for (const text of ['a', 'b', 'c']) network.propose(1, text);
  network.node(1).compact(bytes('abc'));
  network.heal();
  network.sent = [];
  return network;
}

describe('Raft §7, log compaction', () => {
  test('every server takes snapshots on its own, of what it has applied, and the group goes on', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.propose(1, 'a');
    network.node(2).compact();
    network.node(1).compact();

    network.propose(1, 'b');
    network.tick(1, [1]);

    expect(network.nodes.map((node) => node.storage.firstIndex())).toEqual([3, 3, 1]);
    expect(network.nodes.map((node) => texts(node.applied))).toEqual([['a', 'b'], ['a', 'b'], ['a', 'b']]);
    expect(ofType(network.sent, MsgSnap)).toEqual([]);
  });

  test('a snapshot names the last entry it covers by index and term, and the configuration as of then', () => {
    const network = Network.of(3, { log: [1, 1], term: 4 });
    network.campaign(1);

    const snapshot = network.node(1).compact();

    expect(snapshot.metadata).toEqual({ index: 3, term: 5, confState: newConfState({ voters: [1, 2, 3] }) });
  });

  test('the last entry covered supports the consistency check of the first append after the snapshot', () => {
    const follower = followerWith({ term: 2 });
    follower.receive(message(MsgSnap, { term: 2, snapshot: snapshotAt(5, 2) }));

    const wrong = follower.receive(message(MsgApp, { term: 2, index: 6, logTerm: 2, entries: entriesFrom(7, [2]) }));
    const right = follower.receive(message(MsgApp, { term: 2, index: 5, logTerm: 2, entries: entriesFrom(6, [2]) }));

    expect(wrong).toMatchObject([{ type: MsgAppResp, reject: true }]);
    expect(right).toMatchObject([{ type: MsgAppResp, reject: false, index: 6 }]);
    expect(follower.logTerms).toEqual([2]);
  });

  test('the leader sends a snapshot when it has discarded the next entry a follower needs', () => {
    const network = laggingThird();

    network.tick(2, [1]);

    expect(ofType(network.sent, MsgSnap)).toMatchObject([{ from: 1, to: 3, snapshot: { metadata: { index: 4, term: 1 } } }]);
    expect(network.node(3).restored.map((snapshot) => new TextDecoder().decode(snapshot.data))).toEqual(['abc']);
    expect(network.node(3).commit).toBe(4);
  });

  test('a follower that is only slow gets entries and no snapshot', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.isolate(3);
    network.propose(1, 'a');
    network.heal();

    network.tick(2, [1]);

    expect(ofType(network.sent, MsgSnap)).toEqual([]);
    expect(texts(network.node(3).applied)).toEqual(['a']);
  });

  test('after the snapshot ordinary replication goes on', () => {
    const network = laggingThird();
    network.tick(2, [1]);

    network.propose(1, 'd');
    network.tick(1, [1]);

    expect(texts(network.node(3).applied)).toEqual(['d']);
    expect(network.node(3).log.map((entry) => entry.index)).toEqual([5]);
  });

  describe('a snapshot with new information replaces the whole log', () => {
    test.each([
      { log: [], why: 'the log was empty' },
      { log: [1, 1, 1], why: 'the log ends before it' },
      { log: [1, 1, 1, 1, 1, 1, 1], why: 'entries conflict with it, even uncommitted ones behind it' },
    ])('log $log: $why', ({ log }) => {
      const follower = followerWith({ term: 3, log });

      const answers = follower.receive(message(MsgSnap, { term: 3, snapshot: snapshotAt(5, 2, bytes('state')) }));

      expect(answers).toMatchObject([{ type: MsgAppResp, to: 2, reject: false, index: 5 }]);
      expect(follower.log).toEqual([]);
      expect([follower.lastIndex, follower.commit, follower.node.basicStatus().applied]).toEqual([5, 5, 5]);
      expect(follower.restored.length).toBe(1);
    });
  });

  test('if the snapshot covers a prefix of the log, the entries after it are kept', () => {
    const follower = followerWith({ term: 3, log: [1, 1, 2, 2, 3] });

    const answers = follower.receive(message(MsgSnap, { term: 3, snapshot: snapshotAt(3, 2) }));

    expect(follower.logTerms).toEqual([1, 1, 2, 2, 3]);
    expect(follower.restored).toEqual([]);
    expect(follower.commit).toBe(3);
    expect(answers).toMatchObject([{ type: MsgAppResp, index: 3, reject: false }]);
  });

  test('a snapshot that brings nothing new is ignored: the answer says how far the follower is', () => {
    const follower = followerWith({ term: 3, log: [1, 1, 2, 2], commit: 4 });

    const answers = follower.receive(message(MsgSnap, { term: 3, snapshot: snapshotAt(3, 2) }));

    expect(follower.restored).toEqual([]);
    expect(follower.commit).toBe(4);
    expect(answers).toMatchObject([{ type: MsgAppResp, index: 4, reject: false }]);
  });

  test('a snapshot older than what the follower has compacted itself is ignored', () => {
    const follower = followerWith({ term: 3, log: [1, 1, 2, 2], commit: 4 });
    follower.compact();

    const answers = follower.receive(message(MsgSnap, { term: 3, snapshot: snapshotAt(3, 2) }));

    expect(follower.restored).toEqual([]);
    expect(follower.lastIndex).toBe(4);
    expect(answers).toMatchObject([{ type: MsgAppResp, index: 4, reject: false }]);
  });

  test('E9: a snapshot proves that the leader lives, even one that is not needed', () => {
    const follower = followerWith({ term: 3, log: [1, 1, 2, 2], commit: 4 });
    follower.tick(9);

    follower.receive(message(MsgSnap, { term: 3, snapshot: snapshotAt(3, 2) }));
    const sent = follower.tick(9);

    expect(sent).toEqual([]);
    expect(follower.lead).toBe(2);
  });

  test('the snapshot brings the configuration', () => {
    const follower = followerWith({ term: 3 });
    const confState = newConfState({ voters: [1, 4, 5], learners: [6] });
    const { data, metadata } = snapshotAt(5, 2);

    follower.receive(message(MsgSnap, { term: 3, snapshot: { data, metadata: { ...metadata, confState } } }));

    expect(follower.node.status().config).toEqual(confState);
  });

  test('a server restarts from its snapshot and the log after it', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.propose(1, 'a');
    network.node(1).compact(bytes('a'));
    network.propose(1, 'b');

    network.restart(1);

    expect(texts(network.node(1).applied)).toEqual(['b']);
    expect(network.node(1).log.map((entry) => entry.index)).toEqual([3]);
    expect(network.campaign(1)).toBe(true);
  });

  test('a server with nothing but a snapshot takes part in elections with its last entry', () => {
    const follower = followerWith({ term: 3 });
    follower.receive(message(MsgSnap, { term: 3, snapshot: snapshotAt(5, 3) }));

    const older = follower.receive(message(MsgVote, { from: 3, term: 4, index: 4, logTerm: 3 }));
    const equal = follower.receive(message(MsgVote, { from: 3, term: 5, index: 5, logTerm: 3 }));

    expect(older).toMatchObject([{ type: MsgVoteResp, reject: true }]);
    expect(equal).toMatchObject([{ type: MsgVoteResp, reject: false }]);
  });

  test('nothing else is sent to a follower while a snapshot is on its way', () => {
    const network = laggingThird();
    network.hold((m) => m.type === MsgSnap);
    network.tick(2, [1]);

    network.propose(1, 'd');
    network.tick(3, [1]);

    expect(ofType(network.sent, MsgApp).filter((m) => m.to === 3 && m.entries.length > 0 && m.index > 0)).toEqual([]);
    expect(ofType(network.sent, MsgSnap).length).toBe(1);
  });

  test('a snapshot that could not be delivered is sent again', () => {
    const network = laggingThird();
    network.drop((m) => m.type === MsgSnap);
    network.tick(2, [1]);
    network.heal();
    const lost = ofType(network.sent, MsgSnap).length;

    network.node(1).node.reportSnapshot(3, SnapshotStatus.Failure);
    network.tick(2, [1]);

    expect(lost).toBe(1);
    expect(network.node(3).commit).toBe(4);
  });

  test.each([
    { outcome: SnapshotStatus.Failure, next: 2, why: 'it was lost: the follower stands where it was' },
    { outcome: SnapshotStatus.Finish, next: 5, why: 'it has arrived: the follower stands behind it' },
  ])('E11: after a report replication goes on at $next: $why', ({ outcome, next }) => {
    const network = laggingThird();
    network.drop((m) => m.type === MsgSnap);
    network.tick(2, [1]);

    network.node(1).node.reportSnapshot(3, outcome);

    expect(network.node(1).node.status().progress.get(3)).toMatchObject({ state: ProgressState.Probe, match: 1, next });
  });

  test('no snapshot is sent to a follower that has not been heard since the last check of the quorum', () => {
    const network = Network.of(3, { checkQuorum: true });
    network.campaign(1);
    network.isolate(3);
    for (const text of ['a', 'b', 'c']) network.propose(1, text);
    network.tick(20, [1]);
    network.node(1).compact();
    network.node(1).node.reportUnreachable(3);

    network.propose(1, 'd');
    const toSilent = ofType(network.sent, MsgSnap).length;
    network.heal();
    network.tick(1, [1]);

    expect(toSilent).toBe(0);
    expect(ofType(network.sent, MsgSnap).length).toBe(1);
    expect(network.node(3).commit).toBe(5);
  });

  test('compaction never removes what is not applied', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.cut(1);
    network.propose(1, 'not committed');

    const snapshot = network.node(1).compact();

    expect(snapshot.metadata.index).toBe(1);
    expect(texts(network.node(1).log)).toEqual(['not committed']);
  });

  test('a node that is compacted itself acknowledges what the leader sends from before', () => {
    const follower = nodeWith({ log: [1, 1, 1], commit: 3 });
    follower.compact();

    const answers = follower.receive(message(MsgApp, { term: 1, index: 1, logTerm: 1, entries: entriesFrom(2, [1, 1]) }));

    expect(answers).toMatchObject([ack(1, 1, 3, 2)]);
  });
});
