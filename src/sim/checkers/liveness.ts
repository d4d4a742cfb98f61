import { MessageType } from '../../core/raftpb/messageType.js';
import type { Message } from '../../core/raftpb/message.js';
import { confStatesEquivalent } from '../../core/raftpb/state.js';
import { isQuestion } from '../../core/raft/reversion.js';
import { StateType, type Index, type NodeId, type Term } from '../../core/types.js';
import { Violation, type Checker, type ClusterView, type NodeView } from '../checker.js';
import { OpOutcome, type ClientOp } from '../clientOp.js';
import { electBound, serveBound } from '../livenessBounds.js';
import { SimEventKind, SimPhase, type OpReturnedEvent, type PhaseEvent, type RoleEvent, type SendEvent, type SimEvent } from '../simEvent.js';
import type { RunHistory } from './runHistory.js';

/** What is demanded of a run that must not be disturbed (L4). */
export interface StableLeadership {
  /** Elections that are tolerated after the first one. */
  readonly leaderChanges: number;
  /** By how much terms may rise after the first leader. */
  readonly termRise: number;
}

/** Operations of either direction that each live node has served by then. */
const opsPerNode = 10;
/** Messages that an idle node may send in an election timeout, if it has few peers (L5). */
const idleMessages = 50;

/** What a node has sent lately. */
class Traffic {
  /** Start of the election timeout that is counted, and the messages in it. */
  since = 0;
  count = 0;
  /** Term of the probes that are counted. */
  probedTerm: Term = 0;
  /** What a leader has probed, by follower. */
  readonly probes = new Map<NodeId, Probes>();
}

/** How a leader of one term has looked for the end of a follower's log. */
interface Probes {
  /** Lowest position that was tried, and how often it went down. */
  lowest: Index;
  steps: number;
}

/**
 * L1: a healed group has a leader within 10 election timeouts. L2: within 20 all live members agree on log,
 * commit, state and configuration. L3: within 20 each has served ten writes and ten reads. L4: a leader with
 * a quorum around it is not disturbed. L5: an idle group is quiet, and a follower's log is found again after few probes.
 */
export class LivenessChecker implements Checker {
  readonly name = 'L1 to L5 liveness';
  readonly kinds = [
    SimEventKind.Phase,
    SimEventKind.Ticked,
    SimEventKind.Role,
    SimEventKind.Send,
    SimEventKind.OpReturned,
    SimEventKind.Proposed,
    SimEventKind.ReadRequested,
    SimEventKind.Fault,
    SimEventKind.Started,
    SimEventKind.Stopped,
    SimEventKind.ConfigApplied,
  ];
  private readonly history: RunHistory;
  private readonly stable: StableLeadership | null;
  private readonly serves: boolean;
  /** Virtual time of the heal; Infinity before. */
  private healedAt = Infinity;
  private elected = false;
  private inOrder = false;
  /** Operations served since the heal, by node. */
  private readonly writes = new Map<NodeId, number>();
  private readonly reads = new Map<NodeId, number>();
  private firstTerm: Term = 0;
  private leaders = 0;
  /** Virtual time at which something happened that makes work. */
  private lastWork = 0;
  private readonly traffic = new Map<NodeId, Traffic>();

  /**
   * @param history of this run.
   * @param stable demands of L4, or null: most runs disturb their leaders on purpose.
   * @param serves whether clients ask every live node for ten writes and ten reads after the heal (L3).
   */
  constructor(history: RunHistory, stable: StableLeadership | null, serves: boolean) {
    this.history = history;
    this.stable = stable;
    this.serves = serves;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    switch (event.kind) {
      case SimEventKind.Phase:
        return this.phase(event, view);
      case SimEventKind.Ticked:
        if (event.time > this.healedAt) this.checkDeadlines(view);
        return;
      case SimEventKind.Role:
        return this.role(event);
      case SimEventKind.Send:
        return this.send(event, view);
      case SimEventKind.OpReturned:
        return this.returned(event);
      default:
        this.lastWork = event.time;
    }
  }

  private phase({ phase, time }: PhaseEvent, view: ClusterView): void {
    this.lastWork = time;
    if (phase === SimPhase.Liveness) this.healedAt = time;
    if (phase !== SimPhase.Audit || this.healedAt === Infinity || view.core.length === 0) return;
    if (time > this.healedAt + electBound(view.settings) * view.electionTimeout) this.checkElected(view);
    this.checkInOrder(view);
  }

  // -- L1 to L3

  private checkDeadlines(view: ClusterView): void {
    if (view.phase !== SimPhase.Liveness) return;
    const timeouts = (view.now - this.healedAt) / view.electionTimeout;
    if (!this.elected && timeouts > electBound(view.settings)) this.checkElected(view);
    // One more, so that a simulator that looks for itself at 20 says it in its own words.
    if (!this.inOrder && timeouts > serveBound(view.settings) + 1 && view.core.length > 0) this.checkInOrder(view);
  }

  private checkElected(view: ClusterView): void {
    for (const id of view.core) if (view.node(id)?.raft?.state === StateType.Leader) this.elected = true;
    if (!this.elected) throw new Violation('L1', `no leader ${electBound(view.settings)} election timeouts after the heal`);
  }

  private checkInOrder(view: ClusterView): void {
    const nodes: NodeView[] = [];
    for (const id of view.core) nodes.push(view.node(id)!);
    const first = nodes[0]!;
    for (const node of nodes) {
      const wrong = difference(node, first);
      if (wrong !== null) throw new Violation('L2', `${wrong}, ${serveBound(view.settings)} election timeouts after the heal or at the end`);
      if (node.confState.votersOutgoing.length > 0) throw new Violation('L2', `the configuration of node ${node.id} is still joint`);
      if (this.serves) this.checkServed(node);
    }
    this.inOrder = true;
  }

  private checkServed({ id, raft }: NodeView): void {
    const writes = this.writes.get(id) ?? 0;
    const reads = this.reads.get(id) ?? 0;
    // Who may not forward has nobody to give a write to.
    const mayRefuse = raft !== null && raft.config.disableProposalForwarding;
    if (reads < opsPerNode || (writes < opsPerNode && !mayRefuse)) throw new Violation('L3', `node ${id} has served ${writes} writes and ${reads} reads since the heal`);
  }

  private returned({ op }: OpReturnedEvent): void {
    if (op.outcome !== OpOutcome.Ok || op.invokedAt < this.healedAt) return;
    count(op.write ? this.writes : this.reads, op);
  }

  // -- L4

  private role({ state, term, time }: RoleEvent): void {
    this.lastWork = time;
    if (state === StateType.Leader) {
      this.leaders++;
      if (this.firstTerm === 0) this.firstTerm = term;
      if (time >= this.healedAt) this.elected = true;
    }
    const { stable } = this;
    // After the heal some nodes may stay dead, the leader among them.
    if (stable === null || this.firstTerm === 0 || time >= this.healedAt) return;
    if (this.leaders - 1 > stable.leaderChanges) throw new Violation('L4', `${this.leaders - 1} changes of leaders, the last in term ${term}`);
    if (term - this.firstTerm > stable.termRise) throw new Violation('L4', `terms have risen from ${this.firstTerm} to ${term}`);
  }

  // -- L5

  private send({ node, message: m, time }: SendEvent, view: ClusterView): void {
    let traffic = this.traffic.get(node);
    if (traffic === undefined) {
      traffic = new Traffic();
      this.traffic.set(node, traffic);
    }
    if (isWork(m)) this.lastWork = time;
    if (m.type === MessageType.MsgApp) this.probed(node, m, traffic);
    const window = view.electionTimeout;
    if (this.lastWork + window > traffic.since || time - traffic.since > window) {
      traffic.since = Math.max(time, this.lastWork + window);
      traffic.count = 0;
    }
    // Before the heal a disk that was stalled may let go of a hundred answers at once.
    if (time < traffic.since || time < this.healedAt) return;
    traffic.count++;
    const { heartbeatTick, electionTick } = view.settings;
    // A leader sends a heartbeat to every peer, answers count as well, and a clock may be fast.
    const limit = Math.max(idleMessages, 4 * view.nodes.length * (Math.ceil(electionTick / heartbeatTick) + 1));
    if (traffic.count > limit) throw new Violation('L5', `node ${node} has sent ${traffic.count} messages in an election timeout without work`);
  }

  /** Every step down skips a term of the one log or of the other, however many messages are lost or repeated. */
  private probed(node: NodeId, { to, term, index }: Message, traffic: Traffic): void {
    if (isQuestion(index)) return;
    if (traffic.probedTerm !== term) {
      traffic.probedTerm = term;
      traffic.probes.clear();
    }
    const probes = traffic.probes.get(to);
    if (probes === undefined) {
      traffic.probes.set(to, { lowest: index, steps: 0 });
      return;
    }
    if (index >= probes.lowest) return;
    probes.lowest = index;
    probes.steps++;
    const terms = this.history.leaderOf.size;
    if (probes.steps > 2 * terms + 2) throw new Violation('L5', `leader ${node} of term ${term} takes ${probes.steps} probes to find the log of node ${to}, with ${terms} terms`);
  }
}

function count(served: Map<NodeId, number>, op: ClientOp): void {
  served.set(op.node, (served.get(op.node) ?? 0) + 1);
}

/** Messages that an idle group does not send. */
function isWork(m: Message): boolean {
  switch (m.type) {
    case MessageType.MsgHeartbeat:
    case MessageType.MsgHeartbeatResp:
      // With a read under way a heartbeat carries its number, but then a read was asked for.
      return false;
    case MessageType.MsgApp:
      return m.entries.length > 0;
    case MessageType.MsgAppResp:
      return m.reject;
    default:
      return true;
  }
}

/** What two nodes that should be equal differ in; null if nothing. */
function difference(a: NodeView, b: NodeView): string | null {
  if (a.raft === null || b.raft === null) return `node ${a.raft === null ? a.id : b.id} is not up`;
  const [x, y] = [a.raft.log, b.raft.log];
  if (x.lastIndex() !== y.lastIndex() || x.lastTerm() !== y.lastTerm()) {
    return `the log of node ${a.id} ends at ${x.lastTerm()}/${x.lastIndex()}, that of node ${b.id} at ${y.lastTerm()}/${y.lastIndex()}`;
  }
  if (x.committed !== y.committed) return `node ${a.id} has committed ${x.committed}, node ${b.id} ${y.committed}`;
  if (a.applied !== b.applied || a.applied !== x.committed) return `node ${a.id} has applied ${a.applied}, node ${b.id} ${b.applied}`;
  if (a.stateHash() !== b.stateHash()) return `nodes ${a.id} and ${b.id} have different states`;
  if (!confStatesEquivalent(a.confState, b.confState)) return `nodes ${a.id} and ${b.id} have different configurations`;
  return null;
}
