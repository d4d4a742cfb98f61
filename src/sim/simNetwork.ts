import type { Message } from '../core/raftpb/message.js';
import { MessageType } from '../core/raftpb/messageType.js';
import { FaultKind } from './faultKind.js';
import type { Prng } from './prng.js';
import type { Scheduler } from './scheduler.js';
import type { SimConfig } from './simConfig.js';

/** What the network needs to know of the run. */
export interface NetworkHost {
  readonly scheduler: Scheduler;
  readonly random: Prng;
  readonly config: SimConfig;
  /** Whether a node that has lost its disk comes back, so that nothing else may go wrong. */
  readonly quiet: boolean;
  /** Position of a node in the cluster, -1 if there is none of that id. */
  position(id: Message['to']): number;
  /** Hands a message to its receiver. Returns false if that one is not up. */
  deliver(m: Message, sentTo: number): boolean;
  /** The incarnation of the node at a position. */
  incarnation(position: number): number;
  /** Tells the sender of a MsgSnap how it ended. */
  snapshotSent(m: Message, arrived: boolean): void;
  mark(kind: FaultKind): void;
}

/** What the network knows of the way from one node to another. */
interface Link {
  cut: boolean;
  /** Virtual time until which nothing arrives. */
  cloggedUntil: number;
  /** Messages on their way. */
  inFlight: number;
  /** Virtual time at which the latest of them arrives. */
  latest: number;
}

const historyLength = 4096;

/** The network between the nodes: every pair of them has a link in each direction, with faults of its own. */
export class SimNetwork {
  private readonly host: NetworkHost;
  private readonly links: Link[] = [];
  private readonly size: number;
  /** Messages sent lately, as a ring. */
  private readonly history: Message[] = [];
  private historyAt = 0;
  /** Whether everything works. */
  private healed = false;

  constructor(host: NetworkHost) {
    this.host = host;
    this.size = host.config.maxNodes;
    for (let i = 0; i < this.size * this.size; i++) this.links.push({ cut: false, cloggedUntil: 0, inFlight: 0, latest: 0 });
  }

  /** Takes a message on its way, if it gets onto one. */
  send(m: Message): void {
    const { config, random } = this.host;
    this.remember(m);
    const link = this.link(m);
    if (link === null || link.cut) return this.lose(m);
    // Without faults nothing is overtaken.
    if (this.healed) return this.transport(m, link, Math.max(100 + random.below(200), link.latest - this.host.scheduler.now));
    // Every message takes the same count of numbers from the stream, whatever the rates are.
    const loss = this.host.quiet ? Math.min(config.loss, config.diskLoss.loss) : config.loss;
    const lost = random.chance(loss);
    const twice = random.chance(config.duplicate);
    const delay = this.delay();
    const again = this.delay();
    if (lost) {
      this.host.mark(FaultKind.Loss);
      return this.lose(m);
    }
    if (link.inFlight >= config.linkCapacity && !this.host.quiet) {
      this.host.mark(FaultKind.Overflow);
      return this.lose(m);
    }
    this.transport(m, link, delay);
    if (twice) {
      this.host.mark(FaultKind.Duplicate);
      this.transport(m, link, delay + again);
    }
  }

  /** Sends a message of the past once more. Returns false if there is none. */
  replay(): boolean {
    const { random } = this.host;
    const pick = random.uint32();
    const m = this.history[pick % Math.max(this.history.length, 1)];
    const link = m === undefined ? null : this.link(m);
    if (m === undefined || link === null || link.cut) return false;
    this.transport(m, link, this.delay());
    this.host.mark(FaultKind.Replay);
    return true;
  }

  /** Cuts or mends every link for which `isCut` says so. */
  setCuts(isCut: (from: number, to: number) => boolean): void {
    for (let from = 0; from < this.size; from++) {
      for (let to = 0; to < this.size; to++) this.links[from * this.size + to]!.cut = from !== to && isCut(from, to);
    }
  }

  /** Holds back what arrives from one node at another until a virtual time. */
  clog(from: number, to: number, until: number): void {
    this.links[from * this.size + to]!.cloggedUntil = until;
  }

  /** Ends all faults for good. */
  heal(): void {
    this.healed = true;
    this.setCuts(() => false);
    for (const link of this.links) {
      link.cloggedUntil = 0;
      link.latest = 0;
    }
  }

  private link(m: Message): Link | null {
    const from = this.host.position(m.from);
    const to = this.host.position(m.to);
    return from < 0 || to < 0 ? null : this.links[from * this.size + to]!;
  }

  private delay(): number {
    const { config, random, quiet } = this.host;
    if (!quiet) return config.delayMin + random.exponential(config.delayMean);
    const { delayMean } = config.diskLoss;
    return Math.min(config.delayMin, delayMean) + random.exponential(Math.min(config.delayMean, delayMean));
  }

  private transport(m: Message, link: Link, delay: number): void {
    const { scheduler } = this.host;
    const arrival = Math.max(scheduler.now + delay, link.cloggedUntil);
    if (arrival < link.latest) this.host.mark(FaultKind.Reorder);
    else link.latest = arrival;
    link.inFlight++;
    const sentTo = this.host.incarnation(this.host.position(m.to));
    scheduler.after(arrival - scheduler.now, () => this.arrive(m, link, sentTo));
  }

  private arrive(m: Message, link: Link, sentTo: number): void {
    link.inFlight--;
    if (link.cut && this.host.config.cutLosesInFlight) {
      this.host.mark(FaultKind.InFlightLost);
      return this.lose(m);
    }
    const arrived = this.host.deliver(m, sentTo);
    if (m.type === MessageType.MsgSnap) this.host.snapshotSent(m, arrived);
  }

  private lose(m: Message): void {
    if (m.type === MessageType.MsgSnap) this.host.snapshotSent(m, false);
  }

  private remember(m: Message): void {
    if (this.host.config.weights.replay === 0) return;
    this.history[this.historyAt] = m;
    this.historyAt = (this.historyAt + 1) % historyLength;
  }
}
