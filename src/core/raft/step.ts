import { entriesSize } from '../raftpb/entry.js';
import type { Message } from '../raftpb/message.js';
import { MessageType } from '../raftpb/messageType.js';
import { StateType } from '../types.js';
import { handleStorageAppendResponse, handleStorageApplyResponse } from './applied.js';
import { handleVoteRequest, hupByHost } from './election.js';
import type { Raft } from './raft.js';
import { stepCandidate } from './roles/candidate.js';
import { stepFollower } from './roles/follower.js';
import { stepLeader } from './roles/leader.js';
import { StepResult } from './stepResult.js';
import { termCheck } from './termCheck.js';

/**
 * Handles one message that the wall has let through, or one of our own: the term first, then what is
 * the same for every role, then the role.
 */
export function step(raft: Raft, m: Message): StepResult {
  raft.trace?.trace({ kind: 'receive', id: raft.id, message: m });
  if (!termCheck(raft, m)) return StepResult.Ok;
  switch (m.type) {
    case MessageType.MsgVote:
    case MessageType.MsgPreVote:
      handleVoteRequest(raft, m);
      return StepResult.Ok;
    case MessageType.MsgHup:
      return hupByHost(raft);
    default:
      return stepRole(raft, m);
  }
}

function stepRole(raft: Raft, m: Message): StepResult {
  switch (raft.state) {
    case StateType.Leader:
      return stepLeader(raft, m);
    case StateType.Follower:
      return stepFollower(raft, m);
    case StateType.Candidate:
    case StateType.PreCandidate:
      return stepCandidate(raft, m);
  }
}

/** Handles an answer of the local storage threads, or one of this node to itself that had to wait for them. */
export function stepStorage(raft: Raft, m: Message): StepResult {
  switch (m.type) {
    case MessageType.MsgStorageAppendResp:
      raft.trace?.trace({ kind: 'receive', id: raft.id, message: m });
      // Its term is that of the write, not of a peer.
      handleStorageAppendResponse(raft, m.term, m.index, m.logTerm, m.snapshot);
      return StepResult.Ok;
    case MessageType.MsgStorageApplyResp:
      raft.trace?.trace({ kind: 'receive', id: raft.id, message: m });
      handleStorageApplyResponse(raft, m.entries, entriesSize(m.entries));
      return StepResult.Ok;
    default:
      // Whoever is not a member any more has no say, not even about its own log or vote.
      return raft.tracker.get(m.from) === undefined ? StepResult.PeerNotFound : step(raft, m);
  }
}
