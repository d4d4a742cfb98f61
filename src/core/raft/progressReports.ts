import type { Message, MsgHeartbeatResp } from '../raftpb/message.js';
import { ProgressState, type Progress } from '../tracker/progress.js';
import { confirmReads } from './readIndex.js';
import { hexId, type Raft } from './raft.js';
import { maybeSendAppend } from './replication.js';
import { askAgain, remindOfLoss } from './reversion.js';

/**
 * A follower is alive (E7). Unpauses it, and sends what it lacks; in a probe also an empty MsgApp,
 * because only an answer to it ends the probe. Leader only.
 */
export function handleHeartbeatResponse(raft: Raft, progress: Progress, m: MsgHeartbeatResp): void {
  if (progress.quarantined) {
    remindOfLoss(raft, m.from, progress);
    return;
  }
  progress.recentActive = true;
  progress.resumeFlow();
  if (progress.match < raft.log.lastIndex() || progress.state === ProgressState.Probe) {
    maybeSendAppend(raft, m.from, progress, true);
  }
  if (progress.reversion !== null || progress.revertPermitted) askAgain(raft, m.from, progress);
  if (m.context.length > 0) confirmReads(raft, m.from, m.context);
}

/** How sending a snapshot ended, as the host reports it (E11). Leader only. */
export function handleSnapshotStatus(raft: Raft, progress: Progress, m: Pick<Message, 'from' | 'reject'>): void {
  if (progress.state !== ProgressState.Snapshot) return;
  if (raft.logger.debugEnabled) {
    raft.logger.debug(`${hexId(raft.id)}: the snapshot for ${hexId(m.from)} ${m.reject ? 'failed' : 'arrived'}`);
  }
  if (m.reject) progress.snapshotFailed();
  else progress.becomeProbe();
  // After a success the follower will acknowledge the snapshot; after a failure the next heartbeat
  // response is early enough to try again.
  progress.pauseFlow();
}

/** A message to the follower was lost, says the host: appends sent on trust are probably lost as well. Leader only. */
export function handleUnreachable(progress: Progress): void {
  if (progress.state === ProgressState.Replicate) progress.becomeProbe();
}
