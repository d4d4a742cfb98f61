import { checkInvariants } from '../core/checkInvariants.js';
import { newConfState, type ConfState, type Snapshot } from '../core/raftpb/state.js';
import type { AbortedRead, ReadState } from '../core/raft/raft.js';
import type { Message } from '../core/raftpb/message.js';
import { None, SnapshotStatus, type Index, type NodeId } from '../core/types.js';
import type { Checker, ClusterView, NodeView, ViewSettings } from './checker.js';
import { Clients } from './clients.js';
import { DiskLosses } from './diskLosses.js';
import type { ClientOp } from './clientOp.js';
import { FaultInjector } from './faultInjector.js';
import { FaultKind, faultKinds } from './faultKind.js';
import { Liveness, type Recovery } from './liveness.js';
import { MachineHost } from './machineHost.js';
import { isMember } from './members.js';
import type { DiskCopy, NodeParts } from './nodeStorage.js';
import { Prng } from './prng.js';
import { Scheduler } from './scheduler.js';
import { tickMicros, type SimConfig } from './simConfig.js';
import { SimEventKind, SimPhase, type SimEvent } from './simEvent.js';
import { SimNetwork } from './simNetwork.js';
import { SimNode } from './simNode.js';
import { simulatedParts } from './simulatedParts.js';
import { TraceHash } from './traceHash.js';
import type { UserMachine, Workload } from './userMachine.js';

/** Events that are kept for the report of a violation. */
const recentLength = 200;
/** Steps between two checkpoints. */
const checkpointSteps = 100;
/** Steps of the liveness phase at most: a group that needs more is caught in some loop. */
const livenessSteps = 200_000;

/**
 * A whole run: nodes, disks, network, clients and faults in one thread and in virtual time. Everything
 * random comes from the seed, so a run can be repeated event by event.
 */
export class SimCluster implements ClusterView {
  readonly config: SimConfig;
  private readonly newParts: (node: SimNode) => NodeParts;
  readonly scheduler = new Scheduler();
  readonly workload: Workload;
  readonly nodes: SimNode[] = [];
  readonly firstVoters: readonly NodeId[];
  readonly network: SimNetwork;
  readonly clients: Clients;
  readonly random: Prng;
  readonly diskRandom: Prng;
  readonly crashRandom: Prng;
  readonly workloadRandom: Prng;
  readonly faultRandom: Prng;
  readonly wipeRandom: Prng;
  private readonly clockRandom: Prng;
  readonly electionTimeout: number;
  readonly settings: ViewSettings;
  /** How often each kind of fault has happened. */
  readonly marks: Uint32Array = new Uint32Array(faultKinds);
  readonly hash = new TraceHash();
  phase: SimPhase = SimPhase.Safety;
  steps = 0;
  newestConfState: ConfState;
  private newestConfIndex: Index = 0;
  private readonly positions = new Map<NodeId, number>();
  private readonly checkersOf: Checker[][] = [];
  private readonly recentEvents: SimEvent[] = [];
  private recentAt = 0;
  private readonly injector: FaultInjector;
  private readonly diskLosses: DiskLosses;
  /** State of the group before its first entry; null if it begins with `bootstrap`. */
  private founding: Snapshot | null = null;
  private liveness: Liveness | null = null;
  /** Nodes that stopped for good, unless they are added again. */
  private readonly retired = new Set<NodeId>();
  /** Snapshots of which the outcome is kept from their sender until the heal. */
  private readonly unreported: Message[] = [];

  /** @param newParts makes what a node stands on; a model of a disk if not given. */
  constructor(config: SimConfig, workload: Workload, checkers: readonly Checker[], newParts: (node: SimNode) => NodeParts = simulatedParts) {
    this.config = config;
    this.newParts = newParts;
    this.workload = workload;
    const { seed } = config;
    this.random = new Prng(seed, 'net');
    this.diskRandom = new Prng(seed, 'disk');
    this.crashRandom = new Prng(seed, 'crash');
    this.workloadRandom = new Prng(seed, 'workload');
    this.faultRandom = new Prng(seed, 'faults');
    this.wipeRandom = new Prng(seed, 'wipes');
    this.clockRandom = new Prng(seed, 'clock');
    this.electionTimeout = (config.electionTick * tickMicros) / config.slowestClock;
    this.settings = config;
    for (let kind = 0; kind < Object.keys(SimEventKind).length; kind++) this.checkersOf.push(checkers.filter(({ kinds }) => kinds.includes(kind as SimEventKind)));
    this.network = new SimNetwork(this);
    this.clients = new Clients(this);
    this.injector = new FaultInjector(this);
    this.diskLosses = new DiskLosses(this);
    const voters: NodeId[] = [];
    const learners: NodeId[] = [];
    for (let i = 0; i < config.voters + config.learners; i++) (i < config.voters ? voters : learners).push(this.idAt(i));
    this.firstVoters = voters;
    this.newestConfState = newConfState({ voters, learners });
  }

  get now(): number {
    return this.scheduler.now;
  }

  get ops(): readonly ClientOp[] {
    return this.clients.ops;
  }

  get core(): readonly NodeId[] {
    return this.liveness === null ? [] : this.liveness.core;
  }

  /** How long the group took after the heal; null before it. */
  get recovery(): Recovery | null {
    return this.liveness === null ? null : this.liveness.recovery;
  }

  get faultsOn(): boolean {
    return this.phase === SimPhase.Safety;
  }

  /** The last events, oldest first. */
  get recent(): readonly SimEvent[] {
    const { recentEvents, recentAt } = this;
    return recentEvents.length < recentLength ? recentEvents : [...recentEvents.slice(recentAt), ...recentEvents.slice(0, recentAt)];
  }

  // -- The run

  /** Does the whole run. @throws Violation, or whatever else went wrong. */
  run(): void {
    const course = this.course();
    while (course.next().done !== true);
  }

  /** The whole run, step by step: stops after each event, for parts that have to do something between two of them. */
  *course(): Generator<void, void> {
    this.enter(SimPhase.Safety);
    this.found();
    this.clients.start();
    this.injector.start();
    this.diskLosses.start();
    const { steps } = this.config;
    while (this.steps < steps || this.diskLosses.unknown) {
      if (this.steps > steps + livenessSteps) throw new Error(`a loss is not found out within ${livenessSteps} steps`);
      this.step();
      yield;
    }

    this.enter(SimPhase.Liveness);
    this.clients.running = false;
    this.network.heal();
    this.reportLate();
    const liveness = new Liveness(this);
    this.liveness = liveness;
    const limit = this.steps + livenessSteps;
    while (!liveness.done && this.steps < limit) {
      this.step();
      yield;
    }
    if (!liveness.done) throw new Error(`the liveness phase does not end within ${livenessSteps} steps`);
    // Some runs go on for a while, to see that an idle group is quiet.
    if (this.config.seed % 8 === 0) {
      const until = this.now + 3 * this.electionTimeout;
      while (this.now < until) {
        this.step();
        yield;
      }
    }

    this.enter(SimPhase.Audit);
    this.emit({ kind: SimEventKind.Checkpoint, time: this.now, node: None });
  }

  private step(): void {
    this.scheduler.step();
    this.steps++;
    if (this.steps % checkpointSteps === 0) {
      for (const { rawNode } of this.nodes) if (rawNode !== null) checkInvariants(rawNode);
      this.emit({ kind: SimEventKind.Checkpoint, time: this.now, node: None });
    }
  }

  private enter(phase: SimPhase): void {
    this.phase = phase;
    this.emit({ kind: SimEventKind.Phase, time: this.now, node: None, phase });
  }

  /** Makes and starts the first members. */
  private found(): void {
    const { config } = this;
    // A group that begins with a snapshot begins with one at some index: later members need it as a reason to get one.
    const index = 1 + (config.seed % 7);
    const snapshot: Snapshot = { data: new MachineHost(this.newMachine()).save(), metadata: { index, term: 1, confState: this.newestConfState } };
    if (!config.bootstrap) this.founding = snapshot;
    for (let i = 0; i < config.voters + config.learners; i++) {
      const node = this.makeNode(true);
      if (!config.bootstrap) node.format(snapshot);
    }
    for (const node of this.nodes) node.start();
  }

  private idAt(position: number): NodeId {
    return this.config.bigIds && position % 2 === 1 ? 0xffff_ffff_0000_0000n + BigInt(position) : position + 1;
  }

  private makeNode(founder: boolean): SimNode {
    const { config, clockRandom } = this;
    const position = this.nodes.length;
    const drawn = clockRandom.float();
    const rate = config.slowestClock + (config.extremeClocks ? Math.round(drawn) : drawn) * (config.fastestClock - config.slowestClock);
    const node = new SimNode(this, this.idAt(position), position, rate, founder, this.newParts);
    for (const other of this.nodes) {
      const ratio = other.clockRate / rate;
      if (ratio > 1.1 || ratio < 1 / 1.1) this.mark(FaultKind.ClockSkew);
    }
    this.positions.set(node.id, position);
    this.nodes.push(node);
    return node;
  }

  // -- What checkers see

  node(id: NodeId): SimNode | undefined {
    const position = this.positions.get(id);
    return position === undefined ? undefined : this.nodes[position];
  }

  emit(event: SimEvent): void {
    this.hash.add(event);
    this.recentEvents[this.recentAt] = event;
    this.recentAt = (this.recentAt + 1) % recentLength;
    switch (event.kind) {
      case SimEventKind.ConfigApplied:
        if (event.confState !== null) this.noteConfig(event.entry.index, event.confState);
        break;
      case SimEventKind.SnapshotInstalled:
        this.noteConfig(event.snapshot.metadata.index, event.snapshot.metadata.confState);
        break;
      case SimEventKind.Stopped:
        this.clients.stopped(this.node(event.node)!);
        break;
      default:
    }
    const checkers = this.checkersOf[event.kind]!;
    for (let i = 0; i < checkers.length; i++) checkers[i]!.onEvent(event, this);
  }

  mark(kind: FaultKind): void {
    this.marks[kind] = this.marks[kind]! + 1;
  }

  private noteConfig(index: Index, confState: ConfState): void {
    if (index <= this.newestConfIndex) return;
    this.newestConfIndex = index;
    this.newestConfState = confState;
    for (const id of this.retired) if (isMember(confState, id)) this.revive(id);
  }

  /** Whether a majority of each half of the newest configuration has applied it, so that nobody else is needed any more. */
  get settled(): boolean {
    const { voters, votersOutgoing } = this.newestConfState;
    return this.knownToMost(voters) && this.knownToMost(votersOutgoing);
  }

  private knownToMost(voters: readonly NodeId[]): boolean {
    let known = 0;
    for (const id of voters) {
      const node = this.node(id);
      if (node !== undefined && node.up && node.applied >= this.newestConfIndex) known++;
    }
    return voters.length === 0 || known * 2 > voters.length;
  }

  // -- What the network asks

  position(id: NodeId): number {
    return this.positions.get(id) ?? -1;
  }

  incarnation(position: number): number {
    return this.nodes[position]!.incarnation;
  }

  deliver(m: Message, sentTo: number): boolean {
    const node = this.node(m.to)!;
    const arrived = node.receive(m);
    if (arrived && node.incarnation !== sentTo) this.mark(FaultKind.LateDelivery);
    return arrived;
  }

  snapshotSent(m: Message, arrived: boolean): void {
    if (!this.faultsOn || this.quiet || this.config.weights.reports === 0 || this.faultRandom.chance(0.7)) return this.report(m, arrived);
    this.mark(FaultKind.NoSnapshotReport);
    this.unreported.push(m);
  }

  /** Tells what was kept from the senders of snapshots. */
  private reportLate(): void {
    for (const m of this.unreported) this.report(m, false);
    this.unreported.length = 0;
  }

  private report(m: Message, arrived: boolean): void {
    const sender = this.node(m.from)!;
    this.scheduler.after(1000, () => {
      if (sender.up) sender.reportSnapshot(m.to, arrived ? SnapshotStatus.Finish : SnapshotStatus.Failure);
    });
  }

  // -- What nodes ask

  newMachine(): UserMachine {
    return this.workload.newMachine();
  }

  send(m: Message): void {
    this.network.send(m);
  }

  opApplied(node: NodeView, id: number, index: Index, answer: unknown): void {
    this.clients.applied(node.id, id, index, answer);
  }

  appliedTo(node: NodeView): void {
    this.clients.serve(this.node(node.id)!);
  }

  readState(node: NodeView, read: ReadState): void {
    this.clients.readState(this.node(node.id)!, read);
  }

  readAborted(node: NodeView, read: AbortedRead): void {
    this.clients.readAborted(this.node(node.id)!, read);
  }

  crashed(node: NodeView): void {
    this.restartLater(this.node(node.id)!);
  }

  removed(node: NodeView): void {
    const { id, incarnation } = node;
    this.scheduler.after(this.faultRandom.exponential(3 * tickMicros), () => {
      const now = this.node(id)!;
      if (!now.up || now.incarnation !== incarnation || !this.faultsOn || isMember(this.newestConfState, id)) return;
      // Its vote may be needed until the others know that it is gone.
      if (!this.settled) return this.removed(node);
      this.mark(FaultKind.Retire);
      this.retired.add(id);
      now.crash(false);
    });
  }

  // -- What the fault injector asks

  restartLater(node: SimNode): void {
    const { incarnation } = node;
    this.scheduler.after(this.faultRandom.exponential(this.config.downTime), () => {
      if (!node.up && node.incarnation === incarnation && this.faultsOn && !this.retired.has(node.id)) node.start();
    });
  }

  // -- What losses of disks ask

  get quiet(): boolean {
    return this.diskLosses.quiet;
  }

  get recovered(): boolean {
    return this.diskLosses.recovered;
  }

  calm(): void {
    this.injector.calm();
    this.reportLate();
    for (const node of this.nodes) if (!node.up && !this.retired.has(node.id)) node.start();
  }

  cutOff(away: ReadonlySet<SimNode>): void {
    this.network.setCuts((from, to) => this.isAway(from, away) !== this.isAway(to, away));
  }

  private isAway(position: number, away: ReadonlySet<SimNode>): boolean {
    const node = this.nodes[position];
    return node !== undefined && away.has(node);
  }

  loseDisk(node: SimNode, backup: DiskCopy | null): void {
    // An empty disk, or one prepared as on the first day: both are what an operator may do.
    node.loseDisk(backup, this.wipeRandom.chance(0.7) ? this.founding : null);
  }

  logWentBack(leader: NodeView, permitted: boolean): void {
    this.diskLosses.found(this.node(leader.id)!, permitted);
  }

  addNode(): SimNode | null {
    if (this.nodes.length >= this.config.maxNodes) return null;
    const node = this.makeNode(false);
    node.start();
    return node;
  }

  revive(id: NodeId): void {
    if (!this.retired.delete(id)) return;
    const node = this.node(id)!;
    if (!node.up) this.restartLater(node);
  }
}
