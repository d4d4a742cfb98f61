import { newMessage } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { None, StateType } from '../../../src/core/types.js';
import { OpOutcome } from '../../../src/sim/clientOp.js';
import { SimPhase } from '../../../src/sim/simEvent.js';
import type { FakeCluster } from './fakeCluster.js';
import { tellStories } from './violations.js';

/** All faults end. An election timeout is 1000 long. */
function heal(c: FakeCluster): void {
  c.enter(SimPhase.Liveness);
  c.core = [1, 2, 3];
}

function pass(c: FakeCluster, timeouts: number): void {
  c.now += timeouts * 1000;
  c.tick(1);
}

/** Every node serves that many operations, which leave no trace in the log. */
function serve(c: FakeCluster, writes: number, reads: number): void {
  for (const node of [1, 2, 3]) {
    for (let i = 0; i < writes + reads; i++) {
      const op = c.invoke(node, i < writes);
      c.ops.pop();
      c.finish(op, OpOutcome.Ok);
    }
  }
}

/** Messages of a node, evenly over five election timeouts. */
function chatter(c: FakeCluster, type: MessageType, perTimeout: number): void {
  for (let i = 0; i < 5 * perTimeout; i++) {
    c.now += 1000 / perTimeout;
    c.send(1, type, { to: 2 });
  }
}

const serves = { serves: true };
const stableLeadership = { leaderChanges: 0, termRise: 0 };

tellStories('liveness', ['L1', 'L2', 'L3', 'L4', 'L5'], [
  { breaks: null, why: 'a healed group has a leader, agrees and serves', options: serves, happens: (c) => { heal(c); pass(c, 5); serve(c, 10, 10); pass(c, 14); pass(c, 3); c.enter(SimPhase.Audit); } },
  { breaks: null, why: 'a new leader comes in time', happens: (c) => { c.role(1, StateType.Follower, 2, 1); heal(c); pass(c, 9); c.elect(2, 3, [3]); c.replicate(2, 1, 4); pass(c, 9); } },

  { breaks: 'L1', why: 'there is no leader after 10 election timeouts', happens: (c) => { c.role(1, StateType.Follower, 2, 1); heal(c); pass(c, 9); pass(c, 2); } },
  { breaks: 'L2', why: 'a node lags behind after 20', happens: (c) => { heal(c); c.append(1); pass(c, 11); pass(c, 11); } },
  { breaks: 'L2', why: 'a node has not applied everything', happens: (c) => { c.at(2).applied = 2; heal(c); c.enter(SimPhase.Audit); } },
  { breaks: 'L2', why: 'nodes commit up to different indexes', happens: (c) => { c.at(2).log.committed = 2; heal(c); c.enter(SimPhase.Audit); } },
  { breaks: 'L2', why: 'the configuration is still joint', happens: (c) => { for (const { id } of c.nodes) c.at(id).confState = newConfState({ voters: [1, 2, 3], votersOutgoing: [1, 2] }); heal(c); c.enter(SimPhase.Audit); } },
  { breaks: 'L2', why: 'nodes have different configurations', happens: (c) => { c.at(3).confState = newConfState({ voters: [1, 2] }); heal(c); c.enter(SimPhase.Audit); } },
  { breaks: 'L3', why: 'nobody is served', options: serves, happens: (c) => { heal(c); pass(c, 11); pass(c, 11); } },
  { breaks: 'L3', why: 'too few writes are served', options: serves, happens: (c) => { heal(c); serve(c, 9, 10); c.enter(SimPhase.Audit); } },
  { breaks: 'L3', why: 'too few reads are served', options: serves, happens: (c) => { heal(c); serve(c, 10, 9); c.enter(SimPhase.Audit); } },

  { breaks: null, why: 'followers come and go without a change of term', options: { stableLeadership }, happens: (c) => { c.role(3, StateType.PreCandidate, 2, 1); c.role(3, StateType.Follower, 2, 1); } },
  { breaks: null, why: 'a leader may stay dead after the heal', options: { stableLeadership }, happens: (c) => { c.enter(SimPhase.Liveness); c.core = [1, 2, 3]; c.elect(2, 3, [3]); } },
  { breaks: 'L4', why: 'a working leader is replaced', options: { stableLeadership: { leaderChanges: 0, termRise: 9 } }, happens: (c) => c.elect(2, 3, [3]) },
  { breaks: 'L4', why: 'a minority raises the term (M16)', options: { stableLeadership: { leaderChanges: 9, termRise: 0 } }, happens: (c) => c.role(3, StateType.Candidate, 3, 3) },

  { breaks: null, why: 'heartbeats of an idle leader', happens: (c) => { heal(c); chatter(c, MessageType.MsgHeartbeat, 20); } },
  { breaks: 'L5', why: 'an idle leader floods its followers', happens: (c) => { heal(c); chatter(c, MessageType.MsgHeartbeat, 200); } },
  { breaks: null, why: 'a stalled disk lets go of many answers before the heal', happens: (c) => chatter(c, MessageType.MsgHeartbeat, 200) },
  { breaks: null, why: 'many messages with work to do', happens: (c) => { heal(c); chatter(c, MessageType.MsgSnap, 200); } },
  { breaks: 'L5', why: 'a leader goes down a log entry by entry', happens: (c) => { c.role(1, StateType.Follower, 3, None); c.persist(1); for (let index = 30; index > 20; index--) c.send(1, MessageType.MsgApp, { ...newMessage(MessageType.MsgApp, 2), from: 1, to: 2, term: 3, index }); } },
]);
