import { RaftError, RaftErrorCode } from '../core/errors.js';
import type { ConfChange, ConfChangeV2 } from '../core/raftpb/confChange.js';
import { isConfChangeEntry, type Entry } from '../core/raftpb/entry.js';
import type { Message } from '../core/raftpb/message.js';
import type { ConfState, Snapshot } from '../core/raftpb/state.js';
import type { Raft } from '../core/raft/raft.js';
import type { StepResult } from '../core/raft/stepResult.js';
import { internalRaft, RawNode } from '../core/rawNode.js';
import type { Ready } from '../core/ready.js';
import type { TraceEvent } from '../core/trace.js';
import { StateType, type EntryId, type Index, type NodeId, type SnapshotStatus } from '../core/types.js';
import { Application } from './application.js';
import type { ClientOp } from './clientOp.js';
import { coreOptions } from './coreOptions.js';
import type { DurableView, NodeView } from './checker.js';
import { DiskSpeed } from './diskSpeed.js';
import { FaultKind, faultName } from './faultKind.js';
import { isMember } from './members.js';
import type { NodeHost } from './nodeHost.js';
import type { DiskCopy, NodeParts, NodeStorage, ReadyHandler } from './nodeStorage.js';
import { Prng } from './prng.js';
import { tickMicros } from './simConfig.js';
import { SimEventKind } from './simEvent.js';

/** A process with a RawNode, on a machine with a disk. */
export class SimNode implements NodeView {
  readonly id: NodeId;
  readonly position: number;
  readonly host: NodeHost;
  readonly storage: NodeStorage;
  readonly disk: DiskSpeed;
  readonly application: Application;
  /** Rate of its clock against the true time. */
  readonly clockRate: number;
  /** Whether it was a member from the beginning, and so starts the group if its storage is empty. */
  readonly founder: boolean;
  private readonly parts: NodeParts;
  private readonly timeoutRandom: Prng;

  up = false;
  incarnation = -1;
  rawNode: RawNode | null = null;
  raft: Raft | null = null;
  /** Whether no fault may end this process: it would forget that it has lost something. */
  spared = false;
  /** Whether its disk has been replaced since the last start, and ever. */
  private diskReplaced = false;
  private everReplaced = false;
  /** Whether the process has begun, and reads its log. */
  private opening = false;
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

  constructor(host: NodeHost, id: NodeId, position: number, clockRate: number, founder: boolean, newParts: (node: SimNode) => NodeParts) {
    this.host = host;
    this.id = id;
    this.position = position;
    this.clockRate = clockRate;
    this.founder = founder;
    this.disk = new DiskSpeed(host);
    this.timeoutRandom = new Prng(host.config.seed, `timeouts ${position}`);
    this.parts = newParts(this);
    this.storage = this.parts.storage;
    this.application = new Application(host, id, this.storage);
  }

  get durable(): DurableView {
    return this.storage.durable;
  }

  get applied(): Index {
    return this.application.machine.applied;
  }

  get confState(): ConfState {
    return this.application.confState;
  }

  get now(): number {
    return this.host.scheduler.now;
  }

  get isLeader(): boolean {
    return this.raft !== null && this.raft.state === StateType.Leader;
  }

  /** Whether there is a process, also one that has not read its log yet. */
  get running(): boolean {
    return this.up || this.opening;
  }

  /** Whether the process cannot do anything right now: it stands still, or its one thread waits for the disk. */
  get isBlocked(): boolean {
    return this.paused || (this.host.config.blockingHost && this.handler !== null && this.handler.waiting);
  }

  stateHash(): number {
    return this.application.machine.hash();
  }

  // -- Life of the process

  /** Puts the state of a new group on the disk, with its members in a snapshot. */
  format(snapshot: Snapshot): void {
    this.storage.format(snapshot);
  }

  /** Starts the process from its storage, unless it runs. */
  start(): void {
    if (this.running) return;
    this.opening = true;
    this.storage.open(() => this.opened());
  }

  private opened(): void {
    const { config } = this.host;
    this.opening = false;
    this.up = true;
    this.incarnation++;
    this.application.recover(this.incarnation === 0 || this.diskReplaced);
    this.diskReplaced = false;
    const rawNode = new RawNode({
      ...coreOptions(config),
      id: this.id,
      storage: this.storage,
      applied: this.applied,
      random: (bound) => this.timeoutRandom.below(bound),
      trace: { trace: (event) => this.trace(event) },
    });
    this.rawNode = rawNode;
    this.raft = internalRaft(rawNode);
    this.lastCommit = this.raft.log.committed;
    this.wasLeader = false;
    this.handler = this.parts.newHandler();
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
      applied: this.applied,
    });
    if (config.bootstrap && this.founder && lastIndex === 0 && !this.everReplaced) rawNode.bootstrap(this.host.firstVoters.map((id) => ({ id })));
    this.scheduleTick();
    // The crash may have come between applying and this.
    this.application.compactAsUsual();
    this.afterCall();
  }

  /** Ends the process; with `powerLoss` the machine, of whose writes only what was synced is sure to remain. */
  crash(powerLoss: boolean): void {
    if (!this.running) return;
    const { host, storage, opening } = this;
    this.end();
    if (powerLoss) {
      const { kept, lost } = storage.losePower(host.diskRandom);
      if (kept) host.mark(FaultKind.WriteKept);
      if (lost) host.mark(FaultKind.WriteLost);
    } else storage.kill();
    host.mark(powerLoss ? FaultKind.PowerLoss : FaultKind.Kill);
    // Nobody has seen it start.
    if (opening) this.tell(FaultKind.CrashInRecovery, this.incarnation + 1);
    else host.emit({ kind: SimEventKind.Stopped, time: this.now, node: this.id, powerLoss });
  }

  /**
   * Ends the process for good reason: its disk is replaced by an older copy, or by a new one, which gets the
   * state of a new group if there is one to give.
   */
  loseDisk(backup: DiskCopy | null, founding: Snapshot | null): void {
    const { host, storage } = this;
    this.end();
    storage.shutDown();
    host.emit({ kind: SimEventKind.Stopped, time: this.now, node: this.id, powerLoss: true, dataLoss: true });
    storage.replaceDisk(backup);
    this.diskReplaced = true;
    this.everReplaced = true;
    if (backup === null && this.founder && founding !== null) this.format(founding);
    const fault = backup === null ? FaultKind.Wipe : FaultKind.RollBack;
    host.mark(fault);
    host.emit({ kind: SimEventKind.Fault, time: this.now, node: this.id, fault, detail: `${faultName(fault)} to ${storage.lastIndex()}` });
  }

  private end(): void {
    this.up = false;
    this.opening = false;
    this.rawNode = null;
    this.raft = null;
    this.handler = null;
    this.inbox = [];
    this.deferred = [];
    this.tasks.clear();
    this.paused = false;
    this.missedTicks = 0;
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

  private tell(fault: FaultKind, count: number): void {
    this.host.mark(fault);
    this.host.emit({ kind: SimEventKind.Fault, time: this.now, node: this.id, fault, detail: `${faultName(fault)} ${count}` });
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
    this.disk.heal();
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

  /** Permits once that the log of a member goes back, or withdraws that. This node leads. */
  allowNextRevert(member: NodeId, allow: boolean): void {
    this.host.emit({ kind: SimEventKind.Permitted, time: this.now, node: this.id, member, allow });
    this.rawNode!.allowNextRevert(member, allow);
    this.afterCall();
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
      case 'logWentBack':
        host.mark(event.permitted ? FaultKind.StartOver : FaultKind.Quarantine);
        host.emit({ kind: SimEventKind.LogWentBack, time: this.now, node: id, member: event.member, match: event.match, permitted: event.permitted });
        host.logWentBack(this, event.permitted);
        return;
      case 'lossNoted':
        host.mark(FaultKind.LossNoted);
        host.emit({ kind: SimEventKind.LossNoted, time: this.now, node: id, lostUpTo: event.lostUpTo });
        return;
      default:
    }
  }

  // -- What handlers do with a Ready

  /** Takes the next Ready. */
  takeReady(pending: boolean): Ready {
    const ready = this.rawNode!.ready();
    if (ready.snapshot !== null) this.application.pendingSnapshot = ready.snapshot.metadata.index;
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
    if (entry.index <= this.applied) return;
    const op = this.application.apply(entry);
    host.emit({ kind: SimEventKind.Applied, time: this.now, node: id, entry, incarnation: this.incarnation });
    if (op !== null) host.opApplied(this, op.id, entry.index, op.answer);
    if (!isConfChangeEntry(entry)) return;

    const confState = this.rawNode!.applyConfChange(entry);
    if (confState !== null) this.application.confState = confState;
    host.emit({ kind: SimEventKind.ConfigApplied, time: this.now, node: id, entry, confState });
    this.observe();
    if (confState !== null && !isMember(confState, id)) host.removed(this);
  }
}
