import { StateType, type Index, type NodeId, type Term } from '../../core/types.js';
import type { Raft } from '../../core/raft/raft.js';
import type { Progress } from '../../core/tracker/progress.js';
import { Violation, type Checker, type ClusterView } from '../checker.js';
import { SimEventKind, type SimEvent } from '../simEvent.js';
import { holds } from '../durableView.js';
import type { RunHistory } from './runHistory.js';

/** What a leader has known of its members in its term. */
class LeaderMark {
  term: Term = 0;
  readonly match = new Map<NodeId, Index>();
}

/**
 * I17, progress sanity: what a leader believes of a member is true. `match` is below `next`, never falls within
 * a term, and the member's disk really holds the leader's log up to there; the window is within its limit.
 *
 * With every message the member it came from is looked at, at every checkpoint all of them.
 */
export class ProgressChecker implements Checker {
  readonly name = 'I17 progress sanity';
  readonly kinds = [SimEventKind.Stepped, SimEventKind.ConfigApplied, SimEventKind.LogWentBack, SimEventKind.Checkpoint];
  private readonly history: RunHistory;
  private readonly marks = new Map<NodeId, LeaderMark>();

  /** @param history of this run. */
  constructor(history: RunHistory) {
    this.history = history;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    if (event.kind === SimEventKind.Checkpoint) {
      for (let i = 0; i < view.nodes.length; i++) this.checkAll(view.nodes[i]!.raft, view);
      return;
    }
    const raft = view.node(event.node)?.raft;
    if (raft === null || raft === undefined || raft.state !== StateType.Leader) return;
    if (event.kind === SimEventKind.LogWentBack) {
      // It starts over, now or when that is permitted (O13).
      this.mark(raft).match.delete(event.member);
    } else if (event.kind === SimEventKind.Stepped) {
      const { from } = event.message;
      const progress = raft.tracker.get(from);
      if (progress !== undefined) this.check(raft, from, progress, view);
    } else if (event.kind === SimEventKind.ConfigApplied) {
      // A member that was removed and added again starts anew.
      this.mark(raft).match.clear();
      this.checkAll(raft, view);
    }
  }

  private mark(raft: Raft): LeaderMark {
    let mark = this.marks.get(raft.id);
    if (mark === undefined) {
      mark = new LeaderMark();
      this.marks.set(raft.id, mark);
    }
    if (mark.term !== raft.term) {
      mark.term = raft.term;
      mark.match.clear();
    }
    return mark;
  }

  private checkAll(raft: Raft | null, view: ClusterView): void {
    if (raft === null || raft.state !== StateType.Leader) return;
    const { ids, progresses } = raft.tracker;
    for (let i = 0; i < ids.length; i++) this.check(raft, ids[i]!, progresses[i]!, view);
  }

  private check(raft: Raft, id: NodeId, progress: Progress, view: ClusterView): void {
    const { match, next, inflights } = progress;
    if (match >= next) throw new Violation('I17', `leader ${raft.id} has match ${match} and next ${next} for node ${id}`);
    if (next > raft.log.lastIndex() + 1) throw new Violation('I17', `leader ${raft.id} has next ${next} for node ${id}, and its log ends at ${raft.log.lastIndex()}`);
    if (inflights.count > view.settings.maxInflightMsgs) {
      throw new Violation('I17', `leader ${raft.id} has ${inflights.count} messages in flight to node ${id}, and ${view.settings.maxInflightMsgs} are allowed`);
    }
    const marks = this.mark(raft).match;
    const before = marks.get(id) ?? 0;
    if (match < before) throw new Violation('I17', `leader ${raft.id} takes match of node ${id} back from ${before} to ${match}`);
    if (match === before) return;
    marks.set(id, match);
    // What it knows is about the disk of before (O12).
    if (this.history.mayBeDeceived(raft.id, raft.term, id)) return;
    this.checkTruth(raft, id, match, view);
  }

  /** Once per value: what the member holds in this term it keeps until it hears of a later one. */
  private checkTruth(raft: Raft, id: NodeId, match: Index, view: ClusterView): void {
    const node = view.node(id);
    if (node === undefined) throw new Violation('I17', `leader ${raft.id} has match ${match} for node ${id}, which never ran`);
    // In a later term its log may have been cut off since.
    if (node.durable.hardState.term > raft.term) return;
    const known = raft.log.term(match);
    const term = known === -1 ? this.history.committedTerm(match) : known;
    if (term === 0 || holds(node.durable, match, term)) return;
    throw new Violation('I17', `leader ${raft.id} has match ${match} for node ${id}, whose disk does not have ${term}/${match}`);
  }
}
