import { EntryType, newEntry } from '../../../src/core/raftpb/entry.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { TrackerConfig } from '../../../src/core/tracker/config.js';
import { OpOutcome } from '../../../src/sim/clientOp.js';
import { SimEventKind, SimPhase } from '../../../src/sim/simEvent.js';
import type { FakeCluster } from './fakeCluster.js';
import { tellStories } from './violations.js';

/** The group is left alone for a while after the heal, and then looked at. */
function audit(c: FakeCluster, patience = 5000): void {
  c.enter(SimPhase.Liveness);
  c.core = [1, 2, 3];
  c.now += patience;
  c.enter(SimPhase.Audit);
}

/** Node 1, which leads, becomes the only voter while some reads wait. */
function alone(c: FakeCluster, reads: number): void {
  const { raft } = c.at(1);
  const waiting = Array.from({ length: reads }, () => ({ from: 1, requestContext: new Uint8Array(1), index: 1 }));
  const config = TrackerConfig.fromConfState(newConfState({ voters: [1] }));
  Object.assign(raft, { readOnly: { waiting } });
  Object.assign(raft.tracker, { config, isSingleton: config.voters.isSingleton });
  const entry = newEntry(EntryType.EntryConfChangeV2, new Uint8Array(0), 1, 4);
  c.emit({ kind: SimEventKind.ConfigApplied, time: c.now, node: 1, entry, confState: null });
}

tellStories('order', ['I19', 'I20', 'I23'], [
  { breaks: null, why: 'a group that has come to rest', happens: (c) => audit(c) },
  { breaks: 'I19', why: 'a leader counts bytes that are long applied (D7)', happens: (c) => { c.at(1).record.uncommittedSize = 7; audit(c); } },
  { breaks: null, why: 'bytes may be counted while something is going on', happens: (c) => { c.at(1).record.uncommittedSize = 7; c.append(1, Uint8Array.of(5, 0, 0, 0, 0, 0)); c.replicate(1, 2, 4); c.replicate(1, 3, 4); c.commit(1, 4); for (const id of [1, 2, 3]) { if (id > 1) c.follow(id, 4); c.persist(id); c.apply(id, 4); } audit(c, 100); } },
  { breaks: 'I19', why: 'a leader keeps a read', happens: (c) => { Object.assign(c.at(1).raft, { pendingReads: [{ from: 1, requestContext: new Uint8Array(1) }] }); audit(c); } },
  { breaks: 'I19', why: 'a leader keeps messages in flight to a node that has everything', happens: (c) => { const progress = c.at(1).progress.get(2)!; progress.becomeReplicate(); progress.inflights.add(3, 1); audit(c); } },

  { breaks: 'I20', why: 'an operation that has failed is applied', happens: (c) => { const op = c.invoke(1, true); c.finish(op, OpOutcome.Failed); c.append(1, c.bytesOf(op)); c.replicate(1, 2, 4); c.commit(1, 4); c.persist(1); c.apply(1, 4); } },
  { breaks: 'I20', why: 'an operation fails that was applied', happens: (c) => { const op = c.invoke(1, true); c.append(1, c.bytesOf(op)); c.replicate(1, 2, 4); c.commit(1, 4); c.persist(1); c.apply(1, 4); c.finish(op, OpOutcome.Failed); } },
  { breaks: 'I20', why: 'who is left as the only voter lets a read wait (D3)', happens: (c) => alone(c, 1) },
  { breaks: null, why: 'an only voter without reads', happens: (c) => alone(c, 0) },
  { breaks: 'I20', why: 'an operation of a healed group does not end', happens: (c) => { c.enter(SimPhase.Liveness); c.core = [1, 2, 3]; c.invoke(1, false); c.now += 30_000; c.enter(SimPhase.Audit); } },

  { breaks: 'I23', why: 'more is applied than is being applied', happens: (c) => { c.at(2).log.applied = 4; c.tick(2); } },
  { breaks: 'I23', why: 'more is being applied than is committed', happens: (c) => { c.at(2).log.applying = 4; c.tick(2); } },
  { breaks: 'I23', why: 'more is committed than there is', happens: (c) => { c.at(2).log.entries.pop(); c.emit({ kind: SimEventKind.Ticked, time: 0, node: 2 }); } },
  { breaks: 'I23', why: 'a log begins behind its snapshot', happens: (c) => { c.at(2).durable.log.offset = 2; c.emit({ kind: SimEventKind.Synced, time: 0, node: 2 }); } },
  { breaks: 'I23', why: 'a snapshot is beyond the end of the log', happens: (c) => { c.at(2).durable.snapshotIndex = 9; c.emit({ kind: SimEventKind.Synced, time: 0, node: 2 }); } },
  { breaks: 'I23', why: 'entries are discarded that are not applied', happens: (c) => { c.at(2).applied = -1; c.emit({ kind: SimEventKind.Compacted, time: 0, node: 2, index: 0 }); } },
]);
