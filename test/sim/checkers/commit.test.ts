import { OpOutcome } from '../../../src/sim/clientOp.js';
import { SimEventKind, SimPhase } from '../../../src/sim/simEvent.js';
import { tellStories } from './violations.js';

tellStories('commit', ['I4', 'I7', 'I14'], [
  {
    breaks: null,
    why: 'a leader commits what two of three disks hold, and the rest of the group follows',
    happens: (c) => {
      const op = c.invoke(1, true);
      c.append(1, c.bytesOf(op));
      c.replicate(1, 2, 4);
      c.commit(1, 4);
      c.apply(1, 4);
      c.finish(op, OpOutcome.Ok, 4, 1);
      c.checkpoint();
      c.enter(SimPhase.Audit);
    },
  },
  {
    breaks: null,
    why: 'the disk of the leader itself may be the last one',
    happens: (c) => {
      const entry = c.append(1);
      c.replicate(1, 2, 4);
      c.replicate(1, 3, 4);
      c.at(1).durable.log.entries.pop();
      c.at(1).progress.get(1)!.match = entry.index - 1;
      c.commit(1, 4);
    },
  },
  { breaks: 'I7', why: 'a leader commits what only its own disk holds (B43)', happens: (c) => { c.append(1); c.commit(1, 4); } },
  {
    breaks: 'I7',
    why: 'a leader commits an entry of an earlier term by counting (Figure 8)',
    happens: (c) => {
      c.append(1);
      c.replicate(1, 2, 4);
      c.elect(2, 3, [3]);
      c.replicate(2, 3, 4);
      c.commit(2, 4);
    },
  },
  {
    breaks: 'I7',
    why: 'the acknowledged entry has not reached the disk of the follower',
    happens: (c) => {
      c.append(1);
      c.replicate(1, 2, 4);
      c.at(2).durable.log.entries.pop();
      c.commit(1, 4);
    },
  },
  {
    breaks: 'I14',
    why: 'a leader counts itself before its own disk has the entry (B39)',
    happens: (c) => {
      c.append(1);
      c.replicate(1, 2, 4);
      c.at(1).durable.log.entries.pop();
      c.commit(1, 4);
    },
  },
  {
    breaks: 'I4',
    why: 'two of three disks lose a committed entry',
    happens: (c) => {
      for (const id of [2, 3]) c.at(id).durable.log.entries.pop();
      c.checkpoint();
    },
  },
  {
    breaks: null,
    why: 'a wiped disk counts in no quorum, so no quorum is without the entry (O12)',
    happens: (c) => {
      c.emit({ kind: SimEventKind.Stopped, time: 0, node: 2, powerLoss: true, dataLoss: true });
      for (const id of [2, 3]) c.at(id).durable.log.entries.pop();
      c.checkpoint();
    },
  },
  { breaks: null, why: 'one of three disks loses a committed entry', happens: (c) => { c.at(3).durable.log.entries.pop(); c.checkpoint(); } },
  {
    breaks: 'I4',
    why: 'an acknowledged write was never committed',
    happens: (c) => {
      c.finish(c.invoke(1, true), OpOutcome.Ok, 9, 0);
      c.enter(SimPhase.Audit);
    },
  },
  {
    breaks: 'I4',
    why: 'another operation stands where a write was acknowledged',
    happens: (c) => {
      c.finish(c.invoke(1, true), OpOutcome.Ok, 3, 0);
      c.enter(SimPhase.Audit);
    },
  },
]);
