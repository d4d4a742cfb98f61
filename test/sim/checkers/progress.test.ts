import { newMessage } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { SimEventKind } from '../../../src/sim/simEvent.js';
import type { FakeCluster } from './fakeCluster.js';
import { tellStories } from './violations.js';

/** A message of node 2 arrives at the leader, and does something to what the leader knows. */
function hear(c: FakeCluster, effect: () => void): void {
  c.step(1, { ...newMessage(MessageType.MsgAppResp, 1), from: 2, term: 2 }, effect);
}

tellStories('progress', ['I17'], [
  { breaks: null, why: 'a follower acknowledges what its disk has', happens: (c) => { c.append(1); c.replicate(1, 2, 4); c.checkpoint(); } },
  { breaks: null, why: 'a new leader knows nothing yet', happens: (c) => { c.elect(2, 3, [3]); c.checkpoint(); c.replicate(2, 3, 4); } },
  { breaks: 'I17', why: 'match is not below next', happens: (c) => hear(c, () => { c.at(1).progress.get(2)!.next = 3; }) },
  { breaks: 'I17', why: 'next is beyond the log of the leader', happens: (c) => hear(c, () => { c.at(1).progress.get(2)!.next = 9; }) },
  { breaks: 'I17', why: 'match falls (M23)', happens: (c) => hear(c, () => { c.at(1).progress.get(2)!.match = 2; }) },
  { breaks: null, why: 'match starts over for a disk that went back (O13)', happens: (c) => { c.emit({ kind: SimEventKind.Stopped, time: 0, node: 2, powerLoss: true, dataLoss: true }); hear(c, () => { c.emit({ kind: SimEventKind.LogWentBack, time: 0, node: 1, member: 2, match: 3, permitted: false }); c.at(1).progress.get(2)!.match = 0; }); } },
  { breaks: 'I17', why: 'match is above what the disk of the follower has', happens: (c) => { c.append(1); hear(c, () => c.at(1).progress.get(2)!.maybeUpdate(4)); } },
  { breaks: 'I17', why: 'the disk of the follower has another entry at match', happens: (c) => { const entry = c.append(1); c.at(2).durable.log.put({ ...entry, term: 1 }); hear(c, () => c.at(1).progress.get(2)!.maybeUpdate(4)); } },
  {
    breaks: null,
    why: 'the disk is in a later term, whose leader has cut the log off: the old leader may still believe in it',
    happens: (c) => {
      c.append(1);
      c.at(2).durable.hardState = { term: 3, vote: 0, commit: 3 };
      hear(c, () => c.at(1).progress.get(2)!.maybeUpdate(4));
    },
  },
  {
    breaks: 'I17',
    why: 'more messages are in flight than allowed',
    happens: (c) => {
      c.settings.maxInflightMsgs = 1;
      hear(c, () => {
        const progress = c.at(1).progress.get(2)!;
        progress.becomeReplicate();
        progress.inflights.add(4, 1);
        progress.inflights.add(5, 1);
      });
    },
  },
  { breaks: 'I17', why: 'a leader believes in a node that never ran', happens: (c) => { const { progress } = c.at(1); progress.set(9, progress.get(2)!.withRole(false)); c.step(1, { ...newMessage(MessageType.MsgAppResp, 1), from: 9, term: 2 }); } },
]);
