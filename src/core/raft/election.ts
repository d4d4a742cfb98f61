import { isConfChangeEntry } from '../raftpb/entry.js';
import { newMessage, type MsgVote, type MsgVoteResp } from '../raftpb/message.js';
import { MessageType, messageTypeName } from '../raftpb/messageType.js';
import { VoteResult } from '../quorum/quorum.js';
import { holdsLeases } from '../config.js';
import { emptyBytes, maxTerm, None, StateType } from '../types.js';
import { send } from './outbox.js';
import { hexId, type Raft } from './raft.js';
import { bcastAppend } from './replication.js';
import { hasLostLog } from './reversion.js';
import { StepResult } from './stepResult.js';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './transitions.js';

/** Why a campaign starts, which decides how it is run. */
export const CampaignType = {
  /** Asks first whether it could win (dissertation §9.6). */
  PreElection: 0,
  /** Enters a new term and asks for votes (Raft §5.2). */
  Election: 1,
  /** The leader asked for it: no pre-vote, and voters do not wait for the lease of the leader to end (dissertation §3.10). */
  Transfer: 2,
} as const;
export type CampaignType = (typeof CampaignType)[keyof typeof CampaignType];

// Peers that run etcd recognise a transfer by this text.
const transferContext = Uint8Array.from('CampaignTransfer', (char) => char.charCodeAt(0));

/** Whether a vote request says that the leader itself wants this election. */
export function isTransferCampaign(m: MsgVote): boolean {
  const context = m.context;
  if (context.length !== transferContext.length) return false;
  for (let i = 0; i < context.length; i++) if (context[i] !== transferContext[i]) return false;
  return true;
}

/** Whether this node may become leader: a voter, or at least no learner, of the configuration it knows, and not about to be replaced by a snapshot. */
export function promotable(raft: Raft): boolean {
  const own = raft.tracker.get(raft.id);
  return own !== undefined && !own.isLearner && raft.log.unstable.snapshot === null;
}

/**
 * Starts a campaign, unless there is a reason against it (E1, E3). A node with a committed but
 * unapplied configuration change must wait: it could win with a quorum that no longer is one.
 */
export function hup(raft: Raft, type: CampaignType): StepResult {
  if (raft.state === StateType.Leader) return refuseCampaign(raft, StepResult.AlreadyLeader);
  if (raft.log.unstable.snapshot !== null) return refuseCampaign(raft, StepResult.SnapshotPending);
  if (hasLostLog(raft)) return refuseCampaign(raft, StepResult.LogLost);
  if (!promotable(raft)) return refuseCampaign(raft, StepResult.NotVoter);
  if (hasUnappliedConfChange(raft)) return refuseCampaign(raft, StepResult.ConfChangePending);
  // A leader needs a next term and a next index. Peers can drive us this far, but not over the edge (D9).
  if (raft.term >= maxTerm || raft.log.lastIndex() >= maxTerm) return refuseCampaign(raft, StepResult.Exhausted);
  campaign(raft, type);
  return StepResult.Ok;
}

function refuseCampaign(raft: Raft, reason: StepResult): StepResult {
  if (raft.logger.debugEnabled) raft.logger.debug(`${hexId(raft.id)} does not campaign in term ${raft.term}: ${reason}`);
  return reason;
}

function hasUnappliedConfChange(raft: Raft): boolean {
  const log = raft.log;
  // With a thread that applies, the host may have compacted what we have not heard is applied (E8).
  // What was in there nobody can tell, so there may have been a change.
  if (log.applied < log.committed && log.firstIndex() > log.applied + 1) return true;
  let found = false;
  log.scan(log.applied + 1, log.committed + 1, raft.config.maxCommittedSizePerReady, (entries) => {
    found = entries.some(isConfChangeEntry);
    return found;
  });
  return found;
}

/** Whether a leader may count on this node not to vote for anybody else yet (dissertation §4.2.3, §6.4.1). */
export function isBoundByLease(raft: Raft): boolean {
  return raft.votesHeldTicks > 0 || (raft.lead !== None && raft.electionElapsed < raft.config.electionTick);
}

/** The host wants an election now. It must not have one while a lease counts on this node, whose own vote would break it. */
export function hupByHost(raft: Raft): StepResult {
  const bound = holdsLeases(raft.config) && raft.state !== StateType.Leader && !raft.tracker.isSingleton && isBoundByLease(raft);
  return bound ? refuseCampaign(raft, StepResult.LeaseBased) : hup(raft, ownCampaignType(raft));
}

/** The election a node starts by itself: with a pre-vote where that is switched on. */
export function ownCampaignType(raft: Raft): CampaignType {
  return raft.config.preVote ? CampaignType.PreElection : CampaignType.Election;
}

/** Takes on the candidate's role and asks every voter of every half for its vote. */
export function campaign(raft: Raft, type: CampaignType): void {
  const preVote = type === CampaignType.PreElection;
  if (preVote) becomePreCandidate(raft);
  else becomeCandidate(raft);

  // A pre-vote is about the term that would come next.
  const term = preVote ? raft.term + 1 : raft.term;
  const lastIndex = raft.log.lastIndex();
  const lastTerm = raft.log.lastTerm();
  const ids = raft.tracker.voterIds;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id === raft.id) {
      // Our own vote counts like every other: once it is durable.
      const own = newMessage(preVote ? MessageType.MsgPreVoteResp : MessageType.MsgVoteResp, id);
      own.term = term;
      send(raft, own);
      continue;
    }
    const request = newMessage(preVote ? MessageType.MsgPreVote : MessageType.MsgVote, id);
    request.term = term;
    request.index = lastIndex;
    request.logTerm = lastTerm;
    request.context = type === CampaignType.Transfer ? transferContext : emptyBytes;
    send(raft, request);
  }
}

/**
 * Grants or refuses a vote or a pre-vote. All roles, learners included.
 *
 * Why a learner votes: a promotion can be committed by a quorum that does not include it, so it may be
 * a voter without knowing. Take voters 1 and 2, and a learner 3 whose promotion 1 and 2 have committed
 * and applied. If 1 fails, only 2 holds everything, and needs the vote of 3 to win. The candidate asks
 * those whom it believes to be voters; a candidate whose belief is out of date lacks the committed
 * change, and so loses by its log (O8).
 */
export function handleVoteRequest(raft: Raft, m: MsgVote): void {
  const preVote = m.type === MessageType.MsgPreVote;
  const canVote =
    raft.vote === m.from ||
    (raft.vote === None && raft.lead === None) ||
    (preVote && m.term > raft.term);
  const grant = canVote && raft.log.isUpToDate(m.index, m.logTerm) && !hasLostLog(raft);

  const response = newMessage(preVote ? MessageType.MsgPreVoteResp : MessageType.MsgVoteResp, m.from);
  // A granted pre-vote answers for the term that was asked about; ours may be far behind, and the
  // candidate would take the answer for an old one. A refusal tells our term, so that a candidate
  // that is behind catches up; a node that has a log and no term yet tells the term of its log.
  response.term = grant ? m.term : Math.max(raft.term, raft.log.lastTerm());
  response.reject = !grant;
  send(raft, response);
  if (raft.logger.debugEnabled) {
    raft.logger.debug(
      `${hexId(raft.id)} ${grant ? 'grants' : 'refuses'} ${messageTypeName(m.type)} of ${hexId(m.from)} in term ${m.term}`,
    );
  }
  if (grant && !preVote) {
    raft.electionElapsed = 0;
    raft.vote = m.from;
  }
}

/** Refuses a pre-vote for a term that is over, so that its sender learns ours. Without an answer a group with mixed terms could wait for ever. */
export function refuseOldPreVote(raft: Raft, m: MsgVote): void {
  const response = newMessage(MessageType.MsgPreVoteResp, m.from);
  response.term = raft.term;
  response.reject = true;
  send(raft, response);
}

/** Counts an answer to the running campaign. Candidates only; answers to another kind of campaign are stale. */
export function handleVoteResponse(raft: Raft, m: MsgVoteResp): void {
  const expected = raft.state === StateType.PreCandidate ? MessageType.MsgPreVoteResp : MessageType.MsgVoteResp;
  if (m.type !== expected) return;

  raft.tracker.votes.record(m.from, !m.reject);
  switch (raft.tracker.votes.result(raft.tracker.config.voters)) {
    case VoteResult.VoteWon:
      if (raft.state === StateType.PreCandidate) {
        campaign(raft, CampaignType.Election);
      } else {
        becomeLeader(raft);
        bcastAppend(raft);
      }
      return;
    case VoteResult.VoteLost:
      // Our own term also after a lost pre-vote: its answers carry a term that nobody has entered.
      becomeFollower(raft, raft.term, None);
      return;
    case VoteResult.VotePending:
  }
}
