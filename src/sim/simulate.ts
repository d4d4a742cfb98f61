import { Violation, type Checker } from './checker.js';
import { describeEvent } from './describeEvent.js';
import { KvWorkload } from './kv.js';
import { SimCluster } from './simCluster.js';
import { drawConfig, type Profile, type SimConfig } from './simConfig.js';
import { SimEventKind, type SimEvent } from './simEvent.js';
import type { Workload } from './userMachine.js';

/** What to simulate. */
export interface SimOptions {
  /** Any safe integer of 0 or more; the same seed is the same run. */
  readonly seed: number;
  /** Scheduled events of the safety phase. Default 2000. */
  readonly steps?: number;
  /** What the run concentrates on. Default `default`. */
  readonly profile?: Profile;
  /** Values in place of the drawn ones. */
  readonly config?: Partial<SimConfig>;
  /** Clients and state machine in place of the default ones. */
  readonly workload?: (config: SimConfig) => Workload;
  /** What to check, for this run alone. Default: nothing beyond what the core and the simulator check themselves. */
  readonly checkers?: readonly Checker[];
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
  /** How often each `FaultKind` happened. */
  readonly marks: Uint32Array;
  /** The last events as text, oldest first. */
  readonly recent: () => readonly string[];
  /** The cluster as it was at the end. */
  readonly cluster: SimCluster;
}

const allKinds: readonly SimEventKind[] = Object.values(SimEventKind);

/** Runs one seed from the first election to the audit. Throws nothing for what the run finds. */
export function simulate(options: SimOptions): SimResult {
  const { seed, steps = 2000, profile = 'default' } = options;
  const config: SimConfig = { ...drawConfig(seed, steps, profile), ...options.config };
  const workload = options.workload?.(config) ?? new KvWorkload(config);
  const checkers = [...(options.checkers ?? [])];
  const { onEvent } = options;
  if (onEvent !== undefined) checkers.push({ name: 'observer', kinds: allKinds, onEvent });
  const cluster = new SimCluster(config, workload, checkers);
  let failure: SimFailure | null = null;
  try {
    cluster.run();
  } catch (error) {
    failure = {
      invariant: error instanceof Violation ? error.invariant : 'error',
      message: error instanceof Error ? error.message : String(error),
      error,
    };
  }
  return {
    config,
    failure,
    steps: cluster.steps,
    time: cluster.now,
    traceHash: cluster.hash.text,
    marks: cluster.marks,
    recent: () => cluster.recent.map(describeEvent),
    cluster,
  };
}
