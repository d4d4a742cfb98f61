import { assert } from '../errors.js';
import { newMessage, type MsgAppResp } from '../raftpb/message.js';
import { MessageType } from '../raftpb/messageType.js';
import type { Progress, Reversion } from '../tracker/progress.js';
import { StateType, type Index, type NodeId } from '../types.js';
import { abortLeaderTransfer } from './leaderTransfer.js';
import { send } from './outbox.js';
import { hexId, type Raft } from './raft.js';
import { maybeSendAppend } from './replication.js';
import { StepResult } from './stepResult.js';

// A follower whose log went back: its disk was wiped, or a backup was restored (D10, O12, O13). It has
// forgotten what it acknowledged, so what it acknowledges and votes for counts no longer.
//
// What a leader sees first is a rejection below `match`. That alone proves nothing: a rejection from the
// time when the follower was still behind may arrive late, or twice. So the leader asks a question that
// was never asked before. It sends an empty MsgApp whose previous entry has an index beyond every log, a
// different one each time, and the term of our own entry at `match`. Whoever speaks Raft rejects that;
// the rejection repeats the index, and tells the last entry of its log with a term not above the one
// asked for. Terms never fall along a log, so one that holds our entry at `match` answers with this or a
// later index and with the very same term. Any other answer is a proof, whatever the network does: the
// acknowledgement was there before the question, and the question before the answer. Conversely a log
// that has an entry of the same term, there or later, holds all of ours up to there (Log Matching, Raft
// §5.3). Peers that run etcd's raft answer as well, and are not harmed.
//
// That is also how a follower that starts over gets its match back, while acknowledgements from before
// may still be under way.

/** Questions use indexes from here on. No log gets this long. */
const firstQuestion: Index = 2 ** 52;

/** Late and repeated rejections are common, questions cost a message: so many contradictions first. */
const contradictionsToAsk = 3;

/** Stands for: nothing to do with a log that went back. */
export const ordinaryRejection = -2;

/** Stands for: dealt with, and nothing new is proven. */
const nothingProven = -1;

function reversionOf(progress: Progress): Reversion {
  progress.reversion ??= { contradictions: 0, question: 0, match: 0, about: 0, aboutTerm: 0, doubtfulUpTo: 0 };
  return progress.reversion;
}

/** Whether a MsgApp with this previous index is a question. */
export function isQuestion(index: Index): boolean {
  return index > firstQuestion;
}

/** Whether `index` is that of the question which this member has not answered yet. */
export function isOpenQuestion(raft: Raft, id: NodeId, index: Index): boolean {
  return isQuestion(index) && raft.tracker.get(id)?.reversion?.question === index;
}

/** Asks whether the member holds our log up to `about`, and what it acknowledged at least. */
function ask(raft: Raft, id: NodeId, progress: Progress, about: Index): void {
  raft.questionCount++;
  const reversion = reversionOf(progress);
  reversion.question = firstQuestion + raft.questionCount;
  reversion.match = progress.match;
  reversion.about = about;
  reversion.aboutTerm = raft.log.term(about);
  sendQuestion(raft, id, reversion, isPermitted(raft, progress) ? 0 : reversion.match);
}

/**
 * An open question is repeated as it was: where an answer takes longer than a heartbeat, a new question
 * would never be answered in time. An answer to any of its copies is an answer to the first.
 */
function sendQuestion(raft: Raft, id: NodeId, { question, aboutTerm }: Reversion, acknowledged: Index): void {
  const m = newMessage(MessageType.MsgApp, id);
  m.index = question;
  m.logTerm = aboutTerm > 0 ? aboutTerm : raft.term;
  // For a rejected MsgApp it means nothing, except to `handleAppendEntries` of this library.
  m.commit = acknowledged;
  send(raft, m);
}

function askOrRepeat(raft: Raft, id: NodeId, progress: Progress): void {
  const reversion = reversionOf(progress);
  if (reversion.question === 0) ask(raft, id, progress, progress.match);
  else sendQuestion(raft, id, reversion, isPermitted(raft, progress) ? 0 : reversion.match);
}

function isPermitted(raft: Raft, progress: Progress): boolean {
  return progress.revertPermitted || raft.config.loosenFollowerLogRevert;
}

/**
 * A rejection arrives at the leader. Returns the index up to which it proves that the member holds our
 * log, if it answers a question and proves anything; -1 if there is nothing more to do; or
 * `ordinaryRejection`, which is for the caller to handle.
 */
export function handleReversionRejection(raft: Raft, progress: Progress, m: MsgAppResp): Index {
  if (isOpenQuestion(raft, m.from, m.index)) return handleAnswer(raft, progress, m);
  if (m.index > progress.match) return ordinaryRejection;
  if (isLossTold(m)) {
    // It may be late, and about what was permitted meanwhile. But it is reason enough to ask.
    askOrRepeat(raft, m.from, progress);
    return nothingProven;
  }
  const reversion = reversionOf(progress);
  reversion.contradictions++;
  if (reversion.contradictions < contradictionsToAsk) return ordinaryRejection;
  if (reversion.question === 0) ask(raft, m.from, progress, progress.match);
  return nothingProven;
}

function handleAnswer(raft: Raft, progress: Progress, m: MsgAppResp): Index {
  const reversion = reversionOf(progress);
  reversion.question = 0;
  reversion.contradictions = 0;
  if (provesLoss(reversion, m)) {
    logWentBack(raft, m.from, progress, m.rejectHint);
    return nothingProven;
  }
  if (reversion.doubtfulUpTo > 0) {
    const proven = provenIndex(raft, reversion, m);
    if (proven >= reversion.doubtfulUpTo) reversion.doubtfulUpTo = 0;
    return proven;
  }
  // The member may answer heartbeats by telling that it has lost something, although that cannot be proven any
  // more: our entry at `match` is compacted, and so is what it lacks. A snapshot makes up for it.
  progress.resumeFlow();
  maybeSendAppend(raft, m.from, progress, true);
  return nothingProven;
}

/** Term 0 says nothing: the log is compacted there, or empty, or the peer runs a version that does not tell. */
function provesLoss(asked: Reversion, m: MsgAppResp): boolean {
  if (m.rejectHint < asked.match) return true;
  return asked.about === asked.match && m.logTerm > 0 && m.logTerm < asked.aboutTerm;
}

function provenIndex(raft: Raft, asked: Reversion, m: MsgAppResp): Index {
  if (m.logTerm === 0) return nothingProven;
  if (raft.log.matchTerm(m.rejectHint, m.logTerm)) return m.rejectHint;
  // Behind what we asked about it may hold a tail that is not ours.
  return m.rejectHint >= asked.about && m.logTerm === asked.aboutTerm ? asked.about : nothingProven;
}

/** It is proven: the member has acknowledged more than it holds. */
function logWentBack(raft: Raft, id: NodeId, progress: Progress, lastIndex: Index): void {
  const permitted = isPermitted(raft, progress);
  raft.logger.error(
    `${hexId(raft.id)}: the log of ${hexId(id)} went back from ${progress.match} to ${lastIndex}; ${permitted ? 'it starts over' : 'quarantined'}`,
  );
  raft.quarantines++;
  raft.trace?.trace({ kind: 'logWentBack', id: raft.id, member: id, match: progress.match, lastIndex, permitted });
  raft.readOnly.forget(id);
  if (permitted) startOver(raft, id, progress);
  else quarantine(raft, id, progress);
}

function quarantine(raft: Raft, id: NodeId, progress: Progress): void {
  const match = progress.match;
  progress.quarantine(raft.log.lastIndex() + 1);
  const reversion = reversionOf(progress);
  raft.questionCount++;
  reversion.question = firstQuestion + raft.questionCount;
  reversion.match = match;
  if (raft.leadTransferee === id) abortLeaderTransfer(raft);
}

/**
 * A quarantined member is alive. It knows that it must not vote only as long as it runs, so it is told
 * again in case that it was restarted. In a heartbeat that would crash a peer that runs etcd's raft.
 */
export function remindOfLoss(raft: Raft, id: NodeId, progress: Progress): void {
  const reversion = reversionOf(progress);
  sendQuestion(raft, id, reversion, reversion.match);
}

/** Replicates to the member as to one that holds nothing. What it acknowledged before does not count. */
function startOver(raft: Raft, id: NodeId, progress: Progress): void {
  progress.reset(0, raft.log.lastIndex() + 1);
  progress.recentActive = true;
  // No message of this term to it reached further than our log does now.
  reversionOf(progress).doubtfulUpTo = raft.log.lastIndex();
  maybeSendAppend(raft, id, progress, true);
}

/**
 * Whether an acknowledgement may be one from before the member's log went back, and so must not count.
 * Asks the member what it really holds.
 */
export function isDoubtfulAck(raft: Raft, progress: Progress, m: MsgAppResp): boolean {
  const reversion = reversionOf(progress);
  if (m.index >= progress.match) reversion.contradictions = 0;
  if (m.index > reversion.doubtfulUpTo) {
    // It acknowledges entries that did not exist before, and with them all that come before.
    reversion.doubtfulUpTo = 0;
    return false;
  }
  if (m.index <= progress.match) return false;
  if (reversion.question === 0) ask(raft, m.from, progress, m.index);
  return true;
}

/**
 * A member is alive: an unanswered question is asked again, since it or its answer may be lost. One that
 * may go back is asked in any case: an idle group would not notice otherwise that it did.
 */
export function askAgain(raft: Raft, id: NodeId, progress: Progress): void {
  const isOpen = progress.reversion !== null && progress.reversion.question !== 0;
  if (isOpen || (progress.revertPermitted && progress.match > 0)) askOrRepeat(raft, id, progress);
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
  if (allow && progress.quarantined) startOver(raft, id, progress);
  else progress.revertPermitted = allow;
}

// The other side: a node that hears from its leader that it has acknowledged more than it holds.

/**
 * Whether this node cannot hold what it has acknowledged, as the leader of this term says: up to `index`.
 * What is beyond our log is lost. So is what we have not acknowledged in this term, unless we have
 * forgotten that in a restart: with an old term, old messages may have made our log longer again.
 */
export function hasLost(raft: Raft, index: Index): boolean {
  return index > raft.log.committed && (index > raft.ackedInTerm || index > raft.log.lastIndex());
}

/**
 * A leader says that this node has acknowledged entries up to `index`, which it does not hold: its log
 * went back. Until it has caught up, this node neither votes nor campaigns: it might elect a leader that lacks
 * what it helped to commit.
 */
export function noteLoss(raft: Raft, index: Index): void {
  const isNews = !hasLostLog(raft) || index > raft.lostUpTo;
  raft.lostInTerm = raft.term;
  if (!isNews) return;
  raft.lostUpTo = index;
  const lastIndex = raft.log.lastIndex();
  raft.logger.error(`${hexId(raft.id)} has acknowledged up to ${index}, but its log ends at ${lastIndex}: no vote until then`);
  raft.trace?.trace({ kind: 'lossNoted', id: raft.id, lostUpTo: index, lastIndex });
}

/** Tells the leader, which might not notice otherwise. A leader that runs etcd's raft takes it for a rejection, and may probe once more. */
export function tellLoss(raft: Raft, leader: NodeId, commit: Index): void {
  const m = newMessage(MessageType.MsgAppResp, leader);
  m.index = commit;
  m.commit = commit;
  m.reject = true;
  m.rejectHint = raft.log.lastIndex();
  m.logTerm = raft.log.lastTerm();
  send(raft, m);
}

/** Whether a rejection is one that `tellLoss` sent. An ordinary one is never about what its sender has committed: that matches every leader. */
function isLossTold(m: MsgAppResp): boolean {
  return m.commit === m.index && m.commit > 0;
}

/**
 * Whether this node has lost entries that it acknowledged, and not caught up yet. It has caught up with
 * them, or with something committed by a leader of a later term: that one had all that was committed
 * before (Raft §5.4). So a false alarm, which takes a message that no leader sent, ends by itself as long as
 * the others can elect a leader (D9). The only voter believes it as well: its configuration may be older than
 * what it has lost, and then there are others, who lead. If there are none, it ends with a restart.
 */
export function hasLostLog(raft: Raft): boolean {
  const { log, lostUpTo } = raft;
  return log.committed < lostUpTo && log.term(log.committed) <= raft.lostInTerm;
}
