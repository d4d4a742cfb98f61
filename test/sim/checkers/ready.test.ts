import { EntryType, newEntry } from '../../../src/core/raftpb/entry.js';
import { newMessage } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { LocalAppendThread, None, StateType } from '../../../src/core/types.js';
import { SimEventKind } from '../../../src/sim/simEvent.js';
import type { FakeCluster } from './fakeCluster.js';
import { tellStories } from './violations.js';

function entry(term: number, index: number): ReturnType<typeof newEntry> {
  return newEntry(EntryType.EntryNormal, Uint8Array.of(1, 0, 0, 0, 0, 0), term, index);
}

/** A node starts again from what its disk has. */
function restart(c: FakeCluster, id: number): void {
  const node = c.at(id);
  c.emit({ kind: SimEventKind.Stopped, time: 0, node: id, powerLoss: true });
  node.incarnation++;
  node.record.term = node.durable.hardState.term;
  node.record.vote = node.durable.hardState.vote;
  c.start(id);
}

tellStories('Ready', ['I8', 'I10'], [
  { breaks: null, why: 'a Ready with new entries and a new commit index', happens: (c) => { c.append(1); c.replicate(1, 2, 4); c.commit(1, 4); c.persist(1); c.apply(1, 4); } },
  { breaks: null, why: 'a node restarts from its disk', happens: (c) => restart(c, 2) },
  { breaks: null, why: 'a commit index alone needs no sync', happens: (c) => { c.append(1); c.replicate(1, 2, 4); c.ready(2, { hardState: { term: 2, vote: 1, commit: 4 }, mustSync: false }); } },
  { breaks: 'I10', why: 'a commit index of an entry that was not handed out', happens: (c) => c.ready(2, { hardState: { term: 2, vote: 1, commit: 4 }, mustSync: false }) },

  { breaks: 'I8', why: 'a term falls in memory', happens: (c) => { c.at(2).record.term = 1; c.tick(2); } },
  { breaks: 'I8', why: 'a vote changes within a term', happens: (c) => { c.at(2).record.vote = 3; c.tick(2); } },
  { breaks: 'I8', why: 'a commit index falls in memory', happens: (c) => { c.at(2).log.committed = 2; c.tick(2); } },
  { breaks: 'I8', why: 'an older hard state is handed out', happens: (c) => c.ready(2, { hardState: { term: 1, vote: None, commit: 3 }, mustSync: true }) },
  { breaks: 'I8', why: 'a hard state with another vote is handed out', happens: (c) => c.ready(2, { hardState: { term: 2, vote: 3, commit: 3 }, mustSync: true }) },
  {
    breaks: 'I8',
    why: 'a node forgets its vote across a restart',
    happens: (c) => {
      c.emit({ kind: SimEventKind.Stopped, time: 0, node: 2, powerLoss: true });
      c.at(2).durable.hardState = { term: 2, vote: None, commit: 3 };
      c.start(2);
    },
  },
  {
    breaks: null,
    why: 'a node forgets everything with its disk',
    happens: (c) => {
      c.emit({ kind: SimEventKind.Stopped, time: 0, node: 2, powerLoss: true, dataLoss: true });
      c.at(2).durable.hardState = { term: 2, vote: None, commit: 3 };
      c.at(2).record.vote = None;
      c.start(2);
    },
  },
  { breaks: 'I8', why: 'a node starts in another term than its disk says', happens: (c) => { c.at(2).record.term = 3; c.start(2); } },

  { breaks: 'I10', why: 'entries leave a gap', happens: (c) => { const skipped = c.append(1); const next = c.append(1); c.at(2).log.put(skipped); c.at(2).log.put(next); c.ready(2, { entries: [next] }); } },
  { breaks: 'I10', why: 'a vote is handed out without a sync (E13)', happens: (c) => { c.role(2, StateType.Follower, 3, None); c.ready(2, { hardState: { term: 3, vote: None, commit: 3 }, mustSync: false }); } },
  { breaks: 'I10', why: 'a sync is asked for without need (E13)', happens: (c) => c.ready(2, { mustSync: true }) },
  { breaks: 'I10', why: 'the same hard state is handed out twice', happens: (c) => { c.ready(2, { hardState: { term: 2, vote: 1, commit: 4 }, mustSync: false }); c.ready(2, { hardState: { term: 2, vote: 1, commit: 4 }, mustSync: false }); } },
  { breaks: 'I10', why: 'a Ready while one is pending', happens: (c) => c.ready(2, {}, true) },
  { breaks: null, why: 'with asynchronous writes several may be pending', happens: (c) => { c.settings.asyncStorageWrites = true; c.ready(2, {}, true); } },
  { breaks: 'I10', why: 'an entry is handed out for applying twice', happens: (c) => c.ready(2, { committedEntries: c.at(2).log.entries.slice(1) }) },
  { breaks: 'I10', why: 'an entry that is not committed is handed out for applying', happens: (c) => { c.append(1); c.replicate(1, 2, 4); c.ready(2, { committedEntries: c.at(2).log.entries.slice(2) }); } },
  {
    breaks: 'I10',
    why: 'with asynchronous writes, an entry is applied before it is on the own disk',
    happens: (c) => {
      c.append(1);
      c.replicate(1, 2, 4);
      c.commit(1, 4);
      c.persist(1);
      c.settings.asyncStorageWrites = true;
      c.at(1).durable.log.entries.pop();
      c.ready(1, { committedEntries: c.at(1).log.entries.slice(2) });
    },
  },
  { breaks: 'I10', why: 'a message to itself', happens: (c) => c.ready(2, { messages: [newMessage(MessageType.MsgAppResp, 2)] }) },
  { breaks: 'I10', why: 'work for a thread that synchronous writes do not have', happens: (c) => c.ready(2, { messages: [newMessage(MessageType.MsgStorageAppend, LocalAppendThread)] }) },
  {
    breaks: 'I10',
    why: 'with asynchronous writes, entries without a request to write them',
    happens: (c) => {
      c.settings.asyncStorageWrites = true;
      const next = entry(2, 4);
      c.at(1).log.put(next);
      c.ready(1, { entries: [next] });
    },
  },
]);
