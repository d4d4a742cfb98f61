import { newMessage, type Message } from '../raftpb/message.js';
import { MessageType, messageTypeName } from '../raftpb/messageType.js';
import { None } from '../types.js';
import { isBoundByLease, isTransferCampaign, refuseOldPreVote } from './election.js';
import { send } from './outbox.js';
import { hexId, type Raft } from './raft.js';
import { becomeFollower } from './transitions.js';

/**
 * Compares the term of a message with ours (Raft §5.1): a higher one is adopted, a lower one makes the
 * message stale. Returns whether the message is to be handled.
 */
export function termCheck(raft: Raft, m: Message): boolean {
  // Proposals and reads carry no term: whoever leads may serve them.
  if (m.term === raft.term || m.term === 0) return true;
  return m.term > raft.term ? checkHigherTerm(raft, m) : checkLowerTerm(raft, m);
}

function checkHigherTerm(raft: Raft, m: Message): boolean {
  switch (m.type) {
    case MessageType.MsgVote:
    case MessageType.MsgPreVote:
      if (leaseForbids(raft, m)) return false;
      // A pre-vote only asks; nobody has entered that term.
      if (m.type === MessageType.MsgPreVote) return true;
      break;
    case MessageType.MsgPreVoteResp:
      // A granted pre-vote carries the term asked about, which we enter once a quorum grants it. A
      // refusal carries the term of its sender, which is real.
      if (!m.reject) return true;
      break;
    default:
  }
  if (raft.logger.debugEnabled) {
    raft.logger.debug(`${hexId(raft.id)} in term ${raft.term} hears of term ${m.term} from ${hexId(m.from)}`);
  }
  becomeFollower(raft, m.term, isFromLeader(m.type) ? m.from : None);
  return true;
}

/** Whether only the leader of a term sends this type. */
function isFromLeader(type: MessageType): boolean {
  return type === MessageType.MsgApp || type === MessageType.MsgHeartbeat || type === MessageType.MsgSnap;
}

/**
 * Whether a vote request is ignored because a leader was heard less than an election timeout ago
 * (dissertation §4.2.3): a node that was removed, or that cannot hear the leader, must not disturb the
 * rest. The base timeout counts, not the randomized one (V11). A transfer is what the leader wants.
 */
function leaseForbids(raft: Raft, m: Message): boolean {
  return (
    raft.config.checkQuorum &&
    isBoundByLease(raft) &&
    !isTransferCampaign(m)
  );
}

function checkLowerTerm(raft: Raft, m: Message): boolean {
  if (isFromLeader(m.type) && m.type !== MessageType.MsgSnap && (raft.config.checkQuorum || raft.config.preVote)) {
    // A leader of an older term. With check-quorum or pre-vote our vote requests may be ignored, so this
    // answer is the only way in which that leader can learn our term and we can follow a leader again.
    // A removed node does not get here: nobody sends it appends.
    send(raft, newMessage(MessageType.MsgAppResp, m.from));
  } else if (m.type === MessageType.MsgPreVote) {
    refuseOldPreVote(raft, m);
  } else if (raft.logger.debugEnabled) {
    raft.logger.debug(
      `${hexId(raft.id)} in term ${raft.term} ignores ${messageTypeName(m.type)} of term ${m.term} from ${hexId(m.from)}`,
    );
  }
  return false;
}
