import type { Entry } from '../raftpb/entry.js';
import type { Message } from '../raftpb/message.js';
import { MessageType } from '../raftpb/messageType.js';
import { isCount, LocalAppendThread, LocalApplyThread } from '../types.js';
import type { Raft } from './raft.js';
import { areEntries, hasMessageShape } from './validate.js';

// What the host hands in. Its mistakes must not harm the node any more than those of a peer, but it
// hears of them at once: the API throws ERR_RAFT_ARGUMENT_INVALID.

/** Whether a value is an entry of a log. */
export function isEntry(entry: Entry): boolean {
  return areEntries([entry]);
}

/**
 * Whether a message is the answer of a storage thread of this node, or of the node to itself, and may
 * belong to something that it has asked for. One that outlived a restart of the node may not.
 */
export function isStorageResponse(raft: Raft, m: Message): boolean {
  if (!hasMessageShape(m) || m.to !== raft.id || !isCount(m.term) || !isCount(m.index) || !isCount(m.logTerm)) return false;
  switch (m.type) {
    case MessageType.MsgStorageAppendResp:
      return m.from === LocalAppendThread && (m.snapshot === null || m.snapshot?.metadata?.index <= raft.log.committed);
    case MessageType.MsgStorageApplyResp:
      return m.from === LocalApplyThread && areEntries(m.entries) && (m.entries.length === 0 || m.entries[m.entries.length - 1]!.index <= raft.log.applying);
    case MessageType.MsgAppResp:
      return m.from === raft.id && (m.term < raft.term || (m.term === raft.term && m.index <= raft.log.lastIndex()));
    case MessageType.MsgVoteResp:
      return m.from === raft.id && m.term <= raft.term;
    case MessageType.MsgPreVoteResp:
      // A pre-vote is about the term after ours.
      return m.from === raft.id && m.term <= raft.term + 1;
    default:
      return false;
  }
}
