import { isConfChangeEntry, type Entry } from '../core/raftpb/entry.js';
import { emptyConfState, type ConfState, type Snapshot } from '../core/raftpb/state.js';
import type { Index, NodeId } from '../core/types.js';
import { FaultKind } from './faultKind.js';
import { MachineHost, type AppliedOp } from './machineHost.js';
import { knowsAll } from './members.js';
import type { NodeHost } from './nodeHost.js';
import type { NodeStorage } from './nodeStorage.js';
import { SimEventKind } from './simEvent.js';

/** What a host has above the core: its state machine, the configuration as of what it has applied, and its snapshots. */
export class Application {
  private readonly host: NodeHost;
  private readonly id: NodeId;
  private readonly storage: NodeStorage;
  machine: MachineHost;
  /** Configuration as of the applied index. */
  confState: ConfState = emptyConfState;
  /** Index of a leader's snapshot that was handed out and is not installed yet. */
  pendingSnapshot: Index = 0;

  constructor(host: NodeHost, id: NodeId, storage: NodeStorage) {
    this.host = host;
    this.id = id;
    this.storage = storage;
    this.machine = new MachineHost(host.newMachine());
  }

  /** Finds what is left after the process has ended. `firstStart` if there never was one. */
  recover(firstStart: boolean): void {
    const { storage, host } = this;
    this.pendingSnapshot = 0;
    const snapshot = storage.newestSnapshot();
    const { index, confState } = snapshot.metadata;
    const { hardState } = storage.initialState();
    const { applied } = this.machine;
    if (host.config.durableMachine && !firstStart && applied >= index && applied <= storage.lastIndex()) {
      storage.machineConfState = this.confState;
    } else {
      storage.machineConfState = null;
      this.confState = confState;
      this.machine = new MachineHost(host.newMachine());
      if (index > 0) this.machine.restore(snapshot.data, index);
    }
    // What was applied is committed, also if the thread that applied it was ahead of the one that saves the commit index.
    if (hardState.commit < this.machine.applied) storage.saveCommit(this.machine.applied);
  }

  /** Carries out the command in an entry; null if it has none, or one that was carried out before. */
  apply(entry: Entry): AppliedOp | null {
    const op = isConfChangeEntry(entry) ? null : this.machine.apply(entry);
    this.machine.applied = entry.index;
    return op;
  }

  /** Replaces the state machine by a leader's snapshot, which has just been written. */
  install(snapshot: Snapshot): void {
    const { host } = this;
    const { index, confState } = snapshot.metadata;
    this.pendingSnapshot = 0;
    this.machine = new MachineHost(host.newMachine());
    this.machine.restore(snapshot.data, index);
    this.confState = confState;
    host.mark(FaultKind.SnapshotInstalled);
    if (confState.votersOutgoing.length > 0) host.mark(FaultKind.SnapshotInJoint);
    host.emit({ kind: SimEventKind.SnapshotInstalled, time: host.scheduler.now, node: this.id, snapshot, stateHash: this.machine.hash() });
  }

  /** What a host does after applying something. */
  compactAsUsual(): void {
    const { config, faultsOn } = this.host;
    const { snapshotThreshold, snapshotTrailing } = config;
    // A client of a follower gets its answer when the follower applies the command. In a healed group it should not be skipped by a snapshot.
    if (faultsOn) this.maybeCompact(snapshotThreshold, snapshotTrailing);
    else this.maybeCompact(Math.max(snapshotThreshold, 100), Math.max(snapshotTrailing, 100));
  }

  /**
   * Makes a snapshot and discards log behind it, if enough was applied since the last one. Also if the last
   * one does not know all members: it could not be installed by those who need it most.
   *
   * @returns whether it did.
   */
  maybeCompact(threshold: number, trailing: number): boolean {
    const { storage, machine, host, id, confState } = this;
    const index = machine.applied;
    const newest = storage.newestSnapshot().metadata;
    // While a leader's snapshot is being written, the configuration at our own index is not known any more.
    if (this.pendingSnapshot > 0 || index <= newest.index || index > storage.lastIndex()) return false;
    if (index < newest.index + threshold && (storage.firstIndex() === 1 || knowsAll(newest.confState, confState))) return false;
    const created: Snapshot = { data: machine.save(), metadata: { confState, index, term: storage.term(index) } };
    // A log without its committed part must not be found with a commit index below it.
    const compactTo = Math.min(index - trailing, storage.writtenHardState.commit);
    const compact = compactTo >= storage.firstIndex() ? compactTo : 0;
    storage.saveSnapshot(created, compact);
    const time = host.scheduler.now;
    host.emit({ kind: SimEventKind.SnapshotCreated, time, node: id, snapshot: created, stateHash: machine.hash() });
    if (compact > 0) host.emit({ kind: SimEventKind.Compacted, time, node: id, index: compact });
    return true;
  }
}
