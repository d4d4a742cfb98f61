import { describe, expect, test } from '@jest/globals';
import { shrink, SimEventKind, simulate, Violation, type Checker, type SimFailure, type SimOptions, type UserMachine, type Workload } from '../../src/sim/index.js';

/** A counter; the broken one forgets to put its value into snapshots. */
class Counter implements UserMachine {
  private readonly broken: boolean;
  value = 0;

  constructor(broken: boolean) {
    this.broken = broken;
  }

  apply(request: Uint8Array): number {
    this.value += request[0]!;
    return this.value;
  }

  query(): number {
    return this.value;
  }

  save(): Uint8Array {
    return Uint8Array.of(this.broken ? 0 : this.value & 0xff, (this.value >> 8) & 0xff);
  }

  restore(data: Uint8Array): void {
    this.value = data[0]! + data[1]! * 256;
  }

  hash(): number {
    return this.value;
  }
}

function countingWorkload(broken: boolean): Workload {
  return {
    nextWrite: (random) => ({ request: Uint8Array.of(random.between(1, 3)), command: 'add' }),
    nextRead: () => ({ request: new Uint8Array(), command: 'get' }),
    newMachine: () => new Counter(broken),
  };
}

/** The user's own check: a counter that is only added to never goes down, whoever is asked. */
function neverDown(): Checker {
  let highest = 0;
  return {
    name: 'never down',
    kinds: [SimEventKind.OpReturned],
    onEvent(event) {
      if (event.kind !== SimEventKind.OpReturned || !event.op.write || typeof event.op.answer !== 'number') return;
      if (event.op.answer > 0 && highest > 0 && event.op.answer < highest / 4) throw new Violation('never down', `${event.op.answer} after ${highest}`);
      highest = Math.max(highest, event.op.answer);
    },
  };
}

describe('a state machine of the user', () => {
  test('runs with its own checks', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { failure } = simulate({ seed, steps: 500, profile: 'snap', workload: () => countingWorkload(false), checkers: () => [neverDown()] });
      expect(failure).toBeNull();
    }
  });

  test('that is broken is found, and the run can be made smaller', () => {
    const options = (seed: number): SimOptions => ({ seed, steps: 1000, profile: 'snap', workload: () => countingWorkload(true) });
    let seed = 0;
    while (seed < 50 && simulate(options(seed)).failure === null) seed++;
    const found = simulate(options(seed));
    expect(found.failure).not.toBeNull();

    const smaller = shrink(options(seed), 60);
    expect(smaller.result.failure?.invariant).toBe(found.failure?.invariant);
    expect(smaller.result.steps).toBeLessThan(found.steps);
    expect(simulate({ ...options(seed), config: smaller.config }).traceHash).toBe(smaller.result.traceHash);
  });
});

/** What came of the first of some runs that failed. */
function firstFailure(options: Omit<SimOptions, 'seed'>): SimFailure | null {
  for (let seed = 0; seed < 10; seed++) {
    const { failure } = simulate({ seed, steps: 500, profile: 'snap', ...options });
    if (failure !== null) return failure;
  }
  return null;
}

/** A counter with some methods in place of its own. */
function counterWith(methods: { readonly [name in keyof UserMachine]?: unknown }): () => Workload {
  return () => ({ ...countingWorkload(false), newMachine: () => Object.assign(new Counter(false), methods) });
}

describe('a state machine that breaks its contract ends the run, and the failure says how', () => {
  const thrown = new Error('out of luck');

  test.each<{ methods: { readonly [name in keyof UserMachine]?: unknown }; message: string }>([
    { methods: { apply: () => { throw thrown; } }, message: 'out of luck' },
    { methods: { apply: () => Promise.resolve(1) }, message: 'sim: apply has returned a promise: a state machine must be done when it returns' },
    { methods: { apply: (request: Uint8Array) => request.fill(9).length }, message: 'sim: apply has changed the bytes that it was given, which belong to the log' },
    { methods: { save: () => undefined }, message: 'sim: save must return a Uint8Array, has returned undefined' },
    { methods: { save: () => 'state' }, message: 'sim: save must return a Uint8Array, has returned "state"' },
    { methods: { restore: (data: Uint8Array) => data.fill(7) && undefined }, message: 'sim: restore has changed the bytes that it was given, which belong to the log' },
    { methods: { hash: () => NaN }, message: 'sim: hash must return a safe integer, has returned NaN' },
    { methods: { hash: () => undefined }, message: 'sim: hash must return a safe integer, has returned undefined' },
    { methods: { hash: () => 0.5 }, message: 'sim: hash must return a safe integer, has returned 0.5' },
    { methods: { hash: null }, message: 'sim: a state machine must have a method hash' },
  ])('$message', ({ methods, message }) => {
    expect(firstFailure({ workload: counterWith(methods) })).toMatchObject({ invariant: 'error', message });
  });

  test('the failure carries the very error that was thrown', () => {
    expect(firstFailure({ workload: counterWith({ query: () => { throw thrown; } }) })?.error).toBe(thrown);
  });

  test.each<{ methods: { readonly [name in keyof Workload]?: unknown }; message: string }>([
    { methods: { nextWrite: () => undefined }, message: 'sim: nextWrite must return an object whose request is a Uint8Array' },
    { methods: { nextRead: () => ({ request: 'get', command: 'get' }) }, message: 'sim: nextRead must return an object whose request is a Uint8Array' },
    { methods: { newMachine: () => undefined }, message: 'sim: a state machine must be an object, is undefined' },
  ])('so does a workload: $message', ({ methods, message }) => {
    expect(firstFailure({ workload: () => ({ ...countingWorkload(false), ...methods }) as Workload })).toMatchObject({ invariant: 'error', message });
  });

  test('one machine for all nodes would always agree with itself', () => {
    const machine = new Counter(false);
    const workload = (): Workload => ({ ...countingWorkload(false), newMachine: () => machine });

    expect(firstFailure({ workload })?.message).toBe('sim: newMachine must make a new state machine each time, has returned one a second time');
  });

  test('no workload is not the default one', () => {
    expect(() => simulate({ seed: 1, workload: () => undefined as unknown as Workload })).toThrow('sim: a workload must be an object, is undefined');
  });

  test('states that differ beyond 32 bits are different', () => {
    const broken = (): Workload => ({
      ...countingWorkload(true),
      newMachine: () => {
        const machine = new Counter(true);
        return Object.assign(machine, { hash: () => machine.value * 2 ** 32 });
      },
    });

    expect(firstFailure({ workload: broken })).not.toBeNull();
  });
});

describe('what a state machine keeps', () => {
  test('bytes of a snapshot that it was restored from are its own', () => {
    /** Holds its value in the bytes that it was restored from. */
    class InPlace implements UserMachine {
      private bytes = new Uint8Array(2);

      apply(request: Uint8Array): number {
        const sum = this.bytes[0]! + this.bytes[1]! * 256 + request[0]!;
        this.bytes[0] = sum & 0xff;
        this.bytes[1] = sum >> 8;
        return sum;
      }

      query(): number {
        return this.hash();
      }

      save(): Uint8Array {
        return this.bytes;
      }

      restore(data: Uint8Array): void {
        this.bytes = data as Uint8Array<ArrayBuffer>;
      }

      hash(): number {
        return this.bytes[0]! + this.bytes[1]! * 256;
      }
    }

    expect(firstFailure({ workload: () => ({ ...countingWorkload(false), newMachine: () => new InPlace() }) })).toBeNull();
  });

  test('requests that were built in one buffer are told apart', () => {
    const buffer = new Uint8Array(1);
    const workload = (): Workload => ({
      ...countingWorkload(false),
      nextWrite: (random) => ({ request: buffer.fill(random.between(1, 3)), command: 'add' }),
      nextRead: () => ({ request: buffer.fill(9), command: 'get' }),
    });
    const { cluster } = simulate({ seed: 1, steps: 500, workload });

    expect(cluster.ops.filter(({ write, request }) => write && request[0] === 9)).toEqual([]);
  });

  test('any command and any answer can be shown', () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const shown = (command: unknown, answer: unknown): string => {
      const workload = (): Workload => ({ ...counterWith({ query: () => answer })(), nextRead: () => ({ request: new Uint8Array(), command }) });
      return simulate({ seed: 1, steps: 500, workload }).recent().filter((line) => line.includes('opReturned')).join('\n');
    };

    expect(shown({ key: 5n }, Object.create(null))).toContain('read {"key":"5n"}: ok {} at');
    expect(shown(circular, circular)).toContain('read an object: ok an object at');
    expect(shown(undefined, undefined)).toContain('read undefined: ok undefined at');
  });
});

describe('checks of the user', () => {
  const throwing = (error: unknown): Checker => ({
    name: 'thrower',
    kinds: [SimEventKind.Ticked],
    onEvent() {
      throw error;
    },
  });

  test.each([
    { error: new Violation('mine', 'no'), invariant: 'mine', message: 'mine: no' },
    { error: new TypeError('a mistake'), invariant: 'error', message: 'a mistake' },
    { error: null, invariant: 'error', message: 'null' },
  ])('end the run with what they throw: $message', ({ error, invariant, message }) => {
    expect(firstFailure({ checkers: () => [throwing(error)] })).toEqual({ invariant, message, error });
  });

  test('that change what they see are told so: the nodes would get what was changed', () => {
    const meddler: Checker = {
      name: 'meddler',
      kinds: [SimEventKind.Deliver],
      onEvent(event) {
        if (event.kind === SimEventKind.Deliver) (event.message as { term: number }).term++;
      },
    };

    expect(firstFailure({ checkers: () => [meddler] })?.message).toBe('sim: a check has changed the event that it was shown');
  });

  test('are made for the configuration of the run', () => {
    let voters = 0;
    const { config } = simulate({ seed: 1, steps: 10, checkers: (made) => ((voters = made.voters), []) });

    expect(voters).toBe(config.voters);
  });
});

describe('shrink', () => {
  /** Fails when a client has been answered so often. */
  const answers = (most: number): Checker => {
    let count = 0;
    return {
      name: 'answers',
      kinds: [SimEventKind.OpReturned],
      onEvent() {
        if (++count > most) throw new Violation('answers', `more than ${most}`);
      },
    };
  };

  test('makes the checks anew for every run, so that what it returns fails again', () => {
    const options: SimOptions = { seed: 1, steps: 1000, checkers: () => [answers(30)] };
    const { config, result } = shrink(options);

    expect(result.failure?.invariant).toBe('answers');
    expect(simulate({ ...options, config }).traceHash).toBe(result.traceHash);
    expect(result.cluster.ops.length).toBeGreaterThan(30);
  });

  test('takes away everything that is not needed, and ends', () => {
    const { result, tried } = shrink({ seed: 3, steps: 1000, checkers: () => [answers(0)] });

    expect(Object.values(result.config.weights).filter((weight) => weight > 0)).toEqual([]);
    expect(result.config).toMatchObject({ voters: 1, clients: 1, keys: 1 });
    expect(tried).toBeLessThan(100);
  });

  test('refuses checks that remember something from one run to the next', () => {
    let runs = 0;
    const options: SimOptions = { seed: 1, steps: 200, checkers: () => (runs++ === 0 ? [answers(0)] : []) };

    expect(() => shrink(options, 5)).toThrow(expect.objectContaining({ code: 'ERR_RAFT_ARGUMENT_INVALID' }));
  });

  test('does not take one error for another', () => {
    /** Fails on the first node to tick, as if for another reason in small groups. */
    const options: SimOptions = {
      seed: 1,
      steps: 200,
      config: { voters: 3 },
      checkers: ({ clients }) => [{ name: 'x', kinds: [SimEventKind.Ticked], onEvent: ({ node, time }) => { throw new Error(clients > 1 ? `tick of ${node} at ${time}` : 'too few clients'); } }],
    };

    expect(shrink(options).result.failure?.message).toMatch(/^tick of/);
  });

  test('passes over what was set by hand does not allow', () => {
    const options: SimOptions = { seed: 1, steps: 200, profile: 'wipe', checkers: () => [answers(0)] };

    expect(shrink(options).result.config.voters).toBe(3);
  });

  test('returns a run that does not fail as it is', () => {
    const { result, config, tried } = shrink({ seed: 1, steps: 100 });

    expect([result.failure, config, tried]).toEqual([null, {}, 0]);
  });
});
