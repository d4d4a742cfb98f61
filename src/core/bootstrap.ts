import { RaftError, RaftErrorCode } from './errors.js';
import { ConfChangeType, type ConfChange } from './raftpb/confChange.js';
import { encodeConfChange } from './raftpb/confChangeWire.js';
import { EntryType, newEntry, type Entry } from './raftpb/entry.js';
import { applyConfChange } from './raft/membership.js';
import type { Raft } from './raft/raft.js';
import { becomeFollower } from './raft/transitions.js';
import { emptyBytes, isBytes, isNodeId, None, type NodeId } from './types.js';

/** A first voter of a new group. */
export interface Peer {
  /** Any uint64 except 0 and the two reserved ones, in canonical form. */
  readonly id: NodeId;
  /** What the hosts want to know about it, such as its address; travels in the configuration change. */
  readonly context?: Uint8Array;
}

/**
 * Starts the log with the first configuration: one change per voter, committed, in term 1. Every node
 * of the group must be given the same peers in the same order, so that the entries are equal (O9).
 *
 * Call {@link checkBootstrap} first.
 */
export function bootstrap(raft: Raft, peers: readonly Peer[]): void {
  // A faster peer may have asked for our vote before: neither its term nor the vote may be forgotten.
  if (raft.term === 0) becomeFollower(raft, 1, None);
  const entries: Entry[] = peers.map((peer, i) => {
    const change: ConfChange = { type: ConfChangeType.ConfChangeAddNode, nodeId: peer.id, context: peer.context ?? emptyBytes, id: 0 };
    return newEntry(EntryType.EntryConfChange, encodeConfChange(change), 1, i + 1);
  });
  raft.log.append(entries);
  // No quorum was asked, and none needs to be: every node starts with these very entries.
  raft.log.commitTo(entries.length);
  // In force at once, so that a node can campaign; the host will apply the entries again, to the same effect.
  for (const entry of entries) applyConfChange(raft, entry);
}

/**
 * Whether `bootstrap` may be called.
 *
 * @throws RaftError `ERR_RAFT_ALREADY_BOOTSTRAPPED` if there is a log or a configuration already,
 *   `ERR_RAFT_ARGUMENT_INVALID` if peers are missing, repeated or impossible.
 */
export function checkBootstrap(raft: Raft, peers: readonly Peer[]): void {
  if (!Array.isArray(peers) || peers.length === 0) throw invalid('at least one peer is needed');
  const seen = new Set<NodeId>();
  for (const peer of peers as readonly Partial<Peer>[]) {
    const id = peer?.id;
    if (!isNodeId(id)) throw invalid(`${String(id)} cannot be the id of a node`);
    if (peer.context !== undefined && !isBytes(peer.context)) throw invalid(`the context of peer ${String(id)} must be bytes`);
    if (seen.has(id)) throw invalid(`peer ${String(id)} is given twice`);
    seen.add(id);
  }
  if (raft.log.lastIndex() !== 0 || raft.tracker.ids.length > 0) {
    throw new RaftError(RaftErrorCode.AlreadyBootstrapped, 'bootstrap: there is a log or a configuration already');
  }
}

function invalid(message: string): RaftError {
  return new RaftError(RaftErrorCode.ArgumentInvalid, `bootstrap: ${message}`);
}
