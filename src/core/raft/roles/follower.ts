import { newMessage, type Message } from '../../raftpb/message.js';
import { MessageType } from '../../raftpb/messageType.js';
import { None, ReadOnlyOption, type NodeId } from '../../types.js';
import { handleAppendEntries, handleHeartbeat } from '../appendEntries.js';
import { CampaignType, hup } from '../election.js';
import { send } from '../outbox.js';
import type { Raft } from '../raft.js';
import { handleReadIndexResponse } from '../readIndex.js';
import { handleSnapshot } from '../snapshot.js';
import { StepResult } from '../stepResult.js';
import { ignore } from './ignore.js';

/** Routes a message to its handler while this node follows. */
export function stepFollower(raft: Raft, m: Message): StepResult {
  switch (m.type) {
    case MessageType.MsgApp:
      hearFromLeader(raft, m.from);
      handleAppendEntries(raft, m);
      return StepResult.Ok;
    case MessageType.MsgHeartbeat:
      hearFromLeader(raft, m.from);
      handleHeartbeat(raft, m);
      return StepResult.Ok;
    case MessageType.MsgSnap:
      hearFromLeader(raft, m.from);
      handleSnapshot(raft, m);
      return StepResult.Ok;

    case MessageType.MsgProp:
      if (raft.lead !== None && raft.config.disableProposalForwarding) return StepResult.ForwardingDisabled;
      return forwardToLeader(raft, m);
    case MessageType.MsgReadIndex:
    case MessageType.MsgTransferLeader:
      return forwardToLeader(raft, m);
    case MessageType.MsgReadIndexResp:
      handleReadIndexResponse(raft, m);
      return StepResult.Ok;
    case MessageType.MsgForgetLeader:
      return forgetLeader(raft);
    case MessageType.MsgTimeoutNow:
      // The leader asked for this election, so a pre-vote would only cost a round trip (dissertation §3.10).
      return hup(raft, CampaignType.Transfer);

    case MessageType.MsgSnapStatus:
    case MessageType.MsgUnreachable:
      return StepResult.NotLeader;

    default:
      return ignore<
        // Answers to a leader or a candidate we no longer are.
        | typeof MessageType.MsgAppResp
        | typeof MessageType.MsgHeartbeatResp
        | typeof MessageType.MsgVoteResp
        | typeof MessageType.MsgPreVoteResp
      >(m.type);
  }
}

/** A message of our term from a leader proves that it is alive: our election timer restarts. */
function hearFromLeader(raft: Raft, leader: NodeId): void {
  raft.electionElapsed = 0;
  raft.lead = leader;
}

/**
 * Sends a new message on to the leader. It keeps the name of the node that asked, which gets the answer,
 * and takes over nothing but what these kinds have: no term of an earlier forwarding, and no field
 * that the wall has not looked at.
 */
function forwardToLeader(raft: Raft, m: Message): StepResult {
  if (raft.lead === None) return StepResult.NoLeader;
  const forwarded = newMessage(m.type, raft.lead);
  forwarded.from = m.from;
  if (m.type !== MessageType.MsgTransferLeader) forwarded.entries = m.entries;
  send(raft, forwarded);
  return StepResult.Ok;
}

/**
 * Follows nobody, so that this node may grant a pre-vote at once. Not with lease-based reads: the lease
 * counts on followers that do not vote.
 */
function forgetLeader(raft: Raft): StepResult {
  if (raft.config.readOnlyOption === ReadOnlyOption.LeaseBased) return StepResult.LeaseBased;
  raft.lead = None;
  return StepResult.Ok;
}
