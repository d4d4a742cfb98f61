import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../src/core/checkInvariants.js';
import { EntryType, newEntry, type Entry } from '../../src/core/raftpb/entry.js';
import type { Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { StateType } from '../../src/core/types.js';
import { message, ofType } from '../support/builders.js';
import { bytes, HostedNode, RawGroup } from '../support/rawGroup.js';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgStorageAppend, MsgStorageApply, MsgVote, MsgVoteResp } = MessageType;

const options = { asyncStorageWrites: true, checkQuorum: false, preVote: false } as const;

function entry(term: number, index: number, text = 'e'): Entry {
  return newEntry(EntryType.EntryNormal, bytes(text), term, index);
}

/** Takes one Ready; the work of the storage threads. */
function take(hosted: HostedNode): { sent: Message[]; work: Message[] } {
  const sent = hosted.handleReady();
  const work = hosted.work;
  hosted.work = [];
  return { sent, work };
}

describe('D5: MsgVote leaves only after term, own vote and log tail are durable', () => {
  test('it is a response of the write', () => {
    const { node } = new RawGroup(3, options).get(1);
    node.campaign();

    const { messages } = node.ready();

    expect(ofType(messages, MsgVote)).toEqual([]);
    const [append] = ofType(messages, MsgStorageAppend);
    expect(append).toMatchObject({ term: 1, vote: 1 });
    expect(append!.responses.map(({ type, to }) => [type, to])).toEqual([[MsgVoteResp, 1], [MsgVote, 2], [MsgVote, 3]]);
  });

  test('B09: a candidate that crashes before its write is done has asked nobody, so no old vote can be counted', () => {
    const group = new RawGroup(5, options);
    const candidate = group.get(1);
    // Entry 3 of term 1 is in its memory only: the disk is slow.
    candidate.node.step(message(MsgApp, { from: 2, term: 1, index: 2, logTerm: 1, entries: [entry(1, 3)] }));
    const first = take(candidate);
    candidate.node.campaign();
    const second = take(candidate);
    expect(candidate.raft).toMatchObject({ term: 2, vote: 1 });
    expect([...first.sent, ...second.sent].filter(({ type }) => type === MsgVote)).toEqual([]);

    // The power fails. What was never written is gone, and nobody has heard of it.
    const restarted = new HostedNode(1, candidate.storage.snapshot(), options);
    expect(restarted.raft).toMatchObject({ term: 0, vote: 0 });
    expect(restarted.raft.log.lastIndex()).toBe(2);

    restarted.node.campaign();
    const { work } = take(restarted);
    const requests = ofType(restarted.perform(work[0]!), MsgVote);
    expect(requests).toHaveLength(4);
    for (const request of requests) expect(request).toMatchObject({ term: restarted.raft.term, index: 2, logTerm: 1 });
  });

  test('its own vote counts only then: a group of one does not lead before', () => {
    const group = new RawGroup(1, options);
    const hosted = group.get(1);
    hosted.node.campaign();
    const { work } = take(hosted);
    expect(hosted.raft.state).toBe(StateType.Candidate);

    hosted.perform(work[0]!);

    expect(hosted.raft.state).toBe(StateType.Leader);
    expect(hosted.storage.initialState().hardState).toMatchObject({ term: 1, vote: 1 });
  });
});

describe('V6, B06: a leader counts itself only when its own disk has the entries', () => {
  test('with one acknowledgement of two needed', () => {
    const group = new RawGroup(3, options);
    group.elect(1);
    const leader = group.get(1);
    const { committed } = leader.raft.log;
    leader.node.propose(bytes('x'));
    const { sent, work } = take(leader);
    expect(ofType(sent, MsgApp)).toHaveLength(2);

    leader.node.step(message(MsgAppResp, { from: 2, term: 1, index: committed + 1 }));
    expect(leader.raft.log.committed).toBe(committed);
    for (const m of work) leader.perform(m);

    expect(leader.raft.log.committed).toBe(committed + 1);
  });
});

describe('B10: an answer to an old write does not make newer entries durable', () => {
  test('the same entry A, then B, then A again, and the answer to the first write', () => {
    const hosted = new RawGroup(3, options).get(1);
    const step = (term: number, entries: Entry[]): void => void hosted.node.step(message(MsgApp, { term, index: 2, logTerm: 1, entries }));
    step(2, [entry(2, 3, 'A')]);
    const [first] = take(hosted).work;
    step(3, [entry(3, 3, 'B')]);
    const [second] = take(hosted).work;
    step(4, [entry(2, 3, 'A')]);

    // The first write is done; the second is not.
    hosted.perform(first!);
    expect(hosted.raft.log.unstable.count > 0).toBe(true);
    const [third] = take(hosted).work;
    expect(third!.entries.map(({ term, index }) => [term, index])).toEqual([[2, 3]]);
    hosted.perform(second!);
    expect(hosted.raft.log.unstable.count > 0).toBe(true);
    hosted.perform(third!);

    expect(hosted.raft.log.unstable.count > 0).toBe(false);
    expect(hosted.storage.term(3)).toBe(2);
  });

  test('if answers of an older term were thrown away, the next write makes up for them', () => {
    const hosted = new RawGroup(3, options).get(1);
    hosted.node.step(message(MsgApp, { term: 2, index: 2, logTerm: 1, entries: [entry(2, 3)] }));
    const [first] = take(hosted).work;
    hosted.node.step(message(MsgHeartbeat, { term: 3 }));
    hosted.perform(first!);
    expect(hosted.raft.log.unstable.count > 0).toBe(true);

    hosted.handleReadys();

    expect(hosted.raft.log.unstable.count > 0).toBe(false);
  });
});

describe('B12: answers of the storage threads out of order, late, or twice', () => {
  test('every order of the answers of three writes leads to the same state', () => {
    for (const order of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
      const group = new RawGroup(1, options);
      group.elect(1);
      const hosted = group.get(1);
      const answers: Message[][] = [];
      for (const text of ['a', 'b', 'c']) {
        hosted.node.propose(bytes(text));
        const { work } = take(hosted);
        for (const m of work) hosted.storage.append(m.entries);
        answers.push(work.flatMap(({ responses }) => responses));
      }

      for (const i of order) for (const m of [...answers[i]!, ...answers[i]!]) hosted.node.stepStorageResponse(m);
      hosted.handleReadys();

      checkInvariants(hosted.node);
      expect(hosted.raft.log.committed).toBe(6);
      expect(hosted.applied.slice(-3)).toEqual(['4/1 a', '5/1 b', '6/1 c']);
    }
  });

  test('entries that are applied are reported once or twice: the index never goes back', () => {
    const group = new RawGroup(1, { ...options, maxUncommittedEntriesSize: 100 });
    group.elect(1);
    const hosted = group.get(1);
    hosted.node.propose(bytes('x'));
    while (hosted.work.length > 0 || hosted.node.hasReady()) {
      const { work } = take(hosted);
      for (const m of work) {
        hosted.perform(m);
        if (m.type === MsgStorageApply) hosted.node.stepStorageResponse(m.responses[0]!);
      }
    }

    checkInvariants(hosted.node);
    expect(hosted.raft.log.applied).toBe(4);
    expect(hosted.raft.uncommittedSize).toBe(0);
  });
});

describe('what the threads are asked', () => {
  test('messages of one Ready are never in two writes, and a write comes even if there is only something to pass on', () => {
    const hosted = new RawGroup(3, options).get(1);
    hosted.node.step(message(MsgHeartbeat, { term: 1 }));
    hosted.handleReadys();
    hosted.node.step(message(MsgApp, { term: 1, index: 2, logTerm: 1 }));

    const { sent, work } = take(hosted);

    expect(sent).toEqual([]);
    expect(work).toMatchObject([{ type: MsgStorageAppend, entries: [], term: 0, responses: [{ type: MsgAppResp, index: 2 }] }]);
    expect(hosted.node.hasReady()).toBe(false);
  });

  test('committed entries are applied only when they are durable here', () => {
    const hosted = new RawGroup(3, options).get(1);
    hosted.node.step(message(MsgApp, { term: 1, index: 2, logTerm: 1, entries: [entry(1, 3)], commit: 3 }));
    const { work } = take(hosted);
    expect(work.map(({ type }) => type)).toEqual([MsgStorageAppend]);

    hosted.perform(work[0]!);

    expect(take(hosted).work.map(({ type }) => type)).toEqual([MsgStorageApply]);
  });

  test('an answer names the end of the log, so that writes which overlap need one answer only', () => {
    const group = new RawGroup(1, options);
    group.elect(1);
    const hosted = group.get(1);
    hosted.node.propose(bytes('a'));
    const first = take(hosted);
    hosted.node.propose(bytes('b'));
    const second = take(hosted);
    for (const m of [...first.work, ...second.work]) hosted.storage.append(m.entries);

    for (const m of second.work.flatMap(({ responses }) => responses)) hosted.node.stepStorageResponse(m);

    expect(hosted.raft.log.unstable.count > 0).toBe(false);
    expect(hosted.raft.log.committed).toBe(5);
  });
});
