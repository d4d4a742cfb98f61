import { validateConfState } from '../confchange/restore.js';
import { isLogSlice } from '../log/logSlice.js';
import { tryDecodeConfChange } from '../raftpb/confChangeWire.js';
import { isConfChangeEntry, isEntryType, type Entry } from '../raftpb/entry.js';
import type { Message } from '../raftpb/message.js';
import { hasConfStateShape, type Snapshot } from '../raftpb/state.js';
import { isLocalMsg, isMessageType, isResponseMsg, MessageType } from '../raftpb/messageType.js';
import { isBytes, isCount, isNodeId } from '../types.js';
import type { Raft } from './raft.js';
import { isOpenQuestion } from './reversion.js';
import { StepResult } from './stepResult.js';

/** A peer that is further ahead than this in term is broken or hostile, and would use up the terms. */
const maxTermJump = 2 ** 32;

/**
 * The wall in front of step (semantics section 5): whether a message from the network may touch the
 * state. Reads only; a message that is refused leaves the node bit for bit as it was (D9).
 *
 * What is legal in Raft stays legal: an unknown leader may append, an unknown candidate may ask for
 * votes, because this node may not have heard of the configuration they belong to.
 */
export function validateMessage(raft: Raft, m: Message): StepResult {
  if (!hasMessageShape(m)) return StepResult.Malformed;
  if (!isMessageType(m.type)) return StepResult.UnknownType;
  if (isLocalMsg(m.type)) return StepResult.LocalMessage;
  if (m.to !== raft.id) return StepResult.NotForMe;
  if (!isPossibleSender(raft, m)) return StepResult.BadSender;
  if (isResponseMsg(m.type) && raft.tracker.get(m.from) === undefined) return StepResult.PeerNotFound;
  if (!isCount(m.term) || !isCount(m.index) || !isCount(m.logTerm) || !isCount(m.commit) || !isCount(m.rejectHint)) {
    return StepResult.BadNumber;
  }
  if (m.term - raft.term > maxTermJump || (m.term === 0 && !carriesNoTerm(m.type))) return StepResult.BadTerm;
  return validateFields(raft, m);
}

/** A transport may hand over whatever it parsed; the handlers rely on the types. */
export function hasMessageShape(m: Message): boolean {
  return Array.isArray(m?.entries) && isBytes(m.context) && typeof m.reject === 'boolean';
}

function carriesNoTerm(type: MessageType): boolean {
  return type === MessageType.MsgProp || type === MessageType.MsgReadIndex;
}

function isPossibleSender(raft: Raft, m: Message): boolean {
  if (m.from === raft.id) {
    // These three keep the name of the node that asked, while followers pass them on. If leadership
    // has moved meanwhile, they come back to where they started.
    return carriesNoTerm(m.type) || m.type === MessageType.MsgTransferLeader;
  }
  return isNodeId(m.from);
}

function validateFields(raft: Raft, m: Message): StepResult {
  switch (m.type) {
    case MessageType.MsgApp:
      return areEntries(m.entries) && isLogSlice(m.term, m.index, m.logTerm, m.entries) ? StepResult.Ok : StepResult.BadEntries;
    case MessageType.MsgAppResp:
      return m.index <= raft.log.lastIndex() || (m.reject && isOpenQuestion(raft, m.from, m.index)) ? StepResult.Ok : StepResult.BadIndex;
    case MessageType.MsgSnap:
      return isPossibleSnapshot(m) ? StepResult.Ok : StepResult.BadSnapshot;
    case MessageType.MsgProp:
      return isPossibleProposal(m.entries) ? StepResult.Ok : StepResult.BadProposal;
    case MessageType.MsgReadIndex:
    case MessageType.MsgReadIndexResp:
      return m.entries.length === 1 && areEntries(m.entries) ? StepResult.Ok : StepResult.BadProposal;
    case MessageType.MsgTimeoutNow:
      return m.from === raft.lead || raft.tracker.get(m.from) !== undefined ? StepResult.Ok : StepResult.NotEntitled;
    default:
      return StepResult.Ok;
  }
}

/** Whether every element is an entry with fields of the right types. */
export function areEntries(entries: readonly Entry[]): boolean {
  for (let i = 0; i < entries.length; i++) {
    const entry: Entry | undefined = entries[i];
    if (!isBytes(entry?.data) || !isEntryType(entry.type)) return false;
    // Also in proposals, where they mean nothing but are passed on with the rest.
    if (!isCount(entry.term) || !isCount(entry.index)) return false;
  }
  return true;
}

/** Whether a proposal has entries, and configuration changes in it can be read. */
export function isPossibleProposal(entries: readonly Entry[]): boolean {
  if (entries.length === 0 || !areEntries(entries)) return false;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (isConfChangeEntry(entry) && tryDecodeConfChange(entry) === null) return false;
  }
  return true;
}

function isPossibleSnapshot(m: Message): boolean {
  const snapshot: Snapshot | null | undefined = m.snapshot;
  if (!isBytes(snapshot?.data) || !isCount(snapshot.metadata?.index)) return false;
  const { index, term, confState } = snapshot.metadata;
  if (index === 0 || !isCount(term) || term === 0 || term > m.term) return false;
  return hasConfStateShape(confState) && validateConfState(confState) === null;
}
