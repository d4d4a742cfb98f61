import { describe, expect, test } from '@jest/globals';
import type { Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { ack, ackAll, bytes, entries, leaderWith, message, nodeWith, ofType, texts } from '../support/builders.js';
import type { TestNode } from '../support/testNode.js';

const { MsgApp, MsgAppResp, MsgStorageAppend, MsgStorageApply, MsgVoteResp } = MessageType;

/** A host whose disk takes its time: writes are ordered by `turn` and done by `write`. */
class SlowDisk {
  readonly node: TestNode;
  readonly #orders: Message[] = [];

  constructor(node: TestNode) {
    this.node = node;
  }

  /** Takes out one Ready. Returns what may be sent to peers right away. */
  turn(): Message[] {
    const sent: Message[] = [];
    while (this.node.node.hasReady()) {
      for (const m of this.node.node.ready().messages) {
        if (m.type === MsgStorageAppend || m.type === MsgStorageApply) this.#orders.push(m);
        else sent.push(m);
      }
    }
    return sent;
  }

  /** Carries out everything that was ordered. Returns what may be sent to peers now. */
  write(): Message[] {
    const sent: Message[] = [];
    for (let order = this.#orders.shift(); order !== undefined; order = this.#orders.shift()) {
      if (order.type === MsgStorageAppend) this.#store(order);
      else this.node.applied.push(...order.entries);
      for (const response of order.responses) {
        if (response.to === this.node.id) this.node.node.stepStorageResponse(response);
        else sent.push(response);
      }
      sent.push(...this.turn());
    }
    return sent;
  }

  #store(order: Message): void {
    this.node.storage.append(order.entries);
    if (order.term > 0) this.node.storage.setHardState({ term: order.term, vote: order.vote, commit: order.commit });
  }
}

/** A leader of three with an empty entry that all have, and a slow disk. */
function slowLeader(voters: readonly number[] = [1, 2, 3]): SlowDisk {
  const disk = new SlowDisk(nodeWith({ voters, asyncStorageWrites: true }));
  const { node } = disk;
  node.node.campaign();
  disk.turn();
  disk.write();
  for (const from of voters.slice(1)) node.node.step(message(MsgVoteResp, { from, term: 1 }));
  disk.turn();
  disk.write();
  for (const from of voters.slice(1)) node.node.step(ack(from, 1, 1));
  disk.turn();
  disk.write();
  return disk;
}

describe('Raft dissertation §10.2.1, writing to the leader\'s disk in parallel', () => {
  test('the leader sends an entry to its followers before its own disk has it', () => {
    const disk = slowLeader();
    disk.node.node.propose(bytes('x'));

    const sent = ofType(disk.turn(), MsgApp);

    expect(sent.map((m) => [m.to, texts(m.entries)])).toEqual([
      [2, ['x']],
      [3, ['x']],
    ]);
    expect(texts(disk.node.log)).toEqual([]);
  });

  test('it counts itself for the majority only once its own disk has the entry', () => {
    const disk = slowLeader();
    disk.node.node.propose(bytes('x'));
    disk.turn();
    disk.node.node.step(ack(2, 1, 2));

    const before = disk.node.commit;
    disk.turn();
    disk.write();

    expect(before).toBe(1);
    expect(disk.node.commit).toBe(2);
  });

  test('an entry may be committed by a majority of followers before the leader\'s own disk has it', () => {
    const disk = slowLeader();
    disk.node.node.propose(bytes('x'));
    disk.turn();

    disk.node.node.step(ack(2, 1, 2));
    disk.node.node.step(ack(3, 1, 2));

    expect(disk.node.commit).toBe(2);
    expect(texts(disk.node.log)).toEqual([]);
  });

  test('the leader applies no entry that its own disk does not have, although it is committed', () => {
    const disk = slowLeader();
    disk.node.node.propose(bytes('x'));
    disk.turn();
    disk.node.node.step(ack(2, 1, 2));
    disk.node.node.step(ack(3, 1, 2));

    const orders = disk.node.node.ready().messages.filter((m) => m.type === MsgStorageApply);

    expect(orders).toEqual([]);
  });

  test('V6: a single voter commits nothing before its disk has it', () => {
    const disk = slowLeader([1]);
    disk.node.node.propose(bytes('x'));
    disk.turn();

    const before = disk.node.commit;
    disk.write();

    expect(before).toBe(1);
    expect(disk.node.commit).toBe(2);
    expect(texts(disk.node.applied)).toEqual(['x']);
  });

  test('a follower acknowledges only what its disk has', () => {
    const disk = new SlowDisk(nodeWith({ term: 1, asyncStorageWrites: true }));
    disk.node.node.step(message(MsgApp, { term: 1, entries: entries(1, 1) }));

    const early = disk.turn();
    const late = disk.write();

    expect(early).toEqual([]);
    expect(late).toMatchObject([{ type: MsgAppResp, to: 2, index: 2, reject: false }]);
  });
});

describe('Raft dissertation §10.2.2, batching and pipelining', () => {
  test('V3: entries that are proposed together go to the disk and to each follower together', () => {
    const leader = leaderWith();
    ackAll(leader, 2, 3);
    for (const text of ['a', 'b', 'c']) leader.node.propose(bytes(text));

    const ready = leader.node.ready();

    expect(texts(ready.entries)).toEqual(['a', 'b', 'c']);
    expect(ready.messages.filter((m) => m.to === 2).flatMap((m) => texts(m.entries))).toEqual(['a', 'b', 'c']);
  });

  test('further entries are sent without waiting for the answers to earlier ones', () => {
    const leader = leaderWith();
    ackAll(leader, 2);

    const sent = ['a', 'b', 'c'].map((text) => {
      leader.node.propose(bytes(text));
      return ofType(leader.settle(), MsgApp).filter((m) => m.to === 2);
    });

    expect(sent.map((messages) => messages.map((m) => [m.index, texts(m.entries)]))).toEqual([[[1, ['a']]], [[2, ['b']]], [[3, ['c']]]]);
    expect(leader.node.status().progress.get(2)).toMatchObject({ match: 1, next: 5, inflight: 3 });
  });

  test('the number of messages under way is bounded', () => {
    const leader = leaderWith({ maxInflightMsgs: 2 });
    ackAll(leader, 2);
    for (const text of ['a', 'b', 'c']) {
      leader.node.propose(bytes(text));
      leader.settle();
    }

    const paused = leader.node.status().progress.get(2);
    const more = ofType(leader.receive(ack(2, 1, 2)), MsgApp).filter((m) => m.entries.length > 0);

    expect(paused).toMatchObject({ paused: true, inflight: 2, next: 4 });
    expect(more.map((m) => texts(m.entries))).toEqual([['c']]);
  });

  test('messages that overtake each other are refused by the consistency check, and sent again', () => {
    const leader = leaderWith();
    const follower = nodeWith({ id: 2, term: 1 });
    leader.receive(...follower.receive(message(MsgApp, { from: 1, to: 2, term: 1, entries: entries(1) })));
    leader.node.propose(bytes('a'));
    const first = leader.settle().filter((m) => m.to === 2);
    leader.node.propose(bytes('b'));
    const second = leader.settle().filter((m) => m.to === 2);

    const early = follower.receive(...second);
    const late = follower.receive(...first);
    const again = leader.receive(...early, ...late).filter((m) => m.to === 2);
    follower.receive(...again);

    expect(early).toMatchObject([{ type: MsgAppResp, reject: true }]);
    expect(texts(follower.log)).toEqual(['a', 'b']);
  });
});
