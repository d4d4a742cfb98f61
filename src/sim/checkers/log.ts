import { MessageType } from '../../core/raftpb/messageType.js';
import type { Raft } from '../../core/raft/raft.js';
import { StateType, type Index, type NodeId, type Term } from '../../core/types.js';
import { Violation, type Checker, type ClusterView } from '../checker.js';
import {
  SimEventKind,
  type CommitEvent,
  type DeliverEvent,
  type ReadyEvent,
  type SimEvent,
  type SnapshotInstalledEvent,
  type StartedEvent,
  type TruncatedEvent,
} from '../simEvent.js';
import type { RunHistory } from './runHistory.js';

/** What is remembered of a node's log. */
class LogMark {
  /** Last index handed out with a Ready, and the commit index at that time. */
  last: Index = 0;
  commit: Index = 0;
  /** Commit index in the hard state that was written last. */
  writtenCommit: Index = 0;
  /** Term in which the node led at the last Ready; 0 if it did not. */
  ledTerm: Term = 0;
  /** The log before a message of an older term was stepped. */
  beforeLast: Index = -1;
  beforeLastTerm: Term = 0;
  beforeCommit: Index = 0;
}

/**
 * I2, log matching: one log for each index and term, on all nodes and for all time (Raft §5.3). I5, commit
 * agreement: what a node commits at an index is what was committed there first. I6: nothing committed or
 * applied is ever cut off, a leader only appends (Raft Figure 3), and an old leader changes no log.
 */
export class LogChecker implements Checker {
  readonly name = 'I2 log matching, I5 commit agreement, I6 append-only';
  readonly kinds = [
    SimEventKind.Started,
    SimEventKind.Ready,
    SimEventKind.Written,
    SimEventKind.Truncated,
    SimEventKind.Deliver,
    SimEventKind.Stepped,
    SimEventKind.Commit,
    SimEventKind.SnapshotInstalled,
  ];
  private readonly history: RunHistory;
  private readonly marks = new Map<NodeId, LogMark>();

  /** @param history of this run. */
  constructor(history: RunHistory) {
    this.history = history;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    const mark = this.mark(event.node);
    switch (event.kind) {
      case SimEventKind.Started:
        return this.started(event, mark);
      case SimEventKind.Ready:
        return this.ready(event, mark, view);
      case SimEventKind.Written:
        if (event.hardState !== null) mark.writtenCommit = event.hardState.commit;
        return;
      case SimEventKind.Truncated:
        return this.truncated(event, mark, view);
      case SimEventKind.Deliver:
        return this.deliver(event, mark, view);
      case SimEventKind.Stepped:
        return this.stepped(event.node, mark, view);
      case SimEventKind.Commit:
        return this.committed(event, view);
      case SimEventKind.SnapshotInstalled:
        return this.installed(event);
      default:
    }
  }

  private mark(node: NodeId): LogMark {
    let mark = this.marks.get(node);
    if (mark === undefined) {
      mark = new LogMark();
      this.marks.set(node, mark);
    }
    return mark;
  }

  private started(event: StartedEvent, mark: LogMark): void {
    const { prefixes } = this.history;
    mark.last = event.lastIndex;
    mark.commit = event.hardState.commit;
    mark.writtenCommit = event.hardState.commit;
    mark.ledTerm = 0;
    if (prefixes.get(event.lastIndex, event.lastTerm) !== 0) return;
    if (event.incarnation > 0) throw new Violation('I2', `node ${event.node} starts with an entry ${event.lastTerm}/${event.lastIndex} that nobody ever had`);
    // What the group begins with: the hash of the log that nobody knows any more.
    prefixes.note(event.lastIndex, event.lastTerm, event.lastIndex * 2 + 1);
  }

  private ready({ node, ready }: ReadyEvent, mark: LogMark, view: ClusterView): void {
    const raft = view.node(node)?.raft ?? null;
    const { entries, snapshot } = ready;
    if (snapshot !== null) {
      if (snapshot.metadata.index <= mark.commit) throw new Violation('I6', `node ${node} replaces its log, committed up to ${mark.commit}, by a snapshot at ${snapshot.metadata.index}`);
      mark.last = snapshot.metadata.index;
    }
    if (entries.length > 0 && raft !== null) {
      const first = entries[0]!.index;
      if (first <= mark.commit) throw new Violation('I6', `node ${node} replaces entry ${first}, and had committed up to ${mark.commit}`);
      if (mark.ledTerm !== 0 && mark.ledTerm === raft.term && first <= mark.last) {
        throw new Violation('I6', `node ${node} leads term ${raft.term} and replaces its entry ${first}; it had entries up to ${mark.last}`);
      }
      this.noteEntries(node, raft, ready);
      mark.last = entries[entries.length - 1]!.index;
    }
    if (raft === null) return;
    // What is committed and left for the next Ready is not handed out twice then.
    mark.commit = Math.min(raft.log.committed, mark.last);
    mark.ledTerm = raft.state === StateType.Leader ? raft.term : 0;
  }

  private noteEntries(node: NodeId, raft: Raft, { entries }: ReadyEvent['ready']): void {
    const { prefixes } = this.history;
    const before = entries[0]!.index - 1;
    const beforeTerm = raft.log.term(before);
    let hash = prefixes.get(before, beforeTerm);
    if (hash === 0) throw new Violation('I2', `node ${node} appends after an entry ${beforeTerm}/${before} that nobody ever had`);
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      hash = prefixes.extend(hash, entry);
      if (!prefixes.note(entry.index, entry.term, hash)) {
        throw new Violation('I2', `node ${node} has another log up to entry ${entry.term}/${entry.index} than was seen before`);
      }
    }
  }

  private truncated({ node, index, last }: TruncatedEvent, mark: LogMark, view: ClusterView): void {
    // The commit index that was written, not the one in memory: that one may already speak of the new entries.
    const fixed = Math.max(mark.writtenCommit, view.node(node)?.applied ?? 0);
    if (index <= fixed) throw new Violation('I6', `node ${node} cuts off ${index} to ${last}, and has committed or applied up to ${fixed}`);
  }

  private deliver({ node, message: m }: DeliverEvent, mark: LogMark, view: ClusterView): void {
    const raft = view.node(node)?.raft;
    mark.beforeLast = -1;
    if (raft === null || raft === undefined || m.term >= raft.term) return;
    if (m.type !== MessageType.MsgApp && m.type !== MessageType.MsgHeartbeat && m.type !== MessageType.MsgSnap) return;
    mark.beforeLast = raft.log.lastIndex();
    mark.beforeLastTerm = raft.log.lastTerm();
    mark.beforeCommit = raft.log.committed;
  }

  private stepped(node: NodeId, mark: LogMark, view: ClusterView): void {
    if (mark.beforeLast < 0) return;
    const log = view.node(node)?.raft?.log;
    if (log === undefined) return;
    if (log.lastIndex() === mark.beforeLast && log.lastTerm() === mark.beforeLastTerm && log.committed === mark.beforeCommit) return;
    throw new Violation('I6', `a leader of an older term has changed the log of node ${node}, which ended at ${mark.beforeLastTerm}/${mark.beforeLast}`);
  }

  private committed({ node, from, to }: CommitEvent, view: ClusterView): void {
    const { history } = this;
    if (to <= from) throw new Violation('I8', `the commit index of node ${node} moves from ${from} to ${to}`);
    const log = view.node(node)?.raft?.log;
    if (log === undefined) return;
    if (to > history.committed && !history.isLed) {
      // A group begins with a few entries that nobody voted on: every node has the same ones.
      for (let index = history.committed + 1; index <= to; index++) history.noteCommitted(index, log.term(index));
      history.noteFounded(to);
    }
    const expected = history.committedTerm(to);
    if (to > history.committed) throw new Violation('I5', `node ${node} commits ${to}, which no leader has committed`);
    const found = log.term(to);
    if (found !== expected && expected !== 0) throw new Violation('I5', `node ${node} commits ${found}/${to}, where ${expected}/${to} is committed`);
  }

  private installed({ node, snapshot }: SnapshotInstalledEvent): void {
    const { index, term } = snapshot.metadata;
    if (this.history.prefixes.get(index, term) === 0) throw new Violation('I2', `node ${node} installs a snapshot at ${term}/${index}, an entry that nobody ever had`);
  }
}
