import { payloadsSize, type Entry } from '../raftpb/entry.js';
import type { Snapshot } from '../raftpb/state.js';
import { StateType, type Index, type Term } from '../types.js';
import { reduceUncommittedSize } from './appendEntry.js';
import { proposeLeaveJoint } from './propose.js';
import type { Raft } from './raft.js';

/**
 * The storage has made everything durable up to the entry of this index and term, and the snapshot if
 * one is given. All roles.
 *
 * @param term that of this node when the write was handed out. In an older term than ours the
 *   entries may have been replaced in the meantime, and this answer says nothing about the new ones (see
 *   `storageMessages.ts`). A snapshot holds committed state, which no term can undo. 
 * @param index 0 if no entry was unstable.
 */
export function handleStorageAppendResponse(raft: Raft, term: Term, index: Index, logTerm: Term, snapshot: Snapshot | null): void {
  if (index !== 0 && term === raft.term) raft.log.unstable.stableTo(index, logTerm);
  if (snapshot !== null) {
    raft.log.unstable.stableSnapshotTo(snapshot.metadata.index);
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
