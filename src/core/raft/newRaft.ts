import { holdsLeases, type ResolvedConfig } from '../config.js';
import { restoreConfig } from '../confchange/restore.js';
import { RaftError, RaftErrorCode } from '../errors.js';
import { RaftLog } from '../log/raftLog.js';
import { storageFailed } from '../log/storageReader.js';
import { confStatesEquivalent, hasConfStateShape, type HardState } from '../raftpb/state.js';
import { ProgressTracker } from '../tracker/progressTracker.js';
import { isCanonicalNodeId, None } from '../types.js';
import { switchToConfig } from './membership.js';
import { Raft } from './raft.js';
import { becomeFollower } from './transitions.js';

/**
 * A follower, as its storage describes it.
 *
 * @throws RaftError `ERR_RAFT_STORAGE_FAILED` if the storage contradicts itself, `ERR_RAFT_CONFIG_INVALID`
 *   if `applied` is not within the log.
 */
export function newRaft(config: ResolvedConfig): Raft {
  const log = new RaftLog(config.storage, config.logger, config.maxCommittedSizePerReady, config.asyncStorageWrites ? Infinity : config.maxEntriesPerReady);
  const tracker = new ProgressTracker(config.maxInflightMsgs, config.maxInflightBytes);
  const raft = new Raft(config, log, tracker);

  const { hardState, confState } = log.initialState();
  if (!hasConfStateShape(confState)) throw storageFailed('its configuration has no lists of ids');
  const restored = restoreConfig(tracker, log.lastIndex(), confState);
  if (typeof restored === 'string') throw storageFailed(`its configuration is impossible: ${restored}`);
  if (!confStatesEquivalent(confState, restored.config.toConfState())) throw storageFailed('its configuration contradicts itself');
  switchToConfig(raft, restored.config, restored.progress);
  raft.restoredConfIndex = log.firstIndex() - 1;

  loadHardState(raft, hardState);
  if (holdsLeases(config) && hardState.term > 0) raft.votesHeldTicks = config.electionTick;
  loadApplied(raft, config.applied);
  becomeFollower(raft, raft.term, None);
  raft.trace?.trace({ kind: 'start', id: raft.id, hardState, lastIndex: log.lastIndex(), confState });
  return raft;
}

function loadHardState(raft: Raft, hardState: HardState): void {
  const { log } = raft;
  // A saved commit index may lag behind what is compacted or applied: a new one alone needs no sync.
  if (hardState.commit > log.lastIndex()) throw storageFailed(`commit ${hardState.commit} is beyond the last entry ${log.lastIndex()}`);
  if (log.lastTerm() > hardState.term && hardState.term !== 0) {
    throw storageFailed(`the log has term ${log.lastTerm()}, the hard state ${hardState.term}`);
  }
  if (!isCanonicalNodeId(hardState.vote)) throw storageFailed(`the vote for ${String(hardState.vote)} names no node`);
  log.commitTo(hardState.commit);
  raft.term = hardState.term;
  raft.vote = hardState.vote;
  // The log of a group that begins with a snapshot is in term 1, and its first election too. A later term
  // comes from another group member, and must not be fallen behind: terms never fall along a log.
  if (raft.term === 0 && log.lastTerm() > 1) raft.term = log.lastTerm();
}

function loadApplied(raft: Raft, applied: number): void {
  if (applied === 0) return;
  const { log } = raft;
  if (applied < log.applied || applied > log.lastIndex()) {
    throw new RaftError(
      RaftErrorCode.ConfigInvalid,
      `config: applied ${applied} is outside of [${log.applied}, ${log.lastIndex()}]`,
    );
  }
  // What was applied was committed, even if that was not saved (O1).
  log.commitTo(applied);
  log.appliedTo(applied, 0);
}
