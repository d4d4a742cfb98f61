import { Violation, type Checker, type ClusterView } from './checker.js';
import { allCheckers, type StableLeadership } from './checkers/index.js';
import { CheckedCheckers } from './checkedCheckers.js';
import { CheckedWorkload } from './checkedWorkload.js';
import { callable, checkRange, flag, isRecord, refuse, shown } from './configRange.js';
import { isUndisturbed } from './configRules.js';
import { describeEvent } from './describeEvent.js';
import { KvWorkload } from './kv.js';
import type { Recovery } from './liveness.js';
import type { NodeParts } from './nodeStorage.js';
import { runConfig } from './runConfig.js';
import { SimCluster } from './simCluster.js';
import type { Profile, SimConfig } from './simConfig.js';
import { SimEventKind, type SimEvent } from './simEvent.js';
import type { SimNode } from './simNode.js';
import type { Workload } from './userMachine.js';

/** What to simulate. */
export interface SimOptions {
  /** Any safe integer of 0 or more; the same seed is the same run. */
  readonly seed: number;
  /** Scheduled events of the safety phase. Default 2000. */
  readonly steps?: number;
  /** What the run concentrates on. Default `default`. */
  readonly profile?: Profile;
  /**
   * Values in place of the drawn ones. What was drawn and does not fit to them is adapted: `{ voters: 7 }` makes room
   * for seven nodes. What is given never is.
   */
  readonly config?: Partial<SimConfig>;
  /** Makes the clients and the state machine, in place of the default ones. Called once for every run. */
  readonly workload?: (config: SimConfig) => Workload;
  /** Makes own checks, which come after the invariants. Called once for every run, because checks remember what they have seen. */
  readonly checkers?: (config: SimConfig) => readonly Checker[];
  /** Whether the invariants of Raft are checked (I1 to I23, L1 to L5, O12, O13, and linearizability with the default workload). Default true. */
  readonly invariants?: boolean;
  /** Receives every event while it happens, for tools that show a run. */
  readonly onEvent?: (event: SimEvent) => void;
}

/** What went wrong in a run. */
export interface SimFailure {
  /** Name of the invariant; `error` for anything that is not a Violation. */
  readonly invariant: string;
  /** What is wrong. */
  readonly message: string;
  /** The error itself. */
  readonly error: unknown;
}

/** What came of a run. */
export interface SimResult {
  /** The configuration, drawn values included. */
  readonly config: SimConfig;
  /** What went wrong; null if nothing did. */
  readonly failure: SimFailure | null;
  /** Scheduled events, of all phases. */
  readonly steps: number;
  /** Virtual time at the end, in microseconds. */
  readonly time: number;
  /** Hash over all events: equal for equal runs. */
  readonly traceHash: string;
  /** How long the group took after the heal; null if the run ended before it. */
  readonly recovery: Recovery | null;
  /** How often each `FaultKind` happened. */
  readonly marks: Uint32Array;
  /** The last events as text, oldest first. */
  readonly recent: () => readonly string[];
  /** The cluster as it was at the end. */
  readonly cluster: ClusterView;
}

/** What a run demands of the leadership (L4); null if leaders are disturbed on purpose, or by what was set in place of the profile. */
function demandsOn(config: SimConfig): StableLeadership | null {
  return config.profile === 'stable' && isUndisturbed(config) ? { leaderChanges: 0, termRise: 0 } : null;
}

/** Election timeouts within which a leader notices that a log went back (O12), in the weather that `DiskLossPlan` allows. */
const detectionBound = 3;

const allKinds: readonly SimEventKind[] = Object.values(SimEventKind);

/**
 * Runs one seed: the safety phase, in which anything may fail; the heal; the liveness phase; the audit.
 * What the run finds is in the result and not thrown.
 *
 * @throws RaftError `ERR_RAFT_CONFIG_INVALID` that names the option which is out of its range, or the values which
 *   contradict each other.
 */
export function simulate(options: SimOptions): SimResult {
  const cluster = newRun(options);
  let failure: SimFailure | null = null;
  try {
    cluster.run();
  } catch (error) {
    failure = failureOf(error);
  }
  return resultOf(cluster, failure);
}

/** A run that has not begun. @param newParts as for {@link SimCluster}. */
export function newRun(options: SimOptions, newParts?: (node: SimNode) => NodeParts): SimCluster {
  checkOptions(options);
  const config = runConfig(options);
  const { onEvent, invariants = true } = options;
  const workload = options.workload === undefined ? new KvWorkload(config) : new CheckedWorkload(options.workload(config));
  const checkers = invariants ? allCheckers({ linearizability: options.workload === undefined, stableLeadership: demandsOn(config), ...(config.diskLoss.interval > 0 ? { detectionBound } : {}) }) : [];
  if (options.checkers !== undefined) checkers.push(new CheckedCheckers(options.checkers(config)));
  if (onEvent !== undefined) checkers.push({ name: 'observer', kinds: allKinds, onEvent });
  return new SimCluster(config, workload, checkers, newParts);
}

/** What `runConfig` does not look at. */
function checkOptions(options: SimOptions): void {
  if (!isRecord(options)) return refuse(`the options must be an object, are ${shown(options)}`);
  const { workload, checkers, onEvent, invariants } = options;
  for (const [name, value] of Object.entries({ workload, checkers, onEvent })) if (value !== undefined) checkRange(name, value, callable);
  if (invariants !== undefined) checkRange('invariants', invariants, flag);
}

/** What went wrong, if a run ends with `error`. */
export function failureOf(error: unknown): SimFailure {
  return {
    invariant: error instanceof Violation ? error.invariant : 'error',
    message: error instanceof Error ? error.message : String(error),
    error,
  };
}

/** What came of a run. */
export function resultOf(cluster: SimCluster, failure: SimFailure | null): SimResult {
  return {
    config: cluster.config,
    failure,
    steps: cluster.steps,
    time: cluster.now,
    traceHash: cluster.hash.text,
    recovery: cluster.recovery,
    marks: cluster.marks,
    recent: () => cluster.recent.map(describeEvent),
    cluster,
  };
}
