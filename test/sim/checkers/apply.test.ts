import { newConfState } from '../../../src/core/raftpb/state.js';
import { SimEventKind } from '../../../src/sim/simEvent.js';
import { OpOutcome } from '../../../src/sim/clientOp.js';
import { emptyBytes } from '../../../src/core/types.js';
import type { FakeCluster } from './fakeCluster.js';
import { tellStories } from './violations.js';

/** An operation is committed at index 4 on nodes 1 and 2; node 1 has applied it. */
function oneMore(c: FakeCluster): void {
  const op = c.invoke(1, true);
  c.append(1, c.bytesOf(op));
  c.replicate(1, 2, 4);
  c.commit(1, 4);
  c.persist(1);
  c.follow(2, 4);
  c.apply(1, 4, 77);
  c.finish(op, OpOutcome.Ok, 4, 1);
}

function created(c: FakeCluster, id: number, index: number, term: number, hash: number, voters = [1, 2, 3]): void {
  const snapshot = { data: emptyBytes, metadata: { index, term, confState: newConfState({ voters }) } };
  c.emit({ kind: SimEventKind.SnapshotCreated, time: 0, node: id, snapshot, stateHash: hash });
}

tellStories('apply', ['I9', 'I18', 'I22'], [
  { breaks: null, why: 'two nodes apply the same, and both have equal snapshots of it', happens: (c) => { oneMore(c); c.apply(2, 4, 77); c.checkpoint(); created(c, 1, 4, 2, 77); created(c, 2, 4, 2, 77); c.install(3, 4, 2, 77); } },

  { breaks: 'I9', why: 'an entry is applied twice', happens: (c) => c.applyEntry(2, c.at(2).log.entries[1]!) },
  { breaks: 'I9', why: 'an entry is left out', happens: (c) => { oneMore(c); c.append(1); c.at(2).log.committed = 5; c.applyEntry(2, c.at(1).log.entries[3]!); } },
  { breaks: 'I9', why: 'an entry is applied that the node has not committed', happens: (c) => { oneMore(c); c.replicate(1, 3, 4); c.applyEntry(3, c.at(3).log.entries[2]!); } },
  { breaks: 'I9', why: 'an entry of another term is applied than was committed', happens: (c) => { oneMore(c); c.applyEntry(2, { ...c.at(2).log.entries[2]!, term: 1 }); } },
  { breaks: 'I9', why: 'a snapshot takes a state machine back', happens: (c) => { oneMore(c); c.install(1, 3, 2, 3); } },

  { breaks: 'I18', why: 'one node applies other bytes than were written', happens: (c) => { oneMore(c); const entry = c.at(2).log.entries[2]!; c.applyEntry(2, { ...entry, data: entry.data.map((byte) => byte ^ 1) }); } },
  {
    breaks: 'I18',
    why: 'all nodes apply bytes that nobody has proposed',
    happens: (c) => {
      const { log } = c.at(1);
      const entry = { ...log.entries[1]!, index: 4, data: Uint8Array.of(3, 0, 0, 0, 0, 0, 3) };
      log.put(entry);
      c.persist(1, [entry]);
      c.replicate(1, 2, 4);
      c.commit(1, 4);
      c.persist(1);
      c.apply(1, 4);
    },
  },
  {
    breaks: 'I18',
    why: 'another proposal stands where the leader has promised',
    happens: (c) => {
      const op = c.invoke(1, true);
      c.emit({ kind: SimEventKind.Proposed, time: 0, node: 1, data: Uint8Array.of(3, 0, 0, 0, 0, 0, 3), term: 2, index: 4, confChange: false });
      c.emit({ kind: SimEventKind.Proposed, time: 0, node: 1, data: c.bytesOf(op), term: 0, index: 0, confChange: false });
      const entry = { ...c.at(1).log.entries[1]!, index: 4, data: c.bytesOf(op) };
      c.at(1).log.put(entry);
      c.persist(1, [entry]);
      c.replicate(1, 2, 4);
      c.commit(1, 4);
      c.persist(1);
      c.apply(1, 4);
    },
  },

  { breaks: 'I22', why: 'two state machines differ at one index', happens: (c) => { oneMore(c); c.apply(2, 4, 78); c.checkpoint(); c.apply(2, 4, 78); created(c, 1, 4, 2, 77); } },
  { breaks: 'I22', why: 'a snapshot restores another state than entries lead to', happens: (c) => { oneMore(c); c.checkpoint(); c.install(3, 4, 2, 76); } },
  { breaks: 'I22', why: 'a snapshot has the term of the hard state (M32)', happens: (c) => created(c, 1, 3, 5, 3) },
  { breaks: 'I22', why: 'a snapshot is beyond what is committed', happens: (c) => { c.append(1); created(c, 1, 4, 2, 4); } },
  { breaks: 'I22', why: 'a snapshot has another configuration', happens: (c) => created(c, 1, 3, 2, 3, [1, 2]) },
]);
