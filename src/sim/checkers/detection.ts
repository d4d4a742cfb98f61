import { StateType, type Index, type NodeId, type Term } from '../../core/types.js';
import { Violation, type Checker, type ClusterView, type NodeView } from '../checker.js';
import { SimEventKind, type DeliverEvent, type LogWentBackEvent, type SimEvent, type StartedEvent, type StoppedEvent } from '../simEvent.js';
import { holds } from '../durableView.js';

/** A loss that a leader should notice. */
interface Watch {
  readonly leader: NodeId;
  readonly term: Term;
  /** What the node had acknowledged to that leader. */
  readonly match: Index;
  readonly matchTerm: Term;
  /** Whether the node is back, without what it had acknowledged. */
  lost: boolean;
  /** Virtual time at which it first heard that leader again; Infinity before. */
  heardAt: number;
}

/**
 * O12, detection: a leader finds out that a log went back within a bounded time after that node has heard from it
 * again, as long as it leads and the node has not got everything back by other ways.
 */
export class DetectionChecker implements Checker {
  readonly name = 'O12 detection';
  readonly kinds = [SimEventKind.Stopped, SimEventKind.Started, SimEventKind.Deliver, SimEventKind.LogWentBack, SimEventKind.Ticked];
  private readonly bound: number;
  private readonly watches = new Map<NodeId, Watch>();
  /** How long each detection took, in election timeouts. */
  readonly times: number[] = [];
  /** Losses that a leader had a chance to notice. */
  losses = 0;
  /** Losses that were made up for, by a snapshot or by late messages, before the leader noticed. */
  healed = 0;

  /**
   * A check of one run, or a measurement.
   *
   * @param bound in election timeouts; Infinity to measure only.
   */
  constructor(bound: number) {
    this.bound = bound;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    switch (event.kind) {
      case SimEventKind.Stopped:
        return this.stopped(event, view);
      case SimEventKind.Started:
        return this.started(event, view);
      case SimEventKind.Deliver:
        return this.deliver(event, view);
      case SimEventKind.LogWentBack:
        return this.found(event, view);
      case SimEventKind.Ticked:
        return this.ticked(event.node, view);
      default:
    }
  }

  private stopped({ node, dataLoss }: StoppedEvent, view: ClusterView): void {
    this.watches.delete(node);
    if (dataLoss !== true) return;
    let leader: NodeView | null = null;
    for (const other of view.nodes) {
      if (other.raft === null || other.raft.state !== StateType.Leader) continue;
      if (leader === null || other.raft.term > leader.raft!.term) leader = other;
    }
    const raft = leader?.raft;
    const match = raft?.tracker.get(node)?.match ?? 0;
    if (leader === null || raft === null || raft === undefined || match === 0) return;
    this.watches.set(node, { leader: leader.id, term: raft.term, match, matchTerm: raft.log.term(match), lost: false, heardAt: Infinity });
  }

  private started({ node }: StartedEvent, view: ClusterView): void {
    const watch = this.watches.get(node);
    if (watch === undefined) return;
    watch.lost = !hasBack(view.node(node)!, watch);
    if (!watch.lost) this.watches.delete(node);
    else this.losses++;
  }

  private deliver({ node, message, time }: DeliverEvent, view: ClusterView): void {
    const watch = this.watches.get(node);
    if (watch === undefined || watch.heardAt < Infinity || message.from !== watch.leader || message.term !== watch.term) return;
    if (view.node(watch.leader)?.raft?.term === watch.term) watch.heardAt = time;
  }

  private found({ member, node, time }: LogWentBackEvent, view: ClusterView): void {
    const watch = this.watches.get(member);
    if (watch === undefined || watch.leader !== node) return;
    this.times.push(Math.max(0, time - watch.heardAt) / view.electionTimeout);
    this.watches.delete(member);
  }

  private ticked(node: NodeId, view: ClusterView): void {
    const watch = this.watches.get(node);
    if (watch === undefined || watch.heardAt === Infinity) return;
    const raft = view.node(watch.leader)?.raft;
    if (raft === null || raft === undefined || raft.state !== StateType.Leader || raft.term !== watch.term) {
      this.watches.delete(node);
      return;
    }
    if (hasBack(view.node(node)!, watch)) {
      this.healed++;
      this.watches.delete(node);
      return;
    }
    const timeouts = (view.now - watch.heardAt) / view.electionTimeout;
    if (timeouts <= this.bound) return;
    throw new Violation('O12', `leader ${watch.leader} has not noticed within ${this.bound} election timeouts that the log of node ${node} went back from ${watch.match}`);
  }
}

function hasBack({ durable }: NodeView, { match, matchTerm }: Watch): boolean {
  return holds(durable, match, matchTerm);
}
