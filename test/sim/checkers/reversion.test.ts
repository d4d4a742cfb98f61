import { newMessage } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { StateType, type NodeId } from '../../../src/core/types.js';
import { SimEventKind } from '../../../src/sim/simEvent.js';
import type { FakeCluster } from './fakeCluster.js';
import { tellStories } from './violations.js';

/** The disk of a node keeps its entries up to an index and forgets the rest; the node starts again. */
function forget(c: FakeCluster, id: NodeId, keeps = 1): void {
  const node = c.at(id);
  c.emit({ kind: SimEventKind.Stopped, time: c.now, node: id, powerLoss: true, dataLoss: true });
  for (const log of [node.log, node.durable.log]) log.entries = log.entries.filter(({ index }) => index <= keeps);
  node.log.committed = node.log.applying = node.log.applied = node.applied = 1;
  node.durable.hardState = { term: keeps > 1 ? 2 : 1, vote: 0, commit: 1 };
  node.record.term = node.durable.hardState.term;
  node.record.vote = 0;
  node.incarnation++;
  c.start(id);
}

/** Leader 1 finds out, and node 2 starts over or is quarantined. */
function find(c: FakeCluster, permitted = false, match = 3): void {
  c.emit({ kind: SimEventKind.LogWentBack, time: c.now, node: 1, member: 2, match, permitted });
  const progress = c.at(1).progress.get(2)!;
  if (permitted) progress.reset(0, 4);
  else progress.quarantine(4);
}

function permit(c: FakeCluster, allow = true): void {
  c.emit({ kind: SimEventKind.Permitted, time: c.now, node: 1, member: 2, allow });
}

/** Node 2 is told what it has lost. */
function note(c: FakeCluster): void {
  c.at(2).record.term = 2;
  c.emit({ kind: SimEventKind.LossNoted, time: c.now, node: 2, lostUpTo: 3 });
}

/** Node 2 votes for node 3 in term 3. */
function vote(c: FakeCluster): void {
  const { record } = c.at(2);
  c.step(2, { ...newMessage(MessageType.MsgVote, 2), from: 3, term: 3 }, () => Object.assign(record, { term: 3, vote: 3 }));
}

/** Node 2 hears leader 1, which answers after so many election timeouts. */
function hear(c: FakeCluster, timeouts: number): void {
  c.step(2, { ...newMessage(MessageType.MsgHeartbeat, 2), from: 1, term: 2 }, () => Object.assign(c.at(2).record, { term: 2 }));
  c.now += timeouts * c.electionTimeout;
  c.tick(2);
}

tellStories('disks that forget', ['O12', 'O13'], [
  { breaks: null, why: 'a wiped node is found out once, by its leader', happens: (c) => { forget(c, 2); note(c); find(c); c.checkpoint(); } },
  { breaks: 'O12', why: 'a leader suspects a node whose disk has never forgotten anything', happens: (c) => find(c) },
  { breaks: 'O12', why: 'a node believes that it has lost something, and its disk has never forgotten anything', happens: (c) => note(c) },
  { breaks: 'O12', why: 'one loss is found out twice', happens: (c) => { forget(c, 2); find(c); find(c); } },
  { breaks: 'O12', why: 'the disk has kept what was acknowledged', happens: (c) => { forget(c, 2, 3); find(c); } },
  { breaks: null, why: 'a part of what was acknowledged is left', happens: (c) => { forget(c, 2, 2); find(c); } },
  { breaks: 'O12', why: 'the disk forgot before this leader was elected, so nothing was acknowledged to it', happens: (c) => { forget(c, 2); c.elect(1, 3, [3]); find(c); } },
  { breaks: 'O12', why: 'a node votes that knows what it has lost', happens: (c) => { forget(c, 2); note(c); vote(c); } },
  { breaks: 'O12', why: 'it campaigns', happens: (c) => { forget(c, 2); note(c); c.role(2, StateType.PreCandidate, 2, 0); } },
  { breaks: null, why: 'it votes when it has caught up', happens: (c) => { forget(c, 2); note(c); c.replicate(1, 2, 3); c.follow(2, 3); vote(c); } },
  { breaks: null, why: 'a permitted reversion starts over', happens: (c) => { forget(c, 2); permit(c); find(c, true); c.replicate(1, 2, 3); c.checkpoint(); } },
  { breaks: 'O13', why: 'a reversion starts over that nobody has permitted', happens: (c) => { forget(c, 2); find(c, true); } },
  { breaks: 'O13', why: 'the permission was withdrawn', happens: (c) => { forget(c, 2); permit(c); permit(c, false); find(c, true); } },
  { breaks: 'O13', why: 'a permitted reversion leads to quarantine', happens: (c) => { forget(c, 2); permit(c); find(c); } },
  { breaks: 'O13', why: 'a permission is used twice', happens: (c) => { forget(c, 2); permit(c); find(c, true); c.replicate(1, 2, 3); forget(c, 2); find(c, true); } },
  { breaks: 'O13', why: 'a permission outlives the term of its leader', happens: (c) => { permit(c); c.elect(1, 3, [3]); c.replicate(1, 2, 4); forget(c, 2); find(c, true, 4); } },
  { breaks: 'I7', why: 'an entry is committed by what a quarantined member holds', happens: (c) => { forget(c, 2); find(c); c.append(1); c.replicate(1, 2, 4); c.commit(1, 4); } },
  { breaks: null, why: 'until it is found out, what it acknowledged before still counts', happens: (c) => { c.append(1); c.replicate(1, 2, 4); forget(c, 2); c.commit(1, 4); c.checkpoint(); } },
  { breaks: 'O12', why: 'nobody notices within three election timeouts', options: { detectionBound: 3 }, happens: (c) => { forget(c, 2); hear(c, 3.1); } },
  { breaks: null, why: 'nobody notices, but it is not too late', options: { detectionBound: 3 }, happens: (c) => { forget(c, 2); hear(c, 2.9); } },
  { breaks: null, why: 'nobody notices, but it holds everything again', options: { detectionBound: 3 }, happens: (c) => { forget(c, 2); c.replicate(1, 2, 3); hear(c, 3.1); } },
  { breaks: null, why: 'nobody can notice: it has not heard the leader', options: { detectionBound: 3 }, happens: (c) => { forget(c, 2); c.now += 9 * c.electionTimeout; c.tick(2); } },
]);
