import { describe, expect, test } from '@jest/globals';
import { RaftErrorCode } from '../../../src/core/errors.js';
import { newMessage } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { send } from '../../../src/core/raft/outbox.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { followerWith, nodeWith } from '../../support/builders.js';
import { codeOf } from '../../support/errors.js';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgPreVote, MsgPreVoteResp, MsgProp, MsgReadIndex, MsgReadIndexResp, MsgSnap } = MessageType;
const { MsgTimeoutNow, MsgTransferLeader, MsgVote, MsgVoteResp } = MessageType;

describe('send stamps the sender and the term', () => {
  test.each([MsgApp, MsgAppResp, MsgSnap, MsgHeartbeat, MsgHeartbeatResp, MsgTimeoutNow, MsgTransferLeader, MsgReadIndexResp])('type %p carries our term', (type) => {
    const raft = internalRaft(followerWith({ term: 7 }).node);
    const m = newMessage(type, 2);

    send(raft, m);

    expect([m.from, m.term]).toEqual([1, 7]);
  });

  test.each([MsgProp, MsgReadIndex])('type %p carries none: whoever leads when it arrives may serve it', (type) => {
    const raft = internalRaft(followerWith({ term: 7 }).node);
    const m = newMessage(type, 2);
    m.from = 3;

    send(raft, m);

    expect([m.from, m.term]).toEqual([3, 0]);
  });

  test.each([
    { type: MsgVote, term: 0, to: 2, why: 'a vote without a term' },
    { type: MsgVoteResp, term: 0, to: 2, why: 'an answer to a vote without a term' },
    { type: MsgPreVote, term: 0, to: 2, why: 'a pre-vote without a term' },
    { type: MsgPreVoteResp, term: 0, to: 2, why: 'an answer to a pre-vote without a term' },
    { type: MsgProp, term: 7, to: 2, why: 'a proposal with a term' },
    { type: MsgReadIndex, term: 7, to: 2, why: 'a read with a term' },
    { type: MsgApp, term: 7, to: 2, why: 'a term that somebody else has stamped' },
    { type: MsgApp, term: 0, to: 1, why: 'a message to itself that waits for nothing' },
  ])('D11: $why is a broken invariant', ({ type, term, to }) => {
    const raft = internalRaft(followerWith({ term: 7 }).node);
    const m = newMessage(type, to);
    m.term = term;

    expect(codeOf(() => send(raft, m))).toBe(RaftErrorCode.InvariantViolated);
  });
});

describe('E13, D5: what has to wait for the disk', () => {
  const waits = new Set<MessageType>([MsgAppResp, MsgVoteResp, MsgPreVoteResp, MsgVote]);

  test.each([MsgApp, MsgAppResp, MsgSnap, MsgHeartbeat, MsgHeartbeatResp, MsgTimeoutNow, MsgReadIndexResp, MsgProp, MsgVote, MsgVoteResp, MsgPreVote, MsgPreVoteResp])(
    'type %p',
    (type) => {
      const raft = internalRaft(nodeWith({ term: 7 }).node);
      const m = newMessage(type, 2);
      if (type === MsgVote || type === MsgVoteResp || type === MsgPreVote || type === MsgPreVoteResp) m.term = 8;

      send(raft, m);

      expect([raft.msgs.length, raft.msgsAfterAppend.length]).toEqual(waits.has(type) ? [0, 1] : [1, 0]);
    },
  );
});
