import { newMessage, type Message } from './raftpb/message.js';
import { MessageType } from './raftpb/messageType.js';
import type { Entry } from './raftpb/entry.js';
import type { HardState, Snapshot } from './raftpb/state.js';
import type { Raft } from './raft/raft.js';
import { added } from './raft/outbox.js';
import { emptyList, LocalAppendThread, LocalApplyThread } from './types.js';

// With `asyncStorageWrites` the host writes and applies in threads of its own. What a thread has to do
// is a message to it; what the node needs to hear afterwards is in the `responses` of that message.
// The host delivers those once the work is done: to peers through the network, to the node itself
// through `RawNode.stepStorageResponse`.

/** What `MsgStorageAppend` is made of; a part of a Ready. */
interface AppendWork {
  readonly entries: readonly Entry[];
  readonly hardState: HardState | null;
  readonly snapshot: Snapshot | null;
}

/** Whether the append thread has to do anything, even if it is only to pass on messages in the right order. */
export function needsStorageAppend(raft: Raft, work: AppendWork): boolean {
  return work.entries.length > 0 || work.hardState !== null || work.snapshot !== null || raft.msgsAfterAppend.length > 0;
}

/** Asks the append thread to make the work durable, and then to send what waits for that. */
export function newStorageAppend(raft: Raft, work: AppendWork): Message {
  const m = newMessage(MessageType.MsgStorageAppend, LocalAppendThread);
  m.from = raft.id;
  m.entries = work.entries;
  if (work.hardState !== null) {
    m.term = work.hardState.term;
    m.vote = work.hardState.vote;
    m.commit = work.hardState.commit;
  }
  m.snapshot = work.snapshot;
  m.responses = raft.msgsAfterAppend;
  // From here on the list belongs to the message: later ones wait for a later write.
  raft.msgsAfterAppend = emptyList;
  if (needsAppendResponse(raft, work.snapshot)) m.responses = added(m.responses, newStorageAppendResponse(raft, work.snapshot));
  return m;
}

/** Whether the node waits to hear that something is durable. */
function needsAppendResponse(raft: Raft, snapshot: Snapshot | null): boolean {
  return raft.log.unstable.count > 0 || snapshot !== null;
}

/**
 * The append thread's word that the log up to its present end is durable.
 *
 * It names the last entry by index and term, and the term in which the write was ordered. All three are
 * needed, because writes overlap and logs are overwritten. Take a node whose write of 2/5 (term 2,
 * index 5) is under way. A leader of term 3 replaces it by 3/5, which is not written yet. Then a leader
 * of term 4, who never heard of term 3, puts 2/5 back: the same entry A, then B, then A again. When the
 * answer to the first write arrives now, an entry 2/5 is waiting to become durable, and index and term
 * agree. But the disk may hold 3/5 by then, because the second write came after the first. Only the
 * write of the third would make 2/5 durable again. So an answer counts only if no term has passed since
 * its write was ordered: within one term a log is never overwritten twice.
 *
 * The answer names the end of the log, and not the end of what this write carried, because writes are
 * done in order. If answers of an older term were thrown away, this one makes up for them.
 */
function newStorageAppendResponse(raft: Raft, snapshot: Snapshot | null): Message {
  const m = newMessage(MessageType.MsgStorageAppendResp, raft.id);
  m.from = LocalAppendThread;
  m.term = raft.term;
  if (raft.log.unstable.count > 0) {
    m.index = raft.log.lastIndex();
    m.logTerm = raft.log.lastTerm();
  }
  m.snapshot = snapshot;
  return m;
}

/** Asks the apply thread to apply committed entries. They are applied in no particular term, so it carries none. */
export function newStorageApply(raft: Raft, committedEntries: readonly Entry[]): Message {
  const response = newMessage(MessageType.MsgStorageApplyResp, raft.id);
  response.from = LocalApplyThread;
  response.entries = committedEntries;
  const m = newMessage(MessageType.MsgStorageApply, LocalApplyThread);
  m.from = raft.id;
  m.entries = committedEntries;
  m.responses = [response];
  return m;
}
