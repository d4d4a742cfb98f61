import { ReadOnlyOption } from '../core/types.js';
import { flag, integer, integerOrInfinity, number, numberOrInfinity, oneOf, type Range } from './configRange.js';

/** Microseconds between two ticks of a clock that runs true. */
export const tickMicros = 10_000;

/** What a run is made of. Drawn from the seed by {@link drawConfig}; every value may be set by hand. Times are in microseconds. */
export interface SimConfig {
  /** Seed of all chance in the run. */
  readonly seed: number;
  /** Name of the profile the values were drawn by. */
  readonly profile: string;
  /** Scheduled events of the safety phase. */
  readonly steps: number;

  // -- The group
  /** Voters at the beginning. */
  readonly voters: number;
  /** Learners at the beginning. Only in groups that begin with a snapshot. */
  readonly learners: number;
  /** Nodes that may ever exist. */
  readonly maxNodes: number;
  /** Whether some ids are above 2^53, and so bigints. */
  readonly bigIds: boolean;
  /** Whether the group begins with `bootstrap`, or with a snapshot that has the members in it. */
  readonly bootstrap: boolean;

  // -- Options of the core, of the same names
  /** As in `Config`. */
  readonly electionTick: number;
  /** As in `Config`. */
  readonly heartbeatTick: number;
  /** As in `Config`. */
  readonly preVote: boolean;
  /** As in `Config`. */
  readonly checkQuorum: boolean;
  /** As in `Config`. */
  readonly readOnlyOption: ReadOnlyOption;
  /** As in `Config`. */
  readonly leaseMarginTicks: number;
  /** As in `Config`. */
  readonly asyncStorageWrites: boolean;
  /** As in `Config`. */
  readonly stepDownOnRemoval: boolean;
  /** As in `Config`. */
  readonly disableProposalForwarding: boolean;
  /** As in `Config`. */
  readonly disableConfChangeValidation: boolean;
  /** As in `Config`. */
  readonly maxSizePerMsg: number;
  /** As in `Config`. */
  readonly maxCommittedSizePerReady: number;
  /** As in `Config`. */
  readonly maxUncommittedEntriesSize: number;
  /** As in `Config`. */
  readonly maxInflightMsgs: number;
  /** As in `Config`. */
  readonly maxInflightBytes: number;
  /** As in `Config`. */
  readonly maxEntriesPerReady: number;

  // -- Hosts
  /** Entries applied after which a node makes a snapshot. */
  readonly snapshotThreshold: number;
  /** Entries before a snapshot that stay in the log. */
  readonly snapshotTrailing: number;
  /** Whether the state machine is durable itself, so that a restart goes on from what it has applied. */
  readonly durableMachine: boolean;
  /** Whether a host that waits for its disk neither ticks nor steps. */
  readonly blockingHost: boolean;
  /** Writes of the append thread that may share a sync. */
  readonly groupCommit: number;
  /** Mean latency of a sync. 0: at once. */
  readonly diskLatency: number;
  /** Mean time that writing a snapshot of the leader takes on top of that. */
  readonly snapshotLatency: number;
  /** Mean time until a host with storage threads looks for the next Ready; it steps what arrives meanwhile. 0: at once. */
  readonly readyDelay: number;
  /** Mean time to apply a batch with asynchronous writes. */
  readonly applyLatency: number;
  /** Slowest and fastest clock, as a factor of the true rate. */
  readonly slowestClock: number;
  /** Fastest clock; see `slowestClock`. */
  readonly fastestClock: number;
  /** Whether every clock is one of these two, and none is between them. */
  readonly extremeClocks: boolean;
  /** Probability that a Ready is interrupted by a crash. */
  readonly readyCrash: number;
  /** Probability that a crash of a process is one of its machine. */
  readonly powerLoss: number;
  /** Mean time that a crashed node stays down. */
  readonly downTime: number;
  /** Probability that a snapshot cannot be had when the leader asks for it. */
  readonly snapshotUnavailable: number;

  // -- Network
  /** Probability that a message is lost. */
  readonly loss: number;
  /** Probability that a message arrives twice. */
  readonly duplicate: number;
  /** Least time a message takes. */
  readonly delayMin: number;
  /** Mean time a message takes on top of that. */
  readonly delayMean: number;
  /** Messages on their way on one link at most; Infinity for no limit. */
  readonly linkCapacity: number;
  /** Whether a cut also takes the messages that are on their way. */
  readonly cutLosesInFlight: boolean;

  // -- Operators and faults
  /** Mean time between two faults. 0: none. */
  readonly faultInterval: number;
  /** Weight of each group of faults; 0 switches it off. */
  readonly weights: FaultWeights;
  /** Whether pauses, clocks and operators stay within what lease reads tolerate. */
  readonly leasesHold: boolean;
  /** Disks that forget what was on them, and what operators do about it. */
  readonly diskLoss: DiskLossPlan;

  // -- Clients
  /** Clients, each with one operation at a time. */
  readonly clients: number;
  /** Registers of the default workload. */
  readonly keys: number;
  /** Mean time that a client waits between two operations. */
  readonly thinkTime: number;
  /** Time after which a client gives up. */
  readonly opTimeout: number;
  /** Probability that an operation is a read. */
  readonly readShare: number;
  /** Probability that a write is a compare-and-set. */
  readonly casShare: number;
  /** Bytes of padding in a write at most. */
  readonly payload: number;
}

/**
 * What operators do about a disk that forgets. `never`: nothing. `before`: they permit it, while every other member
 * is up and has caught up, and only then wipe the disk. `after`: they permit it when it was found out and every other
 * member has caught up. `once`: they permit the first one, as `before`, and no other. `withdrawn`: they permit it and think better of it. `always`: the option
 * `loosenFollowerLogRevert`, otherwise as `before`. `reckless`: they permit it while others are cut off, which loses data.
 */
export type RevertPermission = (typeof permissions)[number];
const permissions = ['never', 'before', 'after', 'once', 'withdrawn', 'always', 'reckless'] as const;

/** Which disks forget, and in what weather they come back. */
export interface DiskLossPlan {
  /** Mean time between two rounds, in each of which fewer than a majority forget. 0: no disk ever does. */
  readonly interval: number;
  /** What operators do about it. */
  readonly permission: RevertPermission;
  /** Whether each round is the example of O15: the followers that the leader can do without are cut off, one of the others forgets, and when the leader has noticed it dies. */
  readonly example: boolean;
  /** Probability that a message is lost, at most, while a node that has forgotten comes back. */
  readonly loss: number;
  /** Mean time that a message takes then, at most. */
  readonly delayMean: number;
}

/** How often each group of faults is chosen, against the others. */
export interface FaultWeights {
  /** Nodes that cannot hear each other. */
  readonly partition: number;
  /** Followers cut off, of which too few to be missed. */
  readonly minority: number;
  /** Leaders cut off from everybody for longer than a lease lasts. */
  readonly cutLeader: number;
  /** Links that hold messages back. */
  readonly clog: number;
  /** Messages of the past. */
  readonly replay: number;
  /** One node at a time. */
  readonly crash: number;
  /** All nodes at once. */
  readonly crashAll: number;
  /** Processes that stand still. */
  readonly pause: number;
  /** Disks that are slow or stall. */
  readonly disk: number;
  /** Changes of the configuration, sensible and impossible ones. */
  readonly membership: number;
  /** Transfers of the leadership to whomever. */
  readonly transfer: number;
  /** Campaigns for no reason. */
  readonly campaign: number;
  /** Followers that forget their leader. */
  readonly forgetLeader: number;
  /** Logs discarded up to the last applied entry. */
  readonly compaction: number;
  /** Wrong and missing reports of peers and snapshots. */
  readonly reports: number;
  /** Quiet windows and bursts. */
  readonly workload: number;
}

/** Names of the profiles: what a run concentrates on. `default` draws everything. */
export const profiles = ['default', 'churn', 'snap', 'async', 'reads', 'lease', 'partition', 'powerloss', 'small', 'stable', 'calm', 'wipe', 'permit', 'o15', 'drift'] as const;
/** Name of a profile. */
export type Profile = (typeof profiles)[number];

/** Whether there is a profile of that name. */
export function isProfile(name: string): name is Profile {
  return (profiles as readonly string[]).includes(name);
}


/** A range for each value of `T`, and for each value in it. */
export type RangesOf<T> = { readonly [K in keyof T]: T[K] extends object ? RangesOf<T[K]> : Range };

const { MAX_SAFE_INTEGER } = Number;
/** More would say nothing: no run lasts that long. */
const hour = 3_600_000_000;
const duration = number(0, hour);
const probability = number(0, 1);
const weight = number(0, 1e6);

/** What each value may be. Values that depend on each other are in `configRules.ts`. */
export const ranges: RangesOf<SimConfig> = {
  seed: integer(0, MAX_SAFE_INTEGER),
  profile: oneOf(profiles),
  steps: integer(0, MAX_SAFE_INTEGER),
  voters: integer(1, 15),
  learners: integer(0, 14),
  maxNodes: integer(1, 31),
  bigIds: flag,
  bootstrap: flag,
  electionTick: integer(3, 100),
  heartbeatTick: integer(1, 98),
  preVote: flag,
  checkQuorum: flag,
  readOnlyOption: oneOf(Object.values(ReadOnlyOption)),
  leaseMarginTicks: integer(0, 100),
  asyncStorageWrites: flag,
  stepDownOnRemoval: flag,
  disableProposalForwarding: flag,
  disableConfChangeValidation: flag,
  maxSizePerMsg: numberOrInfinity(0),
  maxCommittedSizePerReady: numberOrInfinity(1),
  maxUncommittedEntriesSize: numberOrInfinity(1),
  maxInflightMsgs: integerOrInfinity(1),
  maxInflightBytes: numberOrInfinity(1),
  maxEntriesPerReady: numberOrInfinity(1),
  snapshotThreshold: integerOrInfinity(1),
  snapshotTrailing: integerOrInfinity(0),
  durableMachine: flag,
  blockingHost: flag,
  groupCommit: integerOrInfinity(1),
  diskLatency: duration,
  snapshotLatency: duration,
  readyDelay: duration,
  applyLatency: duration,
  slowestClock: number(0.5, 1),
  fastestClock: number(1, 2),
  extremeClocks: flag,
  readyCrash: probability,
  powerLoss: probability,
  downTime: duration,
  snapshotUnavailable: probability,
  loss: probability,
  duplicate: probability,
  delayMin: duration,
  delayMean: duration,
  linkCapacity: integerOrInfinity(1),
  cutLosesInFlight: flag,
  faultInterval: duration,
  weights: {
    partition: weight,
    minority: weight,
    cutLeader: weight,
    clog: weight,
    replay: weight,
    crash: weight,
    crashAll: weight,
    pause: weight,
    disk: weight,
    membership: weight,
    transfer: weight,
    campaign: weight,
    forgetLeader: weight,
    compaction: weight,
    reports: weight,
    workload: weight,
  },
  leasesHold: flag,
  diskLoss: { interval: duration, permission: oneOf(permissions), example: flag, loss: probability, delayMean: duration },
  clients: integer(0, 1000),
  keys: integer(1, 65_536),
  // Without any time between two operations the virtual time would stand still.
  thinkTime: number(1, hour),
  opTimeout: number(1, hour),
  readShare: probability,
  casShare: probability,
  payload: integer(0, 1 << 20),
};
