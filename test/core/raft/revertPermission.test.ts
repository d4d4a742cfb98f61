import { describe, expect, test } from '@jest/globals';
import { RaftErrorCode } from '../../../src/core/errors.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import type { TraceEvent } from '../../../src/core/trace.js';
import { ack, ackAll, bytes, followerWith, message, ofType } from '../../support/builders.js';
import { errorOf } from '../../support/errors.js';
import { acknowledgedLeader, answer, contradict, findOut, proveAgain, questionsTo, wipedNode } from '../../support/reversions.js';
import { stateHash } from '../../support/stateHash.js';
import type { TestNode } from '../../support/testNode.js';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgSnap } = MessageType;

/** A leader whose member 2 has started over with permission, before it has got anything. */
function startedOver(make: () => TestNode = acknowledgedLeader): TestNode {
  const node = make();
  node.node.allowNextRevert(2, true);
  findOut(node);
  return node;
}

describe('O13: allowNextRevert', () => {
  test.each([
    { make: () => followerWith(), id: 3, reason: StepResult.NotLeader, why: 'this node does not lead' },
    { make: () => acknowledgedLeader(), id: 9, reason: StepResult.PeerNotFound, why: 'an unknown node' },
    { make: () => acknowledgedLeader(), id: 1, reason: StepResult.PeerNotFound, why: 'the leader itself' },
    { make: () => acknowledgedLeader(), id: Number.NaN, reason: StepResult.PeerNotFound, why: 'no id at all' },
  ])('a typed error that says why: $why', ({ make, id, reason }) => {
    const { node } = make();
    const before = stateHash(internalRaft(node));

    for (const allow of [true, false]) {
      expect(errorOf(() => node.allowNextRevert(id, allow))).toMatchObject({ code: RaftErrorCode.RevertRefused, reason });
    }
    expect(stateHash(internalRaft(node))).toBe(before);
  });

  test('replication starts over: match is 0, and the member is sent what it lacks', () => {
    const events: TraceEvent[] = [];
    const node = startedOver(() => acknowledgedLeader({ trace: { trace: (event) => events.push(event) } }));
    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: false, match: 0, recentActive: true });
    expect(events.filter(({ kind }) => kind === 'logWentBack')).toMatchObject([{ member: 2, permitted: true }]);

    const sent = node.receive(message(MsgAppResp, { term: 2, index: 3, reject: true, rejectHint: 0 }));
    expect(ofType(sent, MsgApp)).toMatchObject([{ index: 0, entries: { length: 3 } }]);
  });

  test('the commit index does not go down, and goes on with what was acknowledged afresh', () => {
    const node = startedOver();
    expect(node.commit).toBe(3);
    proveAgain(node);
    node.node.propose(bytes('x'));
    node.settle();
    ackAll(node, 2);

    expect(node.commit).toBe(4);
  });

  test('it is used up: the next reversion is one too many', () => {
    const node = startedOver();
    proveAgain(node);
    expect(node.node.status().progress.get(2)).toMatchObject({ match: 3 });
    findOut(node);

    expect(node.node.status()).toMatchObject({ quarantines: 2 });
    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: true });
  });

  test('withdrawn, it permits nothing', () => {
    const node = acknowledgedLeader();
    node.node.allowNextRevert(2, true);
    node.node.allowNextRevert(2, false);
    findOut(node);

    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: true });
  });

  test('given to a member in quarantine it is used at once, and to withdraw it then changes nothing', () => {
    const node = acknowledgedLeader();
    findOut(node);
    node.node.allowNextRevert(2, false);
    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: true });

    node.node.allowNextRevert(2, true);
    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: false });
    expect(ofType(node.settle(), MsgApp).filter(({ to }) => to === 2)).toHaveLength(1);
    proveAgain(node);
    findOut(node);
    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: true });
  });

  test('ends with the term of the leader', () => {
    const node = acknowledgedLeader();
    node.node.allowNextRevert(2, true);
    node.receive(message(MsgHeartbeat, { from: 3, term: 5 }));

    expect(internalRaft(node.node).tracker.get(2)).toMatchObject({ revertPermitted: false });
    expect(errorOf(() => node.node.allowNextRevert(2, true))).toMatchObject({ reason: StepResult.NotLeader });
  });

  test('loosenFollowerLogRevert permits it always', () => {
    const node = acknowledgedLeader({ loosenFollowerLogRevert: true });
    for (let i = 0; i < 3; i++) {
      findOut(node);
      expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: false, match: 0 });
      proveAgain(node);
    }
    expect(node.node.status().quarantines).toBe(3);
  });

  test('where the log is compacted, it starts over with a snapshot, and is believed once it has proven that it has it', () => {
    const node = acknowledgedLeader();
    node.compact();
    node.node.allowNextRevert(2, true);
    findOut(node);
    const sent = node.receive(message(MsgAppResp, { term: 2, index: 3, reject: true, rejectHint: 0 }));
    expect(ofType(sent, MsgSnap)).toHaveLength(1);

    const wiped = wipedNode(2);
    const [acknowledgement] = wiped.receive(...ofType(sent, MsgSnap));
    const asked = node.receive(acknowledgement!);
    expect(node.node.status().progress.get(2)).toMatchObject({ match: 0 });
    node.receive(...wiped.receive(...questionsTo(2, asked)));
    expect(node.node.status().progress.get(2)).toMatchObject({ match: 3 });
  });

  test('a learner starts over as well', () => {
    const node = startedOver(() => acknowledgedLeader({ confState: newConfState({ voters: [1, 3], learners: [2] }) }));
    proveAgain(node);

    expect(node.node.status().progress.get(2)).toMatchObject({ match: 3, isLearner: true });
  });
});

describe('O13: as long as the permission lasts', () => {
  function permitted(): TestNode {
    const node = acknowledgedLeader();
    node.node.allowNextRevert(2, true);
    return node;
  }

  test('heartbeats do not tell the member what it has acknowledged: etcd’s raft would crash, ours would not vote', () => {
    const node = permitted();

    expect(ofType(node.tick(), MsgHeartbeat).map(({ to, commit }) => [to, commit])).toEqual([[2, 0], [3, 0]]);
    node.node.allowNextRevert(2, false);
    expect(ofType(node.tick(), MsgHeartbeat).map(({ to, commit }) => [to, commit])).toEqual([[2, 3], [3, 0]]);
  });

  test('it is asked with every heartbeat, so that an idle group notices as well', () => {
    const node = permitted();
    const [question] = questionsTo(2, node.receive(message(MsgHeartbeatResp, { term: 2 })));
    expect(question).toMatchObject({ commit: 0 });
    node.receive(answer(question!));

    expect(node.node.status()).toMatchObject({ quarantines: 1 });
  });

  test('a member that is not wiped yet loses nothing: after its answer it is told the commit index', () => {
    const node = permitted();
    node.tick();
    const [question] = questionsTo(2, node.receive(message(MsgHeartbeatResp, { term: 2 })));

    expect(node.receive(answer(question!, 3, 2))).toMatchObject([{ type: MsgApp, to: 2, index: 3, commit: 3 }]);
    expect(node.node.status().progress.get(2)).toMatchObject({ match: 3, quarantined: false });
  });

  test('a member without acknowledgements has nothing to go back from', () => {
    const node = acknowledgedLeader();
    node.node.allowNextRevert(3, true);

    expect(questionsTo(3, node.receive(message(MsgHeartbeatResp, { from: 3, term: 2 })))).toEqual([]);
  });
});

describe('O13: acknowledgements from before do not count', () => {
  test('they make the leader ask what the member holds, and only that counts', () => {
    const node = startedOver();
    const [question] = questionsTo(2, node.receive(ack(2, 2, 3)));
    expect(node.node.status().progress.get(2)).toMatchObject({ match: 0 });
    node.receive(answer(question!, 1, 1));
    expect(node.node.status().progress.get(2)).toMatchObject({ match: 1 });

    node.receive(ack(2, 2, 2));
    expect(node.node.status().progress.get(2)).toMatchObject({ match: 1 });
  });

  test('one of an entry that did not exist before counts at once', () => {
    const node = startedOver();
    node.node.propose(bytes('new'));
    node.settle();
    node.receive(ack(2, 2, 4));

    expect(node.commit).toBe(4);
    expect(questionsTo(2, node.receive(ack(2, 2, 3)))).toEqual([]);
  });

  test.each([
    { rejectHint: 3, logTerm: 1, match: 0, why: 'the tail of an old leader' },
    { rejectHint: 9, logTerm: 2, match: 3, why: 'all of ours, and something behind it' },
    { rejectHint: 3, logTerm: 0, match: 0, why: 'an entry of which it does not tell the term' },
  ])('an answer of $rejectHint in term $logTerm proves $match: $why', ({ rejectHint, logTerm, match }) => {
    const node = startedOver();
    const [question] = questionsTo(2, node.receive(ack(2, 2, 3)));
    node.receive(answer(question!, rejectHint, logTerm));

    expect(node.node.status().progress.get(2)).toMatchObject({ match, quarantined: false });
  });

  test('an answer to a question from before means nothing', () => {
    const node = acknowledgedLeader();
    const question = contradict(node);
    node.receive(answer(question));
    node.node.allowNextRevert(2, true);

    expect(node.node.step(answer(question, 3, 2))).toBe(StepResult.BadIndex);
    expect(node.node.status().progress.get(2)).toMatchObject({ match: 0 });
  });

  test('a member that loses its log again while it starts over is found out by what it has proven since', () => {
    const node = startedOver();
    const [first] = questionsTo(2, node.receive(ack(2, 2, 2)));
    node.receive(answer(first!, 2, 1));
    const [second] = questionsTo(2, node.receive(ack(2, 2, 3)));
    node.receive(answer(second!));

    expect(node.node.status().progress.get(2)).toMatchObject({ quarantined: true });
  });

  test('they do not hand leadership over', () => {
    const node = startedOver();
    node.node.transferLeader(2);
    node.settle();
    const sent = node.receive(ack(2, 2, 3));

    expect(ofType(sent, MessageType.MsgTimeoutNow)).toEqual([]);
    ackAll(node, 3);
    expect(node.node.status().leadTransferee).toBe(2);
  });
});
