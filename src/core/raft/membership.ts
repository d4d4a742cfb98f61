import { Changer, type ProgressMap } from '../confchange/changer.js';
import type { Entry } from '../raftpb/entry.js';
import { tryDecodeConfChange } from '../raftpb/confChangeWire.js';
import type { ConfState } from '../raftpb/state.js';
import type { TrackerConfig } from '../tracker/config.js';
import { None, StateType } from '../types.js';
import { recheckLeaderTransfer } from './leaderTransfer.js';
import { hexId, type Raft } from './raft.js';
import { answerConfirmedReads, releasePendingReads } from './readIndex.js';
import { bcastAppend, bcastPendingEntries, maybeCommit } from './replication.js';
import { becomeFollower } from './transitions.js';

/**
 * Carries out a committed configuration change. All roles.
 *
 * A change that cannot be carried out has no effect, on every replica alike, since all apply the same
 * changes to the same configurations (D8). A change that a restored snapshot already contains has no
 * effect either: with a separate apply thread it may still be under way when the snapshot arrives (D14).
 *
 * @returns the configuration now in force, or null if the change had no effect.
 */
export function applyConfChange(raft: Raft, entry: Entry): ConfState | null {
  if (entry.index <= raft.restoredConfIndex) return ignored(raft, entry, 'older than the restored snapshot');
  const change = tryDecodeConfChange(entry);
  const changed = change === null ? 'does not decode' : new Changer(raft.tracker, raft.log.lastIndex()).apply(change);
  if (typeof changed === 'string') {
    raft.ignoredConfChanges++;
    return ignored(raft, entry, changed);
  }
  return switchToConfig(raft, changed.config, changed.progress);
}

function ignored(raft: Raft, entry: Entry, reason: string): null {
  raft.logger.warning(`${hexId(raft.id)} ignores the configuration change at ${entry.index}: ${reason}`);
  raft.trace?.trace({ kind: 'confChangeIgnored', id: raft.id, index: entry.index, reason });
  return null;
}

/**
 * Lets a configuration take effect, which came from a change or from a snapshot, and looks again at
 * everything that depends on quorums: commit index, reads, transfer. A candidate's votes need no second
 * look: a node with a change to apply does not campaign, and one that gets a snapshot follows.
 */
export function switchToConfig(raft: Raft, config: TrackerConfig, progress: ProgressMap): ConfState {
  raft.tracker.setConfig(config, progress);
  const confState = raft.tracker.confState();
  raft.logger.info(`${hexId(raft.id)} has the configuration ${config.toString()}`);
  raft.trace?.trace({ kind: 'config', id: raft.id, confState });
  if (raft.state !== StateType.Leader) return confState;

  const own = raft.tracker.get(raft.id);
  if (own === undefined || own.isLearner) {
    // The host decides whether a removed leader goes on until a quorum without it has the removal
    // committed (dissertation §4.2.2), or hands over at once.
    if (raft.config.stepDownOnRemoval) becomeFollower(raft, raft.term, None);
    else recheckReadsAndTransfer(raft);
    return confState;
  }

  if (maybeCommit(raft)) {
    // The new quorum has more in common than the old one had (E4).
    releasePendingReads(raft);
    bcastAppend(raft);
  } else {
    // New members need not wait for the next proposal or heartbeat.
    bcastPendingEntries(raft);
  }
  recheckReadsAndTransfer(raft);
  return confState;
}

function recheckReadsAndTransfer(raft: Raft): void {
  answerConfirmedReads(raft);
  recheckLeaderTransfer(raft);
}
