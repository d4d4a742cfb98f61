import { describe, expect, test } from '@jest/globals';
import { ConfChangeType, newConfChange } from '../../../src/core/raftpb/confChange.js';
import { encodeConfChange } from '../../../src/core/raftpb/confChangeWire.js';
import { EntryType, newEntry } from '../../../src/core/raftpb/entry.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { MemoryStorage } from '../../../src/core/storage/memoryStorage.js';
import { emptyBytes, maxTerm, StateType } from '../../../src/core/types.js';
import { ackAll, bytes, candidateWith, followerWith, leaderWith, message, nodeWith, ofType, request } from '../../support/builders.js';
import { Network } from '../../support/network.js';
import { stateHash } from '../../support/stateHash.js';

const { MsgPreVote, MsgPreVoteResp, MsgTimeoutNow, MsgVote, MsgVoteResp } = MessageType;

describe('E1: campaign on a leader does nothing', () => {
  test('no error, no message, no change', () => {
    const leader = leaderWith();
    ackAll(leader, 2);
    const before = stateHash(internalRaft(leader.node));

    expect(leader.node.campaign()).toBe(StepResult.AlreadyLeader);
    expect(stateHash(internalRaft(leader.node))).toBe(before);
    expect(leader.node.hasReady()).toBe(false);
  });
});

describe('E2: right after a group is created, one node may campaign at once', () => {
  test.each([true, false])('without any tick; a redundant call is harmless (pre-vote %p)', (preVote) => {
    const voters = [1, 2, 3];
    const network = new Network(voters.map((id) => nodeWith({ id, storage: new MemoryStorage(), preVote, checkQuorum: true })));
    for (const node of network.nodes) {
      node.node.bootstrap(voters.map((id) => ({ id })));
      node.settle();
    }

    expect(network.campaign(2)).toBe(true);
    const { term } = network.node(2);
    network.campaign(2);

    expect(network.leader.id).toBe(2);
    expect(network.leader.term).toBe(term);
  });

  test('calling it twice before anybody could answer is one more election, and still one leader', () => {
    const network = Network.of(3);
    network.node(1).node.campaign();
    network.node(1).node.campaign();
    network.settle();

    expect(network.leader.id).toBe(1);
    expect(network.nodes.map(({ term }) => term)).toEqual([2, 2, 2]);
  });
});

describe('E3: campaign is ignored, with a reason', () => {
  test('on a learner, and on a node that is no member', () => {
    expect(nodeWith({ voters: [2, 3], learners: [1] }).node.campaign()).toBe(StepResult.NotVoter);
    expect(nodeWith({ id: 9 }).node.campaign()).toBe(StepResult.NotVoter);
  });

  test('while a snapshot is not applied', () => {
    const { node } = followerWith();
    node.step(message(MessageType.MsgSnap, { term: 1, snapshot: { data: emptyBytes, metadata: { index: 5, term: 1, confState: newConfState({ voters: [1, 2, 3] }) } } }));
    const before = stateHash(internalRaft(node));

    expect(node.campaign()).toBe(StepResult.SnapshotPending);
    expect(node.step(message(MsgTimeoutNow, { term: 1 }))).toBe(StepResult.SnapshotPending);
    expect(stateHash(internalRaft(node))).toBe(before);
  });

  test('while a committed configuration change is not applied (B68), however large the log in between', () => {
    const change = newEntry(EntryType.EntryConfChange, encodeConfChange(newConfChange({ type: ConfChangeType.ConfChangeRemoveNode, nodeId: 3 })), 1, 3);
    const normal = [1, 2].map((index) => newEntry(EntryType.EntryNormal, bytes('x'), 1, index));
    const follower = followerWith({ maxCommittedSizePerReady: 1 });
    follower.node.step(message(MessageType.MsgApp, { term: 1, entries: [...normal, change], commit: 3 }));

    expect(follower.node.campaign()).toBe(StepResult.ConfChangePending);
    expect(follower.node.step(message(MsgTimeoutNow, { term: 1 }))).toBe(StepResult.ConfChangePending);
    expect(internalRaft(follower.node).log.committed).toBe(3);

    follower.settle();
    expect(follower.node.campaign()).toBe(StepResult.Ok);
  });

  test('an uncommitted one does not hinder', () => {
    const change = newEntry(EntryType.EntryConfChange, encodeConfChange(newConfChange({ nodeId: 4 })), 1, 1);
    const follower = followerWith();
    follower.receive(message(MessageType.MsgApp, { term: 1, entries: [change] }));

    expect(follower.node.campaign()).toBe(StepResult.Ok);
  });

  test('its timer is not stopped by that: it tries again after the next timeout', () => {
    const learner = nodeWith({ voters: [2, 3], learners: [1] });

    expect(learner.tick(100)).toEqual([]);
    expect([learner.state, learner.term]).toEqual([StateType.Follower, 0]);
  });
});

describe('V9, B18, B19: votes only for logs that are at least as up to date', () => {
  // Our log ends with index 3 of term 4.
  test.each([
    { index: 3, logTerm: 4, grants: true, why: 'the same log' },
    { index: 4, logTerm: 4, grants: true, why: 'a longer log of the same term' },
    { index: 2, logTerm: 4, grants: false, why: 'a shorter log of the same term' },
    { index: 1, logTerm: 5, grants: true, why: 'a shorter log of a later term' },
    { index: 9, logTerm: 3, grants: false, why: 'a longer log of an earlier term' },
    { index: 0, logTerm: 0, grants: false, why: 'an empty log' },
  ])('$why: grants is $grants', ({ index, logTerm, grants }) => {
    for (const type of [MsgVote, MsgPreVote]) {
      const node = nodeWith({ log: [1, 1, 4], term: 6 });
      const [response] = node.receive(message(type, { term: 7, index, logTerm }));

      expect(response?.reject).toBe(!grants);
      expect(node.vote).toBe(grants && type === MsgVote ? 2 : 0);
    }
  });

  test('B20: a repeated request of the chosen candidate is granted again, another one never', () => {
    const node = nodeWith();

    const answers = [2, 2, 3, 2].map((from) => node.receive(message(MsgVote, { from, term: 1 }))[0]!.reject);

    expect(answers).toEqual([false, false, true, false]);
  });

  test('B17: a step down within the term does not clear the vote', () => {
    const leader = leaderWith({ checkQuorum: true, term: 3 });
    leader.tick(10);
    expect([leader.state, leader.term, leader.vote]).toEqual([StateType.Follower, 3, 1]);

    const [response] = leader.receive(message(MsgVote, { from: 2, term: 3, index: 9, logTerm: 3 }));

    expect(response?.reject).toBe(true);
    expect(leader.vote).toBe(1);
  });
});

describe('D9: a pre-vote that is refused by a node without a term', () => {
  test('is answered, since the log of the node tells a term: a group that begins with a snapshot', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot({ data: emptyBytes, metadata: { confState: newConfState({ voters: [1, 2, 3] }), index: 5, term: 1 } });
    const node = nodeWith({ storage });
    expect(node.term).toBe(0);

    const sent = node.receive(message(MsgPreVote, { term: 1 }));

    expect(sent).toEqual([message(MsgPreVoteResp, { from: 1, to: 2, term: 1, reject: true })]);
    expect(node.term).toBe(0);
  });
});

describe('D9: no term and no index is counted beyond what is exact', () => {
  test.each([
    { term: maxTerm, log: 0, why: 'the term has reached the highest number' },
    { term: 1, log: maxTerm, why: 'the log has reached the highest index' },
  ])('$why: the node does not campaign any more, and follows whoever leads', ({ term, log }) => {
    const storage = new MemoryStorage();
    const confState = newConfState({ voters: [1, 2, 3] });
    storage.applySnapshot({ data: emptyBytes, metadata: { confState, index: log, term: Math.min(log, 1) } });
    storage.setHardState({ term, vote: 0, commit: log });
    const node = nodeWith({ storage });

    expect(node.node.campaign()).toBe(StepResult.Exhausted);
    expect(node.tick(50)).toEqual([]);
    expect(node.node.step(message(MsgTimeoutNow, { term }))).toBe(StepResult.Exhausted);
    expect(node.term).toBe(term);
    node.receive(message(MessageType.MsgHeartbeat, { term }));
    expect(node.lead).toBe(2);
  });

  test('a leader at the last index drops proposals', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot({ data: emptyBytes, metadata: { confState: newConfState({ voters: [1] }), index: maxTerm - 2, term: 1 } });
    storage.setHardState({ term: 1, vote: 0, commit: maxTerm - 2 });
    const leader = nodeWith({ storage });
    leader.node.campaign();
    leader.settle();
    expect(leader.lastIndex).toBe(maxTerm - 1);

    expect(leader.node.propose(bytes('last'))).toEqual({ term: 2, index: maxTerm });
    leader.settle();
    expect(leader.node.step(request(MessageType.MsgProp, 'one too many'))).toBe(StepResult.Exhausted);
    expect(leader.commit).toBe(maxTerm);
  });
});

describe('V10: pre-vote', () => {
  test('B24: a pre-vote changes neither term nor vote of the one that is asked', () => {
    const node = nodeWith({ log: [1], term: 3, vote: 3 });
    const before = stateHash(internalRaft(node.node));

    const [response] = node.receive(message(MsgPreVote, { term: 9, index: 1, logTerm: 1 }));

    expect(response).toMatchObject({ type: MsgPreVoteResp, term: 9, reject: false });
    expect(stateHash(internalRaft(node.node))).toBe(before);
  });

  test('B27: a granted pre-vote does not restart the election timer; a granted vote does', () => {
    const elapsed = (type: MessageType): number => {
      const node = nodeWith();
      node.tick(5);
      node.receive(message(type, { term: 1 }));
      return internalRaft(node.node).electionElapsed;
    };

    expect([elapsed(MsgPreVote), elapsed(MsgVote)]).toEqual([5, 0]);
  });

  test('the one that asks stays in its term, and saves nothing', () => {
    const node = nodeWith({ preVote: true, term: 3 });
    node.node.campaign();

    const ready = node.node.ready();

    expect(ready.hardState).toBeNull();
    expect(ready.mustSync).toBe(false);
    expect(ofType(ready.messages, MsgPreVote).map(({ term }) => term)).toEqual([4, 4]);
  });

  test('a candidate whose election times out asks again before it enters another term', () => {
    const node = candidateWith({ preVote: true, term: 2 });
    node.receive(message(MsgPreVoteResp, { term: 2 }));
    expect([node.state, node.term]).toEqual([StateType.Candidate, 2]);

    node.tick(20);

    expect([node.state, node.term]).toEqual([StateType.PreCandidate, 2]);
  });

  test('B25: each round counts its own answers only', () => {
    const node = nodeWith({ preVote: true, voters: [1, 2, 3, 4, 5] });
    node.node.campaign();
    node.receive(message(MsgPreVoteResp, { from: 2, term: 1 }));

    node.node.campaign();
    node.settle();
    node.receive(message(MsgPreVoteResp, { from: 3, term: 1 }));

    expect(node.state).toBe(StateType.PreCandidate);
    node.receive(message(MsgPreVoteResp, { from: 4, term: 1 }));
    expect(node.state).toBe(StateType.Candidate);
  });

  test('B21: a refusal teaches the term of the one that refuses', () => {
    const node = nodeWith({ preVote: true, term: 3 });
    node.node.campaign();
    node.receive(message(MsgPreVoteResp, { term: 8, reject: true }));

    expect([node.state, node.term]).toEqual([StateType.Follower, 8]);
  });

  test('a transfer skips the pre-vote', () => {
    const follower = followerWith({ preVote: true });
    const sent = follower.receive(message(MsgTimeoutNow, { term: 1 }));

    expect(sent.map(({ type, term, context }) => [type, term, String.fromCharCode(...context)])).toEqual([
      [MsgVote, 2, 'CampaignTransfer'],
      [MsgVote, 2, 'CampaignTransfer'],
    ]);
  });
});

describe('V11, B30: the lease that denies votes is the base election timeout', () => {
  test.each([MsgVote, MsgPreVote])('type %p is ignored for exactly electionTick ticks', (type) => {
    const follower = followerWith({ checkQuorum: true, random: () => 9 });

    follower.tick(9);
    expect(follower.receive(message(type, { from: 3, term: 5 }))).toEqual([]);
    expect(follower.term).toBe(1);
    follower.tick(1);
    expect(follower.receive(message(type, { from: 3, term: 5 }))[0]).toMatchObject({ reject: false, term: 5 });
  });

  test('B82: a transfer is granted all the same', () => {
    const follower = followerWith({ checkQuorum: true });
    const [response] = follower.receive(message(MsgVote, { from: 3, term: 2, context: bytes('CampaignTransfer') }));

    expect(response).toMatchObject({ type: MsgVoteResp, reject: false, term: 2 });
  });

  test.each(['CampaignTransfe', 'CampaignTransfer!', 'campaignTransfer', ''])('a context "%s" is no transfer', (context) => {
    const follower = followerWith({ checkQuorum: true });

    expect(follower.receive(message(MsgVote, { from: 3, term: 2, context: bytes(context) }))).toEqual([]);
  });
});

describe('O8: learners', () => {
  test('vote when they are asked, since they may be voters without knowing', () => {
    const learner = nodeWith({ voters: [2, 3], learners: [1] });

    expect(learner.receive(message(MsgVote, { from: 3, term: 1 }))[0]).toMatchObject({ reject: false });
    expect(learner.vote).toBe(3);
  });

  test('do not count: neither their votes nor their acknowledgements', () => {
    const candidate = candidateWith({ voters: [1, 2, 3], learners: [4, 5] });
    candidate.receive(message(MsgVoteResp, { from: 4, term: 1 }), message(MsgVoteResp, { from: 5, term: 1 }));
    expect(candidate.state).toBe(StateType.Candidate);

    const leader = leaderWith({ voters: [1, 2, 3], learners: [4, 5] });
    ackAll(leader, 4, 5);
    expect(leader.commit).toBe(0);
    ackAll(leader, 3);
    expect(leader.commit).toBe(1);
  });

  test('B72: never campaign, whoever asks', () => {
    const learner = nodeWith({ voters: [2, 3], learners: [1], term: 1 });

    expect(learner.node.step(message(MsgTimeoutNow, { term: 1 }))).toBe(StepResult.NotVoter);
    expect(learner.node.campaign()).toBe(StepResult.NotVoter);
  });
});

describe('O5: a node that was the only voter', () => {
  test('leads again at once after a restart: its own vote decides, once it is durable', () => {
    const node = leaderWith({ voters: [1], log: [1, 1] });
    node.settle();
    node.restart();

    expect(node.node.campaign()).toBe(StepResult.Ok);
    const first = node.node.ready();
    expect([node.state, first.mustSync]).toEqual([StateType.Candidate, true]);
    node.storage.append(first.entries);
    node.node.advance(first);

    expect(node.state).toBe(StateType.Leader);
    node.settle();
    expect(node.commit).toBe(node.lastIndex);
  });

  test('V6, B05: commits nothing before its own disk has it', () => {
    const node = leaderWith({ voters: [1] });
    node.settle();
    node.node.propose(bytes('x'));

    const ready = node.node.ready();
    expect(ready.entries).toHaveLength(1);
    expect(ready.committedEntries).toEqual([]);
    expect(node.commit).toBe(1);
    node.storage.append(ready.entries);
    node.node.advance(ready);

    expect(node.commit).toBe(2);
  });
});

describe('D5: MsgVote waits for the disk', () => {
  test('with synchronous writes it is in the Ready that saves term, vote and log; a pre-vote needs nothing', () => {
    const node = nodeWith({ log: [1] });
    node.node.campaign();

    const ready = node.node.ready();

    expect(ready.hardState).toEqual({ term: 2, vote: 1, commit: 0 });
    expect(ready.mustSync).toBe(true);
    expect(ofType(ready.messages, MsgVote)).toHaveLength(2);
  });
});
