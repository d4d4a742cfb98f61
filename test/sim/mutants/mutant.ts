import type { Profile, SimConfig, StableLeadership } from '../../../src/sim/index.js';
import type { WalPlan } from '../full/walPlan.js';
import type { HunterName } from './hunters.js';

/** One replacement in a compiled file. */
export interface Edit {
  /** File under `src/` of the build, such as `core/raft/election.js`. */
  readonly file: string;
  /** Text that must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A small fault that the simulator has to find. It is planted into a copy of the build and is part of nothing that ships. */
export interface Mutant {
  /** Number in the catalogue, or the rule that it undoes; a letter tells variants apart. */
  readonly id: string;
  /** What goes wrong, in a line. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** Legal changes that make room for the fault. They are no fault themselves: the control run has them too. */
  readonly given?: readonly Edit[];
  /** Who hunts it; the simulator if not given. */
  readonly hunter?: HunterName;
  /** Values in place of the drawn ones, for the hunter `full`. */
  readonly wal?: Partial<WalPlan>;
  /** Runs that it is hunted in. */
  readonly profile: Profile;
  /** Values in place of the drawn ones. */
  readonly config?: Partial<SimConfig>;
  /** Steps of each run; 2000 if not given. */
  readonly steps?: number;
  /** Runs at most until an invariant has to fire. */
  readonly seeds: number;
  /** Invariants that may fire. `assertion`: an assertion of the core itself. */
  readonly expected: readonly string[];
  /** Invariants that are switched off, to see that the next line of defence finds the fault as well. */
  readonly ignore?: readonly string[];
  /** Demands on a leader that nothing may disturb (L4). */
  readonly stableLeadership?: StableLeadership;
  /** Whether it dies so soon that it is part of every test run. */
  readonly quick?: boolean;
}

/** A mutant of the catalogue that is not hunted, and why. */
export interface NotHunted {
  readonly id: string;
  readonly because: string;
}

/** What came of a hunt. */
export interface Hunt {
  readonly id: string;
  /** Invariant that fired, or `survived`, `does not apply`, `hangs`, `build fails`: the build fails the same run without the fault. */
  readonly fired: string;
  readonly killed: boolean;
  /** Runs that it took. */
  readonly seeds: number;
  readonly seconds: number;
  /** What the invariant said. */
  readonly message: string;
}
