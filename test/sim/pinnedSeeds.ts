import type { Profile, SimConfig } from '../../src/sim/index.js';

/** A run that once failed. */
export interface PinnedSeed {
  readonly seed: number;
  readonly steps: number;
  readonly profile: Profile;
  readonly config?: Partial<SimConfig>;
  /** What went wrong in it. */
  readonly why: string;
}

/**
 * Runs that once found something: in the core, in the simulator's own host, or in a check. They are replayed
 * by every `npm test`. A change of the simulator may turn them into other runs; they stay, as further seeds.
 */
const found: readonly PinnedSeed[] = [
  { seed: 37, steps: 1000, profile: 'default', why: 'the only snapshot is older than a new member, who ignores it for ever' },
  { seed: 96, steps: 1000, profile: 'default', why: 'restarted from the page cache, a node acknowledged a term that was not synced' },
  { seed: 128, steps: 1000, profile: 'default', why: 'restarted from the page cache, a node applied entries that were not synced' },
  { seed: 1030, steps: 1000, profile: 'async', why: 'the apply thread was ahead of the saved commit index when the node died' },
  { seed: 1031, steps: 1000, profile: 'reads', why: 'without pre-vote only one node could win, and others kept starting its timeout afresh' },
  { seed: 1043, steps: 1000, profile: 'churn', why: 'of two voters one was removed; it alone knew, and the other could not win' },
  { seed: 1046, steps: 1000, profile: 'churn', why: 'a snapshot was ahead of the saved commit index when the node died' },
  { seed: 1681, steps: 1000, profile: 'snap', why: 'two of four voters were demoted at once; they alone knew' },
  { seed: 3094, steps: 1000, profile: 'default', why: 'ten operations per node were asked for more slowly than they had to be served' },
  { seed: 3187, steps: 1000, profile: 'default', why: 'a stalled disk stayed stalled after the heal' },
  { seed: 3663, steps: 2000, profile: 'default', why: 'a stalled disk let go of all its answers at once, and they looked like chatter' },
  { seed: 10468, steps: 2000, profile: 'churn', why: 'a crash between applying a change and making a snapshot that knows the new member' },
  { seed: 11682, steps: 2000, profile: 'snap', why: 'two changes under way at once, with validation disabled' },
  { seed: 11848, steps: 2000, profile: 'small', why: 'reordered messages were answered by storms of messages' },
  { seed: 20597, steps: 2000, profile: 'lease', why: 'a host that waits for its disk served a lease read before its missed ticks' },
  { seed: 20607, steps: 2000, profile: 'small', why: 'a follower got every command in a snapshot, and its clients no answers' },
  { seed: 20954, steps: 2000, profile: 'lease', why: 'a host that waits for its disk served a lease read before its missed ticks' },
  { seed: 21127, steps: 2000, profile: 'default', why: 'the ticks of a long pause came at once, and looked like chatter' },
];

/** With Readys that hold all that waits: the runs are older than the limit. */
export const pinnedSeeds: readonly PinnedSeed[] = found.map((pinned) => ({ ...pinned, config: { maxEntriesPerReady: Infinity, ...pinned.config } }));
