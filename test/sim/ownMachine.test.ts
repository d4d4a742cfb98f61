import { describe, expect, test } from '@jest/globals';
import { shrink, SimEventKind, simulate, Violation, type Checker, type SimOptions, type UserMachine, type Workload } from '../../src/sim/index.js';

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
      const { failure } = simulate({ seed, steps: 500, profile: 'snap', workload: () => countingWorkload(false), checkers: [neverDown()] });
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
