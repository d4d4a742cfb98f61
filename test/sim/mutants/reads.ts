import { ReadOnlyOption } from '../../../src/core/types.js';
import type { Mutant } from './mutant.js';
import { only } from './weights.js';

/** Reads. */
export const readMutants: readonly Mutant[] = [
  {
    id: 'M35',
    breaks: 'reads are answered before the leader has committed in its own term',
    edits: [{ file: 'core/raft/readIndex.js', find: 'if (committedInOwnTerm(raft))\n        serveRead', replace: 'if (true)\n        serveRead' }],
    profile: 'reads',
    seeds: 500,
    expected: ['I15'],
  },
  {
    id: 'M36',
    breaks: 'reads are numbered anew, so that late answers confirm later reads',
    edits: [{ file: 'core/raft/readOnly.js', find: 'this.confirmed = confirmed;\n', replace: 'this.confirmed = this.queue.length === 0 ? 0 : confirmed;\n        if (this.queue.length === 0) this.acks = new Acks();\n' }],
    profile: 'reads',
    config: { voters: 3, learners: 0, maxNodes: 6, electionTick: 4, heartbeatTick: 1, preVote: false, checkQuorum: false, readOnlyOption: ReadOnlyOption.Safe, thinkTime: 10_000, clients: 8, readShare: 0.5, weights: only({ partition: 10, replay: 30 }) },
    seeds: 5000,
    expected: ['I15'],
  },
  {
    id: 'D2',
    breaks: 'the only voter answers reads before it has committed in its own term',
    edits: [{ file: 'core/raft/readIndex.js', find: 'if (committedInOwnTerm(raft))\n        serveRead', replace: 'if (raft.tracker.isSingleton || committedInOwnTerm(raft))\n        serveRead' }],
    profile: 'small',
    config: { readShare: 0.7 },
    seeds: 500,
    expected: ['I15'],
  },
  {
    id: 'D3',
    breaks: 'reads that a new configuration confirms are never answered',
    edits: [{ file: 'core/raft/membership.js', find: 'answerConfirmedReads(raft);\n    recheck', replace: 'recheck' }],
    profile: 'churn',
    config: { readShare: 0.7, thinkTime: 10_000, voters: 2, learners: 0, maxNodes: 3, readyCrash: 0, weights: only({ membership: 20, partition: 4 }) },
    seeds: 2000,
    expected: ['I20'],
  },
  {
    id: 'D4',
    breaks: 'lease reads go on after the order to campaign was sent',
    edits: [{ file: 'core/raft/readIndex.js', find: ' || raft.timeoutNowSent', replace: '' }],
    profile: 'lease',
    config: { weights: only({ partition: 10, transfer: 14 }) },
    seeds: 2000,
    expected: ['I15'],
  },
  {
    id: 'D6',
    breaks: 'parked reads outlive the leadership',
    edits: [{ file: 'core/raft/transitions.js', find: 'raft.pendingReads = [];', replace: '' }],
    profile: 'reads',
    seeds: 2000,
    expected: ['assertion', 'I19', 'I20'],
  },
  {
    id: 'D13',
    breaks: 'a leader reads from its lease whenever it leads',
    edits: [{ file: 'core/raft/readIndex.js', find: 'const longest = raft.config.electionTick - 2 - raft.config.leaseMarginTicks;', replace: 'const longest = Infinity;' }],
    profile: 'lease',
    config: { weights: only({ partition: 20 }), readOnlyOption: ReadOnlyOption.LeaseBased },
    seeds: 2000,
    expected: ['I15'],
  },
];
