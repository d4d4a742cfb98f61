import { panic } from '../errors.js';
import { ProgressState } from '../tracker/progress.js';
import { None, StateType } from '../types.js';
import { hexId, type Raft } from './raft.js';

/**
 * Checks what must hold between two calls, across the parts that check themselves at every write.
 *
 * @throws RaftError `ERR_RAFT_INVARIANT_VIOLATED` that names what does not hold.
 */
export function checkInvariants(raft: Raft): void {
  checkLog(raft);
  checkRole(raft);
  checkProgress(raft);
}

function require(raft: Raft, condition: boolean, sentence: string): void {
  if (!condition) panic(`${hexId(raft.id)} in term ${raft.term}: ${sentence}`);
}

function checkLog(raft: Raft): void {
  const { log } = raft;
  require(raft, log.applied <= log.applying, `applied ${log.applied} is above applying ${log.applying}`);
  require(raft, log.applying <= log.committed, `applying ${log.applying} is above committed ${log.committed}`);
  require(raft, log.committed <= log.lastIndex(), `committed ${log.committed} is above the last index ${log.lastIndex()}`);
  require(raft, log.firstIndex() <= log.lastIndex() + 1, `first index ${log.firstIndex()} is above the end of the log`);
  // A node started from a snapshot of another group member has a log before it has a term.
  require(raft, raft.term === 0 || log.lastTerm() <= raft.term, `the log has term ${log.lastTerm()}`);
}

function checkRole(raft: Raft): void {
  const leads = raft.state === StateType.Leader;
  require(raft, !leads || raft.lead === raft.id, 'a leader that follows another node');
  require(raft, leads || raft.lead !== raft.id, 'a node that follows itself');
  require(raft, raft.state !== StateType.Candidate || raft.vote === raft.id, 'a candidate that voted for another node');
  require(raft, !leads || raft.vote === raft.id, 'a leader that voted for another node');
  if (leads) return;
  require(raft, raft.leadTransferee === None, 'a transfer without leadership');
  require(raft, !raft.timeoutNowSent, 'a MsgTimeoutNow without leadership');
  require(raft, raft.pendingReads.length === 0, 'reads wait for a term of leadership that is over');
  require(raft, raft.readOnly.lastSequence === 0, 'reads wait for a quorum without leadership');
  require(raft, raft.pendingConfIndex === 0, 'a pending configuration change without leadership');
}

function checkProgress(raft: Raft): void {
  const { ids, progresses, config } = raft.tracker;
  for (let i = 0; i < ids.length; i++) {
    const progress = progresses[i]!;
    const who = `member ${hexId(ids[i]!)}`;
    require(raft, progress.match < progress.next, `${who}: match ${progress.match} is not below next ${progress.next}`);
    require(raft, progress.state === ProgressState.Snapshot || progress.pendingSnapshot === 0, `${who}: a pending snapshot outside of its state`);
    require(raft, progress.state === ProgressState.Replicate || progress.inflights.count === 0, `${who}: messages in flight outside of replication`);
    require(raft, progress.isLearner === config.learners.includes(ids[i]!), `${who}: its progress and the configuration differ on whether it is a learner`);
    if (raft.state === StateType.Leader) {
      require(raft, progress.match <= raft.log.lastIndex(), `${who}: match ${progress.match} is beyond our log`);
    }
  }
}
