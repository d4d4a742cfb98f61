import { describe, expect, test } from '@jest/globals';
import { newConfState } from '../../src/core/raftpb/state.js';
import { FaultKind, faultName } from '../../src/sim/faultKind.js';
import { Prng } from '../../src/sim/prng.js';
import { Scheduler } from '../../src/sim/scheduler.js';
import { drawConfig } from '../../src/sim/drawConfig.js';
import { profiles } from '../../src/sim/simConfig.js';
import { newWrite, SimStorage } from '../../src/sim/simStorage.js';
import { entriesFrom } from '../support/logBuilders.js';
import { parseCommand, replayCommand } from './commandLine.js';

describe('Prng', () => {
  const take = (seed: number, name: string): number[] => {
    const random = new Prng(seed, name);
    return Array.from({ length: 5 }, () => random.uint32());
  };

  test('the numbers of a seed and a name never change', () => {
    expect(take(1, 'net')).toEqual(take(1, 'net'));
    expect(take(1, 'net')).not.toEqual(take(1, 'disk'));
    expect(take(1, 'net')).not.toEqual(take(2, 'net'));
    // Seeds above 2^32 count with all their bits.
    expect(take(2 ** 32 + 1, 'net')).not.toEqual(take(1, 'net'));
  });

  test('stays within its bounds, and reaches them', () => {
    const random = new Prng(3, 'bounds');
    const seen = new Set<number>();
    for (let i = 0; i < 1000; i++) seen.add(random.between(2, 5));
    expect([...seen].sort()).toEqual([2, 3, 4, 5]);
    let sum = 0;
    for (let i = 0; i < 20_000; i++) sum += random.exponential(100);
    expect(sum / 20_000).toBeGreaterThan(95);
    expect(sum / 20_000).toBeLessThan(105);
  });
});

test('Scheduler: by time, and at one time in the order of scheduling', () => {
  const scheduler = new Scheduler();
  const done: string[] = [];
  const random = new Prng(4, 'heap');
  const expected: string[] = [];
  for (let i = 0; i < 200; i++) {
    const delay = random.below(20);
    expected.push(`${String(delay).padStart(2, '0')} ${String(i).padStart(3, '0')}`);
    scheduler.after(delay, () => done.push(`${String(scheduler.now).padStart(2, '0')} ${String(i).padStart(3, '0')}`));
  }
  while (scheduler.step());

  expect(done).toEqual(expected.sort());
  expect(scheduler.size).toBe(0);
});

describe('SimStorage', () => {
  function storage(): SimStorage {
    const made = new SimStorage(() => false);
    made.write(newWrite({ entries: entriesFrom(1, [1, 1, 1]), hardState: { term: 1, vote: 2, commit: 2 } }));
    made.sync();
    made.write(newWrite({ entries: entriesFrom(3, [2, 2]), hardState: { term: 2, vote: 0, commit: 2 } }));
    made.write(newWrite({ hardState: { term: 3, vote: 1, commit: 3 } }));
    return made;
  }

  test('what is written can be read, and is not durable yet', () => {
    const made = storage();
    expect(made.lastIndex()).toBe(4);
    expect(made.term(3)).toBe(2);
    expect(made.initialState().hardState).toEqual({ term: 3, vote: 1, commit: 3 });
    expect(made.durable.lastIndex).toBe(3);
    expect(made.durable.term(3)).toBe(1);
    expect(made.durable.term(4)).toBe(-1);
    expect(made.durable.hardState.term).toBe(1);
  });

  test.each([
    { kept: 0, lost: 2, term: 1, last: 3, termAt3: 1, why: 'nothing of it' },
    { kept: 1, lost: 1, term: 2, last: 4, termAt3: 2, why: 'the first write, whole' },
    { kept: 2, lost: 0, term: 3, last: 4, termAt3: 2, why: 'all of it' },
  ])('a power loss keeps $kept writes: $why', ({ kept, lost, term, last, termAt3 }) => {
    const made = storage();
    expect(made.keepFirst(kept)).toBe(lost);
    expect(made.initialState().hardState.term).toBe(term);
    expect(made.writtenHardState.term).toBe(term);
    expect(made.lastIndex()).toBe(last);
    expect(made.term(3)).toBe(termAt3);
    expect(made.durable.lastIndex).toBe(last);
    expect(made.pendingWrites).toBe(0);
  });

  test('snapshots and compactions are lost and kept like everything else', () => {
    const made = storage();
    made.sync();
    const confState = newConfState({ voters: [1] });
    const created = { data: Uint8Array.of(7), metadata: { confState, index: 3, term: 2 } };
    made.write(newWrite({ created, compact: 2 }));
    expect(made.firstIndex()).toBe(3);
    expect(made.keepFirst(0)).toBe(1);
    expect(made.firstIndex()).toBe(1);
    expect(made.newestSnapshot().metadata.index).toBe(0);

    made.write(newWrite({ created, compact: 2 }));
    made.sync();
    made.write(newWrite({ entries: entriesFrom(5, [3]) }));
    expect(made.keepFirst(0)).toBe(1);
    expect(made.firstIndex()).toBe(3);
    expect(made.lastIndex()).toBe(4);
    expect(made.term(2)).toBe(1);
    expect(made.newestSnapshot()).toEqual(created);
    expect(made.initialState().confState).toEqual(confState);
  });
});

test('SimStorage: a disk is replaced by a new one, or by a backup, of which it can be done again', () => {
  const storage = new SimStorage(() => false);
  storage.write(newWrite({ entries: entriesFrom(1, [1, 1]), hardState: { term: 1, vote: 2, commit: 1 } }));
  storage.sync();
  const backup = storage.backup();
  for (const term of [2, 3]) {
    storage.write(newWrite({ entries: entriesFrom(2, [term, term]), hardState: { term, vote: 1, commit: 3 } }));
    storage.sync();
    storage.replaceDisk(backup);
    expect([storage.lastIndex(), storage.term(2), storage.durable.lastIndex]).toEqual([2, 1, 2]);
    expect(storage.initialState().hardState).toEqual({ term: 1, vote: 2, commit: 1 });
  }
  storage.replaceDisk(null);
  expect([storage.lastIndex(), storage.durable.lastIndex, storage.writtenHardState.term]).toEqual([0, 0, 0]);
});

describe('the command line', () => {
  test('a replay command is read back as what it says', () => {
    const config = { linkCapacity: Infinity, voters: 3 };
    const words = replayCommand(7, 900, 'snap', config).split(' -- ')[1]!.split(' ').map((word) => word.replace(/^'|'$/g, ''));
    expect(parseCommand(words)).toMatchObject({ from: 7, seeds: 1, steps: 900, profile: 'snap', config });
  });

  test('has no more jobs than seeds: each gets one at least', () => {
    expect(parseCommand(['--seeds', '3', '--jobs', '8']).jobs).toBe(3);
  });

  test.each([
    { args: ['--seeds', 'many'], message: '--seeds must be a number' },
    { args: ['--profile', 'none'], message: 'no profile none' },
    { args: ['--from'], message: '--from needs a value' },
    { args: ['--what', '1'], message: 'unknown option --what' },
    { args: ['--seeds', '0'], message: '--seeds must be 1 or more' },
    { args: ['--from', '9007199254740991', '--seeds', '2'], message: 'seed must be an integer' },
    { args: ['--config', '{voters: 3}'], message: '--config must be JSON' },
    { args: ['--config', '[]'], message: 'config must be an object, is an array' },
    { args: ['--config', 'null'], message: 'config must be an object, is Infinity' },
    { args: ['--config', '{"voters":2.5}'], message: 'config.voters must be an integer from 1 to 15, is 2.5' },
    { args: ['--profile', 'wipe', '--config', '{"voters":2}'], message: 'voters is 2' },
  ])('refuses $args', ({ args, message }) => {
    expect(() => parseCommand(args)).toThrow(message);
  });
});

test('every profile draws a configuration that the core accepts, and its own from each seed', () => {
  for (const profile of profiles) {
    const drawn = Array.from({ length: 50 }, (_, seed) => drawConfig(seed, 100, profile));
    for (const config of drawn) expect(config.electionTick).toBeGreaterThan(config.heartbeatTick);
    expect(new Set(drawn.map((config) => JSON.stringify({ ...config, seed: 0 }))).size).toBe(50);
  }
});

test('every fault has a name of its own', () => {
  for (const [name, kind] of Object.entries(FaultKind)) expect(faultName(kind)).toBe(name);
});
