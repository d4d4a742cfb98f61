import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../../src/core/checkInvariants.js';
import { RaftErrorCode } from '../../../src/core/errors.js';
import { EntryType, newEntry } from '../../../src/core/raftpb/entry.js';
import type { Raft } from '../../../src/core/raft/raft.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { ReadOnly } from '../../../src/core/raft/readOnly.js';
import { ProgressState } from '../../../src/core/tracker/progress.js';
import { TrackerConfig } from '../../../src/core/tracker/config.js';
import { ReadOnlyOption, StateType } from '../../../src/core/types.js';
import { ackAll, bytes, candidateWith, followerWith, leaderWith } from '../../support/builders.js';
import { errorOf } from '../../support/errors.js';
import type { TestNode } from '../../support/testNode.js';

/** Breaks one thing and expects to be told of it. */
interface Row {
  readonly make: () => TestNode;
  readonly harm: (raft: Raft) => void;
  readonly says: RegExp;
}

const leader = (): TestNode => {
  const node = leaderWith({ log: [1, 1], maxInflightMsgs: 2 });
  ackAll(node, 2);
  return node;
};
const follower = (): TestNode => followerWith({ log: [1, 1], term: 2 });

const rows: readonly Row[] = [
  { make: leader, harm: (raft) => (raft.lead = 2), says: /leader that follows another/ },
  { make: leader, harm: (raft) => (raft.vote = 2), says: /leader that voted for another/ },
  { make: () => candidateWith(), harm: (raft) => (raft.vote = 2), says: /candidate that voted for another/ },
  { make: follower, harm: (raft) => (raft.lead = 1), says: /follows itself/ },
  { make: follower, harm: (raft) => (raft.leadTransferee = 2), says: /transfer without leadership/ },
  { make: follower, harm: (raft) => (raft.timeoutNowSent = true), says: /MsgTimeoutNow without leadership/ },
  { make: follower, harm: (raft) => raft.pendingReads.push({ from: 0, requestContext: bytes('x') }), says: /reads wait/ },
  { make: follower, harm: (raft) => raft.readOnly.add(1, { from: 0, requestContext: bytes('x'), index: 1 }), says: /reads wait/ },
  { make: follower, harm: (raft) => (raft.pendingConfIndex = 1), says: /pending configuration change/ },
  { make: follower, harm: (raft) => (raft.uncommittedSize = 1), says: /quota/ },
  { make: follower, harm: (raft) => (raft.leaderTicks = 1), says: /ticks/ },
  { make: follower, harm: (raft) => (raft.term = 0.5), says: /the log has term/ },
  { make: leader, harm: (raft) => (raft.tracker.get(2)!.match = 9), says: /match 9 is not below next/ },
  { make: leader, harm: (raft) => (raft.tracker.get(2)!.next = 9), says: /next 9 is beyond our log/ },
  { make: leader, harm: (raft) => (raft.tracker.get(3)!.pendingSnapshot = 1), says: /pendingSnapshot/ },
  { make: leader, harm: (raft) => raft.tracker.get(3)!.inflights.add(1, 1), says: /in flight/ },
  { make: leader, harm: (raft) => (raft.tracker.get(3)!.state = ProgressState.Snapshot) && raft.tracker.get(3)!.inflights.add(1, 1), says: /in flight/ },
  { make: leader, harm: (raft) => (raft.tracker.config = new TrackerConfig({ learners: [1] })), says: /the configuration/ },
  { make: leader, harm: (raft) => (raft.tracker.config = new TrackerConfig({ autoLeave: true })), says: /autoleave/ },
];

describe('checkInvariants finds what is broken', () => {
  test.each(rows)('$says', ({ make, harm, says }) => {
    const { node } = make();
    checkInvariants(node);

    harm(internalRaft(node));

    const error = errorOf(() => checkInvariants(node));
    expect(error).toMatchObject({ code: RaftErrorCode.InvariantViolated });
    expect((error as Error).message).toMatch(says);
  });
});

describe('D11: what the code relies on is tested where it is used, in production too', () => {
  test('an append that would undo a commit', () => {
    const { node } = followerWith({ log: [1, 1], commit: 2, term: 2 });

    expect(errorOf(() => internalRaft(node).log.append([newEntry(EntryType.EntryNormal, bytes('x'), 2, 2)]))).toMatchObject({
      code: RaftErrorCode.InvariantViolated,
    });
  });

  test('a new ReadOnly knows nothing of the term before', () => {
    const readOnly = new ReadOnly(ReadOnlyOption.Safe);
    expect([readOnly.lastSequence, readOnly.waiting.length, readOnly.heartbeatContext(7).length]).toEqual([0, 0, 0]);
  });

  test('the roles of the table are those that they claim to be', () => {
    expect([leader().state, follower().state, candidateWith().state]).toEqual([StateType.Leader, StateType.Follower, StateType.Candidate]);
  });
});
