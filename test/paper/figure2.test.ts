import { describe, expect, test } from '@jest/globals';
import { MessageType, messageTypeName } from '../../src/core/raftpb/messageType.js';
import { LocalAppendThread, StateType, type NodeId } from '../../src/core/types.js';
import { ack, ackAll, bytes, entries, followerWith, leaderWith, message, nodeWith, ofType } from '../support/builders.js';
import { entriesFrom, snapshotAt } from '../support/logBuilders.js';
import type { TestNode } from '../support/testNode.js';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgPreVote, MsgSnap, MsgStorageAppend, MsgVote, MsgVoteResp } = MessageType;

/** What leaves at once, and what only after the write, by type and receiver; with asynchronous writes the node says which is which. */
function departures(node: TestNode): { atOnce: string[]; afterWrite: string[] } {
  const { messages } = node.node.ready();
  const write = ofType([...messages], MsgStorageAppend)[0];
  const name = (list: readonly { type: MessageType; to: NodeId }[]) =>
    list.filter((m) => m.to !== node.id && m.to !== LocalAppendThread).map((m) => `${messageTypeName(m.type)} to ${m.to}`);
  return { atOnce: name(messages), afterWrite: name(write?.responses ?? []) };
}

describe('Raft Figure 2, persistent state', () => {
  test.each([
    { what: 'a vote', m: message(MsgVote, { term: 5 }), answer: 'MsgVoteResp to 2' },
    { what: 'a refused vote', m: message(MsgVote, { term: 5, index: 0, logTerm: 0, from: 3 }), answer: 'MsgVoteResp to 3' },
    { what: 'an append', m: message(MsgApp, { term: 5, entries: entries(5, 5) }), answer: 'MsgAppResp to 2' },
    { what: 'a refused append', m: message(MsgApp, { term: 5, index: 7, logTerm: 5 }), answer: 'MsgAppResp to 2' },
    { what: 'a snapshot', m: message(MsgSnap, { term: 5, snapshot: snapshotAt(9, 4) }), answer: 'MsgAppResp to 2' },
  ])('V4, V5, E13: term, vote and log are on stable storage before the answer leaves: $what', ({ what, m, answer }) => {
    const node = nodeWith({ asyncStorageWrites: true, term: 1, log: what === 'a refused vote' ? [1] : [] });

    node.node.step(m);

    expect(departures(node)).toEqual({ atOnce: [], afterWrite: [answer] });
  });

  test('D5: a candidate asks for votes only after its own vote and term are on stable storage', () => {
    const node = nodeWith({ asyncStorageWrites: true, term: 1 });

    node.node.campaign();

    expect(departures(node)).toEqual({ atOnce: [], afterWrite: ['MsgVote to 2', 'MsgVote to 3'] });
  });

  test('V10: a pre-vote promises nothing, so it leaves at once and writes nothing', () => {
    const node = nodeWith({ asyncStorageWrites: true, preVote: true, term: 1 });

    node.node.campaign();

    expect(departures(node)).toEqual({ atOnce: [`${messageTypeName(MsgPreVote)} to 2`, `${messageTypeName(MsgPreVote)} to 3`], afterWrite: [] });
    expect(node.storage.initialState().hardState).toEqual({ term: 1, vote: 0, commit: 0 });
  });

  test.each([
    { m: message(MsgVote, { term: 1, index: 2, logTerm: 1 }), mustSync: true, why: 'a vote' },
    { m: message(MsgHeartbeat, { term: 2 }), mustSync: true, why: 'a term' },
    { m: message(MsgApp, { term: 1, index: 2, logTerm: 1, entries: entriesFrom(3, [1]) }), mustSync: true, why: 'entries' },
    { m: message(MsgHeartbeat, { term: 1, commit: 2 }), mustSync: false, why: 'a commit index alone can be found out again' },
  ])('E13: what must be synced: $why', ({ m, mustSync }) => {
    const node = nodeWith({ term: 1, log: [1, 1] });

    node.node.step(m);

    expect(node.node.ready().mustSync).toBe(mustSync);
  });
});

describe('Raft Figure 2, volatile state on leaders', () => {
  test('after the election nextIndex is the last log index plus one and matchIndex is zero', () => {
    const leader = leaderWith({ log: [1, 1, 1], term: 2 });

    const { progress } = leader.node.status();

    expect([2, 3].map((id) => [progress.get(id)?.next, progress.get(id)?.match])).toEqual([
      [4, 0],
      [4, 0],
    ]);
  });

  test('both start anew with every election', () => {
    const node = leaderWith();
    ackAll(node, 2, 3);
    node.receive(message(MsgHeartbeat, { term: 2 }));

    node.node.campaign();
    node.settle();
    node.receive(message(MsgVoteResp, { term: 3 }));

    const { progress } = node.node.status();
    expect([2, 3].map((id) => [progress.get(id)?.next, progress.get(id)?.match])).toEqual([
      [2, 0],
      [2, 0],
    ]);
  });

  test('V14: matchIndex grows monotonically within a term', () => {
    const leader = leaderWith({ log: [1, 1], term: 2 });
    leader.receive(ack(2, 2, 3));

    leader.receive(ack(2, 2, 1), message(MsgAppResp, { term: 2, index: 2, reject: true, rejectHint: 1, logTerm: 1 }));

    expect(leader.node.status().progress.get(2)?.match).toBe(3);
  });
});

describe('Raft Figure 2, AppendEntries receiver', () => {
  test('1. replies false to a smaller term: nothing of the message is used', () => {
    const node = followerWith({ term: 4 });

    const answers = node.receive(message(MsgApp, { from: 3, term: 3, entries: entries(3), commit: 1 }));

    expect(answers).toEqual([]);
    expect([node.logTerms, node.commit, node.lead]).toEqual([[], 0, 2]);
  });

  test('2. replies false if the log has no entry at prevLogIndex whose term is prevLogTerm', () => {
    const node = followerWith({ log: [1, 1] });

    const answers = node.receive(message(MsgApp, { term: 1, index: 3, logTerm: 1 }));

    expect(answers).toMatchObject([{ type: MsgAppResp, reject: true, rejectHint: 2, logTerm: 1 }]);
  });

  test.each([
    { terms: [1, 1], after: [1, 1, 1, 1], why: 'nothing conflicts, so nothing is deleted' },
    { terms: [2], after: [2], why: 'the first entry conflicts' },
    { terms: [1, 2], after: [1, 2], why: 'the second conflicts' },
    { terms: [1, 1, 1, 2], after: [1, 1, 1, 2], why: 'the last conflicts' },
  ])('3. deletes an entry that conflicts and all that follow it, and only then: $terms, $why', ({ terms, after }) => {
    const node = followerWith({ log: [1, 1, 1, 1], term: 2 });

    node.receive(message(MsgApp, { term: 2, entries: entries(...terms) }));

    expect(node.logTerms).toEqual(after);
  });

  test('4. appends entries that are not in the log yet', () => {
    const node = followerWith({ log: [1, 1], term: 2 });

    node.receive(message(MsgApp, { term: 2, index: 1, logTerm: 1, entries: entriesFrom(2, [1, 2, 2]) }));

    expect(node.logTerms).toEqual([1, 1, 2, 2]);
  });

  test.each([
    { commit: 0, after: 1, why: 'it never goes down' },
    { commit: 3, after: 3, why: 'the commit index of the leader' },
    { commit: 9, after: 4, why: 'at most the last new entry' },
  ])('5. the commit index becomes min(leaderCommit, last new entry): $commit, $why', ({ commit, after }) => {
    // Behind the new entries are two that this message does not speak of.
    const node = followerWith({ log: [1, 1, 1, 1, 1, 1], commit: 1 });

    node.receive(message(MsgApp, { term: 1, index: 2, logTerm: 1, entries: entriesFrom(3, [1, 1]), commit }));

    expect(node.commit).toBe(after);
    expect(node.lastIndex).toBe(6);
  });
});

describe('Raft Figure 2, RequestVote receiver', () => {
  test('1. replies false to a smaller term: it grants nothing', () => {
    const node = nodeWith({ term: 4 });

    const answers = node.receive(message(MsgVote, { term: 3, index: 9, logTerm: 3 }));

    expect(answers.filter((m) => !m.reject)).toEqual([]);
    expect(node.vote).toBe(0);
  });

  test('2. grants the vote if it is free and the candidate is up to date', () => {
    const node = nodeWith({ term: 4, log: [1, 3] });

    const answers = node.receive(message(MsgVote, { term: 4, index: 2, logTerm: 3 }));

    expect(answers).toMatchObject([{ type: MsgVoteResp, to: 2, term: 4, reject: false }]);
    expect(node.storage.initialState().hardState).toEqual({ term: 4, vote: 2, commit: 0 });
  });
});

describe('Raft Figure 2, rules for servers', () => {
  test('all: what is committed and not applied is applied, in order', () => {
    const node = followerWith({ log: [1, 1, 1] });

    node.receive(message(MsgHeartbeat, { term: 1, commit: 1 }), message(MsgHeartbeat, { term: 1, commit: 3 }));

    expect(node.applied.map((entry) => entry.index)).toEqual([1, 2, 3]);
    expect(node.node.basicStatus().applied).toBe(3);
  });

  test('followers: answer requests of leaders and candidates, and send nothing of their own', () => {
    const node = followerWith({ term: 1 });

    const own = node.tick(9);
    const answers = node.receive(message(MsgHeartbeat, { term: 1 }), message(MsgApp, { term: 1 }), message(MsgVote, { term: 2 }));

    expect(own).toEqual([]);
    expect(answers.map((m) => messageTypeName(m.type))).toEqual(['MsgHeartbeatResp', 'MsgAppResp', 'MsgVoteResp']);
  });

  test('leaders: append what a client asks for, and answer once it is applied', () => {
    const leader = leaderWith({ voters: [1] });

    const place = leader.node.propose(bytes('x'));
    leader.settle();

    expect(leader.applied.at(-1)).toMatchObject({ ...place, data: bytes('x') });
  });

  test('leaders: send from nextIndex whatever a follower lacks', () => {
    const leader = leaderWith({ log: [1, 1, 1], term: 2 });

    const sent = leader.receive(message(MsgAppResp, { term: 2, index: 3, reject: true, rejectHint: 1, logTerm: 1 }));

    expect(sent).toMatchObject([{ type: MsgApp, to: 2, index: 1 }]);
    expect(sent[0]?.entries.map((entry) => entry.index)).toEqual([2, 3, 4]);
  });

  test('leaders: success updates nextIndex and matchIndex of that follower', () => {
    const leader = leaderWith();

    leader.receive(ack(3, 1, 1));

    const { progress } = leader.node.status();
    expect(progress.get(3)).toMatchObject({ match: 1, next: 2 });
    expect(progress.get(2)).toMatchObject({ match: 0 });
  });

  test.each([
    { matches: [5, 5, 3, 2], commit: 5, why: 'three of five hold 5' },
    { matches: [4, 3, 3, 2], commit: 3, why: 'two hold 4, four hold 3' },
    { matches: [5, 2, 2, 2], commit: 0, why: 'a majority holds 2 alone, which is of an earlier term' },
    { matches: [5, 4, 2, 2], commit: 4, why: 'three of five hold 4' },
  ])('leaders: the largest N of the own term that a majority holds is committed: $matches, $why', ({ matches, commit }) => {
    const leader = leaderWith({ voters: [1, 2, 3, 4, 5], log: [1, 1], term: 2 });
    leader.node.propose(bytes('x'));
    leader.node.propose(bytes('y'));
    leader.settle();

    matches.forEach((match, i) => leader.receive(ack(2 + i, 2, match)));

    expect(leader.commit).toBe(commit);
    expect(leader.state).toBe(StateType.Leader);
  });
});
