import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../src/core/checkInvariants.js';
import { newConfChange } from '../../src/core/raftpb/confChange.js';
import { EntryType, newEntry } from '../../src/core/raftpb/entry.js';
import type { Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import type { RawNode } from '../../src/core/rawNode.js';
import type { Ready } from '../../src/core/ready.js';
import { emptyBytes, StateType } from '../../src/core/types.js';
import { ack, ackAll, bytes, candidateWith, followerWith, leaderWith, message, nodeWith, ofType, type NodeFields } from '../support/builders.js';
import { RawGroup, type HostedNode } from '../support/rawGroup.js';
import { announceSeed, seededRandom } from '../support/seededRandom.js';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgSnap, MsgVote, MsgVoteResp } = MessageType;

function entry(term: number, index: number): ReturnType<typeof newEntry> {
  return newEntry(EntryType.EntryNormal, bytes(`e${index}`), term, index);
}

describe('E13, B86: mustSync is set exactly if entries, term or vote have changed', () => {
  test.each<{ mustSync: boolean; act: () => RawNode; why: string }>([
    { mustSync: true, why: 'entries', act: () => stepped(followerWith().node, message(MsgApp, { term: 1, entries: [entry(1, 1)] })) },
    { mustSync: true, why: 'a term', act: () => stepped(followerWith().node, message(MsgHeartbeat, { term: 2 })) },
    { mustSync: true, why: 'a vote', act: () => stepped(nodeWith({ term: 1 }).node, message(MsgVote, { term: 1 })) },
    { mustSync: false, why: 'a commit index alone', act: () => stepped(followerWith({ log: [1, 1] }).node, message(MsgHeartbeat, { term: 1, commit: 2 })) },
    { mustSync: false, why: 'messages alone', act: () => stepped(followerWith().node, message(MsgHeartbeat, { term: 1 })) },
    { mustSync: false, why: 'a role alone', act: () => campaigned(nodeWith({ preVote: true }).node) },
  ])('$mustSync for $why', ({ mustSync, act }) => {
    const ready = act().ready();

    expect(ready.mustSync).toBe(mustSync);
  });
});

function stepped(node: RawNode, m: Message): RawNode {
  node.step(m);
  return node;
}

function campaigned(node: RawNode): RawNode {
  node.campaign();
  return node;
}

describe('maxEntriesPerReady: when very many entries wait, a Ready carries those that came first', () => {
  /** A follower that has heard of six entries in two messages, and of their commit. */
  const behind = (config: NodeFields): RawNode => {
    const { node } = followerWith(config);
    node.step(message(MsgApp, { term: 1, entries: [1, 2, 3].map((index) => entry(1, index)), commit: 2 }));
    node.step(message(MsgApp, { term: 1, index: 3, logTerm: 1, entries: [4, 5, 6].map((index) => entry(1, index)), commit: 5 }));
    return node;
  };
  const indexes = (entries: readonly { readonly index: number }[]): number[] => entries.map(({ index }) => index);
  const acks = (rd: Ready): number[] => ofType(rd.messages, MsgAppResp).map(({ index }) => index);

  test('and what depends on the others follows with them', () => {
    const { node, storage } = followerWith({ maxEntriesPerReady: 3 });
    node.step(message(MsgApp, { term: 1, entries: [1, 2, 3].map((index) => entry(1, index)), commit: 2 }));
    node.step(message(MsgApp, { term: 1, index: 3, logTerm: 1, entries: [4, 5, 6].map((index) => entry(1, index)), commit: 5 }));

    const first = node.ready();
    expect(indexes(first.entries)).toEqual([1, 2, 3]);
    expect([first.hardState?.term ?? 1, first.hardState?.commit, first.mustSync]).toEqual([1, 3, true]);
    expect([acks(first), indexes(first.committedEntries)]).toEqual([[3], []]);
    storage.append(first.entries);
    node.advance(first);
    expect(node.hasReady()).toBe(true);

    const second = node.ready();
    expect(indexes(second.entries)).toEqual([4, 5, 6]);
    expect(second.hardState?.commit).toBe(5);
    expect([acks(second), indexes(second.committedEntries)]).toEqual([[6], [1, 2, 3, 4, 5]]);
    storage.append(second.entries);
    node.advance(second);
    expect(node.hasReady()).toBe(false);
    checkInvariants(node);
  });

  test('E13: what was said after an acknowledgement that must wait, waits behind it', () => {
    const { node, storage } = followerWith({ maxEntriesPerReady: 3 });
    for (const index of [0, 3]) node.step(message(MsgApp, { term: 1, index, logTerm: Math.sign(index), entries: [1, 2, 3].map((i) => entry(1, index + i)) }));
    node.step(message(MsgApp, { term: 1, index: 9, logTerm: 1 }));
    node.step(message(MsgVote, { from: 3, term: 2, index: 1, logTerm: 1 }));

    const said = (rd: Ready): string[] => rd.messages.map((m) => `${m.type === MsgVoteResp ? 'vote' : 'ack'} ${m.index}${m.reject ? ' no' : ''}`);
    const first = node.ready();
    expect(said(first)).toEqual(['ack 3']);
    storage.append(first.entries);
    node.advance(first);
    expect(said(node.ready())).toEqual(['ack 6', 'ack 9 no', 'vote 0 no']);
  });

  describe.each([{ voters: 1 }, { voters: 3 }])('$voters voters that get more in each Ready than goes into one', ({ voters }) => {
    test.each([{ each: 3 }, { each: 4 }, { each: 7 }, { each: 30 }])('commit all the same, and nothing piles up: $each at a time', ({ each }) => {
      const group = new RawGroup(voters, { maxEntriesPerReady: 3 });
      group.elect(1);
      const { node, storage } = group.get(1);
      let most = 0;
      for (let round = 1; round <= 200; round++) {
        for (let i = 0; i < each; i++) node.propose(bytes('x'));
        // One Ready for each node: hosts that are never through.
        group.inFlight.push(...[...group.nodes.values()].flatMap((hosted) => (hosted.node.hasReady() ? hosted.handleReady() : [])));
        const sent = group.inFlight;
        group.inFlight = [];
        for (const m of sent) group.get(m.to).node.step(m);
        const { lastIndex, hardState } = node.basicStatus();
        most = Math.max(most, lastIndex - storage.lastIndex());
        expect(hardState.commit).toBeGreaterThanOrEqual(lastIndex - 20 * each);
      }
      expect(most).toBeLessThanOrEqual(3 * each);
      checkInvariants(node);
    });
  });

  test.each([
    { config: {}, why: 'as long as they are few' },
    { config: { maxEntriesPerReady: 6 }, why: 'up to the limit' },
    { config: { maxEntriesPerReady: Infinity }, why: 'without a limit' },
  ])('all of them $why', ({ config }) => {
    expect(indexes(behind(config).ready().entries)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('all of them with storage threads, which have a queue of their own', () => {
    const { node } = new RawGroup(3, { asyncStorageWrites: true, checkQuorum: false, maxEntriesPerReady: 1 }).get(1);
    node.step(message(MsgHeartbeat, { term: 1 }));
    node.ready();
    const last = node.basicStatus().lastIndex;
    for (const index of [last, last + 1, last + 2]) node.step(message(MsgApp, { term: 1, index, logTerm: 1, entries: [entry(1, index + 1)] }));

    expect(indexes(node.ready().entries)).toEqual([last + 1, last + 2, last + 3]);
  });

  test('a conflict that comes between the two takes the rest away, and its acknowledgement', () => {
    const node = behind({ maxEntriesPerReady: 3 });
    const first = node.ready();
    node.step(message(MsgApp, { from: 3, term: 2, index: 5, logTerm: 1, entries: [entry(2, 6)], commit: 5 }));
    node.advance(first);

    const second = node.ready();
    expect(second.entries.map(({ term, index }) => `${term}/${index}`)).toEqual(['1/4', '1/5', '2/6']);
    expect(second.hardState).toMatchObject({ term: 2, commit: 5 });
    checkInvariants(node);
  });
});

describe('E13, V4, V5: acknowledgements and votes, refusals included, wait for the disk', () => {
  test.each([
    { m: message(MsgApp, { term: 1, entries: [entry(1, 1)] }), type: MsgAppResp, why: 'an acknowledgement' },
    { m: message(MsgApp, { term: 1, index: 7, logTerm: 1 }), type: MsgAppResp, why: 'a rejection' },
    { m: message(MsgVote, { term: 2 }), type: MsgVoteResp, why: 'a vote' },
    { m: message(MsgVote, { from: 3, term: 1 }), type: MsgVoteResp, why: 'a vote that is refused' },
    { m: message(MsgSnap, { term: 1, snapshot: { data: emptyBytes, metadata: { index: 5, term: 1, confState: newConfState({ voters: [1, 2, 3] }) } } }), type: MsgAppResp, why: 'the acknowledgement of a snapshot' },
  ])('with asynchronous writes $why is in the responses of MsgStorageAppend', ({ m, type }) => {
    const { node } = new RawGroup(3, { asyncStorageWrites: true, checkQuorum: false }).get(1);
    node.step(message(MsgHeartbeat, { term: 1 }));
    node.ready();
    node.step({ ...m, index: m.type === MsgApp && m.index === 0 ? 2 : m.index, logTerm: m.type === MsgApp ? 1 : m.logTerm, entries: m.entries.map(() => entry(1, 3)) });

    const { messages } = node.ready();

    expect(ofType(messages, type)).toEqual([]);
    const append = messages.find((sent) => sent.type === MessageType.MsgStorageAppend);
    expect(append?.responses.map((response) => response.type)).toContain(type);
  });

  test('what promises nothing leaves at once', () => {
    const group = new RawGroup(3, { asyncStorageWrites: true, checkQuorum: false });
    group.elect(1);
    const { node } = group.get(1);
    node.propose(bytes('x'));
    node.tick();

    const { messages } = node.ready();

    expect(ofType(messages, MsgApp)).toHaveLength(2);
    expect(ofType(messages, MsgHeartbeat)).toHaveLength(2);
  });
});

describe('what a Ready says', () => {
  test('leader and role once, when they have changed', () => {
    const node = nodeWith();
    node.node.step(message(MsgHeartbeat, { term: 1 }));

    expect(node.node.ready().softState).toEqual({ lead: 2, state: StateType.Follower });
    node.node.advance();
    node.node.tick();
    expect(node.node.hasReady()).toBe(false);
    expect(node.node.ready().softState).toBeNull();
  });

  test('nothing that was handed out is changed afterwards', () => {
    const leader = leaderWith();
    leader.node.propose(bytes('a'));
    leader.node.readIndex(bytes('r'));
    const ready = leader.node.ready();
    const text = JSON.stringify(ready);
    leader.storage.append(ready.entries);

    leader.node.advance();
    leader.node.propose(bytes('b'));
    leader.node.readIndex(bytes('s'));
    ackAll(leader, 2, 3);
    leader.receive(message(MsgApp, { term: 9, entries: [entry(9, 1)] }));
    leader.settle();

    expect(JSON.stringify(ready)).toBe(text);
  });

  test('committed entries are not handed out before the snapshot ahead of them is applied', () => {
    const { node } = followerWith();
    node.step(message(MsgSnap, { term: 1, snapshot: { data: emptyBytes, metadata: { index: 5, term: 1, confState: newConfState({ voters: [1, 2, 3] }) } } }));
    node.step(message(MsgApp, { term: 1, index: 5, logTerm: 1, entries: [entry(1, 6)], commit: 6 }));

    const ready = node.ready();

    expect([ready.snapshot?.metadata.index, ready.entries.length, ready.committedEntries.length]).toEqual([5, 1, 0]);
  });

  test('O1: after a restart everything up to the saved commit index is handed out again, behind `applied`', () => {
    const node = nodeWith({ log: [1, 1, 1], commit: 3 });
    expect(node.applied.map(({ index }) => index)).toEqual([1, 2, 3]);

    node.restart();
    expect(node.node.ready().committedEntries.map(({ index }) => index)).toEqual([1, 2, 3]);
    const later = nodeWith({ ...node.config, applied: 2 });
    expect(later.applied.map(({ index }) => index)).toEqual([3]);
  });

  test('maxCommittedSizePerReady: no more is handed out before something is applied', () => {
    const node = nodeWith({ log: [1, 1, 1], commit: 3, maxCommittedSizePerReady: 1 });
    node.restart();
    const counts: number[] = [];
    while (node.node.hasReady()) {
      counts.push(node.node.ready().committedEntries.length);
      node.node.advance();
    }

    expect(counts).toEqual([1, 1, 1]);
  });

  test('an empty Ready is fine, and needs advance like any other', () => {
    const { node } = nodeWith();
    const ready = node.ready();

    expect(ready).toEqual({
      softState: null, hardState: null, readStates: [], abortedReads: [], entries: [], snapshot: null, committedEntries: [], messages: [], mustSync: false,
    });
    node.advance(ready);
  });
});

describe('section 6: a message between ready and advance is always safe', () => {
  test.each<{ make: () => RawNode; m: Message; why: string }>([
    { make: () => proposed(), m: message(MsgApp, { term: 2, entries: [entry(2, 1), entry(2, 2)] }), why: 'another leader replaces what is being written' },
    { make: () => proposed(), m: message(MsgSnap, { term: 2, snapshot: { data: emptyBytes, metadata: { index: 9, term: 2, confState: newConfState({ voters: [1, 2, 3] }) } } }), why: 'a snapshot replaces what is being written' },
    { make: () => campaigned(nodeWith().node), m: message(MsgApp, { term: 1, entries: [entry(1, 1)] }), why: 'another node has won the election' },
    { make: () => campaigned(nodeWith().node), m: message(MsgVote, { from: 3, term: 5, index: 9, logTerm: 4 }), why: 'another candidate in a later term' },
    { make: () => campaigned(nodeWith({ voters: [1] }).node), m: message(MsgHeartbeat, { from: 9, term: 3 }), why: 'a leader of another group, as it were' },
    { make: () => candidateWith().node, m: message(MsgVoteResp, { term: 1 }), why: 'the election is won' },
  ])('$why', ({ make, m }) => {
    const node = make();
    const ready = node.ready();

    node.step(m);
    checkInvariants(node);
    node.advance(ready);

    checkInvariants(node);
    expect(node.hasReady()).toBe(true);
  });

  function proposed(): RawNode {
    const leader = leaderWith();
    leader.node.propose(bytes('x'));
    return leader.node;
  }

  test('D11: what becomes durable is never mistaken for what has replaced it', () => {
    const leader = leaderWith();
    leader.node.propose(bytes('old'));
    const ready = leader.node.ready();
    leader.node.step(message(MsgApp, { term: 2, entries: [entry(2, 1), entry(2, 2), entry(2, 3)] }));
    leader.node.advance(ready);

    const next = leader.node.ready();

    expect(next.entries.map(({ term, index }) => `${index}/${term}`)).toEqual(['1/2', '2/2', '3/2']);
    expect(ofType(next.messages, MsgAppResp)).toMatchObject([{ index: 3, term: 2 }]);
  });

  test('random schedules: the same messages at other times lead to a group that agrees', () => {
    const random = seededRandom(announceSeed('ready'));
    for (let run = 0; run < 60; run++) {
      const group = new RawGroup(3, { random, preVote: random(2) === 0, checkQuorum: random(2) === 0, electionTick: 4 });
      const pending = new Map<HostedNode, Ready>();
      let proposals = 0;
      for (let i = 0; i < 400; i++) {
        const hosted = group.get(1 + random(3));
        act(random(7), hosted, pending, group, () => `p${proposals++}`);
        checkInvariants(hosted.node);
      }
      for (const [hosted, ready] of pending) finish(hosted, ready, group);
      for (let i = 0; i < 60; i++) group.tick(1);

      const longest = [...group.nodes.values()].map(({ applied }) => applied).reduce((a, b) => (a.length >= b.length ? a : b));
      for (const { applied } of group.nodes.values()) expect(longest.slice(0, applied.length)).toEqual(applied);
      expect(longest.length).toBeGreaterThan(0);
      expect(new Set([...group.nodes.values()].map(({ raft }) => raft.lead)).size).toBe(1);
    }
  });
});

/** One step of a random schedule, with the Readys of all nodes open at the same time. */
function act(what: number, hosted: HostedNode, pending: Map<HostedNode, Ready>, group: RawGroup, next: () => string): void {
  const ready = pending.get(hosted);
  switch (what) {
    case 0:
      hosted.node.tick();
      return;
    case 1:
      if (ready !== undefined) finish(hosted, ready, group);
      pending.delete(hosted);
      return;
    case 2:
      if (ready === undefined) pending.set(hosted, hosted.node.ready());
      return;
    case 3:
      if (hosted.raft.state === StateType.Leader && hosted.raft.leadTransferee === 0) hosted.node.propose(bytes(next()));
      return;
    default: {
      const at = group.inFlight.findIndex((m) => m.to === hosted.id);
      if (at >= 0) hosted.node.step(group.inFlight.splice(at, 1)[0]!);
    }
  }
}

/** Does what the Ready says, as late as this. */
function finish(hosted: HostedNode, ready: Ready, group: RawGroup): void {
  hosted.persist(ready);
  group.inFlight.push(...ready.messages);
  hosted.apply(ready.committedEntries);
  hosted.node.advance(ready);
}

describe('applyConfChange in the Ready loop', () => {
  test('hasReady stays truthful while a change is applied', () => {
    const leader = leaderWith();
    ackAll(leader, 2);
    leader.node.proposeConfChange(newConfChange({ nodeId: 4 }));
    leader.settle();
    leader.node.step(ack(2, 1, 2));
    const ready = leader.node.ready();
    expect(leader.node.applyConfChange(ready.committedEntries[0]!)).toEqual(newConfState({ voters: [1, 2, 3, 4] }));
    leader.node.advance(ready);

    expect(leader.node.status().applied).toBe(2);
  });
});
