import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import type * as sim from '../../../src/sim/index.js';
import type * as crashes from '../../wal/support/crashOracle.js';
import type * as workloads from '../../wal/support/walWorkloads.js';
import type * as full from '../full/simulateFull.js';
import type { Mutant } from './mutant.js';

type Simulator = typeof sim;
type Checker = sim.Checker;

/** What went wrong in a run, null if nothing did. */
export type Outcome = Pick<sim.SimFailure, 'invariant' | 'message' | 'error'> | null;

/** Who looks for a fault in a copy of the build. */
export interface Hunter {
  /** Folders of the build that it needs. */
  readonly parts: readonly string[];
  /** Gets ready with the copy in a folder, which has modules of its own. Returns what does one run. */
  load(folder: string): Promise<(mutant: Mutant, seed: number) => Outcome | Promise<Outcome>>;
}

const walParts = ['src/core', 'src/sim', 'src/codec', 'src/node', 'test/support', 'test/wal/support', 'test/sim/full', 'test/sim/runSeeds.js', 'test/sim/commandLine.js'];

/** All hunters, by the name that a mutant calls them with. */
export const hunters = {
  /** The simulator, with its model of a disk. */
  sim: {
    parts: ['src/core', 'src/sim'],
    async load(folder) {
      const simulator = await load<Simulator>(folder, 'src/sim/index.js');
      return (mutant, seed) => {
        const { profile, steps = 2000, config = {} } = mutant;
        return simulator.simulate({ seed, steps, profile, config, invariants: false, checkers: () => checkersFor(simulator, mutant, seed) }).failure;
      };
    },
  },
  /** The simulator with the real write-ahead log on simulated disks. */
  full: {
    parts: walParts,
    async load(folder) {
      const simulator = await load<Simulator>(folder, 'src/sim/index.js');
      const { simulateFull } = await load<typeof full>(folder, 'test/sim/full/simulateFull.js');
      return async (mutant, seed) => {
        const { profile, steps = 2000, config = {}, wal = {} } = mutant;
        return (await simulateFull({ seed, steps, profile, config, wal, invariants: false, checkers: () => checkersFor(simulator, mutant, seed) })).failure;
      };
    },
  },
  /** The crash images of the write-ahead log: every scenario, stopped at every moment. A run is one enumeration. */
  crashes: {
    parts: walParts,
    async load(folder) {
      const { enumerateCrashes } = await load<typeof crashes>(folder, 'test/wal/support/crashOracle.js');
      const { scenarios } = await load<typeof workloads>(folder, 'test/wal/support/walWorkloads.js');
      return async (_mutant, seed) => {
        try {
          for (const scenario of scenarios) await enumerateCrashes(scenario, { share: 10, every: 0, second: 0, goOn: 0, seed });
        } catch (error) {
          return { invariant: 'crash image', message: error instanceof Error ? error.message : String(error), error };
        }
        return null;
      };
    },
  },
} as const satisfies Record<string, Hunter>;

/** Name of a hunter. */
export type HunterName = keyof typeof hunters;

async function load<T>(folder: string, file: string): Promise<T> {
  return (await import(pathToFileURL(resolve(folder, file)).href)) as T;
}

function checkersFor(simulator: Simulator, { profile, steps = 2000, ignore = [], stableLeadership }: Mutant, seed: number): Checker[] {
  const forgets = simulator.drawConfig(seed, steps, profile).diskLoss.interval > 0;
  return simulator.allCheckers({ stableLeadership: stableLeadership ?? null, ...(forgets ? { detectionBound: 3 } : {}) }).map((checker) => silenced(simulator, checker, ignore));
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
