import type { Raft } from '../../core/raft/raft.js';
import type { Index, NodeId, Term } from '../../core/types.js';
import { Violation, type Checker, type ClusterView } from '../checker.js';
import { OpOutcome } from '../clientOp.js';
import { SimEventKind, SimPhase, type LeaderCommitEvent, type SimEvent, type StartedEvent } from '../simEvent.js';
import { holds } from '../durableView.js';
import { isMajority, type RunHistory } from './runHistory.js';

/**
 * I7: a leader commits an entry of its own term that a majority of each half of its configuration holds on
 * disk (Raft §5.4.2). I14: if it counts itself, its own disk is one of them. I4: what is committed stays on so
 * many disks that no quorum is without it, and what was acknowledged to a client is there in the end.
 */
export class CommitChecker implements Checker {
  readonly name = 'I4 nothing committed is lost, I7 justified commits, I14 durable commits';
  readonly kinds = [SimEventKind.Started, SimEventKind.LeaderCommit, SimEventKind.Checkpoint, SimEventKind.Phase];
  private readonly history: RunHistory;

  /** @param history of this run. */
  constructor(history: RunHistory) {
    this.history = history;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    switch (event.kind) {
      case SimEventKind.Started:
        return this.started(event);
      case SimEventKind.LeaderCommit:
        return this.leaderCommit(event, view);
      case SimEventKind.Checkpoint:
        return this.checkQuorums(view);
      case SimEventKind.Phase:
        if (event.phase !== SimPhase.Audit) return;
        this.checkQuorums(view);
        return this.checkAcknowledged(view);
      default:
    }
  }

  /** A group that begins with a snapshot begins with what is committed in it. */
  private started({ incarnation, lastIndex, lastTerm, hardState }: StartedEvent): void {
    const { history } = this;
    if (incarnation > 0 || history.isLed || lastIndex === 0 || hardState.commit < lastIndex || lastIndex <= history.committed) return;
    history.noteCommitted(lastIndex, lastTerm);
    history.noteFounded(lastIndex);
  }

  private leaderCommit({ node, term, commit }: LeaderCommitEvent, view: ClusterView): void {
    const raft = view.node(node)?.raft;
    if (raft === null || raft === undefined) return;
    const own = raft.tracker.get(node);
    const disk = view.node(node)!.durable;
    if (own !== undefined && !own.isLearner && own.match >= commit && disk.lastIndex < commit) {
      throw new Violation('I14', `node ${node} counts itself for the commit of ${commit}, and its disk ends at ${disk.lastIndex}`);
    }
    const entryTerm = raft.log.term(commit);
    if (entryTerm !== term) throw new Violation('I7', `node ${node} leads term ${term} and commits ${entryTerm}/${commit} by counting`);
    this.checkMajorities(raft, commit, term, view);
    this.note(node, raft, commit, term);
  }

  private checkMajorities(raft: Raft, commit: Index, term: Term, view: ClusterView): void {
    const { tracker } = raft;
    const { voters } = tracker.config;
    const holder = (id: NodeId): boolean => {
      const node = view.node(id);
      const progress = tracker.get(id);
      // What it acknowledges counts no longer, and until that is known, what it acknowledged before its disk forgot (O12).
      if (node === undefined || progress?.quarantined === true) return false;
      return holds(node.durable, commit, term) || (progress !== undefined && progress.match >= commit && this.history.mayBeDeceived(raft.id, term, id));
    };
    if (isMajority(voters.incoming.ids, holder) && isMajority(voters.outgoing.ids, holder)) return;
    const holders = voters.ids.filter(holder);
    throw new Violation('I7', `node ${raft.id} commits ${term}/${commit}, which of the voters ${voters.toString()} only [${holders.join(' ')}] have on disk`);
  }

  private note(node: NodeId, raft: Raft, commit: Index, term: Term): void {
    const { history } = this;
    const expected = history.committedTerm(commit);
    if (expected !== 0 && expected !== term) throw new Violation('I5', `node ${node} commits ${term}/${commit}, where ${expected}/${commit} is committed`);
    for (let index = history.committed + 1; index <= commit; index++) history.noteCommitted(index, raft.log.term(index));
    history.noteLeaderCommit(term, commit);
  }

  private checkQuorums(view: ClusterView): void {
    const { history } = this;
    const { config, committed } = history;
    // What the group begins with, every node can make again.
    if (config === null || committed <= history.founded) return;
    const term = history.committedTerm(committed);
    // If a majority of either half lacks the entry, but not of both, then every quorum still has it.
    // A node whose log went back takes part in no quorum until it has everything again (O12).
    const lacks = (id: NodeId): boolean => {
      if (history.hasLost(id)) return false;
      const node = view.node(id);
      return node === undefined || !holds(node.durable, committed, term);
    };
    const outgoingSafe = config.votersOutgoing.length > 0 && !isMajority(config.votersOutgoing, lacks);
    if (!isMajority(config.voters, lacks) || outgoingSafe) return;
    const without = [...config.voters, ...config.votersOutgoing].filter(lacks);
    throw new Violation('I4', `${term}/${committed} is committed, and nodes [${without.join(' ')}], a quorum, do not have it on disk`);
  }

  private checkAcknowledged(view: ClusterView): void {
    const { history } = this;
    for (const op of view.ops) {
      if (!op.write || op.outcome !== OpOutcome.Ok) continue;
      if (op.index > history.committed) throw new Violation('I4', `operation ${op.id} was acknowledged at ${op.index}, and only ${history.committed} is committed`);
      const found = history.opAt[op.index] ?? 0;
      if (found !== op.id) throw new Violation('I4', `operation ${op.id} was acknowledged at ${op.index}, where operation ${found} was applied`);
    }
  }
}
