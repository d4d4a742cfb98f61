import { StateType } from '../../core/types.js';
import { Violation, type Checker, type ClusterView } from '../checker.js';
import { SimEventKind, type RoleEvent, type SimEvent } from '../simEvent.js';
import type { RunHistory } from './runHistory.js';

/**
 * I1, election safety: a term has one leader, for ever (Raft Figure 3). I3, leader completeness: a new leader
 * has every entry that leaders of earlier terms have committed (Raft §5.4.3).
 */
export class ElectionChecker implements Checker {
  readonly name = 'I1 election safety, I3 leader completeness';
  readonly kinds = [SimEventKind.Role];
  private readonly history: RunHistory;

  /** @param history of this run. */
  constructor(history: RunHistory) {
    this.history = history;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    if (event.kind !== SimEventKind.Role || event.state !== StateType.Leader) return;
    this.checkOnlyLeader(event);
    this.checkComplete(event, view);
  }

  private checkOnlyLeader({ term, node }: RoleEvent): void {
    const { leaderOf } = this.history;
    const other = leaderOf.get(term);
    // The same node twice is as bad: it has forgotten the first time, and may append other entries.
    if (other !== undefined) throw new Violation('I1', `node ${node} leads term ${term}, which node ${other} leads`);
    leaderOf.set(term, node);
  }

  private checkComplete({ term, node }: RoleEvent, view: ClusterView): void {
    const { history } = this;
    const index = history.committedBefore(term);
    const expected = history.committedTerm(index);
    const raft = view.node(node)?.raft;
    if (raft === null || raft === undefined || expected === 0) return;
    const found = raft.log.term(index);
    // Equal terms at one index mean equal logs up to there, which I2 watches over. What is compacted was committed.
    if (found === expected || (found === -1 && index < raft.log.firstIndex() && index <= raft.log.committed)) return;
    const what = found === -1 ? 'nothing' : `an entry of term ${found}`;
    throw new Violation('I3', `node ${node} leads term ${term} and has ${what} at ${index}, where the entry of term ${expected} is committed`);
  }
}
