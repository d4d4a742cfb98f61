import { isRaftError, RaftError, RaftErrorCode } from '../core/errors.js';
import { checkRange, integerOrInfinity } from './configRange.js';
import type { FaultWeights, SimConfig } from './simConfig.js';
import { simulate, type SimFailure, type SimOptions, type SimResult } from './simulate.js';

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
 * @param options of a run that fails. One that does not fail is returned as it is.
 * @param budget runs to try at most. Default 200.
 * @throws RaftError `ERR_RAFT_CONFIG_INVALID` as {@link simulate} does; `ERR_RAFT_ARGUMENT_INVALID` if the smaller run
 *   fails no more when it is run again, because checks or a workload remember something from one run to the next.
 */
export function shrink(options: SimOptions, budget = 200): Shrunk {
  checkRange('budget', budget, integerOrInfinity(0));
  let result = simulate(options);
  const { failure } = result;
  let config: Partial<SimConfig> = { ...options.config };
  let tried = 0;
  if (failure === null) return { config, result, tried };
  const attempt = (change: Partial<SimConfig>): boolean => {
    if (tried >= budget) return false;
    tried++;
    const smaller = simulateIfPossible({ ...options, config: { ...config, ...change } });
    if (smaller === null || !isSame(smaller.failure, failure)) return false;
    config = { ...config, ...change };
    result = smaller;
    return true;
  };

  shrinkSteps(result, attempt);
  for (let changed = true; changed; ) {
    changed = false;
    for (const group of weightGroups(result.config)) if (attempt({ weights: { ...result.config.weights, [group]: 0 } })) changed = true;
    for (const choices of simplifications(result.config)) if (choices.some(attempt)) changed = true;
  }
  shrinkSteps(result, attempt);
  const again = simulate({ ...options, config });
  if (!isSame(again.failure, failure)) {
    throw new RaftError(RaftErrorCode.ArgumentInvalid, `shrink: the smaller run failed once (${failure.message}), and not when it was run again: checkers and workload must be made anew by each call, and keep nothing outside`);
  }
  return { config, result: again, tried };
}

/** The run; null if what was set by hand does not allow it. */
function simulateIfPossible(options: SimOptions): SimResult | null {
  try {
    return simulate(options);
  } catch (error) {
    if (isRaftError(error, RaftErrorCode.ConfigInvalid)) return null;
    throw error;
  }
}

/** Whether two runs fail in the same way. What is no violation is known by its words alone, but for the numbers in them. */
function isSame(a: SimFailure | null, b: SimFailure): boolean {
  if (a === null || a.invariant !== b.invariant) return false;
  return a.invariant !== 'error' || withoutNumbers(a.message) === withoutNumbers(b.message);
}

function withoutNumbers(message: string): string {
  return message.replace(/[0-9]+/g, '0');
}

function shrinkSteps(result: SimResult, attempt: (change: Partial<SimConfig>) => boolean): void {
  // A failure of the safety phase needs no step after it.
  if (result.steps < result.config.steps) attempt({ steps: result.steps });
  for (let steps = Math.floor(Math.min(result.steps, result.config.steps) / 2); steps > 10; steps = Math.floor(steps / 2)) {
    if (!attempt({ steps })) return;
  }
}

function weightGroups({ weights }: SimConfig): (keyof FaultWeights)[] {
  return (Object.keys(weights) as (keyof FaultWeights)[]).filter((group) => weights[group] > 0);
}

/** Changes that would make the run simpler: the first one of each row that does not lose the failure. */
function simplifications(c: SimConfig): (readonly Partial<SimConfig>[])[] {
  const changes: (readonly Partial<SimConfig>[])[] = [];
  const wish = (...choices: readonly Partial<SimConfig>[]): void => {
    changes.push(choices.filter((change) => (Object.keys(change) as (keyof SimConfig)[]).some((key) => c[key] !== change[key])));
  };
  wish({ faultInterval: 0 });
  wish({ loss: 0 });
  wish({ duplicate: 0 });
  wish({ readyCrash: 0 });
  wish({ snapshotUnavailable: 0 });
  wish({ linkCapacity: Infinity });
  wish({ slowestClock: 1, fastestClock: 1 });
  wish({ learners: 0 });
  wish(...Array.from({ length: c.voters - 1 }, (_, less) => ({ voters: less + 1 })));
  wish(...[1, 2, 4, 8, 16].filter((clients) => clients < c.clients).map((clients) => ({ clients })));
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
