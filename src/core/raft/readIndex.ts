import { newMessage, type Message, type MsgReadIndex } from '../raftpb/message.js';
import { MessageType } from '../raftpb/messageType.js';
import { newEntry, EntryType } from '../raftpb/entry.js';
import { None, ReadOnlyOption, type Index, type NodeId } from '../types.js';
import { send } from './outbox.js';
import type { Raft } from './raft.js';
import type { PendingRead } from './readOnly.js';
import { bcastHeartbeat } from './replication.js';

/**
 * A read arrives at the leader (dissertation §6.4). Before the first commit of its own term a leader
 * does not know how far the group has committed, so reads wait for it. That holds for a group of one
 * as well: after a restart its commit index may be behind what it has acknowledged (D2).
 */
export function handleReadIndex(raft: Raft, m: MsgReadIndex): void {
  // The message belongs to the caller and is not kept.
  const read: PendingRead = { from: m.from, requestContext: m.entries[0]!.data };
  if (committedInOwnTerm(raft)) serveRead(raft, read);
  else raft.pendingReads.push(read);
}

/** Whether the leader has committed an entry of its own term. */
function committedInOwnTerm(raft: Raft): boolean {
  return raft.log.matchTerm(raft.log.committed, raft.term);
}

/** Serves the reads that waited for the first commit of the term. Called whenever the commit index has moved. */
export function releasePendingReads(raft: Raft): void {
  if (raft.pendingReads.length === 0 || !committedInOwnTerm(raft)) return;
  const reads = raft.pendingReads;
  raft.pendingReads = [];
  for (const read of reads) serveRead(raft, read);
}

function serveRead(raft: Raft, { from, requestContext }: PendingRead): void {
  const index = raft.log.committed;
  if (decidesAlone(raft) || leaseIsFresh(raft)) {
    answerRead(raft, from, requestContext, index);
    return;
  }
  raft.readOnly.add(raft.id, { from, requestContext, index });
  bcastHeartbeat(raft);
}

/** Whether no other node has a say. A leader that was removed must ask the voter that is left: that one may lead already. */
function decidesAlone(raft: Raft): boolean {
  return raft.tracker.isSingleton && (raft.tracker.config.voters.has(raft.id) || !raft.config.strictReads);
}

/**
 * Whether no other leader can exist yet. A quorum has acknowledged a heartbeat sent `age` ticks ago;
 * each of its members refuses to vote for electionTick of its own ticks after it got that heartbeat.
 * One tick is lost on either side to rounding (a tick may be about to end), and `leaseMarginTicks` to
 * clocks that run at different speed (D13).
 *
 * Worth nothing once a MsgTimeoutNow is out: that election does not wait for leases (D4).
 */
function leaseIsFresh(raft: Raft): boolean {
  if (raft.config.readOnlyOption !== ReadOnlyOption.LeaseBased || raft.timeoutNowSent) return false;
  const longest = raft.config.electionTick - 2 - raft.config.leaseMarginTicks;
  if (longest < 0) return false;
  return raft.readOnly.leaseHolds(raft.id, raft.tracker.config.voters, raft.leaderTicks - longest, raft.leaderTicks);
}

/** Takes in what a heartbeat response confirms. Leader only. */
export function confirmReads(raft: Raft, from: NodeId, context: Uint8Array): void {
  raft.readOnly.recvAck(from, context, raft.leaderTicks);
  answerConfirmedReads(raft);
}

/** Answers the reads that a quorum has confirmed. Called also when the configuration has changed, which may be all that was missing (D3). */
export function answerConfirmedReads(raft: Raft): void {
  const reads = raft.readOnly.takeConfirmed(raft.tracker.config.voters);
  for (const read of reads) answerRead(raft, read.from, read.requestContext, read.index);
}

function answerRead(raft: Raft, from: NodeId, requestContext: Uint8Array, index: Index): void {
  if (from === None || from === raft.id) {
    raft.readStates.push({ index, requestContext });
    return;
  }
  const m = newMessage(MessageType.MsgReadIndexResp, from);
  m.index = index;
  m.entries = [newEntry(EntryType.EntryNormal, requestContext)];
  send(raft, m);
}

/** The leader's answer to a read that this node forwarded. */
export function handleReadIndexResponse(raft: Raft, m: Message): void {
  raft.readStates.push({ index: m.index, requestContext: m.entries[0]!.data });
}
