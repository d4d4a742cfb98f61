import { isConfChangeEntry, type Entry } from '../../core/raftpb/entry.js';
import { tryDecodeConfChange } from '../../core/raftpb/confChangeWire.js';
import { confStatesEquivalent, type ConfState } from '../../core/raftpb/state.js';
import { StateType, stateTypeName, type Index, type NodeId } from '../../core/types.js';
import { Violation, type Checker, type ClusterView } from '../checker.js';
import { SimEventKind, type ConfigAppliedEvent, type ReadyEvent, type RoleEvent, type SimEvent, type StartedEvent } from '../simEvent.js';
import { changedConfig } from './membershipModel.js';
import type { RunHistory } from './runHistory.js';

/**
 * I21, configurations: a change has the same outcome on every node, and it is the one that the rules give;
 * a leader appends no change while one is not applied; only voters campaign and lead.
 */
export class MembershipChecker implements Checker {
  readonly name = 'I21 configurations';
  readonly kinds = [SimEventKind.Started, SimEventKind.Stopped, SimEventKind.Role, SimEventKind.Ready, SimEventKind.ConfigApplied];
  private readonly history: RunHistory;
  /** Outcome of every change by its index: null if it has none. */
  private readonly outcomes = new Map<Index, ConfState | null>();
  /** Indexes of the changes in the log of every node, rising. */
  private readonly changesOf = new Map<NodeId, Index[]>();

  /** @param history of this run. */
  constructor(history: RunHistory) {
    this.history = history;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    switch (event.kind) {
      case SimEventKind.Started:
        return this.started(event, view);
      case SimEventKind.Stopped:
        // An older disk may hold another log than what is left of this one.
        if (event.dataLoss === true) this.changesOf.delete(event.node);
        return;
      case SimEventKind.Role:
        return checkRole(event, view);
      case SimEventKind.Ready:
        return this.ready(event, view);
      case SimEventKind.ConfigApplied:
        return this.applied(event, view);
      default:
    }
  }

  private started({ node, incarnation, lastIndex }: StartedEvent, view: ClusterView): void {
    cutAfter(this.changes(node), lastIndex);
    const confState = view.node(node)?.confState;
    // The group begins with a snapshot that has the members in it.
    if (incarnation === 0 && this.history.config === null && lastIndex > 0 && confState !== undefined && confState.voters.length > 0) {
      this.history.noteConfig(lastIndex, confState);
    }
  }

  private changes(node: NodeId): Index[] {
    let changes = this.changesOf.get(node);
    if (changes === undefined) {
      changes = [];
      this.changesOf.set(node, changes);
    }
    return changes;
  }

  private ready({ node, ready }: ReadyEvent, view: ClusterView): void {
    const { entries } = ready;
    if (entries.length === 0) return;
    const raft = view.node(node)?.raft;
    const changes = this.changes(node);
    cutAfter(changes, entries[0]!.index - 1);
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (!isConfChangeEntry(entry)) continue;
      const before = changes[changes.length - 1] ?? 0;
      changes.push(entry.index);
      // Only who appended it is asked: a follower may lag behind with applying.
      if (raft === null || raft === undefined || raft.state !== StateType.Leader || entry.term !== raft.term) continue;
      if (before > raft.log.applied && !raft.config.disableConfChangeValidation) {
        throw new Violation('I21', `leader ${node} appends a configuration change at ${entry.index}, and that at ${before} is not applied`);
      }
    }
  }

  private applied({ node, entry, confState }: ConfigAppliedEvent, view: ClusterView): void {
    const { history, outcomes } = this;
    const { index } = entry;
    // What a bootstrap makes takes effect at once, and the first time all of it together.
    if (index < history.founded) return;
    // A snapshot has brought the node beyond the change (D14).
    if (confState === null && index <= (view.node(node)?.raft?.restoredConfIndex ?? 0)) return;
    const known = outcomes.get(index);
    if (known === undefined) {
      this.checkOutcome(node, entry, confState);
      outcomes.set(index, confState);
      if (confState !== null) history.noteConfig(index, confState);
      return;
    }
    const same = known === null || confState === null ? known === confState : confStatesEquivalent(known, confState);
    if (!same) throw new Violation('I21', `node ${node} gets ${text(confState)} from the change at ${index}, and another node ${text(known)}`);
  }

  private checkOutcome(node: NodeId, entry: Entry, confState: ConfState | null): void {
    const { history } = this;
    const before = history.config;
    const { index } = entry;
    if (index < history.configIndex) throw new Violation('I21', `node ${node} applies a change at ${index} that has passed all others by`);
    const change = tryDecodeConfChange(entry);
    if (before === null || index === history.founded || change === null) return;
    const expected = changedConfig(before, change);
    const same = expected === null || confState === null ? expected === confState : confStatesEquivalent(expected, confState);
    if (!same) throw new Violation('I21', `node ${node} gets ${text(confState)} from the change at ${index}; by the rules it is ${text(expected)}`);
  }
}

function checkRole({ node, state, term }: RoleEvent, view: ClusterView): void {
  if (state === StateType.Follower) return;
  const raft = view.node(node)?.raft;
  if (raft === null || raft === undefined || raft.tracker.config.voters.has(node)) return;
  throw new Violation('I21', `node ${node} is ${stateTypeName(state)} in term ${term}, and no voter of ${raft.tracker.config.toString()}`);
}

/** Drops what is above `index` from a rising list. */
function cutAfter(indexes: Index[], index: Index): void {
  while (indexes.length > 0 && indexes[indexes.length - 1]! > index) indexes.pop();
}

function text(confState: ConfState | null): string {
  if (confState === null) return 'nothing';
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = confState;
  return `voters (${voters.join(' ')})(${votersOutgoing.join(' ')}) learners (${learners.join(' ')})(${learnersNext.join(' ')})${autoLeave ? ' autoleave' : ''}`;
}
