import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { ConfChangeType, newConfChange } from '../../../src/core/raftpb/confChange.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { ReadOnlyOption } from '../../../src/core/types.js';
import { ackAll, bytes, leaderWith, message, nodeWith, ofType } from '../../support/builders.js';

const { MsgVote, MsgVoteResp, MsgHeartbeat } = MessageType;
const leases = { checkQuorum: true, readOnlyOption: ReadOnlyOption.LeaseBased };

describe('D2: a leader that was removed, with one voter left', () => {
  test.each([
    { strictReads: true, answered: 0, why: 'the voter may lead already, so it is asked' },
    { strictReads: false, answered: 1, why: "as etcd's raft does" },
  ])('answers $answered reads at once: $why', ({ strictReads, answered }) => {
    const leader = leaderWith({ voters: [1, 2], strictReads });
    ackAll(leader, 2);
    leader.node.proposeConfChange(newConfChange({ type: ConfChangeType.ConfChangeRemoveNode, nodeId: 1 }));
    leader.settle();
    ackAll(leader, 2);
    expect(leader.node.status().config.voters).toEqual([2]);

    leader.node.readIndex(bytes('r'));
    leader.settle();

    expect(leader.reads).toHaveLength(answered);
  });
});

describe('D13: a lease counts on voters that keep quiet', () => {
  const request = message(MsgVote, { term: 4, index: 9, logTerm: 3 });

  test('also after a restart, for an election timeout', () => {
    const node = nodeWith({ ...leases, term: 3, log: [3] });

    node.tick(9);
    expect(ofType(node.receive(request), MsgVoteResp)).toEqual([]);
    expect(node.term).toBe(3);

    node.tick(1);
    expect(ofType(node.receive({ ...request, term: node.term + 1 }), MsgVoteResp)).toMatchObject([{ reject: false }]);
  });

  test('a transfer is what the leader wants, and does not wait', () => {
    const transfer = message(MsgVote, { term: 4, index: 9, logTerm: 3, context: bytes('CampaignTransfer') });

    expect(ofType(nodeWith({ ...leases, term: 3, log: [3] }).receive(transfer), MsgVoteResp)).toMatchObject([{ reject: false }]);
  });

  test('without leases a restarted node votes at once', () => {
    expect(ofType(nodeWith({ checkQuorum: true, term: 3, log: [3] }).receive(request), MsgVoteResp)).toMatchObject([{ reject: false }]);
  });

  test('E2: a node that never ran promised nothing, and may campaign at once', () => {
    expect(nodeWith({ ...leases }).node.campaign()).toBe(StepResult.Ok);
  });

  test('O5: the only voter needs no permission', () => {
    expect(nodeWith({ ...leases, confState: newConfState({ voters: [1] }), term: 3, log: [3] }).node.campaign()).toBe(StepResult.Ok);
  });

  test('a follower does not campaign because its host says so while it hears the leader', () => {
    const node = nodeWith({ ...leases });
    node.receive(message(MsgHeartbeat, { term: 1 }));

    expect(node.node.campaign()).toBe(StepResult.LeaseBased);
    node.tick(10);
    expect(node.term).toBe(2);
  });
});
