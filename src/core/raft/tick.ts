import { None, StateType } from '../types.js';
import { checkQuorum } from './checkQuorum.js';
import { hup, ownCampaignType, promotable } from './election.js';
import { abortLeaderTransfer } from './leaderTransfer.js';
import type { Raft } from './raft.js';
import { bcastHeartbeat } from './replication.js';

/** One unit of the host's time has passed. */
export function tick(raft: Raft): void {
  if (raft.state === StateType.Leader) tickHeartbeat(raft);
  else tickElection(raft);
}

/** Followers and candidates campaign when they have heard no leader for too long (Raft §5.2). */
function tickElection(raft: Raft): void {
  raft.electionElapsed++;
  if (raft.votesHeldTicks > 0) raft.votesHeldTicks--;
  if (raft.electionElapsed < raft.randomizedElectionTimeout || !promotable(raft)) return;
  raft.electionElapsed = 0;
  hup(raft, ownCampaignType(raft));
}

/** A leader checks its quorum once per election timeout, and sends heartbeats. */
function tickHeartbeat(raft: Raft): void {
  raft.leaderTicks++;
  raft.heartbeatElapsed++;
  raft.electionElapsed++;
  if (raft.electionElapsed >= raft.config.electionTick) {
    raft.electionElapsed = 0;
    if (raft.config.checkQuorum) checkQuorum(raft);
    // A transfer that takes longer than an election would have taken is given up.
    if (raft.state === StateType.Leader && raft.leadTransferee !== None) abortLeaderTransfer(raft);
  }
  // Checking the quorum may have ended the leadership.
  if (raft.state !== StateType.Leader) return;
  if (raft.heartbeatElapsed >= raft.config.heartbeatTick) {
    raft.heartbeatElapsed = 0;
    bcastHeartbeat(raft);
  }
}
