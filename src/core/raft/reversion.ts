import { assert } from '../errors.js';
import { newMessage, type MsgAppResp } from '../raftpb/message.js';
import { MessageType } from '../raftpb/messageType.js';
import type { Progress } from '../tracker/progress.js';
import { StateType, type Index, type NodeId } from '../types.js';
import { send } from './outbox.js';
import { hexId, type Raft, type Reversion } from './raft.js';
import { maybeSendAppend } from './replication.js';
import { StepResult } from './stepResult.js';

// A follower whose log went back: its disk was wiped, or a backup was restored (D10, O12, O13). It has
// forgotten what it acknowledged, so what it acknowledges and votes for counts no longer.
//
// What a leader sees first is a rejection below `match`. That alone proves nothing: a rejection from the
// time when the follower was still behind may arrive late, or twice. So the leader asks a question that
// was never asked before. It sends an empty MsgApp whose previous entry has an index beyond every log, a
// different one each time. Whoever speaks Raft rejects that, and the rejection repeats the index and
// tells the last entry of its log. An answer to a question that was asked after the acknowledgement, and
// that tells of a shorter log, is a proof, whatever the network does. Peers that run etcd's raft answer
// it as well, and are not harmed.
//
// The same answer proves what a follower does hold: if our entry at that index has the same term, the
// logs are equal up to there (Log Matching, Raft §5.3). That is how a follower that starts over gets its
// match back, while acknowledgements from before may still be under way.

/** Questions use indexes from here on. No log gets this long. */
const firstQuestion: Index = 2 ** 52;

/** Late and repeated rejections are common, questions cost a message: so many contradictions first. */
const contradictionsToAsk = 3;

/** Stands for: not an answer to a question. */
export const ordinaryRejection = -2;

function reversionOf(raft: Raft, id: NodeId): Reversion {
  raft.reversions ??= new Map();
  let reversion = raft.reversions.get(id);
  if (reversion === undefined) {
    reversion = { contradictions: 0, question: 0, askedAtMatch: 0, doubtfulUpTo: 0 };
    raft.reversions.set(id, reversion);
  }
  return reversion;
}

/** Whether `index` is that of the question which this member has not answered yet. */
export function isOpenQuestion(raft: Raft, id: NodeId, index: Index): boolean {
  return index >= firstQuestion && raft.reversions?.get(id)?.question === index;
}

function ask(raft: Raft, id: NodeId, progress: Progress, reversion: Reversion): void {
  raft.questionCount++;
  reversion.question = firstQuestion + raft.questionCount;
  reversion.askedAtMatch = progress.match;
  sendQuestion(raft, id, reversion);
}

function sendQuestion(raft: Raft, id: NodeId, reversion: Reversion): void {
  const m = newMessage(MessageType.MsgApp, id);
  m.index = reversion.question;
  m.logTerm = raft.term;
  send(raft, m);
}

/**
 * A rejection arrives at the leader. Returns the index up to which it proves that the member holds our
 * log, if it answers a question and proves anything; -1 if it proves nothing of use; or
 * `ordinaryRejection`, which is for the caller to handle.
 */
export function handleReversionRejection(raft: Raft, progress: Progress, m: MsgAppResp): Index {
  if (isOpenQuestion(raft, m.from, m.index)) return handleAnswer(raft, progress, m);
  if (m.index <= progress.match) {
    const reversion = reversionOf(raft, m.from);
    reversion.contradictions++;
    if (reversion.contradictions >= contradictionsToAsk && reversion.question === 0) ask(raft, m.from, progress, reversion);
  }
  return ordinaryRejection;
}

function handleAnswer(raft: Raft, progress: Progress, m: MsgAppResp): Index {
  const reversion = reversionOf(raft, m.from);
  reversion.question = 0;
  reversion.contradictions = 0;
  if (m.rejectHint < reversion.askedAtMatch) {
    logWentBack(raft, m.from, progress, reversion, m.rejectHint);
    return -1;
  }
  if (reversion.doubtfulUpTo === 0 || m.logTerm === 0 || !raft.log.matchTerm(m.rejectHint, m.logTerm)) return -1;
  if (m.rejectHint >= reversion.doubtfulUpTo) reversion.doubtfulUpTo = 0;
  return m.rejectHint;
}

/** It is proven: the member has acknowledged more than it holds. */
function logWentBack(raft: Raft, id: NodeId, progress: Progress, reversion: Reversion, lastIndex: Index): void {
  const permitted = raft.config.loosenFollowerLogRevert || raft.permittedReverts?.delete(id) === true;
  raft.logger.error(
    `${hexId(raft.id)}: the log of ${hexId(id)} went back from ${progress.match} to ${lastIndex}; ${permitted ? 'it starts over' : 'it counts no longer'}`,
  );
  raft.quarantines++;
  if (raft.trace !== null) raft.trace.trace({ kind: 'logWentBack', id: raft.id, member: id, match: progress.match, lastIndex, permitted });
  if (permitted) startOver(raft, id, progress, reversion);
  else progress.quarantine(raft.log.lastIndex() + 1);
}

/** Replicates to the member as to one that holds nothing. What it acknowledged before does not count. */
function startOver(raft: Raft, id: NodeId, progress: Progress, reversion: Reversion): void {
  // No message of this term to it reached further than our log does now.
  reversion.doubtfulUpTo = raft.log.lastIndex();
  reversion.contradictions = 0;
  reversion.question = 0;
  progress.reset(0, raft.log.lastIndex() + 1);
  progress.recentActive = true;
  maybeSendAppend(raft, id, progress, true);
}

/**
 * Whether an acknowledgement may be one from before the member's log went back, and so must not count.
 * Asks the member what it really holds.
 */
export function isDoubtfulAck(raft: Raft, progress: Progress, m: MsgAppResp): boolean {
  const reversion = raft.reversions?.get(m.from);
  if (reversion === undefined) return false;
  if (m.index >= progress.match) reversion.contradictions = 0;
  if (m.index > reversion.doubtfulUpTo) {
    // It acknowledges entries that did not exist before, and with them all that come before.
    reversion.doubtfulUpTo = 0;
    return false;
  }
  if (m.index <= progress.match && progress.match > 0) return false;
  if (reversion.question === 0) ask(raft, m.from, progress, reversion);
  return true;
}

/**
 * A member is alive: an unanswered question is asked again, since it or its answer may be lost. The same
 * question: where an answer takes longer than a heartbeat, a new one would never be answered in time.
 */
export function askAgain(raft: Raft, id: NodeId): void {
  const reversion = raft.reversions?.get(id);
  if (reversion !== undefined && reversion.question !== 0) sendQuestion(raft, id, reversion);
}

/** Why a permission for `id` cannot be given or withdrawn here, or null if it can. */
export function refuseRevert(raft: Raft, id: NodeId): StepResult | null {
  if (raft.state !== StateType.Leader) return StepResult.NotLeader;
  return id === raft.id || raft.tracker.get(id) === undefined ? StepResult.PeerNotFound : null;
}

/** Permits the log of a member to go back once, or withdraws the permission (O13). If it went back already, the permission is used at once. */
export function allowNextRevert(raft: Raft, id: NodeId, allow: boolean): void {
  const progress = raft.tracker.get(id);
  assert(progress !== undefined, 'reversion: no such member');
  if (!allow) {
    raft.permittedReverts?.delete(id);
  } else if (progress.quarantined) {
    startOver(raft, id, progress, reversionOf(raft, id));
  } else {
    raft.permittedReverts ??= new Set();
    raft.permittedReverts.add(id);
  }
}

/**
 * A leader commits beyond our log. It commits no further than what this node has acknowledged, so our
 * log went back. Until it has caught up, this node neither votes nor campaigns: it might elect a leader
 * that lacks what it helped to commit. A rejection tells the leader, which might not notice otherwise.
 */
export function ownLogWentBack(raft: Raft, leader: NodeId, commit: Index): void {
  if (commit > raft.lostUpTo) {
    raft.lostUpTo = commit;
    raft.logger.error(
      `${hexId(raft.id)} has acknowledged up to ${commit}, but its log ends at ${raft.log.lastIndex()}: it does not vote until it has caught up`,
    );
  }
  const m = newMessage(MessageType.MsgAppResp, leader);
  m.index = commit;
  m.reject = true;
  m.rejectHint = raft.log.lastIndex();
  m.logTerm = raft.log.lastTerm();
  send(raft, m);
}

/** Whether this node has lost entries that it acknowledged, and not caught up yet. */
export function hasLostLog(raft: Raft): boolean {
  return raft.log.committed < raft.lostUpTo;
}
