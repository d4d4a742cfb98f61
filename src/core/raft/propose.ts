import { Changer } from '../confchange/changer.js';
import type { ConfChangeV2 } from '../raftpb/confChange.js';
import { tryDecodeConfChange } from '../raftpb/confChangeWire.js';
import { EntryType, isConfChangeEntry, newEntry, type Entry } from '../raftpb/entry.js';
import { maxTerm, None } from '../types.js';
import { appendEntry } from './appendEntry.js';
import { hexId, type Raft } from './raft.js';
import { bcastAppend } from './replication.js';
import { StepResult } from './stepResult.js';

/**
 * Appends proposed entries to the log and sends them out, all or none. Leader only.
 *
 * @returns Ok, or why the proposal was dropped; nothing was appended then.
 */
export function propose(raft: Raft, entries: readonly Entry[]): StepResult {
  const refusal = refuseProposal(raft);
  if (refusal !== StepResult.Ok) return refusal;

  const firstIndex = raft.log.lastIndex() + 1;
  if (firstIndex - 1 + entries.length > maxTerm) return dropped(raft, StepResult.Exhausted);
  let pendingConfIndex = raft.pendingConfIndex;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (!isConfChangeEntry(entry)) continue;
    const result = checkConfChange(raft, entry, pendingConfIndex);
    if (result !== StepResult.Ok) return dropped(raft, result);
    pendingConfIndex = firstIndex + i;
  }

  // Noted even if the quota refuses the entries, as etcd's raft does: further changes then wait until
  // the log has reached this index. Groups that mix both implementations behave alike.
  raft.pendingConfIndex = pendingConfIndex;
  if (appendEntry(raft, entries) < 0) return dropped(raft, StepResult.OverLimit);
  bcastAppend(raft);
  return StepResult.Ok;
}

function refuseProposal(raft: Raft): StepResult {
  // A leader that was removed only serves until its removal is known to the others.
  if (raft.tracker.get(raft.id) === undefined) return dropped(raft, StepResult.NotVoter);
  // What is appended now might not reach the next leader, and would delay it.
  if (raft.leadTransferee !== None) return dropped(raft, StepResult.Transferring);
  return StepResult.Ok;
}

function dropped(raft: Raft, reason: StepResult): StepResult {
  if (raft.logger.debugEnabled) raft.logger.debug(`${hexId(raft.id)} drops a proposal in term ${raft.term}: ${reason}`);
  return reason;
}

/**
 * Whether a configuration change can be accepted now (D1). Only one may be unapplied at a time: each is
 * safe against the configuration it is applied to and against no other (dissertation §4.1).
 *
 * As none is unapplied, the active configuration is exactly the one it will be applied to, and trying
 * it on a copy tells for sure whether it will work.
 */
function checkConfChange(raft: Raft, entry: Entry, pendingConfIndex: number): StepResult {
  if (raft.config.disableConfChangeValidation) return StepResult.Ok;
  const change = tryDecodeConfChange(entry);
  if (change === null) return StepResult.Invalid;
  if (pendingConfIndex > raft.log.applied) return StepResult.ConfChangePending;
  const leaves = change.changes.length === 0;
  if (raft.tracker.config.voters.isJoint && !leaves) return StepResult.Joint;
  if (!raft.tracker.config.voters.isJoint && leaves) return StepResult.NotJoint;
  return tryConfChange(raft, change) === null ? StepResult.Ok : StepResult.Invalid;
}

/** Why the change cannot be carried out on the active configuration, or null if it can. */
function tryConfChange(raft: Raft, change: ConfChangeV2): string | null {
  const changed = new Changer(raft.tracker, raft.log.lastIndex()).apply(change);
  return typeof changed === 'string' ? changed : null;
}

/**
 * Leaves a joint configuration that says so by itself (`autoLeave`). Called whenever entries were
 * applied; if it is dropped now, because of a transfer say, the next applied entry tries again, or the
 * next leader.
 */
export function proposeLeaveJoint(raft: Raft): void {
  const result = propose(raft, [newEntry(EntryType.EntryConfChangeV2)]);
  if (result === StepResult.Ok) raft.logger.info(`${hexId(raft.id)} leaves ${raft.tracker.config.toString()}`);
}
