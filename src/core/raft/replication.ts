import { payloadsSize } from '../raftpb/entry.js';
import { newMessage } from '../raftpb/message.js';
import { MessageType } from '../raftpb/messageType.js';
import { ProgressState, type Progress } from '../tracker/progress.js';
import { emptyList, type NodeId } from '../types.js';
import { send } from './outbox.js';
import { hexId, type Raft } from './raft.js';

/**
 * Sends the follower what it needs next: a MsgApp, or a snapshot where the log no longer reaches back
 * far enough. Leader only.
 *
 * @param sendIfEmpty whether a MsgApp without entries is worth sending, for the commit index it carries.
 * @returns whether a message was sent.
 */
export function maybeSendAppend(raft: Raft, to: NodeId, progress: Progress, sendIfEmpty: boolean): boolean {
  if (progress.isPaused()) return false;

  const log = raft.log;
  const prevIndex = progress.next - 1;
  const prevTerm = log.term(prevIndex);
  if (prevTerm < 0) return maybeSendSnapshot(raft, to, progress);

  // With a full window only an empty MsgApp may go out (E6). It is what ends the pause if everything in
  // the window was lost: it will be acknowledged or rejected, and both free the window.
  const windowFull = progress.state === ProgressState.Replicate && progress.inflights.full();
  const entries = windowFull ? emptyList : log.entriesFrom(progress.next, raft.config.maxSizePerMsg);
  if (entries === null) return maybeSendSnapshot(raft, to, progress);
  if (entries.length === 0 && !sendIfEmpty) return false;

  const m = newMessage(MessageType.MsgApp, to);
  m.index = prevIndex;
  m.logTerm = prevTerm;
  m.entries = entries;
  m.commit = log.committed;
  send(raft, m);
  progress.sentEntries(entries.length, payloadsSize(entries));
  progress.sentCommitTo(log.committed);
  return true;
}

/** Sends the newest snapshot (Raft §7). Returns whether it was sent; if not, a later heartbeat response tries again (E8). */
function maybeSendSnapshot(raft: Raft, to: NodeId, progress: Progress): boolean {
  // A snapshot is expensive, and a follower that does not answer would not get it.
  if (!progress.recentActive) return false;

  const snapshot = raft.log.snapshot();
  if (snapshot === null) {
    if (raft.logger.debugEnabled) raft.logger.debug(`${hexId(raft.id)} has no snapshot for ${hexId(to)} yet`);
    return false;
  }
  const { index, term } = snapshot.metadata;
  if (raft.logger.debugEnabled) raft.logger.debug(`${hexId(raft.id)} sends the snapshot at ${term}/${index} to ${hexId(to)}`);
  progress.becomeSnapshot(index);

  const m = newMessage(MessageType.MsgSnap, to);
  m.snapshot = snapshot;
  send(raft, m);
  return true;
}

/** Sends every other member what it needs next, or at least the commit index. Leader only. */
export function bcastAppend(raft: Raft): void {
  bcast(raft, true);
}

/** Like `bcastAppend`, to members only that have entries to receive. */
export function bcastPendingEntries(raft: Raft): void {
  bcast(raft, false);
}

function bcast(raft: Raft, sendIfEmpty: boolean): void {
  const ids = raft.tracker.ids;
  const progresses = raft.tracker.progresses;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id !== raft.id) maybeSendAppend(raft, id, progresses[i]!, sendIfEmpty);
  }
}

/** Sends every other member a heartbeat, with the numbers of the reads that wait and of the lease. Leader only. */
export function bcastHeartbeat(raft: Raft): void {
  const context = raft.readOnly.heartbeatContext(raft.leaderTicks);
  const ids = raft.tracker.ids;
  const progresses = raft.tracker.progresses;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id !== raft.id) sendHeartbeat(raft, id, progresses[i]!, context);
  }
}

function sendHeartbeat(raft: Raft, to: NodeId, progress: Progress, context: Uint8Array): void {
  // A follower must not commit beyond what is known to match: its log may differ from ours there (E7).
  // Nor is it told what it has acknowledged while its log may go back (O13).
  const commit = progress.revertPermitted ? 0 : Math.min(progress.match, raft.log.committed);
  const m = newMessage(MessageType.MsgHeartbeat, to);
  m.commit = commit;
  m.context = context;
  send(raft, m);
  progress.sentCommitTo(commit);
}

/**
 * Commits what a quorum has made durable. Returns true if the commit index moved; the caller then
 * tells the followers. Leader only.
 *
 * An entry of an earlier term is never committed by counting replicas: a later leader may still
 * overwrite it (Raft §5.4.2, Figure 8). It commits together with the first entry of our own term,
 * hence the term test. A new leader appends an empty entry for exactly this reason.
 */
export function maybeCommit(raft: Raft): boolean {
  const index = raft.tracker.committed();
  if (index <= raft.log.committed) return false;
  if (!raft.log.matchTerm(index, raft.term)) return false;
  raft.log.commitTo(index);
  raft.trace?.trace({ kind: 'commit', id: raft.id, term: raft.term, commit: index });
  return true;
}
