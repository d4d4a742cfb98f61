import type { Raft } from '../../core/raft/raft.js';
import { StateType } from '../../core/types.js';
import { Violation, type Checker, type ClusterView, type NodeView } from '../checker.js';
import { OpOutcome } from '../clientOp.js';
import { EntryType } from '../../core/raftpb/entry.js';
import { serveBound } from '../livenessBounds.js';
import { operationOf } from '../machineHost.js';
import { SimEventKind, SimPhase, type AppliedEvent, type SimEvent } from '../simEvent.js';

/** Election timeouts without anything new, after which a group must have come to rest. */
const restTimeouts = 2;

/**
 * I23: snapshot, applied, commit and last index of a node stand in this order. I20: every operation of a client
 * ends, and one that has failed never appears. I19: when nothing is left to do, nothing is left in memory.
 */
export class OrderChecker implements Checker {
  readonly name = 'I19 quiescence, I20 settled operations, I23 order';
  readonly kinds = [
    SimEventKind.Stepped,
    SimEventKind.Ticked,
    SimEventKind.Compacted,
    SimEventKind.Synced,
    SimEventKind.Applied,
    SimEventKind.Proposed,
    SimEventKind.ReadRequested,
    SimEventKind.OpReturned,
    SimEventKind.Role,
    SimEventKind.ConfigApplied,
    SimEventKind.Phase,
  ];
  /** Operations that were applied anywhere, and that have failed, by number. */
  private readonly applied = new Set<number>();
  private readonly failed = new Set<number>();
  /** Virtual time at which something new was asked for. */
  private lastNews = 0;
  /** Virtual time at which all faults ended. */
  private healedAt = Infinity;

  onEvent(event: SimEvent, view: ClusterView): void {
    switch (event.kind) {
      case SimEventKind.Stepped:
      case SimEventKind.Ticked:
        return checkRaft(view.node(event.node));
      case SimEventKind.Compacted:
        return checkCompacted(view.node(event.node));
      case SimEventKind.Synced:
        return checkDisk(view.node(event.node));
      case SimEventKind.Applied:
        return this.noteApplied(event);
      case SimEventKind.Proposed:
      case SimEventKind.ReadRequested:
      case SimEventKind.Role:
        this.lastNews = event.time;
        return;
      case SimEventKind.ConfigApplied:
        return checkAlone(view.node(event.node));
      case SimEventKind.OpReturned:
        if (event.op.outcome !== OpOutcome.Failed || !event.op.write) return;
        this.failed.add(event.op.id);
        return this.checkFailed(event.op.id);
      case SimEventKind.Phase:
        if (event.phase === SimPhase.Liveness) this.healedAt = event.time;
        if (event.phase === SimPhase.Audit) this.audit(view);
        return;
      default:
    }
  }

  private noteApplied({ entry }: AppliedEvent): void {
    if (entry.type !== EntryType.EntryNormal || entry.data.length === 0) return;
    const id = operationOf(entry.data);
    this.applied.add(id);
    this.checkFailed(id);
  }

  private checkFailed(id: number): void {
    if (this.failed.has(id) && this.applied.has(id)) throw new Violation('I20', `operation ${id} was applied, and its client was told that it never would be`);
  }

  private audit(view: ClusterView): void {
    for (const op of view.ops) {
      // Only what began after the heal: before that, the answer may have gone down with a node. It may have met an election.
      if (op.outcome !== OpOutcome.Pending || op.invokedAt < this.healedAt || view.now - op.invokedAt < serveBound(view.settings) * view.electionTimeout) continue;
      throw new Violation('I20', `operation ${op.id} of ${op.invokedAt} has not ended`);
    }
    if (view.now - this.lastNews < restTimeouts * view.electionTimeout) return;
    for (const node of view.nodes) {
      if (node.raft !== null && node.raft.state === StateType.Leader) checkRest(node.raft, view);
    }
  }
}

function checkRaft(node: NodeView | undefined): void {
  if (node === undefined || node.raft === null) return;
  const { log, id } = node.raft;
  const { applied, applying, committed } = log;
  const last = log.lastIndex();
  if (applied <= applying && applying <= committed && committed <= last) return;
  throw new Violation('I23', `node ${id} has applied ${applied}, is applying ${applying}, has committed ${committed}, and its log ends at ${last}`);
}

/** D3: who has just become the only voter has nobody to ask, so no read may wait for an answer. */
function checkAlone(node: NodeView | undefined): void {
  if (node === undefined || node.raft === null) return;
  const { raft } = node;
  if (raft.state !== StateType.Leader || !raft.tracker.isSingleton || !raft.tracker.config.voters.has(raft.id)) return;
  const { length } = raft.readOnly.waiting;
  if (length > 0) throw new Violation('I20', `leader ${raft.id} is the only voter, and ${length} reads wait to be confirmed`);
}

function checkDisk(node: NodeView | undefined): void {
  if (node === undefined) return;
  const { snapshotIndex, offset, lastIndex } = node.durable;
  if (offset > snapshotIndex) throw new Violation('I23', `the disk of node ${node.id} has a log after ${offset}, and its newest snapshot is of ${snapshotIndex}`);
  if (lastIndex < snapshotIndex) throw new Violation('I23', `the disk of node ${node.id} has a snapshot of ${snapshotIndex} beyond the end ${lastIndex} of its log`);
}

function checkCompacted(node: NodeView | undefined): void {
  if (node === undefined) return;
  const first = node.storage.firstIndex();
  if (first > node.applied + 1) throw new Violation('I23', `the log of node ${node.id} begins at ${first}, and it has applied only ${node.applied}`);
}

/** A leader of a group in which everyone has everything. */
function checkRest(raft: Raft, view: ClusterView): void {
  const { log, tracker, id } = raft;
  if (log.applied !== log.lastIndex()) return;
  if (raft.uncommittedSize !== 0) throw new Violation('I19', `leader ${id} counts ${raft.uncommittedSize} bytes as not applied, and all are`);
  if (raft.pendingReads.length > 0 || raft.readOnly.waiting.length > 0) {
    throw new Violation('I19', `leader ${id} has ${raft.pendingReads.length + raft.readOnly.waiting.length} reads waiting, and nobody has asked for a while`);
  }
  for (let i = 0; i < tracker.ids.length; i++) {
    const progress = tracker.progresses[i]!;
    if (!view.core.includes(tracker.ids[i]!) || progress.match !== log.lastIndex()) continue;
    if (progress.inflights.count > 0) throw new Violation('I19', `leader ${id} has ${progress.inflights.count} messages in flight to node ${tracker.ids[i]!}, which has everything`);
  }
}
