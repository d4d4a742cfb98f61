import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../src/core/checkInvariants.js';
import { RaftError, RaftErrorCode } from '../../src/core/errors.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newEntry, EntryType } from '../../src/core/raftpb/entry.js';
import { StepResult } from '../../src/core/raft/stepResult.js';
import { RawNode } from '../../src/core/rawNode.js';
import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import { StateType } from '../../src/core/types.js';
import { ack, ackAll, bytes, leaderWith, message, nodeWith, ofType, storageWith } from '../support/builders.js';
import { codeOf, errorOf } from '../support/errors.js';
import type { TestNode } from '../support/testNode.js';

const { Compacted, ConfigInvalid, InvariantViolated, NodeStopped, SnapshotTemporarilyUnavailable, StorageFailed, Unavailable } = RaftErrorCode;

/** A storage in memory whose methods can be made to misbehave while a node runs on it. */
class UnreliableStorage extends MemoryStorage {
  private faults: Partial<Record<'initialState' | 'entries' | 'term' | 'firstIndex' | 'lastIndex' | 'snapshot', () => unknown>> = {};

  fail(method: keyof UnreliableStorage & keyof typeof this.faults, fault: () => unknown): void {
    this.faults[method] = fault;
  }

  heal(): void {
    this.faults = {};
  }

  override initialState(): ReturnType<MemoryStorage['initialState']> {
    return this.answer('initialState') ?? super.initialState();
  }
  override entries(lo: number, hi: number, maxBytes: number): ReturnType<MemoryStorage['entries']> {
    return this.answer('entries') ?? super.entries(lo, hi, maxBytes);
  }
  override term(index: number): number {
    return this.answer('term') ?? super.term(index);
  }
  override firstIndex(): number {
    return this.answer('firstIndex') ?? super.firstIndex();
  }
  override lastIndex(): number {
    return this.answer('lastIndex') ?? super.lastIndex();
  }
  override snapshot(): ReturnType<MemoryStorage['snapshot']> {
    return this.answer('snapshot') ?? super.snapshot();
  }

  private answer<T>(method: keyof typeof this.faults): T | undefined {
    return this.faults?.[method]?.() as T | undefined;
  }
}

function diskError(): never {
  throw new Error('EIO');
}

function refuse(code: RaftErrorCode): () => never {
  return () => {
    throw new RaftError(code, code);
  };
}

/** A leader with a log of three entries in the storage, of which a follower has none. */
function leaderOn(storage: UnreliableStorage): TestNode {
  storage.applySnapshot({ data: bytes(''), metadata: { confState: newConfState({ voters: [1, 2, 3] }), index: 0, term: 0 } });
  storage.append([1, 1, 1].map((term, i) => newEntry(EntryType.EntryNormal, bytes('x'), term, i + 1)));
  storage.setHardState({ term: 1, vote: 0, commit: 0 });
  return leaderWith({ storage, term: 2 });
}

/** Makes the leader read entry 1, from which it replicates to node 2. */
function readBack(leader: TestNode): unknown {
  return leader.node.step(message(MessageType.MsgAppResp, { term: 2, index: 3, reject: true, rejectHint: 0 }));
}

describe('D11, S20, B53: a storage that fails, or answers outside of its contract, stops the node with a typed error', () => {
  const faults: { method: Parameters<UnreliableStorage['fail']>[0]; fault: () => unknown; why: string }[] = [
    { method: 'entries', fault: diskError, why: 'entries cannot be read' },
    { method: 'entries', fault: refuse(Unavailable), why: 'durable entries are gone' },
    { method: 'entries', fault: () => [], why: 'no entries, although there are some' },
    { method: 'entries', fault: () => [newEntry(EntryType.EntryNormal, bytes('x'), 1, 2)], why: 'other entries than those asked for' },
    { method: 'entries', fault: () => 'abc', why: 'no list at all' },
    { method: 'entries', fault: () => Promise.resolve([]), why: 'a promise' },
    { method: 'entries', fault: () => Array.from({ length: 9 }, (_, i) => newEntry(EntryType.EntryNormal, bytes('x'), 1, i + 1)), why: 'more entries than asked for' },
    { method: 'term', fault: diskError, why: 'a term cannot be read' },
    { method: 'term', fault: () => -2, why: 'a negative term' },
    { method: 'term', fault: () => '1', why: 'a term as text' },
    { method: 'firstIndex', fault: diskError, why: 'the first index cannot be read' },
    { method: 'firstIndex', fault: () => 0, why: 'a first index 0' },
    { method: 'firstIndex', fault: () => 99, why: 'a first index beyond the end' },
  ];

  test.each(faults)('$why', ({ method, fault }) => {
    const storage = new UnreliableStorage();
    const leader = leaderOn(storage);

    storage.fail(method, fault);
    expect(codeOf(() => readBack(leader))).toBe(StorageFailed);
    storage.heal();

    expect(errorOf(() => leader.node.ready())).toMatchObject({ code: NodeStopped, cause: { code: StorageFailed } });
    expect(codeOf(() => leader.node.step(ack(2, 2, 3)))).toBe(NodeStopped);
  });

  test.each([
    { fault: diskError, why: 'a snapshot cannot be read' },
    { fault: () => ({}), why: 'a snapshot without metadata' },
    { fault: () => new MemoryStorage().snapshot(), why: 'an empty snapshot, although entries are compacted' },
  ])('$why', ({ fault }) => {
    const storage = new UnreliableStorage();
    const leader = leaderOn(storage);
    ackAll(leader, 3);
    leader.settle();
    leader.compact();

    storage.fail('snapshot', fault);
    expect(codeOf(() => readBack(leader))).toBe(StorageFailed);
    expect(codeOf(() => leader.node.tick())).toBe(NodeStopped);
  });

  test('committed entries that cannot be read when they are to be applied', () => {
    const storage = new UnreliableStorage();
    const leader = leaderOn(storage);
    leader.node.step(ack(3, 2, 4));

    storage.fail('entries', diskError);
    expect(codeOf(() => leader.node.ready())).toBe(StorageFailed);
    expect(codeOf(() => leader.node.advance())).toBe(NodeStopped);
  });
});

describe('E8: what a compaction between two reads answers is no failure', () => {
  test.each([
    { method: 'entries' as const, why: 'the entries are compacted' },
    { method: 'term' as const, why: 'the entry before them is compacted' },
  ])('$why: the follower gets the snapshot', ({ method }) => {
    const storage = new UnreliableStorage();
    const leader = leaderOn(storage);
    ackAll(leader, 3);
    leader.settle();
    leader.receive(message(MessageType.MsgHeartbeatResp, { term: 2 }));
    storage.createSnapshot(4, null, bytes('state'));

    storage.fail(method, refuse(Compacted));
    expect(readBack(leader)).toBe(StepResult.Ok);
    storage.heal();

    expect(ofType(leader.settle(), MessageType.MsgSnap)).toHaveLength(1);
  });

  test('a snapshot that is not ready: nothing is sent now, and the next heartbeat response tries again', () => {
    const storage = new UnreliableStorage();
    const leader = leaderOn(storage);
    ackAll(leader, 3);
    leader.compact();

    storage.fail('snapshot', refuse(SnapshotTemporarilyUnavailable));
    expect(leader.receive(message(MessageType.MsgAppResp, { term: 2, index: 3, reject: true, rejectHint: 0 }))).toEqual([]);
    storage.heal();

    const sent = leader.receive(message(MessageType.MsgHeartbeatResp, { term: 2 }));
    expect(ofType(sent, MessageType.MsgSnap)).toHaveLength(1);
  });
});

describe('a storage that no node can start from', () => {
  const confState = newConfState({ voters: [1, 2, 3] });
  const hardState = { term: 1, vote: 0, commit: 0 };
  const rows: { initial: unknown; why: string }[] = [
    { initial: {}, why: 'neither state nor configuration' },
    { initial: { hardState }, why: 'no configuration' },
    { initial: { confState }, why: 'no hard state' },
    { initial: Promise.resolve({ hardState, confState }), why: 'a promise' },
    { initial: { confState, hardState: { ...hardState, term: -1 } }, why: 'a negative term' },
    { initial: { confState, hardState: { ...hardState, commit: 0.5 } }, why: 'a commit index between two entries' },
    { initial: { confState, hardState: { ...hardState, vote: 2n } }, why: 'a vote that is not in canonical form, and would count as none' },
    { initial: { confState, hardState: { ...hardState, vote: undefined } }, why: 'no vote' },
    { initial: { confState, hardState: { ...hardState, commit: 3 } }, why: 'a commit index beyond the log' },
    { initial: { hardState, confState: newConfState({ learners: [1] }) }, why: 'learners without voters' },
    { initial: { hardState, confState: newConfState({ voters: [1, 2], learners: [2] }) }, why: 'a voter that is a learner' },
    { initial: { hardState, confState: { voters: 'abc' } }, why: 'a configuration that is none' },
    { initial: { hardState, confState: newConfState({ voters: [1, 2n ** 64n] }) }, why: 'an id beyond 64 bits' },
    { initial: { confState, hardState: { term: 1, vote: 0, commit: 0 } }, why: 'a log of a later term than the hard state' },
  ];

  test.each(rows)('$why', ({ initial, why }) => {
    const storage = new UnreliableStorage();
    storage.append([newEntry(EntryType.EntryNormal, bytes('x'), why.startsWith('a log of a later term') ? 2 : 1, 1)]);
    storage.fail('initialState', () => initial);

    expect(codeOf(() => new RawNode({ id: 1, storage }))).toBe(StorageFailed);
  });

  test.each([
    { method: 'initialState' as const }, { method: 'firstIndex' as const }, { method: 'lastIndex' as const }, { method: 'term' as const },
  ])('$method throws', ({ method }) => {
    const storage = new UnreliableStorage();
    storage.fail(method, diskError);

    expect(codeOf(() => new RawNode({ id: 1, storage }))).toBe(StorageFailed);
  });

  test.each([
    { applied: 1, why: 'below the snapshot' },
    { applied: 5, why: 'beyond the last entry' },
  ])('`applied` $why is a mistake of the host', ({ applied }) => {
    const storage = new MemoryStorage();
    storage.applySnapshot({ data: bytes(''), metadata: { confState, index: 2, term: 1 } });
    storage.append([newEntry(EntryType.EntryNormal, bytes('x'), 1, 3), newEntry(EntryType.EntryNormal, bytes('x'), 1, 4)]);
    storage.setHardState({ term: 1, vote: 0, commit: 3 });

    expect(codeOf(() => new RawNode({ id: 1, storage, applied }))).toBe(ConfigInvalid);
    expect(codeOf(() => new RawNode({ id: 1, storage, applied: 3 }))).toBeUndefined();
  });
});

describe('O1: a saved commit index that lags behind', () => {
  function storageWithCommit(commit: number): MemoryStorage {
    const storage = new MemoryStorage();
    storage.applySnapshot({ data: bytes(''), metadata: { confState: newConfState({ voters: [1, 2, 3] }), index: 9, term: 1 } });
    storage.append([newEntry(EntryType.EntryNormal, bytes('x'), 1, 10), newEntry(EntryType.EntryNormal, bytes('x'), 1, 11)]);
    storage.setHardState({ term: 1, vote: 0, commit });
    return storage;
  }

  test.each([
    { commit: 3, applied: 0, committed: 9, why: 'the snapshot covers more' },
    { commit: 9, applied: 11, committed: 11, why: 'the state machine is durable itself and has applied more' },
    { commit: 10, applied: 9, committed: 10, why: 'the rest is handed out again' },
  ])('$commit with $applied applied is $committed: $why', ({ commit, applied, committed }) => {
    const node = new RawNode({ id: 1, storage: storageWithCommit(commit), applied });

    expect(node.basicStatus().hardState.commit).toBe(committed);
    expect(node.basicStatus().applied).toBe(Math.max(applied, 9));
  });
});

describe('a node that starts from the snapshot of another member', () => {
  function nodeFrom(term: number): TestNode {
    const storage = new MemoryStorage();
    storage.applySnapshot({ data: bytes(''), metadata: { confState: newConfState({ voters: [1] }), index: 9, term } });
    return nodeWith({ storage });
  }

  test('of a group that begins with it: the first election is of term 1', () => {
    const node = nodeFrom(1);
    expect(node.term).toBe(0);

    node.node.campaign();
    node.settle();

    expect([node.state, node.term, node.log.map(({ term }) => term)]).toEqual([StateType.Leader, 1, [1]]);
  });

  test('of a group that has run for long: it never falls behind the term of its log', () => {
    const node = nodeFrom(7);
    expect(node.term).toBe(7);

    node.node.campaign();
    node.settle();

    expect([node.state, node.term, node.log.map(({ term }) => term)]).toEqual([StateType.Leader, 8, [8]]);
  });
});

describe('the storage that tests use is in order', () => {
  test('an honest UnreliableStorage works', () => {
    const leader = leaderOn(new UnreliableStorage());
    ackAll(leader, 2);
    leader.settle();

    expect(leader.commit).toBe(4);
    expect(codeOf(() => checkInvariants(leader.node))).not.toBe(InvariantViolated);
    expect(storageWith(newConfState({ voters: [1] })).lastIndex()).toBe(0);
  });
});
