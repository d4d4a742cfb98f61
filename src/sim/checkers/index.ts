import type { Checker } from '../checker.js';
import { ApplyChecker } from './apply.js';
import { CommitChecker } from './commit.js';
import { DetectionChecker } from './detection.js';
import { DurabilityChecker } from './durability.js';
import { ElectionChecker } from './election.js';
import { LinearizabilityChecker } from './linearizable.js';
import { LivenessChecker, type StableLeadership } from './liveness.js';
import { LogChecker } from './log.js';
import { MembershipChecker } from './membership.js';
import { OrderChecker } from './order.js';
import { PreVoteChecker } from './prevote.js';
import { ProgressChecker } from './progress.js';
import { ReadChecker } from './reads.js';
import { ReversionChecker } from './reversion.js';
import { ReadyChecker } from './ready.js';
import { RunHistory } from './runHistory.js';

export { DetectionChecker } from './detection.js';
export { LinearizabilityChecker } from './linearizable.js';
export type { StableLeadership } from './liveness.js';

/** What is to be checked in a run. */
export interface CheckerOptions {
  /** Whether clients use the default workload, whose histories can be checked for linearizability. Default true. */
  readonly linearizability?: boolean;
  /** Whether lease reads must be linearizable even where leases do not hold, to show that stale ones are found. Default false. */
  readonly staleReads?: boolean;
  /** Steps of the linearizability search per register. Default 2,000,000. */
  readonly linearizabilitySteps?: number;
  /** Demands on a leader that must not be disturbed (L4). Default: none. */
  readonly stableLeadership?: StableLeadership | null;
  /** Election timeouts within which a leader must notice that a log went back (O12). Default: none. */
  readonly detectionBound?: number;
  /** Whether every live node is asked for ten writes and ten reads after the heal (L3). Default true. */
  readonly serves?: boolean;
}

/**
 * All invariants of a run: I1 to I23, L1 to L5, O12, O13 and linearizability. A fresh set for every run, and all of
 * them together: they share what they know, and some note what others check.
 */
export function allCheckers(options: CheckerOptions = {}): Checker[] {
  const history = new RunHistory();
  const checkers: Checker[] = [
    new ElectionChecker(history),
    new ReversionChecker(history),
    new CommitChecker(history),
    new LogChecker(history),
    new DurabilityChecker(history),
    new ReadyChecker(),
    new MembershipChecker(history),
    new ApplyChecker(history),
    new ReadChecker(history),
    new PreVoteChecker(),
    new ProgressChecker(history),
    new OrderChecker(),
    new LivenessChecker(history, options.stableLeadership ?? null, options.serves ?? true),
  ];
  if (options.detectionBound !== undefined) checkers.push(new DetectionChecker(options.detectionBound));
  if (options.linearizability ?? true) checkers.push(new LinearizabilityChecker(options.staleReads ?? false, options.linearizabilitySteps));
  return checkers;
}
