import type { Message } from '../../raftpb/message.js';
import { MessageType } from '../../raftpb/messageType.js';
import { handleAppendEntries, handleHeartbeat } from '../appendEntries.js';
import { handleVoteResponse } from '../election.js';
import type { Raft } from '../raft.js';
import { handleSnapshot } from '../snapshot.js';
import { StepResult } from '../stepResult.js';
import { becomeFollower } from '../transitions.js';

/** Routes a message to its handler while this node is a candidate or a pre-candidate. */
export function stepCandidate(raft: Raft, m: Message): StepResult {
  switch (m.type) {
    // Somebody else has won this term (Raft §5.2).
    case MessageType.MsgApp:
      becomeFollower(raft, m.term, m.from);
      handleAppendEntries(raft, m);
      return StepResult.Ok;
    case MessageType.MsgHeartbeat:
      becomeFollower(raft, m.term, m.from);
      handleHeartbeat(raft, m);
      return StepResult.Ok;
    case MessageType.MsgSnap:
      becomeFollower(raft, m.term, m.from);
      handleSnapshot(raft, m);
      return StepResult.Ok;
    case MessageType.MsgVoteResp:
    case MessageType.MsgPreVoteResp:
      handleVoteResponse(raft, m);
      return StepResult.Ok;

    case MessageType.MsgProp:
    case MessageType.MsgReadIndex:
    case MessageType.MsgTransferLeader:
      return StepResult.NoLeader;
    case MessageType.MsgSnapStatus:
    case MessageType.MsgUnreachable:
      return StepResult.NotLeader;

    // Answers to a leader we no longer are, and to reads whose leader is gone.
    case MessageType.MsgAppResp:
    case MessageType.MsgHeartbeatResp:
    case MessageType.MsgReadIndexResp:
    // We campaign already, and follow nobody whom we could forget.
    case MessageType.MsgTimeoutNow:
    case MessageType.MsgForgetLeader:
    // Handled in `step` or by their entry points, for every role.
    case MessageType.MsgHup:
    case MessageType.MsgBeat:
    case MessageType.MsgCheckQuorum:
    case MessageType.MsgVote:
    case MessageType.MsgPreVote:
    case MessageType.MsgStorageAppend:
    case MessageType.MsgStorageAppendResp:
    case MessageType.MsgStorageApply:
    case MessageType.MsgStorageApplyResp:
      return StepResult.Ok;
    default:
      return m.type satisfies never;
  }
}
