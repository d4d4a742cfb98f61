import type { MsgAppResp } from '../raftpb/message.js';
import { ProgressState, type Progress } from '../tracker/progress.js';
import type { Index, NodeId } from '../types.js';
import { sendTimeoutNow } from './leaderTransfer.js';
import { hexId, type Raft } from './raft.js';
import { releasePendingReads } from './readIndex.js';
import { bcastAppend, maybeCommit, maybeSendAppend } from './replication.js';
import { handleReversionRejection, isDoubtfulAck, ordinaryRejection } from './reversion.js';

/** An answer to MsgApp or MsgSnap, or the leader's own storage acknowledging its log. Leader only. */
export function handleAppendResponse(raft: Raft, progress: Progress, m: MsgAppResp): void {
  // What a follower says that has lost its log counts for nothing, not even as a sign of a quorum (O12).
  if (progress.quarantined) return;
  progress.recentActive = true;
  if (m.reject) handleRejected(raft, progress, m);
  else handleAccepted(raft, progress, m);
}

function handleRejected(raft: Raft, progress: Progress, m: MsgAppResp): void {
  if (progress.reversion !== null || m.index <= progress.match) {
    const proven = handleReversionRejection(raft, progress, m);
    if (proven >= 0) acknowledge(raft, progress, m.from, proven);
    if (proven !== ordinaryRejection) return;
  }
  if (!progress.maybeDecrTo(m.index, nextProbe(raft, m))) return;
  if (raft.logger.debugEnabled) raft.logger.debug(`${hexId(raft.id)} backs ${hexId(m.from)} off to ${progress.next}`);
  if (progress.state === ProgressState.Replicate) progress.becomeProbe();
  maybeSendAppend(raft, m.from, progress, true);
}

/**
 * Highest index at which the logs may still agree, given a rejection. Probing backwards one by one
 * would cost a round trip per entry of a diverged tail; this costs at most one per term.
 *
 * The follower said that its entry at `rejectHint` has `logTerm` (and picked the hint so that nothing
 * between it and the probe can match, see `handleAppendEntries`). Terms never fall along a log. So
 * wherever our own log, at or below the hint, has a higher term than `logTerm`, it cannot agree with
 * the follower's: that entry of theirs is at `logTerm` at most. The first candidate is our last entry
 * with a term of `logTerm` or less. In this picture the hint is 6 in term 2:
 *
 *     index      1 2 3 4 5 6 7 8
 *     ours       1 1 3 3 3 4 4 4
 *     theirs     1 1 1 2 2 2
 *
 * Indexes 6 to 3 hold terms above 2 with us, so the next probe is at 2, and it will succeed.
 */
function nextProbe(raft: Raft, m: MsgAppResp): Index {
  // Term 0 says nothing: the follower's log is empty there, or it runs a version that does not tell.
  return m.logTerm > 0 ? raft.log.findConflictByTerm(m.rejectHint, m.logTerm).index : m.rejectHint;
}

function handleAccepted(raft: Raft, progress: Progress, m: MsgAppResp): void {
  if (progress.reversion !== null && isDoubtfulAck(raft, progress, m)) return;
  acknowledge(raft, progress, m.from, m.index);
}

/** The follower holds our log up to `index`, on its disk. */
function acknowledge(raft: Raft, progress: Progress, from: NodeId, index: Index): void {
  // An ack that adds nothing still ends a probe: the follower stands where we thought it did. It does
  // not end the wait for a snapshot, since the log still does not reach back to `match`.
  const advanced = progress.maybeUpdate(index);
  if (!advanced && !(progress.match === index && progress.state === ProgressState.Probe)) return;

  updateFlow(raft, progress, index);

  const own = from === raft.id;
  if (maybeCommit(raft)) {
    releasePendingReads(raft);
    bcastAppend(raft);
  } else if (!own && progress.canBumpCommit(raft.log.committed)) {
    // The next heartbeat would tell it too, but later.
    maybeSendAppend(raft, from, progress, true);
  }
  if (own) return;

  // The ack may have made room for several messages.
  while (maybeSendAppend(raft, from, progress, false)) {
    // maybeSendAppend did the work.
  }
  if (from === raft.leadTransferee && progress.match === raft.log.lastIndex()) sendTimeoutNow(raft, from);
}

function updateFlow(raft: Raft, progress: Progress, index: Index): void {
  switch (progress.state) {
    case ProgressState.Probe:
      progress.becomeReplicate();
      return;
    case ProgressState.Replicate:
      progress.inflights.freeLE(index);
      return;
    case ProgressState.Snapshot:
      // Whichever snapshot it was that the follower restored: what counts is that our log reaches it (E11).
      if (progress.match + 1 >= raft.log.firstIndex()) progress.becomeReplicateAfterSnapshot();
  }
}
