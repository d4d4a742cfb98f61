import sequencer from '@jest/test-sequencer';

// The types are those of the CommonJS form, where the class is a property of what is exported.
const Sequencer = sequencer as unknown as typeof sequencer.default;

/** Suites, as jest hands them to a sequencer. */
export type Suites = Parameters<InstanceType<typeof Sequencer>['sort']>[0];

/**
 * The suites that take longest, longest first. One that began last would run alone, while the other processors have nothing to
 * do; and without the times of an earlier run jest goes by the size of the files, which says little.
 */
export const longSuites = [
  'test/node/wal/kill.test.js',
  'test/package/package.test.js',
  'test/sim/mutants/mutants.test.js',
  'test/node/wal/lockProcesses.test.js',
  'test/examples/kv/data.test.js',
  'test/examples/kv/kv.test.js',
  'test/wal/crash.test.js',
  'test/sim/simulation.test.js',
  'test/core/raft/hostileMessages.test.js',
  'test/codec/differential.test.js',
];

/** Jest's order of the suites, with the long ones before all others. */
export default class LongFirst extends Sequencer {
  override async sort(suites: Suites): Promise<Suites> {
    const rank = ({ path }: Suites[number]): number => (longSuites.findIndex((suite) => path.endsWith(suite)) + longSuites.length + 1) % (longSuites.length + 1);
    return [...(await super.sort(suites))].sort((a, b) => rank(a) - rank(b));
  }
}
