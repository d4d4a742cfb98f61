import type { Message } from '../../raftpb/message.js';
import { MessageType } from '../../raftpb/messageType.js';
import { handleAppendResponse } from '../appendResponse.js';
import { handleTransferLeader } from '../leaderTransfer.js';
import { handleHeartbeatResponse, handleSnapshotStatus, handleUnreachable } from '../progressReports.js';
import { propose } from '../propose.js';
import type { Raft } from '../raft.js';
import { handleReadIndex } from '../readIndex.js';
import { StepResult } from '../stepResult.js';
import { ignore } from './ignore.js';

/** Routes a message to its handler while this node leads. */
export function stepLeader(raft: Raft, m: Message): StepResult {
  switch (m.type) {
    case MessageType.MsgProp:
      return propose(raft, m.entries);
    case MessageType.MsgReadIndex:
      handleReadIndex(raft, m);
      return StepResult.Ok;
    case MessageType.MsgForgetLeader:
      return StepResult.AlreadyLeader;

    case MessageType.MsgAppResp:
    case MessageType.MsgHeartbeatResp:
    case MessageType.MsgSnapStatus:
    case MessageType.MsgUnreachable:
    case MessageType.MsgTransferLeader:
      return stepProgress(raft, m);

    default:
      return ignore<
        // Another leader in our own term cannot be; its messages are worth nothing.
        | typeof MessageType.MsgApp
        | typeof MessageType.MsgHeartbeat
        | typeof MessageType.MsgSnap
        // Answers to a campaign that is decided, or to a read of an earlier role.
        | typeof MessageType.MsgVoteResp
        | typeof MessageType.MsgPreVoteResp
        | typeof MessageType.MsgReadIndexResp
        // We lead already.
        | typeof MessageType.MsgTimeoutNow
      >(m.type);
  }
}

/** Messages about one member, whose progress the handlers work on. */
function stepProgress(raft: Raft, m: Message): StepResult {
  const progress = raft.tracker.get(m.from);
  if (progress === undefined) return m.type === MessageType.MsgTransferLeader ? StepResult.NotVoter : StepResult.PeerNotFound;
  switch (m.type) {
    case MessageType.MsgAppResp:
      handleAppendResponse(raft, progress, m);
      return StepResult.Ok;
    case MessageType.MsgHeartbeatResp:
      handleHeartbeatResponse(raft, progress, m);
      return StepResult.Ok;
    case MessageType.MsgSnapStatus:
      handleSnapshotStatus(raft, progress, m);
      return StepResult.Ok;
    case MessageType.MsgUnreachable:
      handleUnreachable(progress);
      return StepResult.Ok;
    default:
      return handleTransferLeader(raft, progress, m);
  }
}
