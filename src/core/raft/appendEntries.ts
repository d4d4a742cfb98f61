import { newMessage, type Message, type MsgApp, type MsgHeartbeat } from '../raftpb/message.js';
import { MessageType } from '../raftpb/messageType.js';
import type { Index } from '../types.js';
import { send } from './outbox.js';
import { hexId, type Raft } from './raft.js';
import { hasLost, isQuestion, noteLoss, tellLoss } from './reversion.js';

/** AppendEntries RPC, receiver's part (Raft Figure 2). Followers only. */
export function handleAppendEntries(raft: Raft, m: MsgApp): void {
  const log = raft.log;
  const response = newMessage(MessageType.MsgAppResp, m.from);
  if (m.index < log.committed) {
    // What is committed matches every leader, so there is nothing to compare.
    acknowledge(raft, response, log.committed);
    return;
  }

  // Acknowledges what this message has verified, never our own last index: what follows may be left
  // over from another leader (V14).
  const last = log.maybeAppend(m.index, m.logTerm, m.entries, m.commit);
  if (last >= 0) {
    acknowledge(raft, response, last);
    return;
  }

  // A question also tells what we have acknowledged.
  if (isQuestion(m.index) && hasLost(raft, m.commit)) noteLoss(raft, m.commit);

  // Saves the leader round trips: nothing of ours above the hint can match. At or below the probed index
  // its log has terms of `m.logTerm` at most, so every entry of ours with a higher term differs. In this
  // picture the probe is at 5 in term 2, and the hint is 2 in term 2:
  //
  //     index      1 2 3 4 5 6
  //     leader's   1 2 2 2 2 5
  //     ours       1 2 3 4 4 4
  const hint = log.findConflictByTerm(Math.min(m.index, log.lastIndex()), m.logTerm);
  response.index = m.index;
  response.reject = true;
  response.rejectHint = hint.index;
  response.logTerm = hint.term;
  send(raft, response);
  if (raft.logger.debugEnabled) {
    raft.logger.debug(`${hexId(raft.id)} has no entry ${m.logTerm}/${m.index} of ${hexId(m.from)}`);
  }
}

/** Answers that everything up to `index` is here; the answer leaves once that is durable. */
export function acknowledge(raft: Raft, response: Message, index: Index): void {
  if (index > raft.ackedInTerm) raft.ackedInTerm = index;
  response.index = index;
  send(raft, response);
}

/** A heartbeat: the leader lives, and tells how far it has committed. Followers only. */
export function handleHeartbeat(raft: Raft, m: MsgHeartbeat): void {
  if (hasLost(raft, m.commit)) {
    // Trust neither our tail nor, should the sender be broken, its word (D9). To answer as usual would
    // confirm reads, and ask for more of the log.
    noteLoss(raft, m.commit);
    tellLoss(raft, m.from, m.commit);
    return;
  }
  raft.log.commitTo(m.commit);
  const response = newMessage(MessageType.MsgHeartbeatResp, m.from);
  response.context = m.context;
  send(raft, response);
}
