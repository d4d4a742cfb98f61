import type { Mutant } from './mutant.js';
import { only } from './weights.js';

/** Who may lead. */
export const electionMutants: readonly Mutant[] = [
  {
    id: 'M11',
    breaks: 'stepping down within a term clears the vote',
    edits: [{ file: 'core/raft/transitions.js', find: 'reset(raft, term);\n    raft.lead = lead;', replace: 'if (raft.term === term) raft.vote = None;\n    reset(raft, term);\n    raft.lead = lead;' }],
    profile: 'default',
    seeds: 20,
    expected: ['I8', 'I12', 'I1'],
    quick: true,
  },
  {
    id: 'M11a',
    breaks: 'the same, seen without watching the votes: two leaders',
    edits: [{ file: 'core/raft/transitions.js', find: 'reset(raft, term);\n    raft.lead = lead;', replace: 'if (raft.term === term) raft.vote = None;\n    reset(raft, term);\n    raft.lead = lead;' }],
    profile: 'default',
    seeds: 5000,
    expected: ['I1', 'I2'],
    ignore: ['I8', 'I10', 'I12', 'I13', 'I16'],
  },
  {
    id: 'M12',
    breaks: 'votes also for logs that are behind',
    edits: [{ file: 'core/raft/election.js', find: 'const grant = canVote && raft.log.isUpToDate(m.index, m.logTerm)', replace: 'const grant = canVote' }],
    profile: 'default',
    seeds: 200,
    expected: ['I3', 'I4', 'assertion'],
    quick: true,
  },
  {
    id: 'M13',
    breaks: 'logs are compared by term and by length, not by the later term first',
    edits: [{ file: 'core/log/raftLog.js', find: 'return term > lastTerm || (term === lastTerm && index >= this.unstable.lastIndex());', replace: 'return term >= lastTerm && index >= this.unstable.lastIndex();' }],
    profile: 'partition',
    config: { voters: 3, learners: 0, maxNodes: 4, thinkTime: 5000, readShare: 0, weights: only({ partition: 20, crash: 4 }) },
    seeds: 500,
    expected: ['L1', 'L2', 'L3'],
  },
  {
    id: 'M14',
    breaks: 'a granted pre-vote carries the own term',
    edits: [{ file: 'core/raft/election.js', find: 'response.term = grant ? m.term : Math.max(raft.term, raft.log.lastTerm());', replace: 'response.term = grant && !preVote ? m.term : Math.max(raft.term, raft.log.lastTerm(), 1);' }],
    profile: 'churn',
    config: { preVote: true, weights: only({ membership: 20, crash: 10, partition: 4 }) },
    seeds: 500,
    expected: ['L1', 'L2', 'L3'],
  },
  {
    id: 'M15',
    breaks: 'a pre-vote moves everyone to its term',
    edits: [{ file: 'core/raft/termCheck.js', find: 'if (m.type === MessageType.MsgPreVote)\n                return true;\n', replace: '' }],
    profile: 'default',
    seeds: 50,
    expected: ['I16'],
    quick: true,
  },
  {
    id: 'M16',
    breaks: 'nobody asks before it campaigns',
    edits: [{ file: 'core/raft/election.js', find: 'return raft.config.preVote ? CampaignType.PreElection : CampaignType.Election;', replace: 'return CampaignType.Election;' }],
    profile: 'stable',
    seeds: 200,
    expected: ['L4'],
    stableLeadership: { leaderChanges: 0, termRise: 0 },
  },
];
