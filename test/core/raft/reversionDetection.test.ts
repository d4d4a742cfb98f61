import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../../src/core/checkInvariants.js';
import { describeProgress } from '../../../src/core/describe.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import type { TraceEvent } from '../../../src/core/trace.js';
import { ReadOnlyOption, StateType } from '../../../src/core/types.js';
import { ack, ackAll, bytes, followerWith, message, ofType } from '../../support/builders.js';
import { acknowledgedLeader, answer, contradict, findOut, questionsTo, wipedNode } from '../../support/reversions.js';
import { stateHash } from '../../support/stateHash.js';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp } = MessageType;

describe('O12: the leader finds out', () => {
  test('at once when the member says so, after three contradictions otherwise', () => {
    const told = message(MsgAppResp, { term: 2, index: 3, commit: 3, reject: true });

    expect(questionsTo(2, acknowledgedLeader().receive(told))).toHaveLength(1);
    const late = message(MsgAppResp, { term: 2, index: 1, reject: true });
    expect(questionsTo(2, acknowledgedLeader().receive(late, late))).toEqual([]);
    expect(questionsTo(2, acknowledgedLeader().receive(late, late, late, late))).toHaveLength(1);
  });

  test.each([
    { rejectHint: 0, logTerm: 0, found: true, why: 'nothing is left' },
    { rejectHint: 2, logTerm: 1, found: true, why: 'a part is left' },
    { rejectHint: 9, logTerm: 1, found: true, why: 'a longer log without our entry: a backup with the tail of an old leader' },
    { rejectHint: 3, logTerm: 2, found: false, why: 'our log' },
    { rejectHint: 9, logTerm: 2, found: false, why: 'more than our log, all of our term' },
    { rejectHint: 5, logTerm: 0, found: false, why: 'our log, compacted beyond what was asked' },
  ])('an answer of $rejectHint in term $logTerm: $why', ({ rejectHint, logTerm, found }) => {
    const node = acknowledgedLeader();
    node.receive(answer(contradict(node), rejectHint, logTerm));

    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: found, match: found ? 0 : 3 });
  });

  test('what is compacted cannot be proven to be lost: a member that says so gets a snapshot in place of the entry', () => {
    const node = acknowledgedLeader();
    ackAll(node, 3);
    node.node.propose(bytes('x'));
    node.settle();
    ackAll(node, 3);
    node.compact();
    const told = message(MsgAppResp, { term: 2, index: 3, commit: 3, reject: true, rejectHint: 3, logTerm: 1 });
    const [question] = questionsTo(2, node.receive(told));
    // Its log is long enough, and has another entry at 3: a backup with the tail of an old leader.
    const [probe] = ofType(node.receive(answer(question!, 3, 1)), MsgApp);
    expect(probe).toMatchObject({ to: 2, index: 4, entries: [] });
    const sent = node.receive(message(MsgAppResp, { term: 2, index: 4, reject: true, rejectHint: 3, logTerm: 1 }));

    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: false });
    expect(ofType(sent, MessageType.MsgSnap)).toMatchObject([{ to: 2, snapshot: { metadata: { index: 4 } } }]);
  });

  test('the quarantine is visible in status, JSON, progress text, trace and a counter', () => {
    const events: TraceEvent[] = [];
    const node = acknowledgedLeader({ trace: { trace: (event) => events.push(event) } });
    findOut(node);

    const status = node.node.status();
    expect(status).toMatchObject({ quarantines: 1, hardState: { commit: 3 } });
    expect(status.progress.get(2)).toMatchObject({ quarantined: true, match: 0, recentActive: false, paused: true });
    expect(JSON.parse(JSON.stringify(status))).toMatchObject({ quarantines: 1, progress: { 2: { quarantined: true } } });
    expect(describeProgress(internalRaft(node.node).tracker.get(2)!)).toBe('StateProbe match=0 next=4 paused inactive quarantined');
    expect(events.filter(({ kind }) => kind === 'logWentBack')).toEqual([{ kind: 'logWentBack', id: 1, member: 2, match: 3, lastIndex: 0, permitted: false }]);
  });

  test('the group goes on: entries go to the others, and only what they acknowledge is committed', () => {
    const node = acknowledgedLeader();
    ackAll(node, 3);
    findOut(node);
    node.node.propose(bytes('x'));

    expect(ofType(node.settle(), MsgApp).map(({ to }) => to)).toEqual([3]);
    ackAll(node, 2);
    expect(node.commit).toBe(3);
    ackAll(node, 3);
    expect(node.commit).toBe(4);
  });

  test('it confirms no read, and what it has confirmed before is worth nothing', () => {
    const node = acknowledgedLeader({ voters: [1, 2, 3, 4, 5] });
    ackAll(node, 3);
    node.node.readIndex(bytes('x'));
    const { context } = ofType(node.settle(), MsgHeartbeat)[0]!;
    node.receive(message(MsgHeartbeatResp, { term: 2, context }));
    findOut(node);
    node.receive(message(MsgHeartbeatResp, { term: 2, context }), message(MsgHeartbeatResp, { from: 3, term: 2, context }));
    expect(node.reads).toEqual([]);

    node.receive(message(MsgHeartbeatResp, { from: 4, term: 2, context }));
    expect(node.reads).toHaveLength(1);
  });

  test.each([
    { lost: true, reads: 0, why: 'a node without its disk may have forgotten a promise' },
    { lost: false, reads: 1, why: 'otherwise its answer is fresh enough' },
  ])('it holds no lease: $why', ({ lost, reads }) => {
    const node = acknowledgedLeader({ checkQuorum: true, readOnlyOption: ReadOnlyOption.LeaseBased });
    const [heartbeat] = ofType(node.tick(), MsgHeartbeat);
    node.receive(message(MsgHeartbeatResp, { term: 2, context: heartbeat!.context }));
    if (lost) findOut(node);
    node.node.readIndex(bytes('x'));
    node.settle();

    expect(node.reads).toHaveLength(reads);
  });

  test('it does not keep a leader in office', () => {
    const node = acknowledgedLeader({ checkQuorum: true });
    findOut(node);
    for (let i = 0; i < 20; i++) {
      node.receive(message(MsgHeartbeatResp, { term: 2 }), ack(2, 2, 3));
      node.tick();
    }

    expect(node.state).not.toBe(StateType.Leader);
  });

  test('leadership is not handed over to it, and a transfer under way ends', () => {
    const node = acknowledgedLeader();
    node.node.propose(bytes('x'));
    node.settle();
    node.node.transferLeader(2);
    findOut(node);

    expect(node.node.status().leadTransferee).toBe(0);
    expect(node.node.transferLeader(2)).toBe(StepResult.LogLost);
    expect(node.node.propose(bytes('y'))).not.toBeNull();
  });

  test('it is reminded, because a restart makes it forget that it must not vote', () => {
    const node = acknowledgedLeader();
    findOut(node);
    const restarted = wipedNode(2);
    for (const heartbeat of node.tick().filter(({ to }) => to === 2)) {
      for (const reminder of node.receive(...restarted.receive(heartbeat))) restarted.receive(reminder);
    }

    expect(restarted.node.status().lostUpTo).toBe(3);
    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: true });
  });

  test('not by a heartbeat, which would crash a peer that runs etcd’s raft', () => {
    const node = acknowledgedLeader();
    findOut(node);

    expect(ofType(node.tick(), MsgHeartbeat).find(({ to }) => to === 2)).toMatchObject({ commit: 0 });
  });

  test('it stays out when it becomes a learner', () => {
    const node = acknowledgedLeader();
    findOut(node);
    const progress = internalRaft(node.node).tracker.get(2)!;

    expect(progress.withRole(true)).toMatchObject({ quarantined: true, isLearner: true });
    expect(progress.withRole(true).reversion).not.toBe(progress.reversion);
  });

  test('a learner is found out like a voter', () => {
    const node = acknowledgedLeader({ confState: newConfState({ voters: [1, 3], learners: [2] }) });
    findOut(node);

    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: true, isLearner: true });
  });

  test('it ends with the term', () => {
    const node = acknowledgedLeader();
    findOut(node);
    node.receive(message(MsgHeartbeat, { from: 3, term: 5 }));

    expect(internalRaft(node.node).tracker.get(2)).toMatchObject({ quarantined: false, reversion: null });
  });
});

describe('O12: nobody is quarantined for what the network does', () => {
  test('an answer clears the member, and the count starts anew', () => {
    const node = acknowledgedLeader();
    const honest = followerWith({ id: 2, log: [1, 1, 2], term: 2, lead: 1 });
    node.receive(...honest.receive(contradict(node)));

    expect(node.node.status()).toMatchObject({ quarantines: 0 });
    const late = message(MsgAppResp, { term: 2, index: 1, reject: true });
    expect(questionsTo(2, node.receive(late, late))).toEqual([]);
    node.node.propose(bytes('x'));
    node.settle();
    ackAll(node, 2);
    expect(node.commit).toBe(4);
  });

  test('an acknowledgement starts the count anew as well', () => {
    const node = acknowledgedLeader();
    const late = message(MsgAppResp, { term: 2, index: 1, reject: true });

    expect(questionsTo(2, node.receive(late, late, ack(2, 2, 3), late, late, ack(2, 2, 3), late, late))).toEqual([]);
  });

  test('the same question is asked with every heartbeat, so an answer may take as long as it will', () => {
    const node = acknowledgedLeader();
    const question = contradict(node);
    for (let i = 0; i < 5; i++) {
      node.tick();
      expect(questionsTo(2, node.receive(message(MsgHeartbeatResp, { term: 2 })))).toEqual([question]);
    }

    node.receive(answer(question));
    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: true });
  });

  test('entries that were acknowledged after the question do not make its answer a lie', () => {
    const node = acknowledgedLeader();
    const question = contradict(node);
    node.node.propose(bytes('x'));
    node.settle();
    ackAll(node, 2);
    node.receive(answer(question, 3, 2));

    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: false, match: 4 });
  });

  test('what a member says that was removed and has come back is not held against it', () => {
    const node = acknowledgedLeader();
    const question = contradict(node);
    const { tracker } = internalRaft(node.node);
    const returned = tracker.get(2)!.withRole(false);
    returned.reset(0, 4);
    tracker.setConfig(tracker.config, new Map(tracker.progress).set(2, returned));

    expect(node.node.step(answer(question))).toBe(StepResult.BadIndex);
    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: false });
  });

  test('where our own entry is compacted, a term proves nothing', () => {
    const node = acknowledgedLeader();
    node.node.propose(bytes('x'));
    node.settle();
    ackAll(node, 3);
    node.compact();
    node.receive(answer(contradict(node), 3, 1));

    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: false });
  });
});

describe('D9: answers that nobody gives', () => {
  test.each([
    { changes: { reject: false }, result: StepResult.BadIndex, why: 'an acknowledgement of the question, beyond every log' },
    { changes: { rejectHint: 2 ** 52, logTerm: 2 }, result: StepResult.Ok, why: 'a log longer than ours' },
    { changes: { rejectHint: 3, logTerm: 2 ** 52 }, result: StepResult.Ok, why: 'a term beyond ours' },
    { changes: { from: 3 }, result: StepResult.BadIndex, why: 'by one who was not asked' },
    { changes: { index: 2 ** 52 }, result: StepResult.BadIndex, why: 'to no question' },
  ])('$why', ({ changes, result }) => {
    const node = acknowledgedLeader();
    const question = contradict(node);

    expect(node.node.step({ ...answer(question), ...changes })).toBe(result);
    checkInvariants(node.node);
    expect(node.node.status().progress.get(2)).toMatchObject({ match: 3, quarantined: false });
  });

  test('to a question that was answered: refused, and nothing is changed', () => {
    const node = acknowledgedLeader();
    const first = contradict(node);
    node.receive(answer(first, 3, 2));
    contradict(node);
    const before = stateHash(internalRaft(node.node));

    expect(node.node.step(answer(first))).toBe(StepResult.BadIndex);
    expect(stateHash(internalRaft(node.node))).toBe(before);
  });
});
