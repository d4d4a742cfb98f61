import { ReadOnlyOption, type Index } from '../../core/types.js';
import { Violation, type Checker, type ClusterView } from '../checker.js';
import { SimEventKind, type ReadStateEvent, type SimEvent } from '../simEvent.js';
import type { RunHistory } from './runHistory.js';

/**
 * I15: the index of a read is at least what any leader had committed when the read was asked for, which
 * includes everything that any client had an answer for (dissertation §6.4). Lease reads only where clocks and
 * operators keep to what leases tolerate.
 */
export class ReadChecker implements Checker {
  readonly name = 'I15 linearizable read index';
  readonly kinds = [SimEventKind.ReadRequested, SimEventKind.ReadState];
  private readonly history: RunHistory;
  /** What was committed when an operation first asked, by its number. */
  private readonly floors: (Index | undefined)[] = [];

  /** @param history of this run. */
  constructor(history: RunHistory) {
    this.history = history;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    if (event.kind === SimEventKind.ReadRequested) {
      while (this.floors.length < event.op.id) this.floors.push(undefined);
      // A repeated request may be answered by the first answer, so the first one counts.
      this.floors[event.op.id] ??= this.history.committed;
    } else if (event.kind === SimEventKind.ReadState) {
      this.check(event, view);
    }
  }

  private check({ node, op, index }: ReadStateEvent, view: ClusterView): void {
    const floor = op === null ? undefined : this.floors[op.id];
    if (op === null || floor === undefined) throw new Violation('I15', `node ${node} answers a read that nobody asked for`);
    const { readOnlyOption, leasesHold } = view.settings;
    if (readOnlyOption === ReadOnlyOption.LeaseBased && !leasesHold) return;
    if (index < floor) throw new Violation('I15', `node ${node} answers read ${op.id} with index ${index}, and ${floor} was committed before it asked`);
  }
}
