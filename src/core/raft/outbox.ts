import { panic } from '../errors.js';
import { MessageType, messageTypeName } from '../raftpb/messageType.js';
import type { Message } from '../raftpb/message.js';
import { None } from '../types.js';
import type { Raft } from './raft.js';

/**
 * Puts a message into the outbox. The only way a message leaves.
 *
 * Stamps the sender and the term. Votes carry a term of their own (a pre-vote asks about a term that
 * the candidate has not entered); MsgProp and MsgReadIndex carry none, because whoever leads when they
 * arrive may serve them.
 */
export function send(raft: Raft, m: Message): void {
  if (m.from === None) m.from = raft.id;
  switch (m.type) {
    case MessageType.MsgVote:
    case MessageType.MsgVoteResp:
    case MessageType.MsgPreVote:
    case MessageType.MsgPreVoteResp:
      if (m.term === 0) panic(`outbox: ${messageTypeName(m.type)} without a term`);
      break;
    default:
      if (m.term !== 0) panic(`outbox: ${messageTypeName(m.type)} with term ${m.term}`);
      if (m.type !== MessageType.MsgProp && m.type !== MessageType.MsgReadIndex) m.term = raft.term;
  }
  raft.trace?.trace({ kind: 'send', id: raft.id, message: m });

  if (waitsForDurability(m.type)) {
    raft.msgsAfterAppend = added(raft.msgsAfterAppend, m);
    return;
  }
  if (m.to === raft.id) panic(`outbox: ${messageTypeName(m.type)} to itself`);
  raft.msgs = added(raft.msgs, m);
}

/** The list with `m` at its end. Most lists end with one message, and `push` makes room for 17 where there was none. */
export function added(list: readonly Message[], m: Message): readonly Message[] {
  if (list.length === 0) return [m];
  (list as Message[]).push(m);
  return list;
}

/**
 * Whether a message promises something that must survive a crash (Raft Figure 2, "persistent state";
 * dissertation §3.8).
 *
 * An append acknowledgement promises entries, a granted vote promises not to vote again in this term.
 * Refusals wait too (E13): they may be based on a term or on entries that are not durable yet.
 *
 * A vote request promises the candidate's own vote and the tail of log it boasts of (D5). Were it sent
 * earlier, a candidate could win a term, crash before the disk has it, forget, and win the same term
 * again with other voters: two leaders in one term. A pre-vote request promises nothing.
 */
function waitsForDurability(type: MessageType): boolean {
  return (
    type === MessageType.MsgAppResp ||
    type === MessageType.MsgVoteResp ||
    type === MessageType.MsgPreVoteResp ||
    type === MessageType.MsgVote
  );
}
