import { RaftError, RaftErrorCode } from '../core/errors.js';
import type { ConfChange, ConfChangeV2 } from '../core/raftpb/confChange.js';
import { isConfChangeEntry, type Entry } from '../core/raftpb/entry.js';
import type { Message } from '../core/raftpb/message.js';
import { emptyConfState, type ConfState, type Snapshot } from '../core/raftpb/state.js';
import type { Raft } from '../core/raft/raft.js';
import { StepResult } from '../core/raft/stepResult.js';
import { internalRaft, RawNode } from '../core/rawNode.js';
import type { Ready } from '../core/ready.js';
import type { TraceEvent } from '../core/trace.js';
import { StateType, type EntryId, type Index, type NodeId, type SnapshotStatus } from '../core/types.js';
import type { ClientOp } from './clientOp.js';
import type { DurableView, NodeView } from './checker.js';
import { FaultKind, faultName } from './faultKind.js';
import { MachineHost } from './machineHost.js';
import type { NodeHost } from './nodeHost.js';
import { Prng } from './prng.js';
import { tickMicros } from './simConfig.js';
import { SimEventKind } from './simEvent.js';
import { newWrite, SimStorage } from './simStorage.js';

/** What carries out the Readys of a node: synchronous or with storage threads. Made anew with every start. */
export interface ReadyHandler {
  /** Takes and handles Readys as far as it gets now. */
  pump(): void;
  /** Whether the host waits for its disk and could do nothing else if it were a single thread. */
  readonly waiting: boolean;
}

/** Latency of a disk without faults, in microseconds. */
const healthyLatency = 200;

/** A process with a RawNode, on a machine with a disk. */
export class SimNode implements NodeView {
  readonly id: NodeId;
  readonly position: number;
  readonly host: NodeHost;
  readonly storage: SimStorage;
  /** Rate of its clock against the true time. */
  readonly clockRate: number;
  /** Whether it was a member from the beginning, and so starts the group if its storage is empty. */
  private readonly founder: boolean;
  private readonly newHandler: (node: SimNode) => ReadyHandler;
  private readonly timeoutRandom: Prng;

  up = false;
  incarnation = -1;
  rawNode: RawNode | null = null;
  raft: Raft | null = null;
  confState: ConfState = emptyConfState;
  machine: MachineHost;
  /** Index of a leader's snapshot that was handed out and is not installed yet. */
  pendingSnapshot: Index = 0;
  /** Virtual time until which the disk does nothing. */
  stalledUntil = 0;
  /** Factor of the disk's latency. */
  diskSlowness = 1;
  private paused = false;
  private missedTicks = 0;
  private inbox: Message[] = [];
  /** What the process would have done while it stood still. */
  private deferred: (() => void)[] = [];
  /** What it waits for: disk and apply thread. */
  private readonly tasks = new Set<() => void>();
  private handler: ReadyHandler | null = null;
  private lastCommit: Index = 0;
  private wasLeader = false;

  constructor(host: NodeHost, id: NodeId, position: number, clockRate: number, founder: boolean, newHandler: (node: SimNode) => ReadyHandler) {
    this.host = host;
    this.id = id;
    this.position = position;
    this.clockRate = clockRate;
    this.founder = founder;
    this.newHandler = newHandler;
    this.machine = new MachineHost(host.newMachine());
    this.timeoutRandom = new Prng(host.config.seed, `timeouts ${position}`);
    const { snapshotUnavailable } = host.config;
    this.storage = new SimStorage(() => {
      const fails = host.faultsOn && snapshotUnavailable > 0 && host.diskRandom.chance(snapshotUnavailable);
      if (fails) host.mark(FaultKind.SnapshotUnavailable);
      return fails;
    });
  }

  get durable(): DurableView {
    return this.storage.durable;
  }

  get applied(): Index {
    return this.machine.applied;
  }

  get now(): number {
    return this.host.scheduler.now;
  }

  get isLeader(): boolean {
    return this.raft !== null && this.raft.state === StateType.Leader;
  }

  /** Whether the process cannot do anything right now: it stands still, or its one thread waits for the disk. */
  get isBlocked(): boolean {
    return this.paused || (this.host.config.blockingHost && this.handler !== null && this.handler.waiting);
  }

  stateHash(): number {
    return this.machine.hash();
  }

  // -- Life of the process

  /** Puts the state of a new group on the disk, with its members in a snapshot. */
  format(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    this.storage.write(newWrite({ snapshot, hardState: { term, vote: 0, commit: index } }));
    this.storage.sync();
  }

  /** Starts the process from its storage. */
  start(): void {
    const { config } = this.host;
    this.incarnation++;
    this.up = true;
    this.recoverMachine();
    const c = config;
    const rawNode = new RawNode({
      id: this.id,
      storage: this.storage,
      applied: this.machine.applied,
      electionTick: c.electionTick,
      heartbeatTick: c.heartbeatTick,
      preVote: c.preVote,
      checkQuorum: c.checkQuorum,
      readOnlyOption: c.readOnlyOption,
      leaseMarginTicks: c.leaseMarginTicks,
      asyncStorageWrites: c.asyncStorageWrites,
      stepDownOnRemoval: c.stepDownOnRemoval,
      disableProposalForwarding: c.disableProposalForwarding,
      disableConfChangeValidation: c.disableConfChangeValidation,
      maxSizePerMsg: c.maxSizePerMsg,
      maxCommittedSizePerReady: c.maxCommittedSizePerReady,
      maxUncommittedEntriesSize: c.maxUncommittedEntriesSize,
      maxInflightMsgs: c.maxInflightMsgs,
      maxInflightBytes: c.maxInflightBytes,
      random: (bound) => this.timeoutRandom.below(bound),
      trace: { trace: (event) => this.trace(event) },
    });
    this.rawNode = rawNode;
    this.raft = internalRaft(rawNode);
    this.lastCommit = this.raft.log.committed;
    this.wasLeader = false;
    this.handler = this.newHandler(this);
    const { hardState } = this.storage.initialState();
    const lastIndex = this.storage.lastIndex();
    this.host.emit({
      kind: SimEventKind.Started,
      time: this.now,
      node: this.id,
      incarnation: this.incarnation,
      hardState,
      lastIndex,
      lastTerm: this.storage.term(lastIndex),
      applied: this.machine.applied,
    });
    if (c.bootstrap && this.founder && lastIndex === 0) rawNode.bootstrap(this.host.firstVoters.map((id) => ({ id })));
    this.scheduleTick();
    // The crash may have come between applying and this.
    this.compactAsUsual();
    this.afterCall();
  }

  /** Ends the process; with `powerLoss` the machine, of whose writes only what was synced is sure to remain. */
  crash(powerLoss: boolean): void {
    if (!this.up) return;
    const { host, storage } = this;
    this.up = false;
    this.rawNode = null;
    this.raft = null;
    this.handler = null;
    this.inbox = [];
    this.deferred = [];
    this.tasks.clear();
    this.paused = false;
    this.missedTicks = 0;
    this.pendingSnapshot = 0;
    if (powerLoss) {
      const kept = host.diskRandom.chance(0.5) ? host.diskRandom.below(storage.pendingWrites + 1) : 0;
      if (kept > 0) host.mark(FaultKind.WriteKept);
      if (storage.losePower(kept) > 0) host.mark(FaultKind.WriteLost);
    }
    host.mark(powerLoss ? FaultKind.PowerLoss : FaultKind.Kill);
    host.emit({ kind: SimEventKind.Stopped, time: this.now, node: this.id, powerLoss });
  }

  /** What the state machine holds after the process has ended. */
  private recoverMachine(): void {
    const { storage } = this;
    const snapshot = storage.newestSnapshot();
    const { index, confState } = snapshot.metadata;
    const { hardState } = storage.initialState();
    const durable = this.host.config.durableMachine && this.incarnation > 0 && this.machine.applied >= index && this.machine.applied <= storage.lastIndex();
    if (durable) {
      storage.machineConfState = this.confState;
    } else {
      storage.machineConfState = null;
      this.confState = confState;
      this.machine = new MachineHost(this.host.newMachine());
      if (index > 0) this.machine.restore(snapshot.data, index);
    }
    // What was applied is committed, also if the thread that applied it was ahead of the one that saves the commit index.
    if (hardState.commit < this.machine.applied) storage.write(newWrite({ hardState: { ...hardState, commit: this.machine.applied } }));
    // Whoever opens a log has to sync it: the node takes what it reads for durable.
    storage.sync();
  }

  /** Lets the process stand still. Messages wait. */
  pause(): void {
    this.paused = true;
  }

  /** Ends a pause: the ticks that were missed come now, or never, and then the messages. */
  resume(burst: boolean): void {
    if (!this.paused) return;
    this.paused = false;
    const ticks = this.missedTicks;
    this.missedTicks = 0;
    if (ticks > 0) this.tell(burst ? FaultKind.TickBurst : FaultKind.TicksMissed, ticks);
    if (burst) for (let i = 0; i < ticks && this.up; i++) this.tick();
    const { deferred } = this;
    this.deferred = [];
    for (const run of deferred) if (this.up) run();
    this.drain();
  }

  private tell(fault: FaultKind, ticks: number): void {
    this.host.mark(fault);
    this.host.emit({ kind: SimEventKind.Fault, time: this.now, node: this.id, fault, detail: `${faultName(fault)} ${ticks}` });
  }

  /** Does something later, if this process still runs then; after a pause if it stands still. */
  later(delay: number, run: () => void): void {
    this.tasks.add(run);
    this.host.scheduler.after(delay, () => {
      if (!this.tasks.delete(run)) return;
      if (this.paused) this.deferred.push(run);
      else run();
    });
  }

  /** Ends every fault of the machine: what it waits for happens soon. */
  heal(): void {
    this.stalledUntil = 0;
    this.diskSlowness = 1;
    for (const run of [...this.tasks]) this.later(100, run);
    this.resume(true);
  }

  private scheduleTick(): void {
    const { incarnation } = this;
    this.host.scheduler.after(tickMicros / this.clockRate, () => {
      if (!this.up || this.incarnation !== incarnation) return;
      this.scheduleTick();
      if (this.isBlocked) this.missedTicks++;
      else this.tick();
    });
  }

  private tick(): void {
    this.host.emit({ kind: SimEventKind.Ticked, time: this.now, node: this.id });
    this.rawNode!.tick();
    this.afterCall();
  }

  // -- Calls of the core

  /** A message arrives. Returns false if the process is not there. */
  receive(m: Message): boolean {
    if (!this.up) return false;
    if (this.isBlocked) this.inbox.push(m);
    else this.step(m);
    return true;
  }

  private step(m: Message): void {
    const raft = this.raft!;
    const { host, id } = this;
    const termBefore = raft.term;
    const voteBefore = raft.vote;
    host.emit({ kind: SimEventKind.Deliver, time: this.now, node: id, message: m });
    const result = this.rawNode!.step(m);
    host.emit({ kind: SimEventKind.Stepped, time: this.now, node: id, message: m, result, termBefore, voteBefore });
    this.afterCall();
  }

  /** Handles what has waited, for example for the disk. */
  drain(): void {
    if (this.missedTicks > 1 && !this.isBlocked) this.tell(FaultKind.TickBurst, this.missedTicks);
    while (this.up && !this.isBlocked) {
      if (this.missedTicks > 0) {
        this.missedTicks--;
        this.tick();
        continue;
      }
      const m = this.inbox.shift();
      if (m === undefined) return;
      this.step(m);
    }
  }

  /** Proposes data. Returns where it stands, null if it was forwarded, or why it was dropped. */
  propose(data: Uint8Array): EntryId | StepResult | null {
    return this.proposal(data, false, (node) => node.propose(data));
  }

  /** Proposes a configuration change. Returns as {@link propose}. */
  proposeConfChange(change: ConfChange | ConfChangeV2, data: Uint8Array): EntryId | StepResult | null {
    return this.proposal(data, true, (node) => node.proposeConfChange(change));
  }

  private proposal(data: Uint8Array, confChange: boolean, propose: (node: RawNode) => EntryId | null): EntryId | StepResult | null {
    let at: EntryId | null;
    try {
      at = propose(this.rawNode!);
    } catch (error) {
      if (error instanceof RaftError && error.code === RaftErrorCode.ProposalDropped) return error.reason as StepResult;
      throw error;
    }
    this.host.emit({ kind: SimEventKind.Proposed, time: this.now, node: this.id, data, term: at?.term ?? 0, index: at?.index ?? 0, confChange });
    this.afterCall();
    return at;
  }

  /** Asks for a linearizable read. */
  readIndex(requestContext: Uint8Array, op: ClientOp): StepResult {
    // Before the call: the answer may be there at once.
    this.host.emit({ kind: SimEventKind.ReadRequested, time: this.now, node: this.id, requestContext, op });
    const result = this.rawNode!.readIndex(requestContext);
    this.afterCall();
    return result;
  }

  campaign(): StepResult {
    return this.called(this.rawNode!.campaign());
  }

  transferLeader(to: NodeId): StepResult {
    return this.called(this.rawNode!.transferLeader(to));
  }

  forgetLeader(): StepResult {
    return this.called(this.rawNode!.forgetLeader());
  }

  reportUnreachable(id: NodeId): StepResult {
    return this.called(this.rawNode!.reportUnreachable(id));
  }

  reportSnapshot(id: NodeId, status: SnapshotStatus): StepResult {
    return this.called(this.rawNode!.reportSnapshot(id, status));
  }

  private called(result: StepResult): StepResult {
    this.afterCall();
    return result;
  }

  /** Looks at what a call has changed, and handles what has become ready. */
  private afterCall(): void {
    this.observe();
    this.handler!.pump();
  }

  /** Reports a commit index that has moved. After every call of the core. */
  observe(): void {
    const { committed } = this.raft!.log;
    if (committed === this.lastCommit) return;
    const from = this.lastCommit;
    this.lastCommit = committed;
    this.host.emit({ kind: SimEventKind.Commit, time: this.now, node: this.id, from, to: committed });
  }

  private trace(event: TraceEvent): void {
    const { host, id } = this;
    switch (event.kind) {
      case 'role':
        host.emit({ kind: SimEventKind.Role, time: this.now, node: id, state: event.state, term: event.term, vote: event.vote, lead: event.lead });
        if (this.wasLeader && event.state !== StateType.Leader) host.mark(FaultKind.LeaderDeposed);
        this.wasLeader = event.state === StateType.Leader;
        return;
      case 'commit':
        host.emit({ kind: SimEventKind.LeaderCommit, time: this.now, node: id, term: event.term, commit: event.commit });
        return;
      default:
    }
  }

  // -- What handlers do with a Ready

  /** Takes the next Ready. */
  takeReady(pending: boolean): Ready {
    const ready = this.rawNode!.ready();
    if (ready.snapshot !== null) this.pendingSnapshot = ready.snapshot.metadata.index;
    this.host.emit({ kind: SimEventKind.Ready, time: this.now, node: this.id, ready, pending });
    for (const read of ready.readStates) {
      if (!this.isLeader) this.host.mark(FaultKind.FollowerRead);
      this.host.readState(this, read);
    }
    for (const read of ready.abortedReads) {
      this.host.mark(FaultKind.ReadAborted);
      this.host.readAborted(this, read);
    }
    return ready;
  }

  /** Applies one committed entry to the state machine. */
  applyEntry(entry: Entry): void {
    const { host, id } = this;
    // Entries of before a snapshot may still have been on their way to the apply thread.
    if (entry.index <= this.machine.applied) return;
    const confChange = isConfChangeEntry(entry);
    const op = confChange ? null : this.machine.apply(entry);
    this.machine.applied = entry.index;
    host.emit({ kind: SimEventKind.Applied, time: this.now, node: id, entry, incarnation: this.incarnation });
    if (op !== null) host.opApplied(this, op.id, entry.index, op.answer);
    if (!confChange) return;

    const confState = this.rawNode!.applyConfChange(entry);
    if (confState !== null) this.confState = confState;
    host.emit({ kind: SimEventKind.ConfigApplied, time: this.now, node: id, entry, confState });
    this.observe();
    if (confState !== null && !isMember(confState, id)) host.removed(this);
  }

  /** Replaces the state machine by a leader's snapshot, which has just been written. */
  installSnapshot(snapshot: Snapshot): void {
    const { index, confState } = snapshot.metadata;
    this.pendingSnapshot = 0;
    this.machine = new MachineHost(this.host.newMachine());
    this.machine.restore(snapshot.data, index);
    this.confState = confState;
    this.host.mark(FaultKind.SnapshotInstalled);
    if (confState.votersOutgoing.length > 0) this.host.mark(FaultKind.SnapshotInJoint);
    this.host.emit({ kind: SimEventKind.SnapshotInstalled, time: this.now, node: this.id, snapshot, stateHash: this.machine.hash() });
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
   */
  maybeCompact(threshold: number, trailing: number): boolean {
    const { storage, machine } = this;
    const index = machine.applied;
    const newest = storage.newestSnapshot().metadata;
    // While a leader's snapshot is being written, the configuration at our own index is not known any more.
    if (this.pendingSnapshot > 0 || index <= newest.index || index > storage.lastIndex()) return false;
    if (index < newest.index + threshold && (storage.firstIndex() === 1 || knowsAll(newest.confState, this.confState))) return false;
    const created: Snapshot = { data: machine.save(), metadata: { confState: this.confState, index, term: storage.term(index) } };
    // A log without its committed part must not be found with a commit index below it.
    const compactTo = Math.min(index - trailing, storage.writtenHardState.commit);
    const compact = compactTo >= storage.firstIndex() ? compactTo : 0;
    storage.write(newWrite({ created, compact }));
    this.host.emit({ kind: SimEventKind.SnapshotCreated, time: this.now, node: this.id, snapshot: created, stateHash: machine.hash() });
    if (compact > 0) this.host.emit({ kind: SimEventKind.Compacted, time: this.now, node: this.id, index: compact });
    return true;
  }

  /** Virtual time that a sync takes now. */
  diskLatency(): number {
    return Math.max(this.latency(this.host.config.diskLatency) * this.diskSlowness, this.stalledUntil - this.now, 0);
  }

  /** Virtual time that applying a batch takes now. */
  applyLatency(): number {
    return this.latency(this.host.config.applyLatency);
  }

  private latency(mean: number): number {
    if (mean === 0) return 0;
    const { diskRandom, faultsOn } = this.host;
    // Without faults a disk is fast: what is asked of a healed group is counted in election timeouts.
    return diskRandom.exponential(faultsOn ? mean : Math.min(mean, healthyLatency));
  }
}

/** Whether every member of `current` is one of `known`. */
function knowsAll(known: ConfState, current: ConfState): boolean {
  return known === current || [...current.voters, ...current.votersOutgoing, ...current.learners].every((id) => isMember(known, id));
}

function isMember(confState: ConfState, id: NodeId): boolean {
  return confState.voters.includes(id) || confState.learners.includes(id) || confState.votersOutgoing.includes(id);
}
