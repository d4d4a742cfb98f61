import { EntryType, type Entry } from '../../core/raftpb/entry.js';
import type { Index, NodeId } from '../../core/types.js';
import { confStatesEquivalent, type Snapshot } from '../../core/raftpb/state.js';
import { Violation, type Checker, type ClusterView } from '../checker.js';
import { operationOf } from '../machineHost.js';
import { SimEventKind, SimPhase, type AppliedEvent, type ProposedEvent, type SimEvent } from '../simEvent.js';
import { entryKey } from './prefixTable.js';
import type { RunHistory } from './runHistory.js';

const { imul } = Math;

/**
 * I9: in one life of a node entries are applied in order, each once, none beyond the commit index, and they
 * are the committed ones. I18: what is applied is, byte for byte, what was proposed and written. I22: all state
 * machines are equal at equal indexes, whether they got there by entries or by a snapshot, and a snapshot
 * names the right term.
 */
export class ApplyChecker implements Checker {
  readonly name = 'I9 applied stream, I18 entry integrity, I22 snapshot equivalence';
  readonly kinds = [
    SimEventKind.Started,
    SimEventKind.Proposed,
    SimEventKind.Applied,
    SimEventKind.SnapshotCreated,
    SimEventKind.SnapshotInstalled,
    SimEventKind.Checkpoint,
    SimEventKind.Phase,
  ];
  private readonly history: RunHistory;
  private readonly applied = new Map<NodeId, Index>();
  /** Hashes of the data that was proposed, and where a leader has put it. */
  private readonly proposed = new Set<number>();
  private readonly proposedAt = new Map<number, number>();
  /** Hash of the state machines by applied index. */
  private readonly stateAt = new Map<Index, number>();

  /** @param history of this run. */
  constructor(history: RunHistory) {
    this.history = history;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    switch (event.kind) {
      case SimEventKind.Started:
        this.applied.set(event.node, event.applied);
        return;
      case SimEventKind.Proposed:
        return this.noteProposed(event);
      case SimEventKind.Applied:
        return this.apply(event, view);
      case SimEventKind.SnapshotCreated:
        return this.checkSnapshot(event.node, event.snapshot, event.stateHash);
      case SimEventKind.SnapshotInstalled:
        return this.install(event.node, event.snapshot, event.stateHash);
      case SimEventKind.Checkpoint:
        return this.compareMachines(view);
      case SimEventKind.Phase:
        if (event.phase === SimPhase.Audit) this.compareMachines(view);
        return;
      default:
    }
  }

  private noteProposed({ data, term, index, confChange }: ProposedEvent): void {
    if (confChange) return;
    const hash = hashBytes(data);
    this.proposed.add(hash);
    if (index > 0) this.proposedAt.set(entryKey(index, term), hash);
  }

  private apply({ node, entry }: AppliedEvent, view: ClusterView): void {
    const { history } = this;
    const { index, term } = entry;
    const before = this.applied.get(node) ?? 0;
    if (index !== before + 1) throw new Violation('I9', `node ${node} applies ${index} after ${before}`);
    this.applied.set(node, index);
    const raft = view.node(node)?.raft;
    if (raft !== null && raft !== undefined && index > raft.log.committed) throw new Violation('I9', `node ${node} applies ${index}, and has committed ${raft.log.committed}`);
    const expected = history.committedTerm(index);
    if (expected !== term && expected !== 0) throw new Violation('I9', `node ${node} applies ${term}/${index}, where ${expected}/${index} is committed`);
    this.checkBytes(node, entry);
    if (entry.type !== EntryType.EntryNormal || entry.data.length === 0) return;
    history.opAt[index] ??= operationOf(entry.data);
  }

  private checkBytes(node: NodeId, entry: Entry): void {
    const { prefixes } = this.history;
    const { index, term, data } = entry;
    const written = prefixes.get(index, term);
    const before = prefixes.get(index - 1, index === 1 ? 0 : this.history.committedTerm(index - 1));
    if (written !== 0 && before !== 0 && prefixes.extend(before, entry) !== written) {
      throw new Violation('I18', `node ${node} applies other bytes at ${term}/${index} than were written`);
    }
    if (entry.type !== EntryType.EntryNormal || data.length === 0) return;
    const hash = hashBytes(data);
    if (!this.proposed.has(hash)) throw new Violation('I18', `node ${node} applies bytes at ${term}/${index} that nobody has proposed`);
    const there = this.proposedAt.get(entryKey(index, term));
    if (there !== undefined && there !== hash) throw new Violation('I18', `node ${node} applies other bytes at ${term}/${index} than the leader has promised for that place`);
  }

  private install(node: NodeId, snapshot: Snapshot, stateHash: number): void {
    const { index } = snapshot.metadata;
    const before = this.applied.get(node) ?? 0;
    if (index < before) throw new Violation('I9', `node ${node} goes back from ${before} to a snapshot at ${index}`);
    this.applied.set(node, index);
    this.checkSnapshot(node, snapshot, stateHash);
  }

  private checkSnapshot(node: NodeId, { metadata }: Snapshot, stateHash: number): void {
    const { history } = this;
    const { index, term, confState } = metadata;
    const expected = history.committedTerm(index);
    if (expected !== term && expected !== 0) throw new Violation('I22', `the snapshot of node ${node} at ${index} has term ${term}, and ${expected} is committed there`);
    if (index > history.committed) throw new Violation('I22', `the snapshot of node ${node} at ${index} is beyond what is committed`);
    this.compare(node, index, stateHash);
    const config = history.configAt(index);
    if (config !== null && !confStatesEquivalent(config, confState)) {
      throw new Violation('I22', `the snapshot of node ${node} at ${index} does not have the configuration in force there`);
    }
  }

  private compareMachines(view: ClusterView): void {
    const { nodes } = view;
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!;
      if (node.up && node.applied > 0) this.compare(node.id, node.applied, node.stateHash());
    }
  }

  private compare(node: NodeId, index: Index, stateHash: number): void {
    const known = this.stateAt.get(index);
    if (known === undefined) this.stateAt.set(index, stateHash);
    else if (known !== stateHash) throw new Violation('I22', `node ${node} has another state at ${index} than another node, or than itself before`);
  }
}

/** 53 bits that depend on all bytes. */
function hashBytes(data: Uint8Array): number {
  let low = 0x811c9dc5 ^ data.length;
  let high = 0x9e3779b9;
  for (let i = 0; i < data.length; i++) {
    low = imul(low ^ data[i]!, 0x01000193);
    high = imul(high + data[i]!, 0x85ebca6b) ^ (high >>> 13);
  }
  return ((high ^ (high >>> 11)) & 0x1fffff) * 2 ** 32 + (low >>> 0);
}
