import type { Mutant } from './mutant.js';
import { only } from './weights.js';

/** Snapshots and compaction. */
export const snapshotMutants: readonly Mutant[] = [
  {
    id: 'M30',
    breaks: 'entries behind an installed snapshot stay in the log',
    edits: [
      {
        file: 'core/log/raftLog.js',
        find: 'this.unstable.restore(snapshot);',
        replace: `const behind = index < this.unstable.lastIndex() ? this.slice(index + 1, this.unstable.lastIndex() + 1, Infinity) : null;
        this.unstable.restore(snapshot);
        if (behind !== null) this.unstable.truncateAndAppend(behind);`,
      },
    ],
    profile: 'snap',
    config: { weights: only({ partition: 20, campaign: 2, compaction: 6 }), voters: 3, learners: 0, maxNodes: 6, preVote: false, snapshotThreshold: 2, snapshotTrailing: 0, maxUncommittedEntriesSize: Infinity, thinkTime: 5000, readShare: 0 },
    seeds: 1000,
    expected: ['I2', 'I5', 'I10', 'I6', 'I11'],
  },
  {
    id: 'M31',
    breaks: 'whose progress is unknown never gets a snapshot',
    edits: [{ file: 'core/raft/replication.js', find: 'if (prevTerm < 0)\n        return', replace: 'if (prevTerm < 0)\n        return progress.match === 0 ? false :' }],
    profile: 'snap',
    seeds: 500,
    expected: ['L2', 'L3', 'L1'],
  },
  {
    id: 'M32',
    breaks: 'a snapshot has the term of the hard state',
    edits: [{ file: 'core/storage/memoryStorage.js', find: 'const term = this.term(index);\n        this.#snapshot =', replace: 'const term = this.initialState().hardState.term;\n        this.#snapshot =' }],
    profile: 'snap',
    seeds: 500,
    expected: ['I2', 'I22', 'I5', 'I3'],
  },
];
