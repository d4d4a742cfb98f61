import { newEntry, payloadsSize, type Entry } from '../raftpb/entry.js';
import { newMessage } from '../raftpb/message.js';
import { MessageType } from '../raftpb/messageType.js';
import type { Index } from '../types.js';
import { send } from './outbox.js';
import type { Raft } from './raft.js';

/**
 * Appends proposed entries to the leader's own log under its term (Raft §5.3). Leader only.
 *
 * @returns index of the last one, or -1 if the quota of unapplied data is full; nothing was appended then.
 */
export function appendEntry(raft: Raft, proposed: readonly Entry[]): Index {
  const size = payloadsSize(proposed);
  if (!increaseUncommittedSize(raft, size)) return -1;

  const first = raft.log.lastIndex() + 1;
  const entries = proposed.map(({ type, data }, i) => newEntry(type, data, raft.term, first + i));
  const last = raft.log.append(entries);
  raft.trace?.trace({ kind: 'append', id: raft.id, term: raft.term, lastIndex: last });

  // The leader counts towards the quorum like everyone else: only once its own disk has the entries.
  // This acknowledgement to itself comes back through the storage.
  const ack = newMessage(MessageType.MsgAppResp, raft.id);
  ack.index = last;
  send(raft, ack);
  return last;
}

/**
 * Reserves quota for proposed data. An empty payload always fits (the first entry of a term and the
 * exit from a joint configuration must never be refused), and so does one proposal of any size while
 * nothing else is unapplied.
 */
function increaseUncommittedSize(raft: Raft, size: number): boolean {
  const total = raft.uncommittedSize + size;
  if (raft.uncommittedSize > 0 && size > 0 && total > raft.config.maxUncommittedEntriesSize) return false;
  raft.uncommittedSize = total;
  return true;
}

/** Gives quota back for data that was applied. The count may be too low, for entries of other leaders, so it stops at 0. */
export function reduceUncommittedSize(raft: Raft, size: number): void {
  raft.uncommittedSize = Math.max(0, raft.uncommittedSize - size);
}

/**
 * Quota used by the log tail that a new leader took over and has not applied (D7). It counts what
 * `reduceUncommittedSize` will give back, or a change of leaders would lift the limit.
 */
export function countUnappliedTail(raft: Raft): void {
  raft.uncommittedSize = 0;
  if (raft.config.maxUncommittedEntriesSize === Infinity) return;
  // The host may have applied and compacted entries before it says so with `advance`.
  raft.log.scan(Math.max(raft.log.applied + 1, raft.log.firstIndex()), raft.log.lastIndex() + 1, raft.config.maxCommittedSizePerReady, (entries) => {
    raft.uncommittedSize += payloadsSize(entries);
    return false;
  });
}
