import { EntryType, newEntry } from '../../../src/core/raftpb/entry.js';
import { newMessage } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { None, StateType } from '../../../src/core/types.js';
import { SimEventKind } from '../../../src/sim/simEvent.js';
import { tellStories } from './violations.js';

const { EntryNormal } = EntryType;
const other = Uint8Array.of(9, 0, 0, 0, 0, 0, 9);

tellStories('log', ['I2', 'I5', 'I6'], [
  {
    breaks: null,
    why: 'an entry that was never committed is replaced',
    happens: (c) => {
      c.append(1, other);
      c.elect(2, 3, [3]);
      c.replicate(2, 1, 4);
      c.replicate(2, 3, 4);
      c.commit(2, 4);
      c.follow(1, 4);
    },
  },
  {
    breaks: 'I2',
    why: 'two nodes have different bytes under one index and term',
    happens: (c) => {
      c.append(1, other);
      const wrong = newEntry(EntryNormal, Uint8Array.of(8, 0, 0, 0, 0, 0, 8), 2, 4);
      c.at(2).log.put(wrong);
      c.persist(2, [wrong]);
    },
  },
  {
    breaks: 'I2',
    why: 'an entry follows on one that nobody ever had',
    happens: (c) => {
      const { log } = c.at(2);
      log.entries[1] = { ...log.entries[1]!, term: 7 };
      const entry = newEntry(EntryNormal, other, 8, 4);
      log.put(entry);
      c.persist(2, [entry]);
    },
  },
  { breaks: 'I2', why: 'a snapshot stands for an entry that nobody ever had', happens: (c) => c.install(2, 3, 5, 3) },
  {
    breaks: 'I2',
    why: 'a node starts with an entry that nobody ever had',
    happens: (c) => {
      c.at(2).durable.log.put(newEntry(EntryNormal, other, 6, 4));
      c.at(2).incarnation = 1;
      c.start(2);
    },
  },
  { breaks: 'I5', why: 'a follower commits what no leader has committed', happens: (c) => { c.append(1, other); c.replicate(1, 2, 4); c.follow(2, 4); } },
  {
    breaks: 'I5',
    why: 'a follower commits its own entry where another one is committed',
    happens: (c) => {
      c.append(1, other);
      c.elect(2, 3, [3]);
      c.replicate(2, 3, 4);
      c.commit(2, 4);
      c.follow(1, 4);
    },
  },
  {
    breaks: 'I6',
    why: 'a node hands out a replacement for a committed entry',
    happens: (c) => {
      const entry = newEntry(EntryNormal, other, 2, 3);
      c.at(2).log.put(entry);
      c.ready(2, { entries: [entry] });
    },
  },
  { breaks: 'I6', why: 'a write cuts off what is applied', happens: (c) => c.emit({ kind: SimEventKind.Truncated, time: 0, node: 2, index: 3, last: 3 }) },
  {
    breaks: 'I6',
    why: 'a leader replaces an entry of its own',
    happens: (c) => {
      c.append(1, other);
      const entry = newEntry(EntryNormal, other, 2, 4);
      c.ready(1, { entries: [entry] });
    },
  },
  {
    breaks: 'I6',
    why: 'a MsgApp of an older term adds to the log',
    happens: (c) => {
      c.role(2, StateType.Follower, 5, None);
      c.step(2, { ...newMessage(MessageType.MsgApp, 2), from: 1, term: 2 }, () => c.at(2).log.put(newEntry(EntryNormal, other, 2, 4)));
    },
  },
  {
    breaks: 'I6',
    why: 'a snapshot below the commit index replaces the log',
    happens: (c) => c.ready(2, { snapshot: { data: other, metadata: { index: 2, term: 2, confState: c.at(2).confState } } }),
  },
]);
