import { ReadOnlyOption } from '../../core/types.js';
import { Violation, type Checker, type ClusterView } from '../checker.js';
import { checkRegister } from '../linearizability.js';
import { registerHistories } from '../linearizabilityHistory.js';
import { SimEventKind, SimPhase, type SimEvent } from '../simEvent.js';

/**
 * Whether clients saw a single copy of every register (Herlihy and Wing 1990), at the end of a run of the default
 * workload. What the group did inside does not matter to it; only answers and their times do.
 */
export class LinearizabilityChecker implements Checker {
  readonly name = 'linearizability';
  readonly kinds = [SimEventKind.Phase];
  private readonly staleReads: boolean;
  private readonly stepLimit: number | undefined;
  /** Registers for which the search was given up. */
  unknown = 0;
  /** Registers that were looked at. */
  registers = 0;
  /** Operations on them. */
  operations = 0;

  /**
   * @param staleReads whether lease reads count although clocks may run beyond what leases tolerate: to show
   *   that stale reads are then found.
   * @param stepLimit of the search for each register; undefined for the default.
   */
  constructor(staleReads: boolean, stepLimit?: number) {
    this.staleReads = staleReads;
    this.stepLimit = stepLimit;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    if (event.kind !== SimEventKind.Phase || event.phase !== SimPhase.Audit) return;
    const { readOnlyOption, leasesHold } = view.settings;
    const withReads = this.staleReads || readOnlyOption !== ReadOnlyOption.LeaseBased || leasesHold;
    for (const [key, history] of registerHistories(view.ops, withReads)) {
      this.registers++;
      this.operations += history.length;
      const { verdict, reason } = checkRegister(history, this.stepLimit);
      if (verdict === 'unknown') this.unknown++;
      if (verdict === 'violation') throw new Violation('linearizability', `register ${key}: ${reason}`);
    }
  }
}
