import { ReadOnlyOption } from '../../../src/core/types.js';
import type { Mutant } from './mutant.js';
import { only } from './weights.js';

/** Configuration changes. */
export const membershipMutants: readonly Mutant[] = [
  {
    id: 'M33a',
    breaks: 'a new leader takes no account of a change in the tail that it took over',
    edits: [{ file: 'core/raft/transitions.js', find: 'raft.pendingConfIndex = raft.log.lastIndex();', replace: '' }],
    profile: 'churn',
    seeds: 5000,
    expected: ['I21'],
  },
  {
    id: 'M34',
    breaks: 'a node campaigns with a committed change that it has not applied',
    edits: [{ file: 'core/raft/election.js', find: 'if (hasUnappliedConfChange(raft))', replace: 'if (false)' }],
    profile: 'churn',
    config: { asyncStorageWrites: true, applyLatency: 100_000, maxCommittedSizePerReady: 1, electionTick: 3, heartbeatTick: 1, preVote: false, checkQuorum: false, readOnlyOption: ReadOnlyOption.Safe, snapshotThreshold: 500, durableMachine: false, weights: only({ partition: 6, replay: 2, crash: 6, membership: 20, transfer: 2, campaign: 6 }) },
    seeds: 5000,
    expected: ['I1', 'I3', 'I4', 'I7'],
  },
  {
    id: 'D8',
    breaks: 'a change that cannot be carried out ends the node',
    edits: [{ file: 'core/raft/membership.js', find: 'raft.ignoredConfChanges++;', replace: 'throw new Error(changed);' }],
    profile: 'churn',
    config: { disableConfChangeValidation: true },
    seeds: 200,
    expected: ['assertion', 'crash'],
  },
  {
    id: 'D14',
    breaks: 'an old change is applied on top of a snapshot that contains it',
    edits: [{ file: 'core/raft/membership.js', find: 'if (entry.index <= raft.restoredConfIndex)', replace: 'if (false)' }],
    profile: 'churn',
    config: { asyncStorageWrites: true, durableMachine: false, snapshotThreshold: 3, snapshotTrailing: 0, applyLatency: 200_000, snapshotLatency: 2_000_000, diskLatency: 2000, faultInterval: 50_000, loss: 0.1, weights: only({ partition: 15, membership: 20 }) },
    seeds: 1000,
    expected: ['I21', 'I22', 'I2', 'L2', 'assertion'],
  },
];
