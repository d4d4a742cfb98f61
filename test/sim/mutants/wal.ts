import type { Edit, Mutant } from './mutant.js';

const file = 'node/wal/walStorage.js';

const begin: Pick<Edit, 'file' | 'find'> = { file, find: 'const writer = this.#writer;\n        writer.beginAddition(plan.bytes, snapshot !== null);' };
const end: Pick<Edit, 'file' | 'find'> = { file, find: 'return writer.add({ fill: (builder) => fill(builder, plan), sync, mark: plan.votes,' };

/** Remembers what was in force before a write. */
const remember: Edit = { ...begin, replace: `const earlier = state.summary;\n        ${begin.find}` };

/** Splits a write into two batches. */
function split(condition: string, first: string, second: string): Edit {
  return { ...end, replace: `if (${condition}) {\n            ${first}.catch(() => undefined);\n            writer.beginAddition(Infinity, true);\n            return ${second};\n        }\n        ${end.find}` };
}

/** A part of a write, as a batch of its own. */
function batch(fill: string, mark: string, snapshot: string, after: string): string {
  return `writer.add({ fill: (builder) => ${fill}, sync, mark: ${mark}, snapshot: ${snapshot}, after: ${after}, metadata: state.metadata })`;
}

const noEntries = '{ ...plan, snapshot: null, truncateFrom: 0, entries: [] }';
const early = '{ ...hardState, vote: 0, commit: earlier.hardState.commit }';

const splitVote: readonly Edit[] = [
  remember,
  split(
    'plan.votes && hardState.vote !== 0 && entries.length === 0 && snapshot === null',
    batch(`builder.hardState(${early})`, 'false', 'null', `{ ...earlier, hardState: ${early} }`),
    batch('fill(builder, plan)', 'plan.votes', 'null', 'state.summary'),
  ),
];

const entriesFirst: readonly Edit[] = [
  remember,
  split(
    'entries.length > 0 && hardState !== null',
    batch('fill(builder, { ...plan, hardState: null })', 'false', 'snapshot', '{ ...state.summary, hardState: earlier.hardState }'),
    batch(`fill(builder, ${noEntries})`, 'plan.votes', 'null', 'state.summary'),
  ),
];

const hardStateFirst: readonly Edit[] = [
  remember,
  split(
    'snapshot !== null && hardState !== null',
    batch('builder.hardState(hardState)', 'plan.votes', 'null', '{ ...earlier, hardState }'),
    batch('fill(builder, { ...plan, hardState: null })', 'false', 'snapshot', 'state.summary'),
  ),
];

const noTruncation: readonly Edit[] = [{ file, find: 'if (truncateFrom > 0)\n        builder.truncate(truncateFrom);', replace: '' }];

const retriedSync: readonly Edit[] = [
  {
    file: 'node/wal/walWriter.js',
    find: 'await segment.file.writeThrough(bytes, segment.end, this.isBlocking(bytes.length));\n        builder.placeInto',
    replace: 'await segment.file.writeThrough(bytes, segment.end, false).catch(() => segment.file.datasync());\n        builder.placeInto',
  },
];

/** The power fails often, and nothing else. */
const power = { powerLoss: 1, readyCrash: 0.02, downTime: 20_000, diskLatency: 5000 };

/** What the write-ahead log may never do (V1 to V8): seen under real nodes, and by its crash images. */
export const walMutants: readonly Mutant[] = [
  { id: 'M03', breaks: 'term and vote are written in two batches', edits: splitVote, hunter: 'full', profile: 'powerloss', config: power, seeds: 200, expected: ['I24', 'I8'] },
  { id: 'M03a', breaks: 'the same, seen by crash images', edits: splitVote, hunter: 'crashes', profile: 'default', seeds: 1, expected: ['crash image'] },
  { id: 'M07', breaks: 'entries are written in a batch before the term that they belong to', edits: entriesFirst, hunter: 'full', profile: 'powerloss', config: power, seeds: 200, expected: ['I24'] },
  { id: 'M07a', breaks: 'the same, seen by crash images', edits: entriesFirst, hunter: 'crashes', profile: 'default', seeds: 1, expected: ['crash image'] },
  { id: 'M08', breaks: 'the hard state is written before the snapshot that it commits', edits: hardStateFirst, hunter: 'full', profile: 'snap', seeds: 200, expected: ['I24'] },
  { id: 'M08a', breaks: 'the same, seen by crash images', edits: hardStateFirst, hunter: 'crashes', profile: 'default', seeds: 1, expected: ['crash image'] },
  { id: 'M29', breaks: 'nothing says that the end of the log was cut off', edits: noTruncation, hunter: 'full', profile: 'powerloss', seeds: 200, expected: ['I24', 'I9'] },
  { id: 'M29a', breaks: 'the same, seen by crash images', edits: noTruncation, hunter: 'crashes', profile: 'default', seeds: 1, expected: ['crash image'] },
  { id: 'M38', breaks: 'a sync that has failed is tried again', edits: retriedSync, hunter: 'full', profile: 'powerloss', config: power, wal: { syncErrors: 0.02 }, seeds: 200, expected: ['I24'] },
];
