import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../../src/core/checkInvariants.js';
import { newConfChange } from '../../../src/core/raftpb/confChange.js';
import { EntryType, newEntry } from '../../../src/core/raftpb/entry.js';
import type { Message } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { ProgressState, type Progress } from '../../../src/core/tracker/progress.js';
import { emptyBytes, SnapshotStatus, type NodeId } from '../../../src/core/types.js';
import { ack, ackAll, bytes, followerWith, leaderWith, message, ofType, type NodeFields } from '../../support/builders.js';
import type { TestNode } from '../../support/testNode.js';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgSnap } = MessageType;

/** A leader whose follower 2 replicates; follower 3 is silent. */
function replicatingLeader(fields: NodeFields = {}): TestNode {
  const leader = leaderWith(fields);
  ackAll(leader, 2);
  leader.settle();
  return leader;
}

function progressOf(leader: TestNode, id: NodeId): Progress {
  return internalRaft(leader.node).tracker.get(id)!;
}

function propose(leader: TestNode, ...texts: readonly string[]): Message[] {
  for (const text of texts) leader.node.propose(bytes(text));
  return leader.settle();
}

function appsTo(messages: readonly Message[], id: NodeId): Message[] {
  return ofType(messages, MsgApp).filter(({ to }) => to === id);
}

function heartbeatResponse(from: NodeId, term = 1): Message {
  return message(MsgHeartbeatResp, { from, term });
}

function rejection(from: NodeId, index: number, hint: number, logTerm = 0, term = 1): Message {
  return message(MsgAppResp, { from, term, index, reject: true, rejectHint: hint, logTerm });
}

describe('E5: the window of messages in flight', () => {
  test('one slot for each MsgApp with entries; an acknowledgement frees all up to it', () => {
    const leader = replicatingLeader();
    propose(leader, 'a');
    propose(leader, 'b');
    propose(leader, 'c');
    expect(progressOf(leader, 2).inflights.count).toBe(3);

    leader.receive(ack(2, 1, 3));

    expect(progressOf(leader, 2).inflights.count).toBe(1);
    expect(progressOf(leader, 2).inflights.bytes).toBe(1);
  });

  test('is used in Replicate only', () => {
    const leader = replicatingLeader();
    expect(appsTo(propose(leader, 'a'), 2)).toHaveLength(1);

    expect(progressOf(leader, 3)).toMatchObject({ state: ProgressState.Probe });
    expect(progressOf(leader, 3).inflights.count).toBe(0);
  });

  test.each([
    { change: (leader: TestNode) => leader.node.reportUnreachable(2), why: 'the host reports it as unreachable' },
    { change: (leader: TestNode) => leader.node.step(rejection(2, 3, 1)), why: 'it rejects an append' },
    { change: (leader: TestNode) => leader.node.step(message(MsgHeartbeat, { term: 2 })), why: 'leadership ends' },
  ])('any change of state clears it: $why (B84)', ({ change }) => {
    const leader = replicatingLeader();
    propose(leader, 'a');
    propose(leader, 'b');

    change(leader);

    expect(progressOf(leader, 2).inflights.count).toBe(0);
    expect(progressOf(leader, 2).inflights.bytes).toBe(0);
    checkInvariants(leader.node);
  });

  test('the limit on bytes is soft by one message', () => {
    const leader = replicatingLeader({ maxInflightBytes: 10, maxSizePerMsg: 10 });
    expect(appsTo(propose(leader, '123456'), 2)).toHaveLength(1);
    expect(appsTo(propose(leader, 'x'.repeat(50)), 2)).toHaveLength(1);
    expect(appsTo(propose(leader, 'y'), 2).filter(({ entries }) => entries.length > 0)).toEqual([]);

    expect(progressOf(leader, 2).inflights).toMatchObject({ count: 2, bytes: 56 });
    expect(progressOf(leader, 2).inflights.full()).toBe(true);
  });
});

describe('E6: with a full window one empty MsgApp may go out, then nothing until something is heard', () => {
  function fullLeader(): TestNode {
    const leader = replicatingLeader({ maxInflightMsgs: 2 });
    propose(leader, 'a');
    propose(leader, 'b');
    return leader;
  }

  test('it pauses with the message that fills the window', () => {
    const leader = fullLeader();

    expect(progressOf(leader, 2).isPaused()).toBe(true);
    expect(appsTo(propose(leader, 'c'), 2)).toEqual([]);
  });

  test('a heartbeat response lets one empty MsgApp through', () => {
    const leader = fullLeader();
    propose(leader, 'c');

    const [m, ...rest] = appsTo(leader.receive(heartbeatResponse(2)), 2);
    expect(m).toMatchObject({ index: 3, entries: [] });
    expect(rest).toEqual([]);
    expect(progressOf(leader, 2).isPaused()).toBe(true);
    expect(appsTo(propose(leader, 'd'), 2)).toEqual([]);
  });

  test('an acknowledgement makes room, and what waited goes out', () => {
    const leader = fullLeader();
    propose(leader, 'c');

    const sent = appsTo(leader.receive(ack(2, 1, 2)), 2);

    expect(sent.flatMap(({ entries }) => entries.map(({ index }) => index))).toEqual([4]);
  });
});

describe('E7: heartbeats', () => {
  test('a response marks the peer as active and unpauses it', () => {
    const leader = replicatingLeader();
    const progress = progressOf(leader, 3);
    expect([progress.recentActive, progress.isPaused()]).toEqual([false, true]);

    const sent = leader.receive(heartbeatResponse(3));

    expect(progress.recentActive).toBe(true);
    expect(appsTo(sent, 3)).toHaveLength(1);
  });

  test.each([
    { id: 2, sends: 0, why: 'it has everything and replicates' },
    { id: 3, sends: 1, why: 'it is behind' },
  ])('triggers MsgApp to node $id $sends times: $why', ({ id, sends }) => {
    const leader = replicatingLeader();

    expect(appsTo(leader.receive(heartbeatResponse(id)), id)).toHaveLength(sends);
  });

  test('in Probe a MsgApp goes out even if there is nothing to send: only an answer ends the probe', () => {
    const leader = replicatingLeader();
    leader.node.reportUnreachable(2);

    expect(appsTo(leader.receive(heartbeatResponse(2)), 2)).toMatchObject([{ entries: [], index: 1 }]);
    leader.receive(ack(2, 1, 1));
    expect(progressOf(leader, 2).state).toBe(ProgressState.Replicate);
  });

  test('B36, M19: a heartbeat carries min(match, commit)', () => {
    const leader = replicatingLeader();
    propose(leader, 'a');

    const commits = new Map(ofType(leader.tick(), MsgHeartbeat).map(({ to, commit }) => [to, commit]));

    expect(leader.commit).toBe(1);
    expect(commits).toEqual(new Map([[2, 1], [3, 0]]));
  });
});

describe('E10: probing', () => {
  test('at most one MsgApp with entries in each heartbeat round', () => {
    const leader = leaderWith({ log: [1, 1] });

    expect(appsTo(propose(leader, 'a'), 2)).toEqual([]);
    expect(appsTo(propose(leader, 'b'), 2)).toEqual([]);
    expect(appsTo(leader.receive(heartbeatResponse(2, 2)), 2)).toHaveLength(1);
    expect(appsTo(propose(leader, 'c'), 2)).toEqual([]);
  });

  test('an acknowledgement moves to Replicate with next = match + 1, and the rest follows', () => {
    const leader = leaderWith({ log: [1, 1, 1], maxSizePerMsg: 0 });
    leader.receive(rejection(2, 3, 0, 0, 2));
    expect(progressOf(leader, 2)).toMatchObject({ state: ProgressState.Probe, next: 1 });

    const sent = appsTo(leader.receive(ack(2, 2, 1)), 2);

    expect(sent.map(({ index, entries }) => [index, entries.length])).toEqual([[1, 1], [2, 1], [3, 1]]);
    expect(progressOf(leader, 2)).toMatchObject({ state: ProgressState.Replicate, match: 1, next: 5 });
  });

  test('a rejection in Replicate goes to Probe after match', () => {
    const leader = replicatingLeader();
    propose(leader, 'a');
    propose(leader, 'b');

    const sent = appsTo(leader.receive(rejection(2, 2, 1, 1)), 2);

    expect(progressOf(leader, 2)).toMatchObject({ state: ProgressState.Probe, match: 1, next: 2 });
    expect(sent.map(({ index }) => index)).toEqual([1]);
  });

  test.each([
    { m: rejection(2, 0, 0), why: 'below what was acknowledged since' },
    { m: rejection(2, 1, 0), why: 'of what was acknowledged since' },
    { m: ack(2, 1, 0), why: 'an acknowledgement that is old' },
  ])('stale answers are ignored: $why (B41, V14)', ({ m }) => {
    const leader = replicatingLeader();
    propose(leader, 'a');
    const before = { ...progressOf(leader, 2) };

    leader.receive(m);

    expect({ ...progressOf(leader, 2) }).toMatchObject({ state: before.state, match: before.match, next: before.next });
  });

  test('in Probe a rejection of another message than the last is stale', () => {
    const leader = leaderWith({ log: [1, 1, 1] });
    leader.receive(rejection(2, 1, 0, 0, 2));

    expect(progressOf(leader, 2)).toMatchObject({ state: ProgressState.Probe, next: 4 });
  });

  test('unreachable moves Replicate to Probe, and nothing else', () => {
    const leader = replicatingLeader();
    propose(leader, 'a');

    leader.node.reportUnreachable(2);
    leader.node.reportUnreachable(3);
    expect(progressOf(leader, 2)).toMatchObject({ state: ProgressState.Probe, match: 1, next: 2 });
    expect(progressOf(leader, 3)).toMatchObject({ state: ProgressState.Probe, next: 1 });

    leader.node.reportUnreachable(2);
    expect(progressOf(leader, 2)).toMatchObject({ state: ProgressState.Probe, next: 2 });
  });

  test('B41: match is monotone within a term over any order and repetition of answers', () => {
    const orders = permutations([ack(2, 1, 2), ack(2, 1, 3), ack(2, 1, 1), rejection(2, 2, 1, 1)]);
    expect(orders).toHaveLength(24);
    for (const order of orders) {
      const leader = replicatingLeader();
      propose(leader, 'a', 'b');
      let match = 1;
      for (const m of [...order, ...order]) {
        leader.receive(m);
        expect(progressOf(leader, 2).match).toBeGreaterThanOrEqual(match);
        match = progressOf(leader, 2).match;
      }
      expect(match).toBe(3);
    }
  });

  test.each([
    { hint: 2 ** 52, logTerm: 1, why: 'a hint beyond all' },
    { hint: 3, logTerm: 2 ** 52, why: 'a term beyond all' },
    { hint: 0, logTerm: 0, why: 'no hint' },
  ])('S7: a rejection with $why costs one message, and match < next holds', ({ hint, logTerm }) => {
    const leader = leaderWith({ log: [1, 1, 1] });

    const sent = appsTo(leader.receive(rejection(2, 3, hint, logTerm, 2)), 2);

    expect(sent.length).toBeLessThanOrEqual(1);
    checkInvariants(leader.node);
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));
}

describe('E8, E11: snapshots', () => {
  /** A leader that has compacted its log up to index 3, whose follower 3 is to get a snapshot. */
  function snapshotLeader(): TestNode {
    const leader = leaderWith({ log: [1, 1] });
    ackAll(leader, 2);
    leader.settle();
    leader.compact();
    expect(ofType(leader.receive(heartbeatResponse(3, 2)), MsgSnap)).toHaveLength(1);
    return leader;
  }

  test('Snapshot is paused: nothing is sent, whatever is proposed or heard', () => {
    const leader = snapshotLeader();

    expect(progressOf(leader, 3)).toMatchObject({ state: ProgressState.Snapshot, pendingSnapshot: 3, next: 4 });
    expect(propose(leader, 'a').filter(({ to }) => to === 3)).toEqual([]);
    expect(leader.receive(heartbeatResponse(3, 2))).toEqual([]);
    expect(leader.receive(rejection(3, 2, 0, 0, 2))).toEqual([]);
  });

  test('V17: heartbeats go on meanwhile', () => {
    expect(ofType(snapshotLeader().tick(), MsgHeartbeat).map(({ to }) => to)).toEqual([2, 3]);
  });

  test('an acknowledgement from which the log goes on ends it, whichever snapshot was restored', () => {
    const leader = snapshotLeader();
    propose(leader, 'a');

    const sent = appsTo(leader.receive(ack(3, 2, 3)), 3);

    expect(progressOf(leader, 3)).toMatchObject({ state: ProgressState.Replicate, match: 3 });
    expect(sent.flatMap(({ entries }) => entries.map(({ index }) => index))).toEqual([4]);
  });

  test('an acknowledgement below the log does not', () => {
    const leader = snapshotLeader();
    leader.receive(ack(3, 2, 1));

    expect(progressOf(leader, 3)).toMatchObject({ state: ProgressState.Snapshot, match: 1 });
  });

  test.each([
    { outcome: SnapshotStatus.Finish, next: 4, why: 'success: probes after the snapshot' },
    { outcome: SnapshotStatus.Failure, next: 1, why: 'failure: probes after match' },
  ])('a report of $why', ({ outcome, next }) => {
    const leader = snapshotLeader();

    expect(leader.node.reportSnapshot(3, outcome)).toBe(StepResult.Ok);

    expect(progressOf(leader, 3)).toMatchObject({ state: ProgressState.Probe, next, pendingSnapshot: 0 });
    expect(progressOf(leader, 3).isPaused()).toBe(true);
    expect(propose(leader, 'a').filter(({ to }) => to === 3)).toEqual([]);
  });

  test('a report about a follower that gets no snapshot changes nothing', () => {
    const leader = snapshotLeader();

    leader.node.reportSnapshot(2, SnapshotStatus.Failure);

    expect(progressOf(leader, 2).state).toBe(ProgressState.Replicate);
  });

  test('B58: a new follower of a leader whose log is wholly compacted gets the snapshot without any proposal', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);
    leader.node.proposeConfChange(newConfChange({ nodeId: 4 }));
    ackAll(leader, 2, 3);
    leader.settle();
    leader.compact();

    expect(ofType(leader.receive(heartbeatResponse(4)), MsgSnap)).toMatchObject([{ to: 4, snapshot: { metadata: { index: 2 } } }]);
  });

  test('is not sent to a follower that does not answer', () => {
    const leader = leaderWith({ log: [1, 1], checkQuorum: true });
    ackAll(leader, 2);
    leader.settle();
    leader.compact();
    progressOf(leader, 3).recentActive = false;
    leader.receive(heartbeatResponse(3, 2));
    leader.tick(10);

    expect(ofType(leader.settle(), MsgSnap)).toEqual([]);
  });
});

describe('E12: batches', () => {
  test.each([
    { maxSizePerMsg: 0, batches: [1, 1, 1], why: 'a limit of 0 means one entry' },
    { maxSizePerMsg: 1, batches: [1, 1, 1], why: 'a limit below any entry means one as well' },
    { maxSizePerMsg: 1 << 20, batches: [3], why: 'all that fit' },
    { maxSizePerMsg: Infinity, batches: [3], why: 'no limit' },
  ])('$why: $batches', ({ maxSizePerMsg, batches }) => {
    const leader = leaderWith({ log: [1, 1], maxSizePerMsg });
    const first = appsTo(leader.receive(rejection(2, 2, 0, 0, 2)), 2);
    const rest = appsTo(leader.receive(ack(2, 2, first[0]!.entries.length)), 2);

    expect([...first, ...rest].map(({ entries }) => entries.length).filter((count) => count > 0)).toEqual(batches);
  });

  test('an entry that is larger than the limit is sent all the same', () => {
    const leader = replicatingLeader({ maxSizePerMsg: 10 });
    const [m] = appsTo(propose(leader, 'x'.repeat(100)), 2);

    expect(m!.entries).toHaveLength(1);
  });

  test('after an acknowledgement sending goes on until the window is full', () => {
    const leader = leaderWith({ log: [1, 1, 1, 1], maxSizePerMsg: 0, maxInflightMsgs: 2 });
    leader.receive(rejection(2, 4, 0, 0, 2));

    const sent = appsTo(leader.receive(ack(2, 2, 1)), 2);

    expect(sent.map(({ entries }) => entries[0]?.index)).toEqual([2, 3]);
  });
});

describe('V14: a follower', () => {
  test('B39, M22: acknowledges prev + count, never its own last index', () => {
    const follower = followerWith({ log: [1, 1, 1, 1, 1], term: 2 });

    const answers = [
      message(MsgApp, { term: 2, index: 2, logTerm: 1 }),
      message(MsgApp, { term: 2, index: 2, logTerm: 1, entries: [newEntry(EntryType.EntryNormal, emptyBytes, 1, 3)] }),
    ].map((m) => follower.receive(m)[0]!.index);

    expect(answers).toEqual([2, 3]);
    expect(follower.lastIndex).toBe(5);
  });

  test('commits at most what was verified against this leader', () => {
    const follower = followerWith({ log: [1, 1, 1, 1, 1], term: 2 });

    follower.receive(message(MsgApp, { term: 2, index: 2, logTerm: 1, commit: 5 }));

    expect(follower.commit).toBe(2);
  });

  test('B37, M20, M21: what it has already is not cut off by what comes late or twice', () => {
    const follower = followerWith({ log: [1, 1], term: 2 });
    const entries = [3, 4].map((index) => newEntry(EntryType.EntryNormal, emptyBytes, 2, index));
    follower.receive(message(MsgApp, { term: 2, index: 2, logTerm: 1, entries }));

    follower.node.step(message(MsgApp, { term: 2, index: 2, logTerm: 1, entries: entries.slice(0, 1) }));
    follower.node.step(message(MsgApp, { term: 1, index: 1, logTerm: 1, entries: [newEntry(EntryType.EntryNormal, emptyBytes, 1, 2)] }));

    expect(follower.node.ready().entries).toEqual([]);
    expect(follower.logTerms).toEqual([1, 1, 2, 2]);
  });

  test('B38: an append below what is committed is answered with the commit index, and changes nothing', () => {
    const follower = followerWith({ log: [1, 1, 1], commit: 3, term: 2 });

    const [answer] = follower.receive(message(MsgApp, { term: 2, index: 1, logTerm: 1, entries: [newEntry(EntryType.EntryNormal, bytes('other'), 2, 2)] }));

    expect(answer).toMatchObject({ type: MsgAppResp, index: 3, reject: false });
    expect(follower.logTerms).toEqual([1, 1, 1]);
  });
});

describe('V7: after a conflict no entry of the old tail comes back', () => {
  test('the durable log ends with what the leader sent, whatever was there before', () => {
    const follower = followerWith({ log: [1, 1, 1, 1], commit: 1, term: 2 });

    follower.receive(message(MsgApp, { term: 2, index: 1, logTerm: 1, entries: [newEntry(EntryType.EntryNormal, emptyBytes, 2, 2)] }));
    expect(follower.logTerms).toEqual([1, 2]);
    follower.restart();

    expect(follower.lastIndex).toBe(2);
    expect(follower.logTerms).toEqual([1, 2]);
  });
});
