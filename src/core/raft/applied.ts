import { payloadsSize, type Entry } from '../raftpb/entry.js';
import type { Message } from '../raftpb/message.js';
import { StateType, type Index } from '../types.js';
import { reduceUncommittedSize } from './appendEntry.js';
import { proposeLeaveJoint } from './propose.js';
import type { Raft } from './raft.js';

/**
 * The storage has made everything durable up to the entry that `m` names by index and term, and the
 * snapshot if one is given. All roles.
 *
 * @param m its term is that of this node when the write was handed out. In an older term than ours the
 *   entries may have been replaced in the meantime, and this answer says nothing about the new ones (see
 *   `storageMessages.ts`). A snapshot holds committed state, which no term can undo. Index 0: no entry was unstable.
 */
export function handleStorageAppendResponse(raft: Raft, { term, index, logTerm, snapshot }: Message): void {
  if (index !== 0 && term === raft.term) raft.log.stableTo(index, logTerm);
  if (snapshot !== null) {
    raft.log.stableSnapshotTo(snapshot.metadata.index);
    appliedTo(raft, snapshot.metadata.index, 0);
  }
}

/**
 * The state machine has applied `entries`, which came from one Ready. All roles.
 *
 * @param size their encoded size, in bytes.
 */
export function handleStorageApplyResponse(raft: Raft, entries: readonly Entry[], size: number): void {
  if (entries.length === 0) return;
  appliedTo(raft, entries[entries.length - 1]!.index, size);
  // Only a leader has anything to give back.
  if (raft.uncommittedSize > 0) reduceUncommittedSize(raft, payloadsSize(entries));
}

function appliedTo(raft: Raft, index: Index, size: number): void {
  const applied = Math.max(index, raft.log.applied);
  raft.log.appliedTo(applied, size);
  if (raft.tracker.config.autoLeave && applied >= raft.pendingConfIndex && raft.state === StateType.Leader) {
    proposeLeaveJoint(raft);
  }
}
