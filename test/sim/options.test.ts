import { describe, expect, test } from '@jest/globals';
import { isRaftError, RaftErrorCode } from '../../src/core/errors.js';
import { ReadOnlyOption } from '../../src/core/types.js';
import { drawConfig, profiles, shrink, simulate, type FaultWeights, type Profile, type SimConfig, type SimOptions } from '../../src/sim/index.js';
import { runConfig } from '../../src/sim/runConfig.js';
import { only } from './mutants/weights.js';
import { describeFailure, runSeeds } from './runSeeds.js';

/** What is wrong with options, as the error says it. */
function complaint(options: unknown): string {
  try {
    simulate(options as SimOptions);
  } catch (error) {
    if (isRaftError(error, RaftErrorCode.ConfigInvalid)) return (error as Error).message.replace(/^sim: /, '');
    throw error;
  }
  return 'none';
}

describe('options out of their range are refused', () => {
  test.each<{ options: unknown; message: string }>([
    { options: undefined, message: 'the options must be an object, are undefined' },
    { options: {}, message: 'seed must be an integer from 0 to 9007199254740991, is undefined' },
    { options: { seed: -1 }, message: 'seed must be an integer from 0 to 9007199254740991, is -1' },
    { options: { seed: 1.5 }, message: 'seed must be an integer from 0 to 9007199254740991, is 1.5' },
    { options: { seed: NaN }, message: 'seed must be an integer from 0 to 9007199254740991, is NaN' },
    { options: { seed: 2 ** 53 }, message: 'seed must be an integer from 0 to 9007199254740991, is 9007199254740992' },
    { options: { seed: '1' }, message: 'seed must be an integer from 0 to 9007199254740991, is "1"' },
    { options: { seed: 1, steps: NaN }, message: 'steps must be an integer from 0 to 9007199254740991, is NaN' },
    { options: { seed: 1, steps: Infinity }, message: 'steps must be an integer from 0 to 9007199254740991, is Infinity' },
    { options: { seed: 1, steps: -1 }, message: 'steps must be an integer from 0 to 9007199254740991, is -1' },
    { options: { seed: 1, steps: 1.5 }, message: 'steps must be an integer from 0 to 9007199254740991, is 1.5' },
    { options: { seed: 1, profile: 'quiet' }, message: `profile must be one of ${profiles.join(', ')}, is "quiet"` },
    { options: { seed: 1, invariants: 1 }, message: 'invariants must be true or false, is 1' },
    { options: { seed: 1, workload: {} }, message: 'workload must be a function, is an object' },
    { options: { seed: 1, checkers: [] }, message: 'checkers must be a function, is an array' },
    { options: { seed: 1, checkers: () => undefined }, message: 'checkers must return an array, has returned undefined' },
    { options: { seed: 1, checkers: () => [{ name: 'x', onEvent: () => undefined }] }, message: 'a checker must have an array kinds and a method onEvent' },
    { options: { seed: 1, onEvent: 'print' }, message: 'onEvent must be a function, is "print"' },
    { options: { seed: 1, config: null }, message: 'config must be an object, is null' },
    { options: { seed: 1, config: [] }, message: 'config must be an object, is an array' },
    { options: { seed: 1, config: { delayMin: -1 } }, message: 'config.delayMin must be a number from 0 to 3600000000, is -1' },
    { options: { seed: 1, config: { slowestClock: 0 } }, message: 'config.slowestClock must be a number from 0.5 to 1, is 0' },
    { options: { seed: 1, config: { voters: 2.5 } }, message: 'config.voters must be an integer from 1 to 15, is 2.5' },
    { options: { seed: 1, config: { loss: NaN } }, message: 'config.loss must be a number from 0 to 1, is NaN' },
    { options: { seed: 1, config: { loss: 1.1 } }, message: 'config.loss must be a number from 0 to 1, is 1.1' },
    { options: { seed: 1, config: { loss: Object.create(null) as unknown } }, message: 'config.loss must be a number from 0 to 1, is an object' },
    { options: { seed: 1, config: { linkCapacity: 0 } }, message: 'config.linkCapacity must be an integer of 1 or more, or Infinity, is 0' },
    { options: { seed: 1, config: { thinkTime: 0 } }, message: 'config.thinkTime must be a number from 1 to 3600000000, is 0' },
    { options: { seed: 1, config: { preVote: 1 } }, message: 'config.preVote must be true or false, is 1' },
    { options: { seed: 1, config: { readOnlyOption: 2 } }, message: 'config.readOnlyOption must be one of 0, 1, is 2' },
    { options: { seed: 1, config: { lost: 0.1 } }, message: 'there is no option config.lost' },
    { options: { seed: 1, config: { toString: 1 } }, message: 'there is no option config.toString' },
    { options: { seed: 1, config: { weights: { crash: 1 } } }, message: 'config.weights.partition must be a number from 0 to 1000000, is undefined' },
    { options: { seed: 1, config: { weights: { ...only({}), crash: -1 } } }, message: 'config.weights.crash must be a number from 0 to 1000000, is -1' },
    { options: { seed: 1, config: { weights: { ...only({}), crush: 1 } } }, message: 'there is no option config.weights.crush' },
    { options: { seed: 1, config: { diskLoss: true } }, message: 'config.diskLoss must be an object, is true' },
  ])('$message', ({ options, message }) => {
    expect(complaint(options)).toBe(message);
  });

  test('by drawConfig and shrink as well', () => {
    expect(() => drawConfig(-1, 1, 'default')).toThrow('seed must be');
    expect(() => drawConfig(1, 1, 'quiet' as Profile)).toThrow('profile must be');
    expect(() => shrink({ seed: -1 })).toThrow('seed must be');
    expect(() => shrink({ seed: 1 }, NaN)).toThrow('budget must be');
  });

  test('what is undefined is not given', () => {
    const config = { voters: undefined, loss: undefined } as unknown as Partial<SimConfig>;

    expect(simulate({ seed: 3, steps: 200, config }).traceHash).toBe(simulate({ seed: 3, steps: 200 }).traceHash);
  });
});

describe('values in place of drawn ones', () => {
  test('what is drawn is within its ranges, and no rule changes it', () => {
    for (const profile of profiles) {
      for (let seed = 0; seed < 200; seed++) {
        const drawn = drawConfig(seed, 100, profile);
        expect(runConfig({ seed, steps: 100, profile })).toEqual(drawn);
        expect(runConfig({ seed, steps: 100, profile, config: drawn })).toEqual(drawn);
      }
    }
  });

  const leases = { readOnlyOption: ReadOnlyOption.LeaseBased, leasesHold: true } as const;
  test.each<{ config: Partial<SimConfig>; holds: (c: SimConfig) => boolean; why: string }>([
    { config: { voters: 15 }, holds: (c) => c.maxNodes >= 15 && c.learners === 0, why: 'room for all nodes' },
    { config: { learners: 2 }, holds: (c) => !c.bootstrap && c.maxNodes >= c.voters + 2, why: 'only a snapshot has learners' },
    { config: { bootstrap: true }, holds: (c) => c.learners === 0, why: 'the same, the other way round' },
    { config: { maxNodes: 2 }, holds: (c) => c.voters + c.learners <= 2 && c.voters >= 1, why: 'no more members than nodes' },
    { config: { electionTick: 3 }, holds: (c) => c.heartbeatTick === 1, why: 'heartbeats within a timeout' },
    { config: { heartbeatTick: 20 }, holds: (c) => c.electionTick >= 22, why: 'the same, the other way round' },
    { config: { heartbeatTick: 98 }, holds: (c) => c.electionTick === 100 && 98 * c.fastestClock <= 105 * c.slowestClock, why: 'true clocks where no timeout is long enough' },
    { config: { slowestClock: 0.5, fastestClock: 2 }, holds: (c) => c.heartbeatTick * 2 <= 1.05 * c.electionTick * 0.5, why: 'also on clocks that differ' },
    { config: { checkQuorum: false }, holds: (c) => c.readOnlyOption === ReadOnlyOption.Safe, why: 'no leases without check-quorum' },
    { config: { readOnlyOption: ReadOnlyOption.LeaseBased }, holds: (c) => c.checkQuorum, why: 'the same, the other way round' },
    { config: { ...leases, leaseMarginTicks: 0 }, holds: (c) => c.slowestClock === 1 && c.fastestClock === 1, why: 'clocks that leases tolerate' },
    { config: { ...leases, slowestClock: 0.5, fastestClock: 1 }, holds: (c) => c.leaseMarginTicks * 2 >= c.electionTick, why: 'a margin that tolerates the clocks' },
    { config: { maxSizePerMsg: 1e6 }, holds: (c) => c.maxInflightBytes >= 1e6, why: 'a window for one message' },
    { config: { maxInflightBytes: 1 }, holds: (c) => c.maxSizePerMsg <= 1, why: 'the same, the other way round' },
    {
      config: { diskLoss: { interval: 500_000, permission: 'never', example: false, loss: 0, delayMean: 1000 } },
      holds: (c) => c.voters >= 3 && c.weights.membership === 0 && c.electionTick >= 10 * c.heartbeatTick,
      why: 'disks forget where a leader lasts',
    },
  ])('the others are adapted: $why', ({ config, holds }) => {
    for (let seed = 0; seed < 200; seed++) {
      const run = runConfig({ seed, steps: 100, config });
      expect(run).toMatchObject(config);
      expect(holds(run) ? null : run).toBeNull();
      // As it is in the result of a run, it can be given again.
      expect(runConfig({ seed, steps: 100, config: run })).toEqual(run);
    }
  });

  test.each<{ config: Partial<SimConfig>; profile?: Profile; message: string }>([
    { config: { voters: 5, maxNodes: 4 }, message: 'maxNodes must not be below voters and learners together; voters is 5, maxNodes is 4' },
    { config: { voters: 9, learners: 9 }, message: 'there must be no more than 15 voters and learners; voters is 9, learners is 9' },
    { config: { learners: 1, bootstrap: true }, message: 'a group with learners begins with a snapshot, so bootstrap must be false; learners is 1, bootstrap is true' },
    { config: { electionTick: 4, heartbeatTick: 3 }, message: 'electionTick must be 2 above heartbeatTick or more; electionTick is 4, heartbeatTick is 3' },
    { config: { readOnlyOption: ReadOnlyOption.LeaseBased, checkQuorum: false }, message: 'lease-based reads need checkQuorum; readOnlyOption is 1, checkQuorum is false' },
    { config: { checkQuorum: false }, profile: 'lease', message: 'lease-based reads need checkQuorum; readOnlyOption is 1 in profile lease, checkQuorum is false' },
    { config: { maxInflightBytes: 1, maxSizePerMsg: 2 }, message: 'maxInflightBytes must not be below maxSizePerMsg; maxInflightBytes is 1, maxSizePerMsg is 2' },
  ])('contradictions are refused: $message', ({ config, profile = 'default', message }) => {
    for (let seed = 0; seed < 20; seed++) expect(complaint({ seed, profile, config })).toBe(message);
  });

  test('what the profile is about counts as given', () => {
    expect(complaint({ seed: 1, profile: 'wipe', config: { voters: 2 } })).toMatch(/^disks forget in groups of 3 voters and more only: .* in profile wipe, voters is 2$/);
    expect(complaint({ seed: 1, profile: 'o15', config: { electionTick: 5 } })).toMatch(/10 times heartbeatTick/);
    // Making room for two nodes would leave too few voters.
    expect(complaint({ seed: 1, profile: 'wipe', config: { maxNodes: 2 } })).toBe('maxNodes must not be below voters and learners together; maxNodes is 2');
    expect(runConfig({ seed: 1, profile: 'drift', config: { leasesHold: true } })).toMatchObject({ slowestClock: 0.5, fastestClock: 1.5, leaseMarginTicks: 0, leasesHold: true });
  });
});

describe('a single value breaks no invariant', () => {
  const minority: FaultWeights = only({ minority: 1, partition: 1 });
  const cases: { config: Partial<SimConfig>; profile?: Profile }[] = [
    ...[1, 2, 3, 5, 9].map((voters) => ({ config: { voters } })),
    ...[0, 2, 7].map((learners) => ({ config: { learners } })),
    ...[1, 2, 4].map((maxNodes) => ({ config: { maxNodes } })),
    ...[3, 4, 20].map((electionTick) => ({ config: { electionTick } })),
    ...[1, 3, 10].map((heartbeatTick) => ({ config: { heartbeatTick } })),
    ...[true, false].flatMap((on) => [{ config: { checkQuorum: on } }, { config: { preVote: on } }, { config: { bootstrap: on } }, { config: { leasesHold: on } }, { config: { durableMachine: on } }]),
    ...[ReadOnlyOption.Safe, ReadOnlyOption.LeaseBased].map((readOnlyOption) => ({ config: { readOnlyOption } })),
    ...[0, 20].map((leaseMarginTicks) => ({ config: { leaseMarginTicks } })),
    { config: { maxSizePerMsg: 1e6 } },
    { config: { maxInflightBytes: 1 } },
    { config: { slowestClock: 0.5 } },
    { config: { fastestClock: 2 } },
    { config: { loss: 1 } },
    { config: { readyCrash: 1 } },
    { config: { clients: 0 } },
    { config: { voters: 1, weights: minority } },
    // A leader is left alone (L4) only while nothing else disturbs it.
    { config: { readyCrash: 0.1 }, profile: 'stable' },
    { config: { preVote: false }, profile: 'stable' },
    { config: { checkQuorum: false }, profile: 'stable' },
    { config: { voters: 2 }, profile: 'stable' },
    { config: { diskLatency: 100_000 }, profile: 'stable' },
  ];
  test.each(cases.map(({ config, profile = 'default' }) => ({ config, profile })))('$config, profile $profile', ({ config, profile }) => {
    const { failures } = runSeeds({ from: 0, seeds: 10, steps: 200, profile, config });

    expect(failures.map((failure) => describeFailure(failure, config))).toEqual([]);
  });
});
