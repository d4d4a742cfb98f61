import { SnapshotStatus, type NodeId } from '../core/types.js';
import type { Clients } from './clients.js';
import { FaultKind, faultName } from './faultKind.js';
import { changeMembership, type MembershipHost } from './membershipFaults.js';
import type { Prng } from './prng.js';
import type { Scheduler } from './scheduler.js';
import { tickMicros, type FaultWeights, type SimConfig } from './simConfig.js';
import { SimEventKind, type SimEvent } from './simEvent.js';
import type { SimNetwork } from './simNetwork.js';
import type { SimNode } from './simNode.js';

/** What the fault injector works on. */
export interface FaultHost extends MembershipHost {
  readonly config: SimConfig;
  readonly scheduler: Scheduler;
  readonly faultRandom: Prng;
  readonly faultsOn: boolean;
  /** Whether a node that has lost its disk comes back, so that nothing else may go wrong. */
  readonly quiet: boolean;
  readonly network: SimNetwork;
  /** Base election timeout in microseconds. */
  readonly electionTimeout: number;
  readonly clients: Clients;
  emit(event: SimEvent): void;
  /** Starts a node again after a while. */
  restartLater(node: SimNode): void;
}

/** Does something bad at random times, as the weights of the configuration say. */
export class FaultInjector {
  private readonly host: FaultHost;
  private readonly groups: readonly (keyof FaultWeights)[];
  private readonly total: number;
  /** Number of the partition in force; a mending task of an older one must leave it alone. */
  private partition = 0;

  constructor(host: FaultHost) {
    this.host = host;
    const { weights } = host.config;
    this.groups = (Object.keys(weights) as (keyof FaultWeights)[]).sort();
    this.total = this.groups.reduce((sum, group) => sum + weights[group], 0);
  }

  /** Schedules the first fault. */
  start(): void {
    const { config } = this.host;
    if (config.faultInterval > 0 && this.total > 0) this.schedule();
  }

  /** Ends what goes on for a while: partitions, clogged links, pauses, slow disks. */
  calm(): void {
    const { network, nodes, scheduler } = this.host;
    this.partition++;
    network.setCuts(() => false);
    for (const from of nodes) for (const to of nodes) network.clog(from.position, to.position, scheduler.now);
    for (const node of nodes) if (node.up) node.heal();
  }

  private schedule(): void {
    const { scheduler, faultRandom, config } = this.host;
    scheduler.after(faultRandom.exponential(config.faultInterval), () => {
      if (!this.host.faultsOn) return;
      if (!this.host.quiet) this.strike();
      this.schedule();
    });
  }

  private strike(): void {
    const { faultRandom, config } = this.host;
    let at = faultRandom.float() * this.total;
    for (const group of this.groups) {
      at -= config.weights[group];
      if (at < 0) return this.strikeGroup(group);
    }
  }

  private strikeGroup(group: keyof FaultWeights): void {
    switch (group) {
      case 'partition':
        return this.strikePartition();
      case 'minority':
        return this.strikeMinority();
      case 'cutLeader':
        return this.cutLeader();
      case 'clog':
        return this.strikeClog();
      case 'replay':
        return this.strikeReplay();
      case 'crash':
        return this.strikeCrash();
      case 'crashAll':
        return this.strikeCrashAll();
      case 'pause':
        return this.strikePause();
      case 'disk':
        return this.strikeDisk();
      case 'membership':
        return this.strikeMembership();
      case 'transfer':
        return this.strikeTransfer();
      case 'campaign':
        return this.strikeCampaign();
      case 'forgetLeader':
        return this.strikeForgetLeader();
      case 'compaction':
        return this.strikeCompaction();
      case 'reports':
        return this.strikeReports();
      case 'workload':
        return this.strikeWorkload();
    }
  }

  /** Notes that a fault happened. */
  private tell(kind: FaultKind, node: NodeId, detail: string): void {
    this.host.mark(kind);
    this.host.emit({ kind: SimEventKind.Fault, time: this.host.scheduler.now, node, fault: kind, detail: `${faultName(kind)}${detail === '' ? '' : ` ${detail}`}` });
  }

  private running(): SimNode | null {
    const nodes = this.host.nodes.filter(({ up, isBlocked }) => up && !isBlocked);
    return nodes.length === 0 ? null : this.host.faultRandom.pick(nodes);
  }

  /** The leader more often than not: most faults are worth more there. */
  private leaderOrAny(): SimNode | null {
    const leaders = this.host.nodes.filter(({ up, isBlocked, isLeader }) => up && !isBlocked && isLeader);
    return leaders.length > 0 && this.host.faultRandom.chance(0.7) ? this.host.faultRandom.pick(leaders) : this.running();
  }

  private ticks(low: number, high: number): number {
    return Math.round(this.host.faultRandom.logarithmic(low, high) * tickMicros);
  }

  private strikePartition(): void {
    const { faultRandom: random, nodes, scheduler, config } = this.host;
    const count = nodes.length;
    if (count < 2) return;
    const a = (this.leaderOrAny() ?? random.pick(nodes)).position;
    const b = (a + 1 + random.below(count - 1)) % count;
    const seed = random.uint32();
    const side = (position: number): boolean => ((seed >>> (position % 31)) & 1) === 1;
    const kinds: readonly [FaultKind, (from: number, to: number) => boolean][] = [
      [FaultKind.Isolate, (from, to) => from === a || to === a],
      [FaultKind.Halves, (from, to) => side(from) !== side(to)],
      [FaultKind.UniformPartition, (from, to) => (Math.imul(from * 31 + to + 1, seed | 1) >>> 13) % 2 === 0],
      [FaultKind.OneWay, side(40) ? (from) => from === a : (_from, to) => to === a],
      [FaultKind.PartialPartition, (from, to) => (from === a && to === b) || (from === b && to === a)],
    ];
    const [kind, isCut] = random.pick(kinds);
    const length = this.ticks(1, 8 * config.electionTick);
    const flapping = random.chance(0.2);
    const partition = ++this.partition;
    this.host.network.setCuts(isCut);
    this.tell(kind, nodes[a]!.id, `${length} us${flapping ? ', flapping' : ''}`);
    if (flapping) this.flap(partition, isCut, scheduler.now + length);
    scheduler.after(length, () => this.mend(partition));
  }

  /** Cuts off followers that the leader does not need. They can hear one another. */
  private strikeMinority(): void {
    const { faultRandom: random, nodes, scheduler, config } = this.host;
    const leader = nodes.find(({ isLeader }) => isLeader);
    if (leader === undefined) return;
    const followers = nodes.filter((node) => node !== leader);
    const most = Math.floor((config.voters - 1) / 2);
    if (most === 0) return;
    const away = new Set<number>();
    for (let i = random.between(1, most); i > 0; i--) away.add(random.pick(followers).position);
    const length = this.ticks(1, 6 * config.electionTick);
    const partition = ++this.partition;
    this.host.network.setCuts((from, to) => away.has(from) !== away.has(to));
    this.tell(FaultKind.Halves, leader.id, `${away.size} followers away, ${length} us`);
    scheduler.after(length, () => this.mend(partition));
  }

  private cutLeader(): void {
    const { faultRandom: random, nodes, network, scheduler, electionTimeout } = this.host;
    const leader = nodes.find(({ isLeader }) => isLeader);
    if (leader === undefined) return;
    const length = Math.round((1 + random.float()) * electionTimeout);
    const partition = ++this.partition;
    network.setCuts((from, to) => from === leader.position || to === leader.position);
    this.tell(FaultKind.Isolate, leader.id, `${length} us`);
    scheduler.after(length, () => this.mend(partition));
  }

  private flap(partition: number, isCut: (from: number, to: number) => boolean, until: number): void {
    const { scheduler, network, faultRandom } = this.host;
    let cut = true;
    const turn = (): void => {
      if (partition !== this.partition || !this.host.faultsOn || scheduler.now >= until) return;
      cut = !cut;
      this.host.mark(FaultKind.Flapping);
      network.setCuts(cut ? isCut : () => false);
      scheduler.after(faultRandom.between(1, 6) * tickMicros, turn);
    };
    scheduler.after(2 * tickMicros, turn);
  }

  private mend(partition: number): void {
    if (partition === this.partition && this.host.faultsOn) this.host.network.setCuts(() => false);
  }

  private strikeClog(): void {
    const { nodes, faultRandom, scheduler, network } = this.host;
    const from = faultRandom.pick(nodes);
    const to = faultRandom.pick(nodes);
    const length = this.ticks(1, 100);
    network.clog(from.position, to.position, scheduler.now + length);
    this.tell(FaultKind.Clog, from.id, `to ${to.id} for ${length} us`);
  }

  private strikeReplay(): void {
    for (let i = this.host.faultRandom.between(1, 5); i > 0; i--) this.host.network.replay();
  }

  private strikeCrash(): void {
    const { faultRandom, config, scheduler } = this.host;
    const node = this.leaderOrAny();
    if (node === null || node.spared) return;
    this.crash(node);
    if (!faultRandom.chance(0.1)) return this.host.restartLater(node);
    // Up and down again at once, before the first message.
    scheduler.after(this.ticks(1, 10), () => {
      if (!this.host.faultsOn || node.up) return;
      if (this.host.quiet || node.spared) return this.host.restartLater(node);
      node.start();
      if (node.running) node.crash(faultRandom.chance(config.powerLoss));
      this.tell(FaultKind.CrashInRecovery, node.id, '');
      this.host.restartLater(node);
    });
  }

  private crash(node: SimNode): void {
    node.crash(this.host.faultRandom.chance(this.host.config.powerLoss));
  }

  private strikeCrashAll(): void {
    this.tell(FaultKind.CrashAll, 0, '');
    for (const node of this.host.nodes) {
      if (!node.running || node.spared) continue;
      this.crash(node);
      this.host.restartLater(node);
    }
  }

  private strikePause(): void {
    const { scheduler, faultRandom, config } = this.host;
    const node = this.leaderOrAny();
    if (node === null) return;
    const length = this.ticks(0.1, 6 * config.electionTick);
    // Ticks that never come make a clock slow, which leases do not survive.
    const burst = config.leasesHold || faultRandom.chance(0.6);
    const { incarnation } = node;
    this.tell(FaultKind.Pause, node.id, `${length} us`);
    node.pause();
    scheduler.after(length, () => {
      if (node.up && node.incarnation === incarnation && this.host.faultsOn) node.resume(burst);
    });
  }

  private strikeDisk(): void {
    const { scheduler, faultRandom } = this.host;
    const node = this.leaderOrAny();
    if (node === null) return;
    const length = this.ticks(2, 200);
    if (faultRandom.chance(0.5)) {
      node.disk.stalledUntil = scheduler.now + length;
      return this.tell(FaultKind.DiskStall, node.id, `${length} us`);
    }
    node.disk.slowness = faultRandom.between(5, 50);
    this.tell(FaultKind.SlowDisk, node.id, `${node.disk.slowness} times, ${length} us`);
    scheduler.after(length, () => {
      node.disk.slowness = 1;
    });
  }

  private strikeMembership(): void {
    const node = this.leaderOrAny();
    if (node === null) return;
    changeMembership(this.host, node);
    // Two operators who know nothing of each other.
    if (this.host.faultRandom.chance(0.2) && node.up && !node.isBlocked) changeMembership(this.host, node);
  }

  private strikeTransfer(): void {
    const { nodes, faultRandom } = this.host;
    const node = this.leaderOrAny();
    if (node === null) return;
    const target = faultRandom.pick(nodes);
    const stranger = faultRandom.chance(0.1);
    const raft = node.raft!;
    if (stranger) this.tell(FaultKind.TransferStranger, node.id, 'to 999');
    else if (node.isLeader) {
      const progress = raft.tracker.get(target.id);
      if (target === node) this.tell(FaultKind.TransferSelf, node.id, '');
      else if (progress === undefined) this.tell(FaultKind.TransferStranger, node.id, `to ${target.id}`);
      else if (progress.isLearner) this.tell(FaultKind.TransferLearner, node.id, `to ${target.id}`);
      else if (!target.up) this.tell(FaultKind.TransferDead, node.id, `to ${target.id}`);
      else if (progress.match === raft.log.lastIndex()) this.tell(FaultKind.TransferUpToDate, node.id, `to ${target.id}`);
      else this.tell(FaultKind.TransferLagging, node.id, `to ${target.id}`);
    }
    node.transferLeader(stranger ? 999 : target.id);
  }

  private strikeCampaign(): void {
    const node = this.running();
    if (node === null) return;
    this.tell(FaultKind.Campaign, node.id, '');
    node.campaign();
  }

  private strikeForgetLeader(): void {
    const node = this.running();
    if (node === null) return;
    this.tell(FaultKind.ForgetLeader, node.id, '');
    node.forgetLeader();
  }

  private strikeCompaction(): void {
    const node = this.leaderOrAny();
    if (node === null) return;
    if (node.application.maybeCompact(1, 0)) this.tell(FaultKind.CompactAll, node.id, '');
  }

  private strikeReports(): void {
    const { nodes, faultRandom } = this.host;
    const node = this.leaderOrAny();
    if (node === null) return;
    const peer = faultRandom.pick(nodes);
    if (faultRandom.chance(0.5)) {
      this.tell(FaultKind.FalseUnreachable, node.id, `${peer.id}`);
      node.reportUnreachable(peer.id);
    } else {
      const status = faultRandom.chance(0.5) ? SnapshotStatus.Finish : SnapshotStatus.Failure;
      this.tell(FaultKind.FalseSnapshotReport, node.id, `${peer.id}`);
      node.reportSnapshot(peer.id, status);
    }
  }

  private strikeWorkload(): void {
    const { clients, scheduler, faultRandom } = this.host;
    const length = this.ticks(10, 100);
    if (faultRandom.chance(0.5)) {
      clients.quietUntil = scheduler.now + length;
      this.tell(FaultKind.QuietWindow, 0, `${length} us`);
    } else {
      clients.burstUntil = scheduler.now + length;
      this.tell(FaultKind.Burst, 0, `${length} us`);
    }
  }
}
