import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../../src/core/checkInvariants.js';
import { EntryType, newEntry } from '../../../src/core/raftpb/entry.js';
import type { Message } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { newConfState, type ConfState } from '../../../src/core/raftpb/state.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { emptyBytes, StateType } from '../../../src/core/types.js';
import { bytes, followerWith, message, nodeWith, type NodeFields } from '../../support/builders.js';
import { RawGroup } from '../../support/rawGroup.js';

const { MsgApp, MsgAppResp, MsgSnap, MsgVote } = MessageType;
const group = newConfState({ voters: [1, 2, 3] });

function snap(index: number, term: number, confState: ConfState = group, ofTerm = 5): Message {
  return message(MsgSnap, { term: ofTerm, snapshot: { data: bytes('state'), metadata: { index, term, confState } } });
}

const fields: NodeFields = { log: [1, 1, 2, 4], commit: 2, term: 5 };

describe('E9: MsgSnap of the current term sets the leader and restarts the election timer', () => {
  test.each([
    { m: snap(9, 5), why: 'the snapshot is restored' },
    { m: snap(1, 1), why: 'it is ignored, because it is old' },
    { m: snap(9, 5, newConfState({ voters: [2, 3] })), why: 'it is ignored, because we are no member of it' },
  ])('when $why', ({ m }) => {
    const node = nodeWith(fields);
    node.tick(7);

    node.receive(m);

    expect([node.lead, internalRaft(node.node).electionElapsed]).toEqual([2, 0]);
  });

  test('a candidate follows', () => {
    const node = nodeWith(fields);
    node.node.campaign();
    node.receive(snap(9, 6, group, 6));

    expect([node.state, node.lead, node.commit]).toEqual([StateType.Follower, 2, 9]);
  });
});

describe('what is answered is the index up to which both agree', () => {
  test.each([
    { m: snap(9, 5), index: 9, why: 'restored: the whole snapshot' },
    { m: snap(2, 1), index: 2, why: 'at the commit index: what we have committed' },
    { m: snap(1, 1), index: 2, why: 'below the commit index: what we have committed' },
    { m: snap(4, 4), index: 4, why: 'within our log: it is committed up to there now' },
    { m: snap(9, 5, newConfState({ voters: [2, 3] })), index: 2, why: 'not for us: what we have committed' },
    { m: snap(3, 1), index: 3, why: 'in conflict with our tail, which is not committed: restored' },
  ])('$why', ({ m, index }) => {
    expect(followerWith(fields).receive(m)).toEqual([message(MsgAppResp, { from: 1, to: 2, term: 5, index })]);
  });
});

describe('section 6: a snapshot at or below the commit index, or within the log, only fast-forwards', () => {
  test('the log stays as it is', () => {
    const follower = followerWith(fields);

    follower.receive(snap(3, 2), snap(2, 1), snap(1, 1));

    expect([follower.commit, follower.lastIndex, follower.restored]).toEqual([3, 4, []]);
    expect(follower.logTerms).toEqual([1, 1, 2, 4]);
  });

  test('B66: one that contradicts what is committed changes nothing', () => {
    const follower = followerWith(fields);

    follower.receive(snap(2, 4));

    expect([follower.commit, follower.logTerms]).toEqual([2, [1, 1, 2, 4]]);
  });

  test('D9: nor does one whose term lies before that of a committed entry: terms never fall along a log', () => {
    const follower = followerWith({ ...fields, commit: 4 });

    expect(follower.receive(snap(9, 3))[0]).toMatchObject({ index: 4 });
    expect([follower.lastIndex, follower.restored]).toEqual([4, []]);
  });
});

describe('V7: a snapshot replaces the log and the configuration as a whole', () => {
  test('nothing of the old log comes back, and replication goes on behind it', () => {
    const follower = followerWith(fields);
    const confState = newConfState({ voters: [1, 2], learners: [4] });

    follower.receive(snap(3, 3, confState));
    expect([follower.commit, follower.lastIndex, follower.log]).toEqual([3, 3, []]);
    follower.receive(message(MsgApp, { term: 5, index: 3, logTerm: 3, entries: [newEntry(EntryType.EntryNormal, bytes('next'), 5, 4)], commit: 4 }));
    follower.restart();

    expect(follower.node.status()).toMatchObject({ config: confState, lastIndex: 4 });
    expect(follower.logTerms).toEqual([5]);
  });

  test('a learner restores it as a learner, and an outgoing voter as a voter', () => {
    const learner = nodeWith({ voters: [2, 3], learners: [1], term: 5 });
    learner.receive(snap(9, 5, newConfState({ voters: [2, 3], learners: [1] })));
    expect(learner.commit).toBe(9);

    const outgoing = nodeWith({ id: 4, voters: [2, 3, 4], term: 5 });
    outgoing.receive({ ...snap(9, 5, newConfState({ voters: [2, 3], votersOutgoing: [2, 3, 4] })), to: 4 });
    expect(outgoing.commit).toBe(9);
  });

  test('it does not vote by the log that was replaced', () => {
    const follower = followerWith(fields);
    follower.receive(snap(9, 5));

    const [answer] = follower.receive(message(MsgVote, { from: 3, term: 6, index: 8, logTerm: 5 }));

    expect(answer?.reject).toBe(true);
  });
});

describe('B11, B57: two snapshots shortly after one another, with asynchronous writes', () => {
  test.each(['at once', 'between the writes'])('the answer to the first neither stalls nor skips the second (%s)', (when) => {
    const rawGroup = new RawGroup(3, { asyncStorageWrites: true });
    const hosted = rawGroup.get(1);
    hosted.node.step(snap(10, 5));
    hosted.handleReady();
    if (when === 'between the writes') hosted.doWork();
    hosted.node.step(snap(20, 5));
    expect(hosted.node.status()).toMatchObject({ lastIndex: 20, hardState: { commit: 20 } });

    hosted.doWork();
    checkInvariants(hosted.node);
    expect(hosted.raft.log.applied).toBe(10);
    const sent = hosted.handleReadys();

    expect(sent.filter(({ type }) => type === MsgAppResp).at(-1)).toMatchObject({ index: 20 });
    expect(hosted.raft.log.applied).toBe(20);
    expect(hosted.storage.snapshot().metadata.index).toBe(20);
    hosted.node.step(message(MsgApp, { term: 5, index: 20, logTerm: 5, entries: [newEntry(EntryType.EntryNormal, emptyBytes, 5, 21)], commit: 21 }));
    hosted.handleReadys();
    expect(hosted.applied).toEqual(['21/5 ']);
  });
});

describe('B56: a snapshot that arrives while older entries are being applied', () => {
  test('applied never goes back', () => {
    const rawGroup = new RawGroup(3, { asyncStorageWrites: true });
    const hosted = rawGroup.get(1);
    const entries = [3, 4].map((index) => newEntry(EntryType.EntryNormal, bytes(`e${index}`), 5, index));
    hosted.node.step(message(MsgApp, { term: 5, index: 2, logTerm: 1, entries, commit: 4 }));
    hosted.handleReady();
    hosted.doWork();
    hosted.handleReady();
    const [apply] = hosted.work.splice(0).filter(({ type }) => type === MessageType.MsgStorageApply);

    hosted.node.step(snap(10, 5));
    hosted.handleReadys();
    expect(hosted.raft.log.applied).toBe(10);
    hosted.node.stepStorageResponse(apply!.responses[0]!);

    expect(hosted.raft.log.applied).toBe(10);
    checkInvariants(hosted.node);
  });
});
