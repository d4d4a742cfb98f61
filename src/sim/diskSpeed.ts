import type { NodeHost } from './nodeHost.js';

/** Latency of a disk without faults, in microseconds. */
const healthyLatency = 200;

/** How fast the disk of a node is at the moment. */
export class DiskSpeed {
  private readonly host: NodeHost;
  /** Virtual time until which the disk does nothing. */
  stalledUntil = 0;
  /** Factor of its latency. */
  slowness = 1;

  constructor(host: NodeHost) {
    this.host = host;
  }

  /** Virtual time that a sync takes now; longer if a snapshot is written with it. */
  syncLatency(snapshot: boolean): number {
    const { diskLatency, snapshotLatency } = this.host.config;
    const latency = this.latency(diskLatency) * this.slowness + (snapshot ? this.latency(snapshotLatency) : 0);
    return Math.max(latency, this.stalledUntil - this.host.scheduler.now, 0);
  }

  /** Virtual time that applying a batch takes now. */
  applyLatency(): number {
    return this.latency(this.host.config.applyLatency) * this.slowness;
  }

  /** Ends stall and slowness. */
  heal(): void {
    this.stalledUntil = 0;
    this.slowness = 1;
  }

  private latency(mean: number): number {
    if (mean === 0) return 0;
    const { diskRandom, faultsOn, quiet } = this.host;
    // Without faults a disk is fast: what is asked of a healed group is counted in election timeouts.
    return diskRandom.exponential(faultsOn && !quiet ? mean : Math.min(mean, healthyLatency));
  }
}
