import { MessageType } from '../../core/raftpb/messageType.js';
import { None, StateType, stateTypeName, type Index, type NodeId, type Term } from '../../core/types.js';
import { Violation, type Checker, type ClusterView } from '../checker.js';
import {
  SimEventKind,
  type LogWentBackEvent,
  type LossNotedEvent,
  type PermittedEvent,
  type RoleEvent,
  type SimEvent,
  type SteppedEvent,
  type StoppedEvent,
} from '../simEvent.js';
import { DiskLoss } from './diskLoss.js';
import type { RunHistory } from './runHistory.js';

/** What a node was told that it has lost. */
interface Lesson {
  readonly lostUpTo: Index;
  readonly term: Term;
}

/**
 * O12, no false alarms: a leader takes a log for one that went back, and a node itself for one that has lost something,
 * only if a disk has forgotten what was acknowledged in that term, and a leader only once for each time. Who knows that
 * it has lost something neither votes nor campaigns until it has caught up. O13: a permission is used by the next
 * reversion and by no other, and ends with the term of the leader.
 */
export class ReversionChecker implements Checker {
  readonly name = 'O12 reversions, O13 permissions';
  readonly kinds = [
    SimEventKind.Started,
    SimEventKind.Stopped,
    SimEventKind.Role,
    SimEventKind.Stepped,
    SimEventKind.LogWentBack,
    SimEventKind.LossNoted,
    SimEventKind.Permitted,
    SimEventKind.Checkpoint,
  ];
  private readonly history: RunHistory;
  private readonly lessons = new Map<NodeId, Lesson>();
  /** Members whose logs may go back, by leader and term. */
  private readonly permitted = new Map<NodeId, { readonly term: Term; readonly members: Set<NodeId> }>();

  /** @param history of this run. */
  constructor(history: RunHistory) {
    this.history = history;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    switch (event.kind) {
      case SimEventKind.Started:
        this.lessons.delete(event.node);
        this.history.losses.get(event.node)?.noteLeft(view.node(event.node)!.durable);
        return;
      case SimEventKind.Stopped:
        return this.stopped(event, view);
      case SimEventKind.Role:
        return this.role(event, view);
      case SimEventKind.Stepped:
        return this.stepped(event, view);
      case SimEventKind.LogWentBack:
        return this.wentBack(event, view);
      case SimEventKind.LossNoted:
        return this.noted(event, view);
      case SimEventKind.Permitted:
        return this.permit(event, view);
      case SimEventKind.Checkpoint:
        return this.lookForRecovered(view);
      default:
    }
  }

  private stopped({ node, dataLoss }: StoppedEvent, view: ClusterView): void {
    const { history } = this;
    if (dataLoss !== true) return;
    let term = 0;
    for (const led of history.leaderOf.keys()) if (led > term) term = led;
    history.losses.set(node, new DiskLoss(term, history.committed, view.node(node)!.durable));
  }

  private lookForRecovered(view: ClusterView): void {
    const { history } = this;
    for (const [id, loss] of history.losses) {
      const node = view.node(id);
      if (node !== undefined) loss.look(node, history.committedTerm(loss.committed));
    }
  }

  private wentBack({ node, member, match, permitted }: LogWentBackEvent, view: ClusterView): void {
    const raft = view.node(node)!.raft!;
    const loss = this.history.losses.get(member);
    const what = `leader ${node} of term ${raft.term} takes the log of node ${member} for one that went back from ${match}`;
    if (loss === undefined) throw new Violation('O12', `${what}, and its disk has never forgotten anything`);
    if (loss.term < raft.term) throw new Violation('O12', `${what}, and its disk forgot something in term ${loss.term}`);
    if (loss.knownTo.has(node)) throw new Violation('O12', `${what}, and it has found that out before`);
    const term = raft.log.term(match);
    if (loss.spared(match, term === -1 ? this.history.committedTerm(match) : term)) throw new Violation('O12', `${what}, and its disk has kept that`);
    loss.knownTo.add(node);

    const isPermitted = this.isPermitted(node, raft.term, member);
    if (permitted !== (isPermitted || raft.config.loosenFollowerLogRevert)) throw new Violation('O13', `${what}, ${permitted ? 'without' : 'in spite of'} permission`);
    if (isPermitted) this.permitted.get(node)!.members.delete(member);
  }

  private isPermitted(leader: NodeId, term: Term, member: NodeId): boolean {
    const permission = this.permitted.get(leader);
    return permission !== undefined && permission.term === term && permission.members.has(member);
  }

  private permit({ node, member, allow }: PermittedEvent, view: ClusterView): void {
    const raft = view.node(node)!.raft!;
    if (this.permitted.get(node)?.term !== raft.term) this.permitted.set(node, { term: raft.term, members: new Set() });
    const { members } = this.permitted.get(node)!;
    // In quarantine it is used at once.
    if (allow && raft.tracker.get(member)?.quarantined !== true) members.add(member);
    else members.delete(member);
  }

  private noted({ node, lostUpTo }: LossNotedEvent, view: ClusterView): void {
    const raft = view.node(node)!.raft!;
    const loss = this.history.losses.get(node);
    const what = `node ${node} believes in term ${raft.term} that it has lost what it had up to ${lostUpTo}`;
    if (loss === undefined) throw new Violation('O12', `${what}, and its disk has never forgotten anything`);
    if (loss.term < raft.term) throw new Violation('O12', `${what}, and its disk forgot something in term ${loss.term}`);
    this.lessons.set(node, { lostUpTo, term: raft.term });
  }

  /** Whether a node has to keep out of elections. */
  private mustKeepOut(id: NodeId, view: ClusterView): boolean {
    const lesson = this.lessons.get(id);
    const raft = view.node(id)?.raft;
    if (lesson === undefined || raft === null || raft === undefined) return false;
    const { log } = raft;
    return log.committed < lesson.lostUpTo && log.term(log.committed) <= lesson.term;
  }

  private role({ node, state, term }: RoleEvent, view: ClusterView): void {
    if (state === StateType.Follower || !this.mustKeepOut(node, view)) return;
    throw new Violation('O12', `node ${node} is ${stateTypeName(state)} in term ${term}, and knows that it has lost what it had acknowledged`);
  }

  private stepped({ node, message, voteBefore, termBefore }: SteppedEvent, view: ClusterView): void {
    if (message.type !== MessageType.MsgVote || !this.lessons.has(node)) return;
    const { vote, term } = view.node(node)!.raft!;
    if (vote === None || (vote === voteBefore && term === termBefore) || !this.mustKeepOut(node, view)) return;
    throw new Violation('O12', `node ${node} votes for node ${vote} in term ${term}, and knows that it has lost what it had acknowledged`);
  }
}
