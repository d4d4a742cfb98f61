import type { Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import type { NodeId } from '../../src/core/types.js';
import { ack, ackAll, leaderWith, message, nodeWith, ofType, storageWith, type NodeFields } from './builders.js';
import type { TestNode } from './testNode.js';

/** A leader of three in term 2 whose follower 2 has acknowledged its log, which ends at index 3. */
export function acknowledgedLeader(fields: NodeFields = {}): TestNode {
  const node = leaderWith({ log: [1, 1], ...fields });
  ackAll(node, 2);
  return node;
}

/** The questions among what was sent to a member. */
export function questionsTo(id: NodeId, sent: readonly Message[]): Message[] {
  return ofType(sent, MessageType.MsgApp).filter(({ to, index }) => to === id && index > 2 ** 52);
}

/** Rejections below what member 2 has acknowledged arrive, until the leader asks. Returns the question. */
export function contradict(leader: TestNode, from: NodeId = 2): Message {
  const late = message(MessageType.MsgAppResp, { from, term: leader.term, index: 1, reject: true });
  return questionsTo(from, leader.receive(late, late, late))[0]!;
}

/** The answer of a member whose log ends at `rejectHint` with an entry of `logTerm`; by default it is empty. */
export function answer(question: Message, rejectHint = 0, logTerm = 0): Message {
  return message(MessageType.MsgAppResp, { from: question.to, to: question.from, term: question.term, index: question.index, reject: true, rejectHint, logTerm });
}

/** The leader finds out that member 2 has lost everything. Returns what it sends then. */
export function findOut(leader: TestNode): Message[] {
  return leader.receive(answer(contradict(leader)));
}

/** Member 2 acknowledges what it has got since it started over, and is believed. */
export function proveAgain(leader: TestNode): void {
  const [question] = questionsTo(2, leader.receive(ack(2, leader.term, leader.lastIndex)));
  leader.receive(answer(question!, leader.lastIndex, leader.term));
}

/** A node that has just started with nothing on its disk but who the members are. */
export function wipedNode(id: NodeId, voters: readonly NodeId[] = [1, 2, 3]): TestNode {
  return nodeWith({ id, storage: storageWith(newConfState({ voters })) });
}
