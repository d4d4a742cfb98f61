import { ReadOnlyOption } from '../core/types.js';
import { checkRange } from './configRange.js';
import { toleratedClocks } from './configRules.js';
import { Prng } from './prng.js';
import { ranges, tickMicros, type DiskLossPlan, type FaultWeights, type Profile, type RevertPermission, type SimConfig } from './simConfig.js';

/**
 * The configuration of a run. Not only the faults are random: every seed draws its own options, sizes
 * and rates, because a bug often needs an unusual one (a window of one message, a log of three entries).
 *
 * @throws RaftError `ERR_RAFT_CONFIG_INVALID` that names the argument which is out of its range.
 */
export function drawConfig(seed: number, steps: number, profile: Profile): SimConfig {
  checkRange('seed', seed, ranges.seed);
  checkRange('steps', steps, ranges.steps);
  checkRange('profile', profile, ranges.profile);
  const random = new Prng(seed, 'config');
  const config = { ...drawGroup(random, seed, steps, profile), ...drawCore(random), ...drawHost(random), ...drawNetwork(random), ...drawClients(random) };
  const faults = {
    faultInterval: Math.round(random.logarithmic(2, 50) * tickMicros),
    weights: drawWeights(random),
    leasesHold: false,
    diskLoss: noDiskLoss,
    // A source of its own: it came later, and a draw more would have changed all that follow.
    maxEntriesPerReady: new Prng(seed, 'ready').pick([1, 2, 5, Infinity, Infinity]),
  };
  const drawn = withProfile({ ...config, ...faults }, profile, random);
  return { ...drawn, maxNodes: Math.max(drawn.maxNodes, drawn.voters + drawn.learners + 1) };
}

const noDiskLoss: DiskLossPlan = { interval: 0, permission: 'never', example: false, loss: 0, delayMean: 0 };

function drawGroup(random: Prng, seed: number, steps: number, profile: Profile): Pick<SimConfig, 'seed' | 'profile' | 'steps' | 'voters' | 'learners' | 'maxNodes' | 'bigIds' | 'bootstrap'> {
  const voters = random.pick([1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 4, 6, 7]);
  const bootstrap = random.chance(0.5);
  const learners = random.chance(0.3) && !bootstrap ? random.between(1, 3) : 0;
  return { seed, profile, steps, voters, learners, maxNodes: voters + learners + random.between(1, 4), bigIds: random.chance(0.1), bootstrap };
}

function drawCore(random: Prng): Pick<SimConfig, 'electionTick' | 'heartbeatTick' | 'preVote' | 'checkQuorum' | 'readOnlyOption' | 'leaseMarginTicks' | 'asyncStorageWrites' | 'stepDownOnRemoval' | 'disableProposalForwarding' | 'disableConfChangeValidation' | 'maxSizePerMsg' | 'maxCommittedSizePerReady' | 'maxUncommittedEntriesSize' | 'maxInflightMsgs' | 'maxInflightBytes'> {
  const electionTick = random.pick([3, 4, 5, 6, 8, 10, 10, 10, 15, 20]);
  const checkQuorum = random.chance(0.7);
  const maxSizePerMsg = random.pick([0, 1, 40, 100, 1000, 65536]);
  return {
    electionTick,
    heartbeatTick: Math.min(random.pick([1, 1, 1, 2, 3, 4]), electionTick - 2),
    preVote: random.chance(0.7),
    checkQuorum,
    readOnlyOption: checkQuorum && random.chance(0.25) ? ReadOnlyOption.LeaseBased : ReadOnlyOption.Safe,
    leaseMarginTicks: random.between(0, Math.ceil(electionTick / 4)),
    asyncStorageWrites: random.chance(0.5),
    stepDownOnRemoval: random.chance(0.5),
    disableProposalForwarding: random.chance(0.15),
    disableConfChangeValidation: random.chance(0.15),
    maxSizePerMsg,
    maxCommittedSizePerReady: random.pick([1, 30, 200, 1000, 1 << 20]),
    maxUncommittedEntriesSize: random.pick([64, 256, 1024, 65536, 1 << 30]),
    maxInflightMsgs: random.pick([1, 1, 2, 4, 16, 256]),
    maxInflightBytes: Math.max(maxSizePerMsg, random.pick([1, 100, 1000, 1 << 20])),
  };
}

function drawHost(random: Prng): Pick<SimConfig, 'snapshotThreshold' | 'snapshotTrailing' | 'durableMachine' | 'blockingHost' | 'groupCommit' | 'diskLatency' | 'snapshotLatency' | 'readyDelay' | 'applyLatency' | 'slowestClock' | 'fastestClock' | 'extremeClocks' | 'readyCrash' | 'powerLoss' | 'downTime' | 'snapshotUnavailable'> {
  const skewed = random.chance(0.6);
  return {
    snapshotThreshold: random.pick([1, 3, 5, 10, 20, 50, 200, 500]),
    snapshotTrailing: random.pick([0, 0, 1, 3, 10, 100]),
    durableMachine: random.chance(0.3),
    blockingHost: random.chance(0.3),
    groupCommit: random.pick([1, 1, 2, 8]),
    diskLatency: random.chance(0.2) ? 0 : Math.round(random.logarithmic(100, 30_000)),
    snapshotLatency: 0,
    readyDelay: 0,
    applyLatency: random.chance(0.3) ? 0 : Math.round(random.logarithmic(100, 50_000)),
    slowestClock: skewed ? 0.8 + random.below(20) / 100 : 1,
    fastestClock: skewed ? 1 + random.below(26) / 100 : 1,
    extremeClocks: false,
    readyCrash: random.chance(0.5) ? Math.round(random.logarithmic(1, 100)) / 5000 : 0,
    powerLoss: random.pick([0.2, 0.5, 0.8, 1]),
    downTime: Math.round(random.logarithmic(1, 100) * tickMicros),
    snapshotUnavailable: random.chance(0.3) ? 0.3 : 0,
  };
}

function drawNetwork(random: Prng): Pick<SimConfig, 'loss' | 'duplicate' | 'delayMin' | 'delayMean' | 'linkCapacity' | 'cutLosesInFlight'> {
  return {
    loss: random.chance(0.5) ? random.below(31) / 100 : 0,
    duplicate: random.chance(0.5) ? random.below(21) / 100 : 0,
    delayMin: random.pick([0, 0, 100, 1000, 5000, 10_000, 30_000]),
    delayMean: Math.round(random.logarithmic(300, 60_000)),
    linkCapacity: random.pick([2, 4, 10, 50, Infinity, Infinity, Infinity, Infinity]),
    cutLosesInFlight: random.chance(0.5),
  };
}

function drawClients(random: Prng): Pick<SimConfig, 'clients' | 'keys' | 'thinkTime' | 'opTimeout' | 'readShare' | 'casShare' | 'payload'> {
  return {
    clients: random.between(2, 8),
    keys: random.between(1, 10),
    thinkTime: Math.round(random.logarithmic(0.5, 20) * tickMicros),
    opTimeout: Math.round(random.logarithmic(10, 200) * tickMicros),
    readShare: random.pick([0, 0.3, 0.5, 0.8]),
    casShare: random.pick([0, 0.3, 0.7]),
    payload: random.pick([0, 0, 16, 200, 2000]),
  };
}

function drawWeights(random: Prng): FaultWeights {
  // A group is often off altogether: many kinds of faults at once hide one another.
  const weight = (share: number, on: number): number => (random.chance(share) ? on * random.between(1, 4) : 0);
  return {
    partition: weight(0.6, 4),
    minority: 0,
    cutLeader: 0,
    clog: weight(0.3, 2),
    replay: weight(0.4, 3),
    crash: weight(0.6, 4),
    crashAll: weight(0.2, 1),
    pause: weight(0.4, 2),
    disk: weight(0.3, 2),
    membership: weight(0.5, 4),
    transfer: weight(0.4, 2),
    campaign: weight(0.4, 2),
    forgetLeader: weight(0.3, 1),
    compaction: weight(0.4, 2),
    reports: weight(0.3, 2),
    workload: weight(0.3, 1),
  };
}

function withProfile(c: SimConfig, profile: Profile, random: Prng): SimConfig {
  const w = c.weights;
  switch (profile) {
    case 'default':
      // Leases hold only while clocks and operators behave, so they are checked in some runs and only used in others.
      return c.readOnlyOption === ReadOnlyOption.LeaseBased && random.chance(0.7) ? withLeases(c, random) : c;
    case 'churn':
      return { ...c, voters: random.pick([1, 2, 3, 3, 4, 5]), weights: { ...w, membership: 20 }, faultInterval: random.between(3, 12) * tickMicros };
    case 'snap':
      return { ...c, snapshotThreshold: random.between(1, 10), snapshotTrailing: random.below(3), weights: { ...w, compaction: 6, crash: 6 }, snapshotLatency: random.chance(0.5) ? Math.round(random.logarithmic(10_000, 1_000_000)) : 0 };
    case 'async':
      return {
        ...c,
        asyncStorageWrites: true,
        diskLatency: Math.round(random.logarithmic(1000, 100_000)),
        readyCrash: 0.01,
        weights: { ...w, crash: 6 },
        readyDelay: random.chance(0.5) ? Math.round(random.logarithmic(300, 10_000)) : 0,
      };
    case 'reads':
      return { ...c, readShare: 0.7, duplicate: 0.2, keys: random.between(1, 3), weights: { ...w, pause: 6, replay: 6 } };
    case 'lease':
      return withLeases({ ...c, readShare: 0.7, keys: random.between(1, 3), downTime: random.between(1, 5) * tickMicros, weights: { ...w, partition: 8, crash: 8, campaign: 3, transfer: 3 } }, random);
    case 'partition':
      return { ...c, weights: { ...w, partition: 20 }, faultInterval: random.between(5, 20) * tickMicros };
    case 'powerloss':
      return { ...c, powerLoss: 1, readyCrash: 0.02, downTime: 5 * tickMicros, diskLatency: Math.round(random.logarithmic(1000, 50_000)), weights: { ...w, crash: 20, crashAll: 2 } };
    case 'small':
      return { ...c, voters: random.between(1, 2), learners: 0 };
    case 'stable':
      return stable(c);
    case 'calm':
      return calm(c);
    case 'wipe':
      return withDiskLoss(c, random, random.chance(0.8) ? 'never' : 'withdrawn', false);
    case 'permit':
      return withDiskLoss(c, random, random.pick(['before', 'once', 'after', 'after', 'always']), false);
    case 'o15':
      return withDiskLoss({ ...c, voters: 5, learners: 0 }, random, 'never', true);
    case 'drift':
      return withDrift(c, random);
  }
}

/** A run with lease reads that must be linearizable: no clock gains more on another one than the margin tolerates. */
function withLeases(c: SimConfig, random: Prng): SimConfig {
  const electionTick = Math.max(c.electionTick, 5);
  const leaseMarginTicks = random.between(1, Math.floor(electionTick / 3));
  return {
    ...c,
    electionTick,
    checkQuorum: true,
    readOnlyOption: ReadOnlyOption.LeaseBased,
    leaseMarginTicks,
    ...toleratedClocks(leaseMarginTicks, electionTick),
    leasesHold: true,
  };
}

/**
 * A run in which disks forget. What is demanded of it holds only where a leader that is heard stays one: timeouts of
 * ten heartbeats, and no changes of the membership meanwhile.
 */
function withDiskLoss(c: SimConfig, random: Prng, permission: RevertPermission, example: boolean): SimConfig {
  const heartbeatTick = random.pick([1, 1, 1, 2]);
  return {
    ...c,
    voters: Math.max(c.voters, 3),
    electionTick: Math.max(c.electionTick, 10 * heartbeatTick),
    heartbeatTick,
    weights: { ...c.weights, membership: 0 },
    diskLoss: { interval: Math.round(random.logarithmic(20, 200) * tickMicros), permission, example, loss: random.pick([0, 0.05, 0.15]), delayMean: random.pick([300, 1000, 10_000, 30_000]) },
  };
}

/**
 * A run with lease reads in which clocks run at half or at one and a half of the true speed, and a fifth is tolerated,
 * with leaders that are cut off and asked all the same. Its stale reads are violations only for who says that
 * leases hold: they show that the other runs would find some.
 */
function withDrift(c: SimConfig, random: Prng): SimConfig {
  const quiet = calm(c);
  return {
    ...withLeases(quiet, random),
    voters: random.pick([3, 3, 5]),
    learners: 0,
    preVote: true,
    electionTick: 10,
    heartbeatTick: 1,
    leaseMarginTicks: 0,
    slowestClock: 0.5,
    fastestClock: 1.5,
    extremeClocks: true,
    leasesHold: false,
    faultInterval: 15 * tickMicros,
    weights: { ...quiet.weights, cutLeader: 2, transfer: 1 },
    readShare: 0.7,
    keys: 1,
    clients: 4,
    thinkTime: tickMicros,
    opTimeout: 10 * tickMicros,
  };
}

/** A run in which nothing may disturb the leader: followers come and go, and with pre-vote and check-quorum that is nobody's business (L4). */
function stable(c: SimConfig): SimConfig {
  const quiet = calm(c);
  return {
    ...quiet,
    voters: Math.max(c.voters, 3),
    electionTick: Math.max(c.electionTick, 5),
    heartbeatTick: 1,
    preVote: true,
    checkQuorum: true,
    faultInterval: 10 * tickMicros,
    weights: { ...quiet.weights, minority: 1 },
  };
}

function calm(c: SimConfig): SimConfig {
  const none = { partition: 0, minority: 0, cutLeader: 0, clog: 0, replay: 0, crash: 0, crashAll: 0, pause: 0, disk: 0, membership: 0, transfer: 0, campaign: 0, forgetLeader: 0, compaction: 0, reports: 0, workload: 0 };
  return { ...c, loss: 0, duplicate: 0, delayMin: 0, delayMean: 500, linkCapacity: Infinity, readyCrash: 0, faultInterval: 0, weights: none, slowestClock: 1, fastestClock: 1, snapshotUnavailable: 0, diskLatency: 200, applyLatency: 200 };
}
