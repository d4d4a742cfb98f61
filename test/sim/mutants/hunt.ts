/**
 * The child process of a hunt: `node hunt.js <planted> <sound> <id>` runs seeds with the simulator in the first folder
 * until an invariant fires, and prints the outcome as JSON. The second folder has the same without the fault.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import type * as sim from '../../../src/sim/index.js';
import { findMutant } from './catalogue.js';
import type { Hunt, Mutant } from './mutant.js';

type Simulator = typeof sim;
type Checker = sim.Checker;
type SimFailure = sim.SimFailure;

/** The compiled simulator in a folder. Every folder has modules of its own. */
async function load(folder: string): Promise<Simulator> {
  return (await import(pathToFileURL(resolve(folder, 'sim/index.js')).href)) as Simulator;
}

/** One run. Returns what went wrong in it, or null. */
function run(simulator: Simulator, { profile, steps = 2000, config = {}, ignore = [], stableLeadership }: Mutant, seed: number): SimFailure | null {
  const forgets = simulator.drawConfig(seed, steps, profile).diskLoss.interval > 0;
  const checkers = simulator.allCheckers({ stableLeadership: stableLeadership ?? null, ...(forgets ? { detectionBound: 3 } : {}) }).map((checker) => silenced(simulator, checker, ignore));
  return simulator.simulate({ seed, steps, profile, config, invariants: false, checkers }).failure;
}

/** The checker without some of its invariants. */
function silenced({ Violation }: Simulator, checker: Checker, ignore: readonly string[]): Checker {
  if (ignore.length === 0) return checker;
  const { name, kinds } = checker;
  const onEvent: Checker['onEvent'] = (event, view) => {
    try {
      checker.onEvent(event, view);
    } catch (error) {
      if (!(error instanceof Violation) || !ignore.includes(error.invariant)) throw error;
    }
  };
  return { name, kinds, onEvent };
}

function nameOf({ invariant, error }: SimFailure): string {
  if (invariant !== 'error') return invariant;
  return error instanceof Error && error.name === 'RaftError' ? 'assertion' : 'crash';
}

async function hunt(folder: string, soundFolder: string, mutant: Mutant): Promise<Hunt> {
  const { id, seeds } = mutant;
  const startedAt = performance.now();
  const done = (fired: string, killed: boolean, runs: number, message: string): Hunt => ({ id, fired, killed, seeds: runs, seconds: (performance.now() - startedAt) / 1000, message });
  const planted = await load(folder);
  for (let seed = 0; seed < seeds; seed++) {
    const failure = run(planted, mutant, seed);
    if (failure === null) continue;
    // The proof that it was the fault: without it the same run passes.
    const sound = run(await load(soundFolder), mutant, seed);
    if (sound !== null) return done('build fails', false, seed + 1, `seed ${seed}: ${sound.message}`);
    return done(nameOf(failure), true, seed + 1, `seed ${seed}: ${failure.message}`);
  }
  return done('survived', false, seeds, '');
}

console.log(JSON.stringify(await hunt(process.argv[2]!, process.argv[3]!, findMutant(process.argv[4]!))));
