import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import type { Term } from '../../src/core/types.js';
import { ack, ackAll, bytes, entries, followerWith, leaderWith, message, nodeWith, ofType, texts } from '../support/builders.js';
import { entriesFrom } from '../support/logBuilders.js';
import { Network } from '../support/network.js';

const { MsgApp, MsgAppResp, MsgHeartbeat } = MessageType;

/** A group of two in which node 1 has `leaderLog` and is elected for `term`, and node 2 starts with `followerLog`. */
function pair(term: Term, leaderLog: readonly Term[], followerLog: readonly Term[]): Network {
  // Node 3 lends its vote where the follower would refuse it, and says nothing else.
  const voters = [1, 2, 3];
  const network = new Network([
    nodeWith({ id: 1, voters, term: term - 1, log: leaderLog }),
    nodeWith({ id: 2, voters, term: term - 1, log: followerLog }),
    nodeWith({ id: 3, voters, term: term - 1 }),
  ]);
  network.drop((m) => m.from === 3 && m.type === MsgAppResp);
  return network;
}

describe('Raft §5.3, log replication', () => {
  test('the leader appends a command to its log and sends it to all others', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);

    const place = leader.node.propose(bytes('x'));
    const sent = ofType(leader.settle(), MsgApp);

    expect(place).toEqual({ term: 1, index: 2 });
    expect(texts(leader.log)).toEqual(['x']);
    expect(sent.map((m) => [m.to, m.index, texts(m.entries)])).toEqual([
      [2, 1, ['x']],
      [3, 1, ['x']],
    ]);
  });

  test('the leader applies the entry once it is safely replicated, and not before', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);
    leader.node.propose(bytes('x'));
    leader.settle();
    const early = texts(leader.applied);

    ackAll(leader, 2);

    expect(early).toEqual([]);
    expect(texts(leader.applied)).toEqual(['x']);
  });

  test('the leader retries for as long as it takes, also after the entry is committed', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.isolate(3);
    network.propose(1, 'x');
    network.tick(300, [1, 2]);
    network.heal();

    network.tick(1, [1]);

    expect(texts(network.node(3).applied)).toEqual(['x']);
  });

  test('every entry holds its term and its position in the log', () => {
    const network = Network.of(3);

    for (const [id, text] of [[1, 'a'], [2, 'b'], [1, 'c']] as const) {
      network.campaign(id);
      network.propose(id, text);
    }

    for (const node of network.nodes) {
      expect(node.log.map((entry) => [entry.index, entry.term])).toEqual([
        [1, 1],
        [2, 1],
        [3, 2],
        [4, 2],
        [5, 3],
        [6, 3],
      ]);
    }
  });

  describe('an entry is committed once a majority stores it', () => {
    test.each([
      { size: 1, acks: 0, committed: true, why: 'one of one' },
      { size: 2, acks: 0, committed: false, why: 'one of two' },
      { size: 2, acks: 1, committed: true, why: 'two of two' },
      { size: 3, acks: 0, committed: false, why: 'one of three' },
      { size: 3, acks: 1, committed: true, why: 'two of three' },
      { size: 4, acks: 1, committed: false, why: 'half of four' },
      { size: 4, acks: 2, committed: true, why: 'three of four' },
      { size: 5, acks: 1, committed: false, why: 'two of five' },
      { size: 5, acks: 2, committed: true, why: 'three of five' },
    ])('$size servers, $acks acknowledge: $why', ({ size, acks, committed }) => {
      const voters = Array.from({ length: size }, (_, i) => i + 1);
      const leader = leaderWith({ voters });
      ackAll(leader, ...voters.slice(1));
      leader.node.propose(bytes('x'));
      leader.settle();

      ackAll(leader, ...voters.slice(1, 1 + acks));

      expect(leader.commit).toBe(committed ? 2 : 1);
    });
  });

  test.each([{ log: [] }, { log: [1] }, { log: [2, 2] }, { log: [1, 2, 2] }])(
    'committing an entry commits all before it, those of earlier leaders included: $log',
    ({ log }) => {
      const leader = leaderWith({ log, term: 3 });

      ackAll(leader, 2);

      expect(leader.commit).toBe(log.length + 1);
      expect(leader.applied.map((entry) => entry.term)).toEqual([...log, 3]);
    },
  );

  test('the leader tells the commit index with later appends', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);
    leader.node.propose(bytes('x'));
    leader.settle();

    const sent = ofType(ackAll(leader, 2), MsgApp);

    expect(sent.map((m) => [m.to, m.commit, m.entries.length])).toEqual([
      [2, 2, 0],
      [3, 2, 0],
    ]);
  });

  test('the leader tells the commit index with heartbeats, up to what the follower is known to hold', () => {
    const leader = leaderWith({ voters: [1, 2, 3, 4, 5] });
    ackAll(leader, 2, 3, 4);
    leader.node.propose(bytes('x'));
    leader.settle();
    ackAll(leader, 2, 3);

    const heartbeats = ofType(leader.tick(), MsgHeartbeat);

    expect(heartbeats.map((m) => [m.to, m.commit])).toEqual([
      [2, 2],
      [3, 2],
      [4, 1],
      [5, 0],
    ]);
  });

  test('a follower that learns of a committed entry applies it', () => {
    const node = followerWith({ term: 1 });
    node.receive(message(MsgApp, { term: 1, entries: entries(1, 1) }));
    const early = node.applied.length;

    node.receive(message(MsgHeartbeat, { term: 1, commit: 1 }));

    expect(early).toBe(0);
    expect(node.applied.map((entry) => entry.index)).toEqual([1]);
  });

  test('entries are applied in the order of the log, each once', () => {
    const network = Network.of(3);
    network.campaign(1);

    for (const text of ['a', 'b', 'c', 'd']) network.propose(1, text);
    network.tick(5, [1]);

    for (const node of network.nodes) expect(texts(node.applied)).toEqual(['a', 'b', 'c', 'd']);
    for (const node of network.nodes) expect(node.applied.map((entry) => entry.index)).toEqual([1, 2, 3, 4, 5]);
  });

  test('a leader makes at most one entry with a given index in its term', () => {
    const leader = leaderWith({ log: [1, 1], term: 2 });

    const places = ['a', 'b', 'c'].map((text) => leader.node.propose(bytes(text)));

    expect(places).toEqual([
      { term: 2, index: 4 },
      { term: 2, index: 5 },
      { term: 2, index: 6 },
    ]);
  });

  test('an append names the entry right before the new ones by index and term', () => {
    const leader = leaderWith({ log: [1, 1, 2], term: 4 });
    ackAll(leader, 2);
    leader.node.propose(bytes('x'));

    const sent = ofType(leader.settle(), MsgApp);

    expect(sent).toMatchObject([{ to: 2, index: 4, logTerm: 4, entries: [{ index: 5, term: 4 }] }]);
  });

  describe('a follower without that entry refuses the new ones', () => {
    test.each([
      { log: [1, 2], index: 3, logTerm: 2, why: 'its log is too short' },
      { log: [1, 2], index: 2, logTerm: 1, why: 'its entry is newer' },
      { log: [1, 2], index: 2, logTerm: 3, why: 'its entry is older' },
      { log: [], index: 1, logTerm: 1, why: 'its log is empty' },
    ])('log $log, asked for $logTerm/$index: $why', ({ log, index, logTerm }) => {
      const node = followerWith({ term: 3, log });

      const answers = node.receive(message(MsgApp, { term: 3, index, logTerm, entries: entriesFrom(index + 1, [3]), commit: index }));

      expect(answers).toMatchObject([{ type: MsgAppResp, to: 2, term: 3, reject: true, index }]);
      expect(node.logTerms).toEqual(log);
      expect(node.commit).toBe(0);
    });
  });

  describe('a success says that both logs are the same up to the new entries', () => {
    test.each([
      { log: [], index: 0, logTerm: 0, terms: [1, 1], acked: 2, after: [1, 1], why: 'the empty log satisfies the check' },
      { log: [1, 1], index: 2, logTerm: 1, terms: [2], acked: 3, after: [1, 1, 2], why: 'at the end' },
      { log: [1, 1], index: 2, logTerm: 1, terms: [], acked: 2, after: [1, 1], why: 'nothing new, the check alone' },
      { log: [1, 1, 1], index: 1, logTerm: 1, terms: [2], acked: 2, after: [1, 2], why: 'a conflicting tail goes' },
      { log: [1, 1, 1], index: 1, logTerm: 1, terms: [1], acked: 2, after: [1, 1, 1], why: 'V14: what follows is not verified, so not acknowledged' },
      { log: [1, 1, 1], index: 0, logTerm: 0, terms: [1, 2, 2], acked: 3, after: [1, 2, 2], why: 'the conflict is in the middle' },
    ])('log $log, append $terms after $index: $why', ({ log, index, logTerm, terms, acked, after }) => {
      const node = followerWith({ term: 2, log });

      const answers = node.receive(message(MsgApp, { term: 2, index, logTerm, entries: entriesFrom(index + 1, terms) }));

      expect(answers).toMatchObject([{ type: MsgAppResp, to: 2, reject: false, index: acked }]);
      expect(node.logTerms).toEqual(after);
    });
  });

  describe('a new leader makes every follower of Figure 7 duplicate its log', () => {
    const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];

    test.each([
      { name: 'a', log: [1, 1, 1, 4, 4, 5, 5, 6, 6], why: 'the last entry is missing' },
      { name: 'b', log: [1, 1, 1, 4], why: 'much is missing' },
      { name: 'c', log: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], why: 'one entry too many' },
      { name: 'd', log: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], why: 'entries of a later term that were never committed' },
      { name: 'e', log: [1, 1, 1, 4, 4, 4, 4], why: 'both' },
      { name: 'f', log: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], why: 'both, over two terms' },
    ])('($name) $why', ({ log }) => {
      const network = pair(8, leaderLog, log);

      network.campaign(1);
      network.tick(2, [1]);

      expect(network.node(2).logTerms).toEqual([...leaderLog, 8]);
      expect(network.node(1).logTerms).toEqual([...leaderLog, 8]);
    });
  });

  test('the leader begins right after its last entry with each follower', () => {
    const leader = leaderWith({ log: [1, 1, 2], term: 3 });

    const { progress } = leader.node.status();

    // One entry, the empty one of the term, was appended after the election.
    expect([progress.get(2)?.next, progress.get(3)?.next]).toEqual([4, 4]);
    expect([progress.get(2)?.match, progress.get(3)?.match]).toEqual([0, 0]);
  });

  test('a refused append is retried from an earlier index, until the logs match', () => {
    const leader = leaderWith({ log: [1, 1, 1, 1], term: 2 });

    const retry = leader.receive(message(MsgAppResp, { term: 2, index: 4, reject: true, rejectHint: 2, logTerm: 1 }));
    const further = leader.receive(message(MsgAppResp, { term: 2, index: 2, reject: true, rejectHint: 0, logTerm: 0 }));

    expect(retry).toMatchObject([{ type: MsgApp, to: 2, index: 2, logTerm: 1 }]);
    expect(further).toMatchObject([{ type: MsgApp, to: 2, index: 0, logTerm: 0 }]);
    expect(further[0]?.entries.length).toBe(5);
  });

  test('the refusal names the term of the conflicting entry, and one retry skips all of that term', () => {
    const network = pair(5, [1, 1, 4, 4, 4, 4, 4, 4], [1, 1, 2, 2, 2, 2, 3, 3]);

    network.campaign(1);
    network.tick(2, [1]);

    const rejections = ofType(network.sent, MsgAppResp).filter((m) => m.from === 2 && m.reject);
    expect(rejections).toMatchObject([{ index: 8, rejectHint: 8, logTerm: 3 }]);
    expect(network.node(2).logTerms).toEqual([1, 1, 4, 4, 4, 4, 4, 4, 5]);
  });

  test('a leader never overwrites or deletes its own entries', () => {
    const leader = leaderWith({ log: [1, 2], term: 3 });

    leader.receive(message(MsgApp, { term: 3, index: 1, logTerm: 1, entries: entriesFrom(2, [3]) }));
    leader.receive(message(MsgApp, { term: 2, index: 0, logTerm: 0, entries: entries(2) }));

    expect(leader.logTerms).toEqual([1, 2, 3]);
  });

  test('logs converge by ordinary appends alone: a leader that comes to power does nothing special', () => {
    const network = pair(3, [1, 1], [1, 2, 2]);
    network.campaign(1);

    network.propose(1, 'x');
    network.tick(2, [1]);

    expect(new Set(network.sent.filter((m) => m.from === 1).map((m) => m.type))).toEqual(new Set([MessageType.MsgVote, MsgApp, MsgHeartbeat]));
    expect(network.node(2).logTerms).toEqual([1, 1, 3, 3]);
  });

  test('in the normal case one round of messages to a majority commits an entry: a slow follower does not matter', () => {
    const network = Network.of(5);
    network.campaign(1);
    network.drop((m) => m.to === 4 || m.to === 5);
    network.sent = [];

    network.propose(1, 'x');

    expect(network.node(1).commit).toBe(2);
    expect(network.sent.filter((m) => m.type === MsgApp && m.entries.length > 0).length).toBe(4);
  });

  test('an acknowledgement that is behind what was acknowledged before changes nothing', () => {
    const leader = leaderWith();
    leader.node.propose(bytes('x'));
    leader.settle();
    ackAll(leader, 2);

    leader.receive(ack(2, 1, 1));

    expect(leader.node.status().progress.get(2)?.match).toBe(2);
    expect(leader.commit).toBe(2);
  });
});
