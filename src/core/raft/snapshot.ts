import { restoreConfig } from '../confchange/restore.js';
import { assert } from '../errors.js';
import { newMessage, type MsgSnap } from '../raftpb/message.js';
import { MessageType } from '../raftpb/messageType.js';
import { confStatesEquivalent, type ConfState, type Snapshot } from '../raftpb/state.js';
import { StateType, type NodeId } from '../types.js';
import { acknowledge } from './appendEntries.js';
import { switchToConfig } from './membership.js';
import { hexId, type Raft } from './raft.js';

/**
 * InstallSnapshot RPC, receiver's part (Raft §7). Answers with the index up to which this node and the
 * leader now agree, whether or not the snapshot was needed. Followers only.
 */
export function handleSnapshot(raft: Raft, m: MsgSnap): void {
  const restored = m.snapshot !== null && restore(raft, m.snapshot);
  const response = newMessage(MessageType.MsgAppResp, m.from);
  acknowledge(raft, response, restored ? raft.log.lastIndex() : raft.log.committed);
}

/** Replaces log and configuration by those of the snapshot. Returns false if it was not needed or not fit. */
function restore(raft: Raft, snapshot: Snapshot): boolean {
  assert(raft.state === StateType.Follower, 'snapshot on a role that does not follow');
  const { index, term, confState } = snapshot.metadata;
  if (index <= raft.log.committed) return false;
  if (!isMember(raft.id, confState)) return ignore(raft, 'warning', snapshot, 'it is not a member of its configuration');
  if (term < raft.log.term(raft.log.committed)) {
    // Terms never fall along a log, and every later leader has what we have committed.
    return ignore(raft, 'error', snapshot, `it contradicts what is committed here`);
  }
  if (raft.log.matchTerm(index, term)) {
    // Our log already contains all of it. Only the commit index is news.
    raft.log.commitTo(index);
    return false;
  }

  // The configuration first: if it cannot be had, nothing has been changed.
  const changed = restoreConfig(raft.tracker, index, confState);
  if (typeof changed === 'string' || !confStatesEquivalent(confState, changed.config.toConfState())) {
    return ignore(raft, 'warning', snapshot, 'its configuration is impossible');
  }
  raft.log.restore(snapshot);
  raft.restoredConfIndex = index;
  switchToConfig(raft, changed.config, changed.progress);
  raft.logger.info(`${hexId(raft.id)} restores the snapshot at ${term}/${index}`);
  return true;
}

function ignore(raft: Raft, level: 'warning' | 'error', { metadata }: Snapshot, reason: string): false {
  raft.logger[level](`${hexId(raft.id)} ignores the snapshot at ${metadata.term}/${metadata.index}: ${reason}`);
  return false;
}

/** `learnersNext` needs no look: all of them are outgoing voters. */
function isMember(id: NodeId, confState: ConfState): boolean {
  return confState.voters.includes(id) || confState.learners.includes(id) || confState.votersOutgoing.includes(id);
}
