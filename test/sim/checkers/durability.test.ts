import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { None, StateType } from '../../../src/core/types.js';
import { tellStories } from './violations.js';

const { MsgApp, MsgAppResp, MsgHeartbeatResp, MsgPreVote, MsgVote, MsgVoteResp } = MessageType;

tellStories('durability', ['I11', 'I12', 'I13'], [
  { breaks: null, why: 'an election and a replication in which every promise is on disk', happens: (c) => { c.elect(2, 3, [3]); c.replicate(2, 3, 4); } },
  {
    breaks: null,
    why: 'answers to heartbeats and pre-votes promise nothing and may go at once',
    happens: (c) => {
      c.role(2, StateType.Follower, 3, None);
      c.send(2, MsgHeartbeatResp, { to: 3 });
      c.send(2, MsgPreVote, { to: 3, term: 4 });
    },
  },
  {
    breaks: null,
    why: 'an acknowledgement leaves after the disk went on to a later term, whose leader has cut the log off',
    happens: (c) => {
      c.at(2).durable.hardState = { term: 3, vote: None, commit: 3 };
      c.send(2, MsgAppResp, { to: 1, term: 2, index: 4 });
    },
  },
  { breaks: 'I11', why: 'an entry is acknowledged that is not on the disk (M04)', happens: (c) => { c.at(2).log.put(c.append(1)); c.send(2, MsgAppResp, { to: 1, index: 4 }); } },
  {
    breaks: 'I11',
    why: 'an index is acknowledged at which the disk has an entry of another term (M10)',
    happens: (c) => {
      const entry = c.append(1);
      c.at(2).log.put(entry);
      c.at(2).durable.log.put({ ...entry, term: 1 });
      c.send(2, MsgAppResp, { to: 1, index: 4 });
    },
  },
  {
    breaks: 'I11',
    why: 'an index is acknowledged at which the leader of the term has another entry (M22)',
    happens: (c) => {
      const entry = c.append(1);
      const stale = { ...entry, term: 1 };
      c.at(2).log.put(stale);
      c.at(2).durable.log.put(stale);
      c.send(2, MsgAppResp, { to: 1, index: 4 });
    },
  },
  {
    breaks: 'I11',
    why: 'more is acknowledged than the leader of the term has',
    happens: (c) => {
      const stale = { ...c.at(1).log.entries[1]!, index: 4 };
      c.at(2).log.put(stale);
      c.at(2).durable.log.put(stale);
      c.send(2, MsgAppResp, { to: 1, index: 4 });
    },
  },
  {
    breaks: 'I12',
    why: 'a vote is granted that is not on the disk (M01)',
    happens: (c) => {
      c.role(2, StateType.Follower, 3, None);
      c.persist(2);
      c.at(2).record.vote = 3;
      c.send(2, MsgVoteResp, { to: 3 });
    },
  },
  { breaks: 'I13', why: 'a vote is asked for in a term that is not on the disk (M02)', happens: (c) => { c.role(2, StateType.Candidate, 3, 2); c.send(2, MsgVote, { to: 3, index: 3, logTerm: 2 }); } },
  {
    breaks: 'I13',
    why: 'a vote is asked for and the own one is not on the disk',
    happens: (c) => {
      c.role(2, StateType.Follower, 3, None);
      c.persist(2);
      c.send(2, MsgVote, { to: 3, index: 3, logTerm: 2 });
    },
  },
  {
    breaks: 'I13',
    why: 'a candidate boasts of a log that is not on the disk (M09, D5)',
    happens: (c) => {
      c.role(2, StateType.Candidate, 3, 2);
      c.persist(2);
      c.send(2, MsgVote, { to: 3, index: 4, logTerm: 2 });
    },
  },
  { breaks: 'I13', why: 'a MsgApp leaves in a term that is not on the disk', happens: (c) => { c.role(2, StateType.Follower, 3, None); c.send(2, MsgApp, { to: 3 }); } },
  { breaks: 'I13', why: 'a refusal leaves in a term that is not on the disk (E13)', happens: (c) => { c.role(2, StateType.Follower, 3, None); c.send(2, MsgAppResp, { to: 3, reject: true }); } },
]);
