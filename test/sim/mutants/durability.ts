import type { Edit, Mutant } from './mutant.js';
import { only } from './weights.js';

/** Lets messages of one kind leave at once, apart from those to the node itself. */
function hasty(type: string): Edit {
  return { file: 'core/raft/outbox.js', find: 'if (waitsForDurability(m.type)) {', replace: `if (waitsForDurability(m.type) && (m.type !== MessageType.${type} || m.to === raft.id)) {` };
}

const ownAck: Pick<Edit, 'file' | 'find'> = { file: 'core/raft/appendEntry.js', find: 'ack.index = last;' };

const noTermOfWrite: Edit = { file: 'core/raft/applied.js', find: 'if (index !== 0 && term === raft.term)', replace: 'if (index !== 0)' };
const noTermOfEntry: Edit = {
  file: 'core/log/unstable.js',
  find: 'if (this.term(count - 1) !== term)',
  replace: 'if (false)',
};

/** Many writes that are slow and lost: a crash finds something unsynced. */
const storm = {
  voters: 3,
  learners: 0,
  maxNodes: 6,
  preVote: false,
  snapshotThreshold: 500,
  weights: only({ partition: 8, replay: 4, crash: 20, crashAll: 2, disk: 4, transfer: 2, campaign: 10 }),
  diskLatency: 30_000, powerLoss: 1, readyCrash: 0.02, downTime: 20_000, faultInterval: 40_000, loss: 0 };


/** Readys that leave entries for the next one whenever they can. */
const inParts = { asyncStorageWrites: false, maxEntriesPerReady: 1, preVote: true };

function inReady(find: string, replace: string): Edit {
  return { file: 'core/ready.js', find, replace };
}

/** Nobody speaks before it has written. */
export const durabilityMutants: readonly Mutant[] = [
  { id: 'M01', breaks: 'a vote is answered before it is on disk', edits: [hasty('MsgVoteResp')], profile: 'async', seeds: 20, expected: ['I12'], ignore: ['I13'], quick: true },
  {
    id: 'M01a',
    breaks: 'the same, seen without watching the disk: two leaders',
    edits: [hasty('MsgVoteResp')],
    profile: 'async',
    config: storm,
    seeds: 5000,
    expected: ['I1', 'I2', 'I3', 'I4', 'I8'],
    ignore: ['I11', 'I12', 'I13'],
  },
  { id: 'M02', breaks: 'a vote is asked for before the term is on disk', edits: [hasty('MsgVote')], profile: 'async', seeds: 20, expected: ['I13'], quick: true },
  { id: 'M04', breaks: 'an append is acknowledged before it is on disk', edits: [hasty('MsgAppResp')], profile: 'async', seeds: 20, expected: ['I11', 'I13'], quick: true },
  {
    id: 'M04a',
    breaks: 'the same, seen without watching the messages: what is committed is lost',
    edits: [hasty('MsgAppResp')],
    profile: 'async',
    seeds: 2000,
    expected: ['I4', 'I7'],
    ignore: ['I11', 'I12', 'I13', 'I17'],
  },
  {
    id: 'M05',
    breaks: 'the only voter commits before it has written',
    edits: [
      {
        ...ownAck,
        replace: `ack.index = last;
          if (raft.tracker.isSingleton) {
            raft.tracker.get(raft.id)?.maybeUpdate(last);
            raft.log.commitTo(last);
            if (raft.trace !== null) raft.trace.trace({ kind: 'commit', id: raft.id, term: raft.term, commit: last });
          }`,
      },
    ],
    profile: 'small',
    seeds: 50,
    expected: ['I14'],
    quick: true,
  },
  {
    id: 'M06',
    breaks: 'a leader counts its own log before it has written it',
    edits: [{ ...ownAck, replace: 'ack.index = last; raft.tracker.get(raft.id)?.maybeUpdate(last);' }],
    profile: 'async',
    seeds: 50,
    expected: ['I14', 'I17', 'I7'],
    quick: true,
  },
  {
    id: 'M09',
    breaks: 'a vote is asked for with a log that is not on disk: what is committed is lost',
    edits: [hasty('MsgVote')],
    profile: 'async',
    config: storm,
    seeds: 5000,
    expected: ['I1', 'I2', 'I3', 'I4'],
    ignore: ['I13', 'I14', 'I17'],
  },
  { id: 'M10', breaks: 'an answer of the disk counts for whatever stands at its index', edits: [noTermOfWrite, noTermOfEntry], profile: 'async', seeds: 2000, expected: ['I11', 'I14', 'I17', 'I10'] },
  { id: 'M10a', breaks: 'an answer of the disk counts for an entry that was replaced in the same term', edits: [noTermOfEntry], profile: 'async', seeds: 2000, expected: ['I11', 'I14', 'I17', 'I10'] },
  { id: 'M40', breaks: 'what a Ready has left to write is acknowledged with it', edits: [inReady('m.index > last && !m.reject', 'false')], profile: 'default', config: inParts, seeds: 200, expected: ['I11', 'I13'], quick: true },
  { id: 'M41', breaks: 'what a Ready has left to write counts as written', edits: [inReady('log.unstable.count > 0 ? last : 0', 'log.unstable.count > 0 ? log.lastIndex() : 0')], profile: 'default', config: inParts, seeds: 200, expected: ['I10', 'I11', 'I14', 'I17'] },
  { id: 'M42', breaks: 'a Ready commits what it has left to write', edits: [inReady('this.#prevCommit = Math.min(log.committed, last);', 'this.#prevCommit = log.committed;')], profile: 'default', config: inParts, seeds: 500, expected: ['I14', 'I10'] },
  { id: 'D5', breaks: 'a vote request does not wait for the disk', edits: [{ file: 'core/raft/outbox.js', find: '||\n        type === MessageType.MsgVote);', replace: ');' }], profile: 'default', seeds: 20, expected: ['I13'] },
];
