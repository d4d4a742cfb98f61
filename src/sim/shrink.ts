import type { FaultWeights, SimConfig } from './simConfig.js';
import { simulate, type SimOptions, type SimResult } from './simulate.js';

/** A failing run made smaller. */
export interface Shrunk {
  /** Values to give as `config` to {@link simulate}, with the same seed. */
  readonly config: Partial<SimConfig>;
  /** The smaller run; its failure is of the same invariant. */
  readonly result: SimResult;
  /** Runs that were tried. */
  readonly tried: number;
}

/**
 * Looks for a smaller run that fails in the same way: fewer steps, fewer kinds of faults, fewer clients, a
 * better network, simpler options. What is taken away does not shift the rest, because every purpose has
 * numbers of its own; what remains often is the cause.
 *
 * @param options of a run that fails.
 * @param budget runs to try at most. Default 200.
 */
export function shrink(options: SimOptions, budget = 200): Shrunk {
  let result = simulate(options);
  const { failure } = result;
  let config: Partial<SimConfig> = { ...options.config };
  let tried = 0;
  if (failure === null) return { config, result, tried };
  const attempt = (change: Partial<SimConfig>): boolean => {
    if (tried >= budget) return false;
    tried++;
    const smaller = simulate({ ...options, config: { ...config, ...change } });
    if (smaller.failure?.invariant !== failure.invariant) return false;
    config = { ...config, ...change };
    result = smaller;
    return true;
  };

  shrinkSteps(result, attempt);
  for (let changed = true; changed; ) {
    changed = false;
    for (const change of simplifications(result.config)) if (attempt(change)) changed = true;
  }
  shrinkSteps(result, attempt);
  return { config, result, tried };
}

function shrinkSteps(result: SimResult, attempt: (change: Partial<SimConfig>) => boolean): void {
  // A failure of the safety phase needs no step after it.
  if (result.steps < result.config.steps) attempt({ steps: result.steps });
  for (let steps = Math.floor(Math.min(result.steps, result.config.steps) / 2); steps > 10; steps = Math.floor(steps / 2)) {
    if (!attempt({ steps })) return;
  }
}

/** Changes that would make the run simpler, the strongest first. */
function simplifications(c: SimConfig): Partial<SimConfig>[] {
  const changes: Partial<SimConfig>[] = [];
  for (const group of Object.keys(c.weights) as (keyof FaultWeights)[]) {
    if (c.weights[group] > 0) changes.push({ weights: { ...c.weights, [group]: 0 } });
  }
  const wish = (change: Partial<SimConfig>): void => {
    if ((Object.keys(change) as (keyof SimConfig)[]).some((key) => c[key] !== change[key])) changes.push(change);
  };
  wish({ faultInterval: 0 });
  wish({ loss: 0 });
  wish({ duplicate: 0 });
  wish({ readyCrash: 0 });
  wish({ snapshotUnavailable: 0 });
  wish({ linkCapacity: Infinity });
  wish({ slowestClock: 1, fastestClock: 1 });
  wish({ learners: 0 });
  for (let voters = 1; voters < c.voters; voters++) wish({ voters });
  for (let clients = 1; clients < c.clients; clients *= 2) wish({ clients });
  wish({ keys: 1 });
  wish({ payload: 0 });
  wish({ casShare: 0 });
  wish({ bigIds: false });
  wish({ bootstrap: true });
  wish({ durableMachine: false });
  wish({ blockingHost: false });
  wish({ asyncStorageWrites: false });
  wish({ diskLatency: 0 });
  wish({ applyLatency: 0 });
  wish({ delayMin: 0 });
  return changes;
}
