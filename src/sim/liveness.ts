import { confStatesEquivalent, type ConfState } from '../core/raftpb/state.js';
import { None, type NodeId } from '../core/types.js';
import { Violation } from './checker.js';
import type { Clients } from './clients.js';
import { OpOutcome, type ClientOp } from './clientOp.js';
import { leaveJoint } from './membershipFaults.js';
import { electBound, serveBound } from './livenessBounds.js';
import type { Prng } from './prng.js';
import type { Scheduler } from './scheduler.js';
import { tickMicros, type SimConfig } from './simConfig.js';
import type { SimNode } from './simNode.js';

/** What the liveness phase needs of the run. */
export interface LivenessHost {
  readonly config: SimConfig;
  readonly scheduler: Scheduler;
  readonly faultRandom: Prng;
  readonly clients: Clients;
  readonly nodes: readonly SimNode[];
  /** The newest configuration that any node has applied so far. */
  readonly newestConfState: ConfState;
  /** Whether that configuration can do without everyone who is no member of it. */
  readonly settled: boolean;
  /** Whether no node lacks what its disk has lost. */
  readonly recovered: boolean;
  /** Base election timeout in microseconds. */
  readonly electionTimeout: number;
}

/** Operations that have to succeed from every live node, of each direction. */
const opsPerNode = 10;

/** A client of the liveness phase: it wants its operations done, at one node. */
class Probe {
  readonly node: SimNode;
  private readonly clients: Clients;
  private readonly client: number;
  private op: ClientOp | null = null;
  private since = 0;
  private writes = 0;
  private reads = 0;

  constructor(node: SimNode, clients: Clients, client: number) {
    this.node = node;
    this.clients = clients;
    this.client = client;
  }

  get done(): boolean {
    return this.writes >= opsPerNode && this.reads >= opsPerNode;
  }

  get missing(): string {
    return `${opsPerNode - this.writes} writes and ${opsPerNode - this.reads} reads at node ${this.node.id}`;
  }

  /** Looks after the operation under way, and starts the next one. */
  advance(now: number, patience: number, forwards: boolean): void {
    const { op } = this;
    if (op !== null && op.outcome === OpOutcome.Ok) {
      if (op.write) this.writes++;
      else this.reads++;
      this.op = null;
    } else if (op !== null && op.outcome === OpOutcome.Pending && now - this.since < patience) return;
    // Writes that a follower may not forward have to be made elsewhere.
    if (!forwards && !this.node.isLeader) this.writes = opsPerNode;
    if (this.done || !this.node.up || this.node.isBlocked) return;
    this.since = now;
    this.op = this.clients.invokeAt(this.client, this.node, this.writes <= this.reads && this.writes < opsPerNode);
  }
}

/** How long a healed group took, in election timeouts. */
export interface Recovery {
  /** Until it had a leader (L1); null if it never had. */
  readonly elected: number | null;
  /** Until all live members agreed and had served (L2, L3); null if they never did. */
  readonly inOrder: number | null;
}

/**
 * The part of a run in which nothing goes wrong any more. A group that is healed must elect a leader, bring
 * everyone to the same state and serve, all of it in bounded time (L1, L2, L3).
 */
export class Liveness {
  private readonly host: LivenessHost;
  private readonly startedAt: number;
  private readonly probes = new Map<NodeId, Probe>();
  private elected: number | null = null;
  private inOrder: number | null = null;
  /** Nodes that must live: members of the newest configuration, without those that were chosen to stay dead. */
  core: readonly NodeId[] = [];
  private readonly dead: ReadonlySet<NodeId>;

  constructor(host: LivenessHost) {
    this.host = host;
    this.startedAt = host.scheduler.now;
    for (const node of host.nodes) {
      node.heal();
      if (!node.up) node.start();
    }
    this.dead = this.chooseDead();
    for (const node of host.nodes) if (this.dead.has(node.id)) node.crash(false);
    this.look();
    this.schedule();
  }

  /** Whether everything that is demanded has been seen. */
  get done(): boolean {
    return this.inOrder !== null;
  }

  get recovery(): Recovery {
    return { elected: this.elected, inOrder: this.inOrder };
  }

  private schedule(): void {
    this.host.scheduler.after(tickMicros / 5, () => {
      this.look();
      if (!this.done) this.schedule();
    });
  }

  /** A minority may stay dead, where it is certain which nodes form a majority. */
  private chooseDead(): ReadonlySet<NodeId> {
    const { newestConfState, faultRandom, config } = this.host;
    const wanted = faultRandom.chance(0.3);
    const pick = faultRandom.uint32();
    if (!wanted || config.weights.membership > 0 || !this.host.recovered) return new Set();
    const { voters } = newestConfState;
    const minority = Math.floor((voters.length - 1) / 2);
    if (minority < 1) return new Set();
    const count = 1 + (pick % minority);
    return new Set(voters.filter((_, i) => (i + pick) % voters.length < count));
  }

  private look(): void {
    const { host } = this;
    const { now } = host.scheduler;
    const confState = host.newestConfState;
    this.tidy(confState);
    const timeouts = (now - this.startedAt) / host.electionTimeout;
    const elect = electBound(host.config);
    const serve = serveBound(host.config);
    const leader = this.leader();
    if (leader !== null) this.elected ??= timeouts;
    if (this.elected === null && timeouts > elect) throw new Violation('L1', `no leader ${elect} election timeouts after the heal`);
    if (leader !== null && !leader.isBlocked) this.endQuarantine(leader);
    if (leader !== null && !leader.isBlocked && confState.votersOutgoing.length > 0 && !confState.autoLeave) leaveJoint(leader);

    const forwards = !host.config.disableProposalForwarding;
    for (const id of this.core) this.probe(id).advance(now, Math.max(host.electionTimeout, 4 * tickMicros), forwards);
    const missing = this.missing();
    if (missing === null) this.inOrder = timeouts;
    else if (timeouts > serve) throw new Violation(missing.startsWith('L3') ? 'L3' : 'L2', `${serve} election timeouts after the heal: ${missing}`);
  }

  /** What `docs/reverted-follower.md` asks for: a healthy node leads in place of this one, unless reversions are permitted anyway. */
  private endQuarantine(leader: SimNode): void {
    const { tracker, log, leadTransferee } = leader.raft!;
    const members = this.core.filter((id) => id !== leader.id);
    const quarantined = members.find((id) => tracker.get(id)?.quarantined);
    if (quarantined === undefined || leadTransferee !== None) return;
    // In quarantine `match` is 0.
    const healthy = members.filter((id) => tracker.get(id)?.match === log.lastIndex());
    const successor = healthy.find((id) => tracker.get(id)?.isLearner === false);
    if (this.host.config.diskLoss.permission === 'after' && healthy.length === members.length - 1) leader.allowNextRevert(quarantined, true);
    else if (successor !== undefined) leader.transferLeader(successor);
  }

  /** Stops who is no member any more, and starts who is one. */
  private tidy(confState: ConfState): void {
    const members = new Set([...confState.voters, ...confState.votersOutgoing, ...confState.learners]);
    const core: NodeId[] = [];
    for (const node of this.host.nodes) {
      const wanted = members.has(node.id) && !this.dead.has(node.id);
      if (wanted) {
        core.push(node.id);
        if (!node.up) node.start();
      } else if (node.up && (this.dead.has(node.id) || this.host.settled)) node.crash(false);
    }
    this.core = core;
  }

  private leader(): SimNode | null {
    let leader: SimNode | null = null;
    for (const node of this.host.nodes) {
      if (node.isLeader && (leader === null || node.raft!.term > leader.raft!.term)) leader = node;
    }
    return leader;
  }

  private probe(id: NodeId): Probe {
    let probe = this.probes.get(id);
    if (probe === undefined) {
      const { nodes, config, clients } = this.host;
      const node = nodes.find((candidate) => candidate.id === id)!;
      // A session of its own: the clients of before may still have something under way.
      probe = new Probe(node, clients, config.clients + node.position);
      this.probes.set(id, probe);
    }
    return probe;
  }

  /** What is not in order yet; null if all is. */
  private missing(): string | null {
    const { newestConfState } = this.host;
    if (newestConfState.votersOutgoing.length > 0) return 'L2: the configuration is joint';
    for (const id of this.core) {
      const probe = this.probe(id);
      if (!probe.done) return `L3: ${probe.missing} are missing`;
    }
    const newest = newestOf(this.core.map((id) => this.probe(id).node));
    for (const id of this.core) {
      const { node } = this.probe(id);
      const raft = node.raft!;
      if (node.applied !== newest.applied) return `L2: node ${id} has applied ${node.applied} of ${newest.applied}`;
      if (raft.log.lastIndex() !== node.applied) return `L2: node ${id} has entries up to ${raft.log.lastIndex()}, of which ${node.applied} are applied`;
      if (!confStatesEquivalent(node.confState, newestConfState)) return `L2: node ${id} does not have the newest configuration`;
      if (node.stateHash() !== newest.stateHash()) return `L2: node ${id} has another state than node ${newest.id}`;
    }
    return null;
  }
}

/** The node that has applied most. */
function newestOf(nodes: readonly SimNode[]): SimNode {
  let newest = nodes[0]!;
  for (const node of nodes) if (node.applied > newest.applied) newest = node;
  return newest;
}
