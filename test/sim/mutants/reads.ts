import { ReadOnlyOption } from '../../../src/core/types.js';
import type { Mutant } from './mutant.js';

const transfers = { partition: 10, clog: 0, replay: 0, crash: 0, crashAll: 0, pause: 0, disk: 0, membership: 0, transfer: 14, campaign: 0, forgetLeader: 0, compaction: 0, reports: 0, workload: 0 };
const cuts = { ...transfers, partition: 20, transfer: 0 };

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
    config: { readShare: 0.7 },
    seeds: 2000,
    expected: ['I19', 'I20', 'L3'],
  },
  {
    id: 'D4',
    breaks: 'lease reads go on after the order to campaign was sent',
    edits: [{ file: 'core/raft/readIndex.js', find: ' || raft.timeoutNowSent', replace: '' }],
    profile: 'lease',
    config: { weights: transfers },
    seeds: 2000,
    expected: ['I15'],
  },
  {
    id: 'D6',
    breaks: 'parked reads outlive the leadership',
    edits: [{ file: 'core/raft/transitions.js', find: 'raft.pendingReads = [];', replace: '' }],
    profile: 'reads',
    seeds: 2000,
    expected: ['I19', 'I20', 'I15'],
  },
  {
    id: 'D13',
    breaks: 'a leader reads from its lease whenever it leads',
    edits: [{ file: 'core/raft/readIndex.js', find: 'const longest = raft.config.electionTick - 2 - raft.config.leaseMarginTicks;', replace: 'const longest = Infinity;' }],
    profile: 'lease',
    config: { weights: cuts, readOnlyOption: ReadOnlyOption.LeaseBased },
    seeds: 2000,
    expected: ['I15'],
  },
];
