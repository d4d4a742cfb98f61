import type { Mutant } from './mutant.js';
import { only } from './weights.js';

/** Old leaders leave tails behind, and new ones compact what replaced them. */
const stormy = { snapshotThreshold: 1, snapshotTrailing: 0, readShare: 0, weights: only({ partition: 8, crash: 8 }) };

/** Logs that go back (D10, O12, O13). Without disks that forget only a false alarm can be found. */
export const reversionMutants: readonly Mutant[] = [
  {
    id: 'O12a',
    breaks: 'contradictions are taken for a proof, and late messages contradict',
    edits: [{ file: 'core/raft/reversion.js', find: 'if (reversion.question === 0)\n        ask(raft, m.from, progress, progress.match);\n    return nothingProven;\n}\nfunction handleAnswer', replace: 'logWentBack(raft, m.from, progress, m.rejectHint);\n    return nothingProven;\n}\nfunction handleAnswer' }],
    profile: 'default',
    seeds: 2000,
    expected: ['O12'],
  },
  {
    id: 'O12b',
    breaks: 'a node that knows what it has lost votes all the same',
    edits: [{ file: 'core/raft/election.js', find: ' && !hasLostLog(raft);', replace: ';' }],
    profile: 'o15',
    seeds: 200,
    expected: ['O12'],
    quick: true,
  },
  {
    id: 'O12c',
    breaks: 'the same, seen without watching votes: what is committed is lost',
    edits: [{ file: 'core/raft/election.js', find: ' && !hasLostLog(raft);', replace: ';' }],
    profile: 'o15',
    seeds: 1000,
    expected: ['I3', 'I4', 'I5'],
    ignore: ['O12'],
  },
  {
    id: 'O12d',
    breaks: 'a node that knows what it has lost campaigns',
    edits: [{ file: 'core/raft/election.js', find: 'if (hasLostLog(raft))', replace: 'if (false)' }],
    profile: 'wipe',
    seeds: 1000,
    expected: ['O12'],
  },
  {
    id: 'O12e',
    breaks: 'a node does not notice what it has lost',
    edits: [{ file: 'core/raft/reversion.js', find: 'return index > raft.log.committed && (index > raft.ackedInTerm || index > raft.log.lastIndex());', replace: 'return false;' }],
    profile: 'wipe',
    seeds: 200,
    expected: ['assertion', 'O12', 'I3', 'I5'],
  },
  {
    id: 'O12f',
    breaks: 'a leader does not ask who tells that it has lost something',
    edits: [{ file: 'core/raft/reversion.js', find: 'askOrRepeat(raft, m.from, progress);\n        return nothingProven;', replace: 'return nothingProven;' }],
    profile: 'wipe',
    seeds: 500,
    expected: ['O12'],
  },
  {
    id: 'O12g',
    breaks: 'a question that cannot be decided is asked for ever, and the member gets nothing',
    edits: [{ file: 'core/raft/reversion.js', find: 'progress.resumeFlow();\n', replace: '' }],
    profile: 'wipe',
    config: { ...stormy, voters: 3, electionTick: 10, heartbeatTick: 1, loss: 0.3, delayMin: 0, delayMean: 20_000, diskLoss: { interval: 300_000, permission: 'never', example: false, loss: 0.3, delayMean: 20_000 } },
    seeds: 5000,
    expected: ['O12', 'error'],
  },
  {
    id: 'O13a',
    breaks: 'acknowledgements from before count after a permitted reversion',
    edits: [{ file: 'core/raft/reversion.js', find: 'if (m.index > reversion.doubtfulUpTo) {', replace: 'if (true) {' }],
    profile: 'permit',
    seeds: 3000,
    expected: ['I17', 'I7'],
  },
  {
    id: 'O13b',
    breaks: 'a permission is never used up',
    edits: [{ file: 'core/tracker/progress.js', find: 'this.reversion = null;\n        this.revertPermitted = false;', replace: 'this.reversion = null;' }],
    profile: 'permit',
    config: { weights: only({}), diskLoss: { interval: 200_000, permission: 'once', example: false, loss: 0, delayMean: 1000 } },
    seeds: 500,
    expected: ['O13'],
  },
  {
    id: 'O13c',
    breaks: 'a withdrawn permission still holds',
    edits: [{ file: 'core/raft/reversion.js', find: 'progress.revertPermitted = allow;', replace: 'progress.revertPermitted = true;' }],
    profile: 'wipe',
    seeds: 500,
    expected: ['O13'],
  },
];
