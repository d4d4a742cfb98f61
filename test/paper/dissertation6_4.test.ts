import { describe, expect, test } from '@jest/globals';
import { newConfChangeV2, parseConfChanges } from '../../src/core/raftpb/confChange.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { ReadOnlyOption } from '../../src/core/types.js';
import { ack, ackAll, bytes, leaderWith, message, ofType } from '../support/builders.js';
import { Network } from '../support/network.js';
import type { TestNode } from '../support/testNode.js';

const { MsgHeartbeat, MsgHeartbeatResp, MsgReadIndexResp } = MessageType;

const leased = { checkQuorum: true, readOnlyOption: ReadOnlyOption.LeaseBased };

const answered = (node: TestNode) => node.reads.map((read) => [new TextDecoder().decode(read.requestContext), read.index]);

/** A leader of three that has committed the entry of its term; its election timeout is 10 ticks. */
function readyLeader(fields: Parameters<typeof leaderWith>[0] = {}): TestNode {
  const leader = leaderWith(fields);
  ackAll(leader, 2, 3);
  return leader;
}

/** The leader is asked for a read. Returns the context of the heartbeats that it sends to confirm it, or null. */
function ask(leader: TestNode, context: string): Uint8Array | null {
  leader.node.readIndex(bytes(context));
  return ofType(leader.settle(), MsgHeartbeat)[0]?.context ?? null;
}

/** Node `from` answers a heartbeat. */
function confirm(leader: TestNode, from: number, context: Uint8Array | null): void {
  leader.receive(message(MsgHeartbeatResp, { from, term: leader.term, context: context ?? new Uint8Array(0) }));
}

describe('Raft dissertation §6.4, read-only queries', () => {
  test('1. a leader that has not committed an entry of its term yet waits until it has', () => {
    const leader = leaderWith({ log: [1, 1], term: 2 });

    const early = ask(leader, 'r');
    const sent = ackAll(leader, 2);
    confirm(leader, 2, ofType(sent, MsgHeartbeat)[0]?.context ?? null);

    expect(early).toBeNull();
    expect(answered(leader)).toEqual([['r', 3]]);
  });

  test('2. the read index is the commit index of the moment at which the read arrives', () => {
    const leader = readyLeader();
    leader.node.propose(bytes('x'));
    leader.settle();

    const context = ask(leader, 'before the commit');
    ackAll(leader, 2);
    confirm(leader, 3, context);

    expect(leader.commit).toBe(2);
    expect(answered(leader)).toEqual([['before the commit', 1]]);
  });

  describe('3. the leader exchanges a new round of heartbeats with a majority', () => {
    test.each([
      { voters: [1, 2], from: [], done: false, why: 'one of two' },
      { voters: [1, 2], from: [2], done: true, why: 'two of two' },
      { voters: [1, 2, 3, 4, 5], from: [2], done: false, why: 'two of five' },
      { voters: [1, 2, 3, 4, 5], from: [2, 2, 2], done: false, why: 'one server counts once' },
      { voters: [1, 2, 3, 4, 5], from: [4, 5], done: true, why: 'three of five' },
    ])('$voters, answered by $from: $why', ({ voters, from, done }) => {
      const leader = leaderWith({ voters });
      ackAll(leader, ...voters.slice(1));
      const context = ask(leader, 'r');

      for (const id of from) confirm(leader, id, context);

      expect(answered(leader)).toEqual(done ? [['r', 1]] : []);
    });

    test('answers to heartbeats that were sent before the read do not count', () => {
      const leader = readyLeader();
      const [before] = ofType(leader.tick(), MsgHeartbeat);

      ask(leader, 'r');
      confirm(leader, 2, before!.context);
      confirm(leader, 3, before!.context);

      expect(answered(leader)).toEqual([]);
    });

    test('answers to an earlier read confirm that one alone', () => {
      const leader = readyLeader();
      const first = ask(leader, 'first');
      ask(leader, 'second');

      confirm(leader, 2, first);

      expect(answered(leader)).toEqual([['first', 1]]);
    });

    test('answers of another term do not count', () => {
      const leader = readyLeader({ term: 4 });
      const context = ask(leader, 'r');

      leader.receive(message(MsgHeartbeatResp, { term: 3, context: context! }));

      expect(answered(leader)).toEqual([]);
    });

    test('in a joint configuration it takes both majorities', () => {
      const leader = leaderWith({ confState: newConfState({ voters: [3, 4, 5], votersOutgoing: [1, 2, 3] }) });
      ackAll(leader, 2, 4, 5);
      const context = ask(leader, 'r');

      confirm(leader, 2, context);
      confirm(leader, 4, context);
      const early = answered(leader);
      confirm(leader, 5, context);

      expect(early).toEqual([]);
      expect(answered(leader)).toEqual([['r', 1]]);
    });
  });

  test('one round of heartbeats confirms any number of reads that wait', () => {
    const leader = readyLeader();
    const contexts = ['a', 'b', 'c'].map((name) => ask(leader, name));

    confirm(leader, 3, contexts.at(-1)!);

    expect(answered(leader)).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
  });

  test('lost heartbeats delay a read and do not lose it: the next ones confirm it as well', () => {
    const leader = readyLeader();
    ask(leader, 'r');

    const [next] = ofType(leader.tick(), MsgHeartbeat);
    confirm(leader, 2, next!.context);

    expect(answered(leader)).toEqual([['r', 1]]);
  });

  test('two reads with the same context of the caller are two reads', () => {
    const leader = readyLeader();
    const first = ask(leader, 'same');
    ask(leader, 'same');

    confirm(leader, 2, first);

    expect(answered(leader)).toEqual([['same', 1]]);
  });

  test('a follower gets the read index from the leader, confirmed in the same way', () => {
    const network = Network.of(3);
    network.campaign(1);
    network.propose(1, 'x');
    network.hold((m) => m.type === MsgHeartbeatResp);
    network.node(3).node.readIndex(bytes('r'));
    network.settle();
    const early = ofType(network.sent, MsgReadIndexResp).length;

    network.release();

    expect(early).toBe(0);
    expect(answered(network.node(3))).toEqual([['r', 2]]);
  });

  test('D3: when a change of the configuration makes the majority smaller, waiting reads are answered', () => {
    const leader = leaderWith({ voters: [1, 2] });
    ackAll(leader, 2);
    ask(leader, 'r');
    leader.node.proposeConfChange(newConfChangeV2({ changes: parseConfChanges('r2') }));
    leader.settle();
    const early = answered(leader);

    leader.receive(ack(2, 1, 2));

    expect(early).toEqual([]);
    expect(answered(leader)).toEqual([['r', 1]]);
  });

  test('D6: reads that wait when leadership ends are reported as aborted, and are not answered later', () => {
    const leader = readyLeader();
    const context = ask(leader, 'r');

    leader.receive(message(MsgHeartbeat, { term: 2 }));
    confirm(leader, 2, context);

    expect(answered(leader)).toEqual([]);
    expect(leader.abortedReads).toMatchObject([{ requestContext: bytes('r'), reason: 'leadershipLost' }]);
  });
});

describe('Raft dissertation §6.4.1, leases', () => {
  /** Heartbeats go out, and node 2 answers them. */
  function round(leader: TestNode): void {
    const [heartbeat] = ofType(leader.tick(), MsgHeartbeat);
    confirm(leader, 2, heartbeat!.context);
  }

  test('D13: with a lease a read is answered at once, without a message', () => {
    const leader = readyLeader(leased);
    round(leader);

    const context = ask(leader, 'r');

    expect(context).toBeNull();
    expect(answered(leader)).toEqual([['r', 1]]);
  });

  test('D13: a leader just elected has no lease', () => {
    const leader = readyLeader(leased);

    const context = ask(leader, 'r');

    expect(context).not.toBeNull();
    expect(answered(leader)).toEqual([]);
  });

  describe('D13: the lease counts from the sending of the heartbeat and ends before the election timeout, less the drift of clocks', () => {
    test.each([
      { margin: 0, age: 8, held: true, why: 'electionTick - 2' },
      { margin: 0, age: 9, held: false, why: 'one tick more' },
      { margin: 1, age: 7, held: true, why: 'a tick of drift' },
      { margin: 1, age: 8, held: false, why: 'a tick of drift, one tick more' },
      { margin: 5, age: 3, held: true, why: 'five ticks of drift' },
      { margin: 5, age: 4, held: false, why: 'five ticks of drift, one tick more' },
      { margin: 9, age: 0, held: false, why: 'with so much drift there is no lease' },
    ])('margin $margin, a heartbeat $age ticks old: $why', ({ margin, age, held }) => {
      const leader = readyLeader({ ...leased, leaseMarginTicks: margin });
      const [heartbeat] = ofType(leader.tick(), MsgHeartbeat);
      leader.tick(age);
      // The answer was long on its way: what counts is when the heartbeat left.
      confirm(leader, 2, heartbeat!.context);

      ask(leader, 'r');

      expect(answered(leader).length).toBe(held ? 1 : 0);
    });
  });

  test('D13: one server of five is not enough for a lease', () => {
    const leader = leaderWith({ ...leased, voters: [1, 2, 3, 4, 5] });
    ackAll(leader, 2, 3);
    round(leader);

    const context = ask(leader, 'r');

    expect(context).not.toBeNull();
    expect(answered(leader)).toEqual([]);
  });

  test('O4: without a fresh lease the read goes through the majority, and is still correct', () => {
    const leader = readyLeader(leased);

    const context = ask(leader, 'r');
    confirm(leader, 3, context);

    expect(answered(leader)).toEqual([['r', 1]]);
  });

  test('D2: a lease does not help before the first commit of the term', () => {
    const leader = leaderWith({ ...leased, log: [1], term: 2 });
    round(leader);

    ask(leader, 'r');

    expect(answered(leader)).toEqual([]);
  });

  test('no other leader is elected within the lease: the voters wait out the election timeout', () => {
    const network = Network.of(3, leased);
    network.campaign(1);
    network.tick(1, [1]);
    network.isolate(1);

    for (let age = 1; age <= 7; age++) {
      network.tick(1);
      network.campaign(2);
      network.node(1).node.readIndex(bytes(`r${age}`));
      network.settle();

      expect(network.leader.id).toBe(1);
    }

    expect(answered(network.node(1)).length).toBe(7);
  });
});
