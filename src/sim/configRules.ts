import { ReadOnlyOption } from '../core/types.js';
import { isRange, refuse, shown, type Range, type RangeTable } from './configRange.js';
import { ranges, type SimConfig } from './simConfig.js';

type Key = keyof SimConfig;
type Change = Partial<SimConfig>;

/** What must hold between values of a configuration. What is drawn keeps every rule. */
interface Rule {
  /** The values that it is about. */
  readonly of: readonly Key[];
  /** What must hold, for who has set values that contradict each other. */
  readonly words: string;
  holds(c: SimConfig): boolean;
  /** Changes that may make it hold, the first one first that leaves alone what was set. */
  mends(c: SimConfig): readonly Change[];
}

const { ceil, floor, max, min, round } = Math;

/** Heartbeats that a follower has to hear in time, as a share of its election timeout: clocks that differ take from it. */
const heartbeatShare = 1.05;

/** Larger groups need more time than there is after the heal to serve every member. */
const mostMembers = 15;

/** In this order: mending one of them may not break those before it. */
const rules: readonly Rule[] = [
  {
    of: ['learners', 'bootstrap'],
    words: 'a group with learners begins with a snapshot, so bootstrap must be false',
    holds: ({ learners, bootstrap }) => learners === 0 || !bootstrap,
    mends: () => [{ learners: 0 }, { bootstrap: false }],
  },
  {
    of: ['diskLoss', 'voters'],
    words: 'disks forget in groups of 3 voters and more only: of fewer nobody is left who remembers',
    holds: ({ diskLoss, voters }) => diskLoss.interval === 0 || voters >= 3,
    mends: () => [{ voters: 3 }],
  },
  {
    of: ['diskLoss', 'weights'],
    words: 'while disks forget the membership must not change, so weights.membership must be 0',
    holds: ({ diskLoss, weights }) => diskLoss.interval === 0 || weights.membership === 0,
    mends: ({ weights }) => [{ weights: { ...weights, membership: 0 } }],
  },
  {
    of: ['voters', 'learners'],
    words: `there must be no more than ${mostMembers} voters and learners`,
    holds: ({ voters, learners }) => voters + learners <= mostMembers,
    mends: ({ voters, learners }) => [{ learners: mostMembers - voters }, { voters: mostMembers - learners }],
  },
  {
    of: ['voters', 'learners', 'maxNodes'],
    words: 'maxNodes must not be below voters and learners together',
    holds: ({ voters, learners, maxNodes }) => maxNodes >= voters + learners,
    mends: ({ voters, learners, maxNodes }) => [
      { maxNodes: voters + learners + 1 },
      { learners: max(0, maxNodes - voters) },
      { voters: max(1, maxNodes - learners) },
      { voters: min(voters, maxNodes), learners: max(0, maxNodes - voters) },
    ],
  },
  {
    of: ['electionTick', 'heartbeatTick'],
    words: 'electionTick must be 2 above heartbeatTick or more',
    holds: ({ electionTick, heartbeatTick }) => electionTick >= heartbeatTick + 2,
    mends: ({ electionTick, heartbeatTick }) => [{ heartbeatTick: electionTick - 2 }, { electionTick: heartbeatTick + 2 }],
  },
  {
    of: ['electionTick', 'heartbeatTick', 'slowestClock', 'fastestClock'],
    words: 'a heartbeatTick of the slowest clock must fit into an electionTick of the fastest one',
    holds: ({ electionTick, heartbeatTick, slowestClock, fastestClock }) => heartbeatTick * fastestClock <= heartbeatShare * electionTick * slowestClock,
    mends: ({ electionTick, heartbeatTick, slowestClock, fastestClock }) => [
      { heartbeatTick: max(1, floor((electionTick * slowestClock) / fastestClock)) },
      { electionTick: ceil((heartbeatTick * fastestClock) / slowestClock) },
      { slowestClock: 1, fastestClock: 1 },
    ],
  },
  {
    of: ['diskLoss', 'electionTick', 'heartbeatTick'],
    words: 'while disks forget electionTick must be 10 times heartbeatTick or more',
    holds: ({ diskLoss, electionTick, heartbeatTick }) => diskLoss.interval === 0 || electionTick >= 10 * heartbeatTick,
    mends: ({ electionTick, heartbeatTick }) => [{ heartbeatTick: max(1, floor(electionTick / 10)) }, { electionTick: 10 * heartbeatTick }],
  },
  {
    of: ['readOnlyOption', 'checkQuorum'],
    words: 'lease-based reads need checkQuorum',
    holds: ({ readOnlyOption, checkQuorum }) => readOnlyOption !== ReadOnlyOption.LeaseBased || checkQuorum,
    mends: () => [{ readOnlyOption: ReadOnlyOption.Safe }, { checkQuorum: true }],
  },
  {
    of: ['leasesHold', 'leaseMarginTicks', 'electionTick', 'slowestClock', 'fastestClock'],
    words: 'leases hold only while electionTick - leaseMarginTicks ticks of the slowest clock last no longer than electionTick of the fastest one',
    // The profile whose clocks no margin tolerates: where its leases are said to hold, stale reads are to be found.
    holds: (c) => !c.leasesHold || c.readOnlyOption !== ReadOnlyOption.LeaseBased || c.profile === 'drift' || toleratesDrift(c),
    mends: ({ electionTick, leaseMarginTicks, slowestClock, fastestClock }) => [
      toleratedClocks(leaseMarginTicks, electionTick),
      { leaseMarginTicks: ceil(electionTick * (1 - slowestClock / fastestClock)) },
      { leasesHold: false },
    ],
  },
  {
    of: ['maxInflightBytes', 'maxSizePerMsg'],
    words: 'maxInflightBytes must not be below maxSizePerMsg',
    holds: ({ maxInflightBytes, maxSizePerMsg }) => maxInflightBytes >= maxSizePerMsg,
    mends: ({ maxInflightBytes, maxSizePerMsg }) => [{ maxInflightBytes: maxSizePerMsg }, { maxSizePerMsg: maxInflightBytes }],
  },
];

/** Clocks of which none gains more on another one than a margin tolerates. */
export function toleratedClocks(leaseMarginTicks: number, electionTick: number): Pick<SimConfig, 'slowestClock' | 'fastestClock'> {
  // Half of what is tolerated to either side, and not so much that a follower may miss the heartbeats.
  const drift = min(leaseMarginTicks / electionTick, 1 / 3) / 2.2;
  return { slowestClock: round((1 - drift) * 1000) / 1000, fastestClock: round((1 + drift) * 1000) / 1000 };
}

function toleratesDrift({ electionTick, leaseMarginTicks, slowestClock, fastestClock }: SimConfig): boolean {
  return (electionTick - leaseMarginTicks) * fastestClock <= electionTick * slowestClock;
}

/** Whether nothing in a run may disturb a leader: followers come and go, and with pre-vote and check-quorum that is nobody's business (L4). */
export function isUndisturbed(c: SimConfig): boolean {
  const { minority: _, ...others } = c.weights;
  const quiet = c.loss + c.duplicate + c.delayMin + c.readyCrash + c.readyDelay + c.snapshotLatency + c.diskLoss.interval === 0 && Object.values(others).every((weight) => weight === 0);
  const quick = c.delayMean <= 500 && c.diskLatency <= 200 && c.applyLatency <= 200 && c.linkCapacity === Infinity;
  const timely = c.voters >= 3 && c.electionTick >= 5 && c.heartbeatTick === 1 && c.slowestClock === 1 && c.fastestClock === 1;
  return c.preVote && c.checkQuorum && quiet && quick && timely;
}

/** What a profile is about: as good as set by whoever has chosen the profile. */
const essentials: { readonly [profile: string]: readonly Key[] } = {
  lease: ['readOnlyOption', 'leasesHold'],
  drift: ['readOnlyOption', 'slowestClock', 'fastestClock'],
  wipe: ['diskLoss'],
  permit: ['diskLoss'],
  o15: ['diskLoss'],
};

/**
 * Puts what was set in place of what was drawn. What was drawn and does not fit any more is adapted; what was set
 * never is.
 *
 * @throws RaftError `ERR_RAFT_CONFIG_INVALID` if values that were set contradict each other.
 */
export function settle(drawn: SimConfig, given: Change): SimConfig {
  const set = new Set([...(Object.keys(given) as Key[]), ...(essentials[drawn.profile] ?? [])]);
  let c: SimConfig = { ...drawn, ...given };
  for (const [at, rule] of rules.entries()) {
    if (rule.holds(c)) continue;
    const before = c;
    const mended = rule
      .mends(before)
      .filter((change) => (Object.keys(change) as Key[]).every((key) => !set.has(key) && isInRange(key, change[key])))
      .map((change) => ({ ...before, ...change }))
      .find((candidate) => rules.slice(0, at + 1).every(({ holds }) => holds(candidate)));
    if (mended === undefined) return refuse(`${rule.words}; ${rule.of.filter((key) => set.has(key)).map((key) => `${told(key, before)}${key in given ? '' : ` in profile ${drawn.profile}`}`).join(', ')}`);
    c = mended;
  }
  return c;
}

function isInRange(key: Key, value: unknown): boolean {
  const range: Range | RangeTable = ranges[key];
  return !isRange(range) || range.holds(value);
}

function told(key: Key, { [key]: value, diskLoss, weights }: SimConfig): string {
  if (key === 'diskLoss') return `diskLoss.interval is ${diskLoss.interval}`;
  if (key === 'weights') return `weights.membership is ${weights.membership}`;
  return `${key} is ${shown(value)}`;
}
