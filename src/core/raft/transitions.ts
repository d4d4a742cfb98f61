import { assert } from '../errors.js';
import { emptyBytes, None, StateType, type NodeId, type Term } from '../types.js';
import { EntryType, newEntry } from '../raftpb/entry.js';
import { appendEntry, countUnappliedTail } from './appendEntry.js';
import { hexId, type Raft } from './raft.js';
import { ReadOnly, type PendingRead } from './readOnly.js';

// The only file that writes `raft.state`.

/**
 * Starts a role afresh: timers, votes, progress and everything that only a leader has.
 *
 * Left as it is, on purpose: the log, the configuration, `restoredConfIndex`, the counters and what is
 * queued for the next Ready. All of these are facts about this node and not about its role.
 */
function reset(raft: Raft, term: Term): void {
  if (raft.term !== term) {
    raft.ackedInTerm = raft.term === 0 ? Infinity : 0;
    raft.term = term;
    raft.vote = None;
  }
  raft.lead = None;
  raft.electionElapsed = 0;
  raft.heartbeatElapsed = 0;
  resetRandomizedElectionTimeout(raft);

  raft.leadTransferee = None;
  raft.timeoutNowSent = false;
  raft.leaderTicks = 0;
  raft.pendingConfIndex = 0;
  raft.uncommittedSize = 0;
  abortReads(raft);

  raft.tracker.votes.reset();
  raft.tracker.resetProgress(raft.id, raft.log.lastIndex());
}

function resetRandomizedElectionTimeout(raft: Raft): void {
  const electionTick = raft.config.electionTick;
  raft.randomizedElectionTimeout = electionTick + raft.config.random(electionTick);
}

/** Reads die with the leadership they waited for (D6). Those of this node are reported, those of followers run into their timeout. */
function abortReads(raft: Raft): void {
  if (raft.pendingReads.length === 0 && raft.readOnly.lastSequence === 0 && raft.state !== StateType.Leader) return;
  for (const read of raft.pendingReads) abortRead(raft, read);
  for (const read of raft.readOnly.waiting) abortRead(raft, read);
  raft.pendingReads = [];
  raft.readOnly = new ReadOnly(raft.config.readOnlyOption);
}

function abortRead(raft: Raft, { from, requestContext }: PendingRead): void {
  if (from !== None && from !== raft.id) return;
  raft.abortedReads.push({ requestContext, reason: 'leadershipLost' });
  raft.trace?.trace({ kind: 'readAborted', id: raft.id, requestContext });
}

/** Follows `lead`, or nobody yet (None), in `term`. */
export function becomeFollower(raft: Raft, term: Term, lead: NodeId): void {
  reset(raft, term);
  raft.lead = lead;
  raft.state = StateType.Follower;
  announce(raft, 'follower');
}

/** Enters the next term and votes for itself (Raft §5.2). */
export function becomeCandidate(raft: Raft): void {
  assert(raft.state !== StateType.Leader, 'transition from leader to candidate');
  reset(raft, raft.term + 1);
  raft.vote = raft.id;
  raft.state = StateType.Candidate;
  announce(raft, 'candidate');
}

/**
 * Asks whether an election could be won (dissertation §9.6). Not a `reset`: term, vote, timers and
 * progress stay, because nothing has happened yet.
 */
export function becomePreCandidate(raft: Raft): void {
  assert(raft.state !== StateType.Leader, 'transition from leader to pre-candidate');
  raft.tracker.votes.reset();
  raft.lead = None;
  raft.state = StateType.PreCandidate;
  announce(raft, 'pre-candidate');
}

/** Leads, and starts the term with an empty entry: only entries of the own term can be committed by counting (Raft §5.4.2, §8). */
export function becomeLeader(raft: Raft): void {
  assert(raft.state !== StateType.Follower, 'transition from follower to leader');
  reset(raft, raft.term);
  raft.lead = raft.id;
  raft.leaderTicks = 1;
  raft.state = StateType.Leader;

  const own = raft.tracker.get(raft.id);
  assert(own !== undefined, 'leader without progress');
  own.becomeReplicate();
  own.recentActive = true;

  // Some entry of the tail may change the configuration. Refusing further changes until the whole
  // tail is applied is safe and spares the search.
  raft.pendingConfIndex = raft.log.lastIndex();
  countUnappliedTail(raft);
  appendEntry(raft, [newEntry(EntryType.EntryNormal, emptyBytes)]);
  announce(raft, 'leader');
}

function announce(raft: Raft, role: string): void {
  raft.logger.info(`${hexId(raft.id)} is ${role} in term ${raft.term}`);
  if (raft.trace !== null) {
    raft.trace.trace({ kind: 'role', id: raft.id, state: raft.state, term: raft.term, vote: raft.vote, lead: raft.lead });
  }
}
