import type { Message } from '../../raftpb/message.js';
import { MessageType } from '../../raftpb/messageType.js';
import { handleVoteResponse } from '../election.js';
import type { Raft } from '../raft.js';
import { StepResult } from '../stepResult.js';
import { becomeFollower } from '../transitions.js';
import { ignore } from './ignore.js';
import { stepFollower } from './follower.js';

/** Routes a message to its handler while this node is a candidate or a pre-candidate. */
export function stepCandidate(raft: Raft, m: Message): StepResult {
  switch (m.type) {
    // Somebody else has won this term (Raft §5.2).
    case MessageType.MsgApp:
    case MessageType.MsgHeartbeat:
    case MessageType.MsgSnap:
      becomeFollower(raft, m.term, m.from);
      return stepFollower(raft, m);
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

    default:
      return ignore<
        // Answers to a leader we no longer are, and to reads whose leader is gone.
        | typeof MessageType.MsgAppResp
        | typeof MessageType.MsgHeartbeatResp
        | typeof MessageType.MsgReadIndexResp
        // We campaign already, and follow nobody whom we could forget.
        | typeof MessageType.MsgTimeoutNow
        | typeof MessageType.MsgForgetLeader
      >(m.type);
  }
}
