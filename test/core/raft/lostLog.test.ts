import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import type { TraceEvent } from '../../../src/core/trace.js';
import { StateType } from '../../../src/core/types.js';
import { bytes, followerWith, message, nodeWith } from '../../support/builders.js';
import { acknowledgedLeader, contradict, wipedNode } from '../../support/reversions.js';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgPreVote, MsgTimeoutNow, MsgVote } = MessageType;

describe('D10 O12: a node whose leader commits beyond its log', () => {
  const heartbeat = message(MsgHeartbeat, { from: 1, to: 2, term: 2, commit: 3 });

  test('does not crash, and tells the leader with a rejection in place of the usual answer', () => {
    const node = wipedNode(2);

    expect(node.receive(heartbeat)).toMatchObject([{ type: MsgAppResp, to: 1, index: 3, commit: 3, reject: true, rejectHint: 0 }]);
    expect(node.node.status()).toMatchObject({ lostUpTo: 3, hardState: { commit: 0 } });
  });

  test('says so in its trace, once', () => {
    const events: TraceEvent[] = [];
    const node = followerWith({ id: 2, lead: 1, log: [1], trace: { trace: (event) => events.push(event) } });
    node.receive(heartbeat, heartbeat);

    expect(events.filter(({ kind }) => kind === 'lossNoted')).toEqual([{ kind: 'lossNoted', id: 2, lostUpTo: 3, lastIndex: 1 }]);
  });

  test('neither votes nor campaigns, also when it is told to', () => {
    const node = wipedNode(2);
    node.receive(heartbeat);

    expect(node.node.campaign()).toBe(StepResult.LogLost);
    expect(node.node.step(message(MsgTimeoutNow, { from: 1, to: 2, term: 2 }))).toBe(StepResult.LogLost);
    expect(node.tick(40)).toEqual([]);
    expect(node.receive(message(MsgPreVote, { from: 3, to: 2, term: 9, index: 9, logTerm: 8 }))).toMatchObject([{ reject: true }]);
    expect(node.receive(message(MsgVote, { from: 3, to: 2, term: 9, index: 9, logTerm: 8 }))).toMatchObject([{ reject: true }]);
    expect(node.state).toBe(StateType.Follower);
  });

  test('goes on otherwise: it takes entries, and passes proposals and reads on', () => {
    const node = wipedNode(2);
    node.receive(heartbeat);

    expect(node.node.propose(bytes('x'))).toBeNull();
    expect(node.node.readIndex(bytes('x'))).toBe(StepResult.Ok);
    expect(node.settle()).toHaveLength(2);
    const entries = acknowledgedLeader().log;
    expect(node.receive(message(MsgApp, { from: 1, to: 2, term: 2, entries }))).toMatchObject([{ type: MsgAppResp, index: 3, reject: false }]);
  });

  test.each([
    { term: 2, commit: 2, lost: 3, why: 'an entry is missing' },
    { term: 2, commit: 3, lost: 0, why: 'it holds again what it had acknowledged' },
    { term: 4, commit: 2, lost: 3, why: 'a later leader, but what it has committed may be older' },
    { term: 4, commit: 4, lost: 0, why: 'it has what a later leader has committed in its own term' },
  ])('until it has caught up: committed up to $commit in term $term, $why', ({ term, commit, lost }) => {
    const node = wipedNode(2);
    node.receive(heartbeat);
    const entries = acknowledgedLeader().log;
    node.receive(message(MsgApp, { from: 3, to: 2, term, entries: [...entries, { ...entries[2]!, index: 4, term }], commit }));

    expect(node.node.status().lostUpTo).toBe(lost);
    expect(node.node.campaign()).toBe(lost === 0 ? StepResult.Ok : StepResult.LogLost);
  });

  test('D9: a number that nobody can have acknowledged keeps it from voting only until the next leader has committed', () => {
    const node = followerWith({ id: 2, lead: 1, log: [1, 1], term: 2 });
    node.receive(message(MsgHeartbeat, { from: 1, to: 2, term: 2, commit: 2 ** 53 - 2 }));
    expect(node.node.campaign()).toBe(StepResult.LogLost);

    const first = { ...node.log[1]!, index: 3, term: 3 };
    node.receive(message(MsgApp, { from: 3, to: 2, term: 3, index: 2, logTerm: 1, entries: [first], commit: 3 }));

    expect(node.node.campaign()).toBe(StepResult.Ok);
  });

  test('D9: the only voter believes it too, as its configuration may be older than what it has lost; until a restart', () => {
    const node = nodeWith({ voters: [1], log: [1, 1], commit: 2 });
    expect(node.receive(message(MsgHeartbeat, { from: 9, term: 8, commit: 1000 }))).toMatchObject([{ type: MsgAppResp, reject: true }]);
    expect([node.tick(100), node.node.campaign()]).toEqual([[], StepResult.LogLost]);

    const again = nodeWith({ storage: node.storage });
    expect([again.node.campaign(), again.state, again.term]).toEqual([StepResult.Ok, StateType.Candidate, 9]);
    again.settle();
    expect(again.state).toBe(StateType.Leader);
  });

  test('a question tells it the same, and it answers like any peer', () => {
    const node = wipedNode(2);
    const question = contradict(acknowledgedLeader());

    expect(node.receive(question)).toMatchObject([{ type: MsgAppResp, reject: true, index: question.index, rejectHint: 0, commit: 0 }]);
    expect(node.node.status().lostUpTo).toBe(3);
  });
});

describe('D10 V14: a log that is long enough, but was not acknowledged to this leader', () => {
  const heartbeat = message(MsgHeartbeat, { from: 3, to: 2, term: 2, commit: 2 });
  const entries = acknowledgedLeader().log.slice(0, 2);

  test('a heartbeat does not commit what a node has acknowledged to nobody in this term: a restored backup, made longer by late messages', () => {
    const node = nodeWith({ id: 2, log: [1], term: 1 });
    node.receive(message(MsgApp, { from: 1, to: 2, term: 1, index: 1, logTerm: 1, entries: entries.slice(1) }));

    expect(node.receive(heartbeat)).toMatchObject([{ type: MsgAppResp, reject: true }]);
    expect(node.node.status()).toMatchObject({ lostUpTo: 2, hardState: { commit: 0 } });
  });

  test.each([
    { acked: [1], term: 1, why: 'acknowledged in this term' },
    { acked: [], term: 2, why: 'restarted in this term, so nobody knows what it has acknowledged' },
    { acked: [], term: 0, why: 'started without a term: its host may have given it the log' },
  ])('it does commit what was $why', ({ acked, term }) => {
    const node = nodeWith({ id: 2, log: [1, 1], term });
    for (const index of acked) node.receive(message(MsgApp, { from: 3, to: 2, term: 2, index, logTerm: 1, entries: entries.slice(1) }));

    expect(node.receive(heartbeat)).toMatchObject([{ type: MsgHeartbeatResp }]);
    expect(node.commit).toBe(2);
  });
});
