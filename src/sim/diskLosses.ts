import type { ConfState } from '../core/raftpb/state.js';
import type { Index, Term } from '../core/types.js';
import { holds } from './durableView.js';
import { isMember } from './members.js';
import type { DiskCopy } from './nodeStorage.js';
import type { Prng } from './prng.js';
import type { Scheduler } from './scheduler.js';
import { tickMicros, type RevertPermission, type SimConfig } from './simConfig.js';
import type { SimNode } from './simNode.js';

/** What losses of disks need of the run. */
export interface DiskLossHost {
  readonly config: SimConfig;
  readonly scheduler: Scheduler;
  readonly wipeRandom: Prng;
  readonly faultsOn: boolean;
  readonly nodes: readonly SimNode[];
  readonly newestConfState: ConfState;
  /** Base election timeout in microseconds. */
  readonly electionTimeout: number;
  /** Ends what is going wrong, but for loss and delay of messages, and starts who is down. */
  calm(): void;
  /** Cuts these nodes off from the others, in place of any other partition; with no node, mends all. */
  cutOff(nodes: ReadonlySet<SimNode>): void;
  /** Takes the disk of a node away, and gives it an older one, or a new one. */
  loseDisk(node: SimNode, backup: DiskCopy | null): void;
  /** Starts a node again after a while. */
  restartLater(node: SimNode): void;
}

/** How far a round has come. */
const Stage = {
  /** No disk has forgotten anything that matters. */
  Idle: 0,
  /** Everybody is to follow one leader. */
  Calming: 1,
  /** Some followers are cut off, so that they lag behind. */
  Lagging: 2,
  /** The victims are down, and their disks replaced. */
  Down: 3,
  /** The victims are back, and neither they nor their leader know yet. */
  Unknown: 4,
  /** They are quarantined, and will be permitted to start over, one after the other. */
  Allowing: 5,
  /** Whoever lost something knows it, and has not caught up yet. */
  Recovering: 6,
} as const;
type Stage = (typeof Stage)[keyof typeof Stage];

/** An entry, by its place. */
interface Place {
  readonly index: Index;
  readonly term: Term;
}

/** A node whose disk forgets. */
interface Victim {
  readonly node: SimNode;
  /** What it had acknowledged to the leader, and what was committed, when its disk forgot. */
  readonly acknowledged: Place;
  readonly committed: Place;
}

/**
 * Disks that forget, with an operator who knows what `docs/reverted-follower.md` asks for: one reason at a time,
 * and no other accident until the node that forgot knows it. That is all the protection that there is: followers
 * that the leader can do without are cut off and lag behind, fewer than a majority forget, and as soon as they
 * know, the leader may die.
 */
export class DiskLosses {
  private readonly host: DiskLossHost;
  private stage: Stage = Stage.Idle;
  private round = 0;
  private backups: readonly DiskCopy[] = [];
  private leader: SimNode | null = null;
  private term: Term = 0;
  private victims: readonly Victim[] = [];
  /** Nodes that are or will be victims, and nodes that are cut off, in this round. */
  private chosen: readonly SimNode[] = [];
  private away: ReadonlySet<SimNode> = new Set();
  private waitUntil = 0;
  private permittedTo: SimNode | null = null;
  /** What everybody is to hold before the next one is permitted to start over. */
  private catchUpTo: Index = 0;

  constructor(host: DiskLossHost) {
    this.host = host;
  }

  /** Whether nothing else may go wrong now. */
  get quiet(): boolean {
    return this.stage !== Stage.Idle && this.stage !== Stage.Recovering;
  }

  /** Whether some disk has forgotten, and its node may not know it: no time for the run to end. */
  get unknown(): boolean {
    return this.stage === Stage.Down || this.stage === Stage.Unknown || this.stage === Stage.Allowing;
  }

  /** Whether every node holds again what its disk has lost. */
  get recovered(): boolean {
    return this.victims.length === 0;
  }

  /** Schedules the first round. */
  start(): void {
    if (this.host.config.diskLoss.interval > 0) this.schedule();
  }

  /** A leader has found out that a log went back. */
  found(leader: SimNode, permitted: boolean): void {
    if (!permitted || this.permission !== 'reckless' || this.stage !== Stage.Unknown) return;
    // The worst moment: the member may vote again, and holds nothing yet.
    this.host.scheduler.after(0, () => {
      if (leader.up) this.strikeLeader();
    });
  }

  private schedule(): void {
    const { scheduler, wipeRandom, config } = this.host;
    const { interval } = config.diskLoss;
    scheduler.after(wipeRandom.exponential(interval / 2), () => {
      this.backups = this.host.nodes.map((node) => node.storage.backup());
      scheduler.after(wipeRandom.exponential(interval / 2), () => this.begin());
    });
  }

  private begin(): void {
    if (!this.host.faultsOn) return;
    this.round++;
    this.enter(Stage.Calming);
    this.host.calm();
    this.poll();
  }

  private enter(stage: Stage): void {
    this.stage = stage;
  }

  private poll(): void {
    this.host.scheduler.after(tickMicros / 4, () => {
      if (!this.host.faultsOn && !this.unknown) return;
      this.advance();
      if (this.stage !== Stage.Idle) this.poll();
    });
  }

  private advance(): void {
    switch (this.stage) {
      case Stage.Calming:
        return this.choose();
      case Stage.Lagging:
        return this.forget();
      case Stage.Down:
        return this.bringBack();
      case Stage.Unknown:
        return this.watch();
      case Stage.Allowing:
        return this.allow();
      case Stage.Recovering:
        return this.recover();
      default:
    }
  }

  /** What the operator does about it in this round. */
  private get permission(): RevertPermission {
    const { permission } = this.host.config.diskLoss;
    if (permission !== 'once') return permission;
    return this.round === 1 ? 'before' : 'never';
  }

  private get isCareful(): boolean {
    const { permission } = this;
    return permission === 'before' || permission === 'always';
  }

  private choose(): void {
    const { host } = this;
    const { wipeRandom: random, config } = host;
    const leader = this.settledLeader(new Set(), this.isCareful ? Infinity : 0);
    if (leader === null) return;
    this.leader = leader;
    this.term = leader.raft!.term;
    const { voters } = host.newestConfState;
    const minority = Math.floor((voters.length - 1) / 2);
    const others = host.nodes.filter((node) => node !== leader && isMember(host.newestConfState, node.id));
    const { permission } = this;
    const { example } = config.diskLoss;
    const count = example || permission !== 'never' ? 1 : random.between(1, minority);
    const chosen: SimNode[] = [];
    for (let i = 0; i < count; i++) {
      // A leader has nobody who would notice, but the vote that it forgets counts as well.
      const node = i === 0 && permission === 'never' && !example && random.chance(0.1) ? leader : random.pick(others);
      if (!chosen.includes(node)) chosen.push(node);
    }
    this.chosen = chosen;
    const away = new Set<SimNode>();
    if (!this.isCareful && !chosen.includes(leader)) {
      const rest = others.filter((node) => voters.includes(node.id) && !chosen.includes(node));
      const number = example ? minority : random.below(minority + 1);
      while (away.size < number && away.size < rest.length) away.add(random.pick(rest));
    }
    this.away = away;
    host.cutOff(away);
    this.waitUntil = host.scheduler.now + random.float() * 2 * host.electionTimeout;
    this.enter(Stage.Lagging);
  }

  private forget(): void {
    const { host, chosen, leader } = this;
    const { wipeRandom: random } = host;
    if (host.scheduler.now < this.waitUntil) return;
    if (leader === null || this.settledLeader(new Set([...chosen, ...this.away]), this.isCareful ? Infinity : 0) !== leader || leader.raft!.term !== this.term) {
      host.calm();
      return this.enter(Stage.Calming);
    }
    const { log, tracker } = leader.raft!;
    const committed: Place = { index: log.committed, term: log.term(log.committed) };
    const { permission } = this;
    this.victims = chosen.map((node) => {
      // Its last acknowledgement may still be on the way.
      const { lastIndex, lastTerm } = node.durable;
      const match = node === leader ? committed.index : log.term(lastIndex) === lastTerm ? lastIndex : tracker.get(node.id)!.match;
      return { node, acknowledged: { index: match, term: log.term(match) }, committed };
    });
    for (const { node } of this.victims) {
      if (permission === 'before' || permission === 'reckless' || permission === 'withdrawn') leader.allowNextRevert(node.id, true);
      if (permission === 'withdrawn') leader.allowNextRevert(node.id, false);
    }
    for (const { node } of this.victims) {
      host.loseDisk(node, random.chance(0.5) ? this.backupFor(node) : null);
      node.spared = true;
    }
    if (leader.up && random.chance(0.3)) leader.application.maybeCompact(1, 0);
    this.waitUntil = host.scheduler.now + random.logarithmic(0.2, 20) * tickMicros;
    this.enter(Stage.Down);
  }

  /**
   * What stands in for the disk: an older copy of it, if that is one that the node can tell from the present. Within
   * one term it cannot, if the copy has a tail that was replaced since.
   */
  private backupFor(node: SimNode): DiskCopy | null {
    const backup = this.backups[node.position];
    if (backup === undefined) return null;
    const last = backup.content.lastIndex();
    const isPrefix = holds(node.durable, last, backup.content.term(last));
    return backup.hardState.term < this.term || isPrefix ? backup : null;
  }

  private bringBack(): void {
    const { host, victims, leader } = this;
    if (host.scheduler.now < this.waitUntil) return;
    const gone = new Set(victims.map(({ node }) => node));
    const leads = this.settledLeader(new Set([...gone, ...this.away]), 0) === leader && leader!.raft!.term === this.term;
    if (!leads) {
      // A node that has forgotten stays stopped until there is somebody to tell it.
      if (this.away.size > 0) this.mend();
      if (this.settledLeader(gone, 0) === null) return;
    }
    for (const { node } of victims) if (!node.up) node.start();
    this.waitUntil = host.scheduler.now + host.electionTimeout;
    this.enter(Stage.Unknown);
  }

  private mend(): void {
    this.away = new Set();
    this.host.cutOff(this.away);
  }

  private watch(): void {
    const ignorant = this.victims.filter((victim) => !this.isKnown(victim));
    if (ignorant.length > 0) return this.stopIfLeaderless(ignorant);
    if (this.permission === 'after' && this.leads) {
      this.mend();
      return this.enter(Stage.Allowing);
    }
    this.strikeLeader();
  }

  /** Without a leader nobody tells them: they have to be stopped again, until there is one. */
  private stopIfLeaderless(ignorant: readonly Victim[]): void {
    const { host } = this;
    if (this.leads || host.nodes.some(({ isLeader }) => isLeader)) {
      this.waitUntil = host.scheduler.now + host.electionTimeout;
      return;
    }
    if (host.scheduler.now < this.waitUntil) return;
    for (const { node } of ignorant) node.crash(false);
    this.enter(Stage.Down);
  }

  private get leads(): boolean {
    const { leader } = this;
    return leader !== null && leader.isLeader && leader.raft!.term === this.term;
  }

  /** Whether a victim holds everything again, or it and whoever counted on it know that it does not. */
  private isKnown({ node, acknowledged, committed }: Victim): boolean {
    if (holds(node.durable, acknowledged.index, acknowledged.term)) return true;
    const knows = node.raft !== null && node.raft.lostUpTo > 0;
    if (this.leads && node !== this.leader) return knows && this.leader!.raft!.tracker.get(node.id)?.quarantined === true;
    return knows || holds(node.durable, committed.index, committed.term);
  }

  /** All faults come back, and often the first one is that the leader dies, before anybody else has got anything. */
  private strikeLeader(): void {
    const { leader, host } = this;
    const { wipeRandom: random, config } = host;
    const { permission } = this;
    const { example } = config.diskLoss;
    const strikes = example || (!this.isCareful && permission !== 'after' && random.chance(0.7));
    if (strikes && leader !== null && leader.up && !leader.spared) {
      leader.crash(random.chance(config.powerLoss));
      host.restartLater(leader);
    }
    this.mend();
    this.enter(Stage.Recovering);
  }

  /** The operator permits it afterwards: one member after the other, while every other one is up and has caught up. */
  private allow(): void {
    const { victims, leader } = this;
    if (!this.leads) return this.strikeLeader();
    const waiting = victims.filter(({ node }) => leader!.raft!.tracker.get(node.id)?.quarantined === true);
    if (this.permittedTo !== null) {
      if (leader!.raft!.tracker.get(this.permittedTo.id)!.match < this.catchUpTo) return;
      this.permittedTo = null;
    }
    const next = waiting[0]?.node;
    if (next === undefined) return this.strikeLeader();
    const others = new Set(waiting.map(({ node }) => node));
    const { committed } = leader!.raft!.log;
    if (this.settledLeader(others, committed) !== leader) return;
    this.permittedTo = next;
    this.catchUpTo = leader!.raft!.log.lastIndex();
    leader!.allowNextRevert(next.id, true);
  }

  private recover(): void {
    const { scheduler } = this.host;
    const left = this.victims.filter((victim) => !this.isBack(victim));
    for (const { node } of this.victims) node.spared = left.some((victim) => victim.node === node);
    this.victims = left;
    this.permittedTo = null;
    if (left.length > 0) return;
    this.enter(Stage.Idle);
    if (this.host.faultsOn) scheduler.after(0, () => this.schedule());
  }

  /** Whether a victim holds everything again that anybody has counted on. */
  private isBack({ node: { raft, rawNode, durable }, committed, acknowledged }: Victim): boolean {
    if (raft === null || rawNode!.basicStatus().lostUpTo > 0 || !holds(durable, committed.index, committed.term)) return false;
    // What it had acknowledged beyond that may be another entry now, if a later leader has committed one.
    return holds(durable, acknowledged.index, acknowledged.term) || raft.log.term(raft.log.committed) > this.term;
  }

  /**
   * The leader, if everybody but some follows it, in its term, and it has committed in it; null if not.
   *
   * @param held index up to which they must also hold its log; Infinity for all of it.
   */
  private settledLeader(but: ReadonlySet<SimNode>, held: Index): SimNode | null {
    const { nodes, newestConfState } = this.host;
    let leader: SimNode | null = null;
    for (const node of nodes) if (node.isLeader && (leader === null || node.raft!.term > leader.raft!.term)) leader = node;
    if (leader === null || newestConfState.votersOutgoing.length > 0) return null;
    const { log, term, tracker } = leader.raft!;
    if (log.term(log.committed) !== term) return null;
    for (const { id, raft } of nodes.filter((node) => !but.has(node))) {
      if (!isMember(newestConfState, id)) continue;
      if (raft === null || raft.term !== term || raft.lead !== leader.id || tracker.get(id)?.quarantined === true) return null;
      if ((tracker.get(id)?.match ?? 0) < Math.min(held, log.lastIndex())) return null;
    }
    return leader;
  }
}

