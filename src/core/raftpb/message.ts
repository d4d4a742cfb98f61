import { emptyBytes, emptyList, None, type Index, type NodeId, type Term } from '../types.js';
import type { Entry } from './entry.js';
import type { MessageType } from './messageType.js';
import type { Snapshot } from './state.js';

/**
 * One message between nodes, or between a node and its storage threads. All kinds share this one
 * shape (a field that a kind does not use is zero, empty or null), because one shape keeps every
 * property access fast. The `Msg…` types below say which fields a kind really has.
 *
 * A message is never changed after it was sent or stepped.
 */
export interface Message {
  /** What kind of message it is, and so which of the other fields mean something. */
  type: MessageType;
  /** Receiver: a node, or a local storage thread. */
  to: NodeId;
  /** Sender; of a message that followers pass on to the leader, the node that asked. */
  from: NodeId;
  /** Term of the sender; 0 only in what is local, in MsgProp and in MsgReadIndex. */
  term: Term;
  /** Term of the entry at `index`; in a rejection, of the entry at `rejectHint`. */
  logTerm: Term;
  /** A position in a log; which one depends on the kind. */
  index: Index;
  /** Entries to append, to propose or to apply; in a read its one entry holds the context of the caller. */
  entries: readonly Entry[];
  /** Commit index of the leader, as far as the receiver may follow it. */
  commit: Index;
  /** MsgSnap, and the messages to and from the append thread; else null. */
  snapshot: Snapshot | null;
  /** In an answer: whether the request was refused. */
  reject: boolean;
  /** In a rejected MsgAppResp: where the two logs may still agree. */
  rejectHint: Index;
  /** Opaque bytes that an answer returns; see the kinds that use it. */
  context: Uint8Array;
  /** MsgStorageAppend only: the vote to save. */
  vote: NodeId;
  /** MsgStorageAppend and MsgStorageApply only: what to send once the work is done. */
  responses: readonly Message[];
}

/** The one place that makes a message, so that all have one shape. The other fields are zero. */
export function newMessage(type: MessageType, to: NodeId): Message {
  return {
    type,
    to,
    from: None,
    term: 0,
    logTerm: 0,
    index: 0,
    entries: emptyList,
    commit: 0,
    snapshot: null,
    reject: false,
    rejectHint: 0,
    context: emptyBytes,
    vote: None,
    responses: emptyList,
  };
}

/** A message with the fields that a decoder has mostly found by then; the others are zero. */
export function messageWith(
  type: MessageType,
  to: NodeId,
  from: NodeId,
  term: Term,
  logTerm: Term,
  index: Index,
  commit: Index,
): Message {
  return {
    type,
    to,
    from,
    term,
    logTerm,
    index,
    entries: emptyList,
    commit,
    snapshot: null,
    reject: false,
    rejectHint: 0,
    context: emptyBytes,
    vote: None,
    responses: emptyList,
  };
}

/** A copy that shares entries, snapshot and bytes. Forwarding changes the copy and never the caller's message. */
export function copyMessage(m: Message): Message {
  return {
    type: m.type,
    to: m.to,
    from: m.from,
    term: m.term,
    logTerm: m.logTerm,
    index: m.index,
    entries: m.entries,
    commit: m.commit,
    snapshot: m.snapshot,
    reject: m.reject,
    rejectHint: m.rejectHint,
    context: m.context,
    vote: m.vote,
    responses: m.responses,
  };
}

/** AppendEntries RPC (Raft Figure 2): `index` and `logTerm` are prevLogIndex and prevLogTerm. */
export type MsgApp = Pick<Message, 'from' | 'term' | 'index' | 'logTerm' | 'entries' | 'commit'>;

/**
 * Answer to MsgApp and MsgSnap. Accepted: everything up to `index` is durable. Rejected: the entry
 * before `index`+1 did not match; `rejectHint` and `logTerm` say where it might. Rejected with `commit`
 * equal to `index`: the answer to a heartbeat that commits up to there, of a node whose log ends before.
 */
export type MsgAppResp = Pick<Message, 'from' | 'term' | 'index' | 'reject' | 'rejectHint' | 'logTerm' | 'commit'>;

/** RequestVote RPC (Raft Figure 2) and its pre-vote: `index` and `logTerm` are the candidate's last entry. */
export type MsgVote = Pick<Message, 'type' | 'from' | 'term' | 'index' | 'logTerm' | 'context'>;

/** Answer to MsgVote and MsgPreVote. */
export type MsgVoteResp = Pick<Message, 'type' | 'from' | 'term' | 'reject'>;

/** Heartbeat: `commit` never exceeds what the receiver is known to hold; `context` comes back in the answer. */
export type MsgHeartbeat = Pick<Message, 'from' | 'term' | 'commit' | 'context'>;

/** Answer to a heartbeat, with its `context`. */
export type MsgHeartbeatResp = Pick<Message, 'from' | 'term' | 'context'>;

/** InstallSnapshot RPC (Raft §7). */
export type MsgSnap = Pick<Message, 'from' | 'term' | 'snapshot'>;

/** A proposal: entries without term and index. */
export type MsgProp = Pick<Message, 'from' | 'entries'>;

/** A read: the data of its one entry is the caller's context. */
export type MsgReadIndex = Pick<Message, 'from' | 'entries'>;
