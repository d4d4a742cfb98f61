import { checkConfigInvariants } from '../confchange/invariants.js';
import { panic } from '../errors.js';
import { checkLog } from '../log/invariants.js';
import { None, StateType } from '../types.js';
import { hexId, type Raft } from './raft.js';

/**
 * Checks what must hold between two calls, across the parts that check themselves at every write.
 *
 * @throws RaftError `ERR_RAFT_INVARIANT_VIOLATED` that names what does not hold.
 */
export function checkRaft(raft: Raft): void {
  checkLogOf(raft);
  checkRole(raft);
  checkProgress(raft);
}

function require(raft: Raft, condition: boolean, sentence: string): void {
  if (!condition) panic(`${hexId(raft.id)} in term ${raft.term}: ${sentence}`);
}

function checkLogOf(raft: Raft): void {
  const { log } = raft;
  checkLog(log);
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
  require(raft, raft.uncommittedSize === 0, 'a quota in use without leadership');
  require(raft, raft.leaderTicks === 0, 'ticks of a leadership that is over');
}

function checkProgress(raft: Raft): void {
  const { tracker } = raft;
  const wrong = checkConfigInvariants(tracker.config, tracker.progress);
  require(raft, wrong === null, `the configuration ${tracker.config.toString()}: ${wrong}`);
  for (let i = 0; i < tracker.ids.length; i++) {
    const progress = tracker.progresses[i]!;
    progress.checkInvariants();
    const who = `member ${hexId(tracker.ids[i]!)}`;
    require(raft, progress.inflights.count <= tracker.maxInflightMsgs, `${who}: ${progress.inflights.count} messages in flight`);
    if (raft.state !== StateType.Leader) continue;
    // Not so on other roles: what they know of the members is from the time before their log was cut off.
    require(raft, progress.next <= raft.log.lastIndex() + 1, `${who}: next ${progress.next} is beyond our log`);
  }
}
