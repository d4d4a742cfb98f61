import { newMessage, type Message } from '../raftpb/message.js';
import { MessageType } from '../raftpb/messageType.js';
import type { Progress } from '../tracker/progress.js';
import { None, type NodeId } from '../types.js';
import { send } from './outbox.js';
import { hexId, type Raft } from './raft.js';
import { maybeSendAppend } from './replication.js';
import { StepResult } from './stepResult.js';

/**
 * Hands leadership to `m.from` (dissertation §3.10): brings it up to date, then tells it to campaign.
 * Proposals are dropped meanwhile. Given up after an election timeout. Leader only.
 */
export function handleTransferLeader(raft: Raft, progress: Progress, m: Message): StepResult {
  if (progress.isLearner) return StepResult.NotVoter;
  if (progress.quarantined) return StepResult.LogLost;

  const transferee = m.from;
  if (raft.leadTransferee === transferee) return StepResult.Transferring;
  if (transferee === raft.id && raft.leadTransferee === None) return StepResult.AlreadyLeader;
  // A newer wish replaces an older one, the wish that this node stay leader included.
  abortLeaderTransfer(raft);
  if (transferee === raft.id) return StepResult.Ok;

  raft.logger.info(`${hexId(raft.id)} hands term ${raft.term} over to ${hexId(transferee)}`);
  raft.electionElapsed = 0;
  raft.leadTransferee = transferee;
  if (progress.match === raft.log.lastIndex()) sendTimeoutNow(raft, transferee);
  else maybeSendAppend(raft, transferee, progress, true);
  return StepResult.Ok;
}

/** Tells the transferee to campaign at once. From here on another leader may exist (D4). */
export function sendTimeoutNow(raft: Raft, to: NodeId): void {
  raft.timeoutNowSent = true;
  send(raft, newMessage(MessageType.MsgTimeoutNow, to));
}

/** Gives a transfer up: proposals are accepted again. */
export function abortLeaderTransfer(raft: Raft): void {
  raft.leadTransferee = None;
}

/** A transfer to a node that is no longer a voter ends (E4). */
export function recheckLeaderTransfer(raft: Raft): void {
  if (raft.leadTransferee !== None && !raft.tracker.config.voters.has(raft.leadTransferee)) abortLeaderTransfer(raft);
}
