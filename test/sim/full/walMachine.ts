import type { Clock } from '../../../src/node/shared/clock.js';
import type { DirectoryLock } from '../../../src/node/wal/directoryLock.js';
import type { WalEnvironment } from '../../../src/node/wal/environment.js';
import type { PowerLoss } from '../../../src/sim/nodeStorage.js';
import { Prng } from '../../../src/sim/prng.js';
import type { SimNode } from '../../../src/sim/simNode.js';
import { nothing, randomChoice } from '../../wal/support/crashChoices.js';
import { SectorState } from '../../wal/support/crashPoint.js';
import { partsOf } from '../../wal/support/diskTree.js';
import { FaultyFileSystem, type Fault } from '../../wal/support/faultyFileSystem.js';
import { FileOpKind, LatencyKind, type FileOp } from '../../wal/support/fileOp.js';
import { SimDisk, type SimDiskOptions } from '../../wal/support/simDisk.js';
import { DiskEvent } from './diskEvent.js';
import type { Promises } from './promises.js';
import type { WalPlan } from './walPlan.js';

/** Virtual microseconds of a millisecond. */
const millisecond = 1000;

/** Operations that a write, or the opening of a log, takes at most, more or less: where crashes come between. */
const crashRange = { write: 8, open: 45 } as const;

/** A process, as far as it matters when it ends. */
class Process {
  alive = true;
  /** Directories that it has claimed. */
  readonly claimed = new Set<string>();
}

/** What a machine needs of the run. */
export interface MachineHost {
  readonly plan: WalPlan;
  readonly promises: Promises;
  mark(event: DiskEvent): void;
}

/** The machine below a node: a disk, on which one process after the other keeps its log, and the time and the chance that these have. */
export class WalMachine {
  disk: SimDisk;
  private readonly host: MachineHost;
  private readonly node: SimNode;
  private readonly random: Prng;
  private readonly options: SimDiskOptions;
  /** Operations of all disks that this machine has had. */
  opCount = 0;
  /** Operations until the process dies; 0 if it is not to. */
  private untilCrash = 0;
  private opening = false;
  private faulty: FaultyFileSystem | null = null;
  /** What the kernel has of the process that runs. */
  private process = new Process();

  constructor(host: MachineHost, node: SimNode) {
    this.host = host;
    this.node = node;
    this.random = new Prng(node.host.config.seed, `wal ${node.position}`);
    this.options = {
      schedule: (latency, run, op) => this.schedule(latency, run, op),
      keepOps: false,
      onChange: (op) => this.changing(op),
    };
    this.disk = new SimDisk(this.options);
  }

  /** A process begins to open its log. Returns everything it has. */
  begin(): WalEnvironment {
    const { host, random } = this;
    this.opening = true;
    if (this.mayFail && host.plan.openCrash > 0 && random.chance(host.plan.openCrash)) this.untilCrash = random.between(1, crashRange.open);
    this.faulty = new FaultyFileSystem(this.disk.fs, (op) => this.faultOf(op));
    return { fs: this.faulty, clock: this.clock(), lock: this.lock(), randomBytes: (length) => this.bytes(length) };
  }

  /** Whether an operation was made to fail for the process that runs. */
  get hasFailed(): boolean {
    return this.faulty?.failed !== undefined;
  }

  /** The process has opened its log. */
  opened(): void {
    this.opening = false;
    this.untilCrash = 0;
  }

  /** Lets the process die at one of the next operations. */
  dieSoon(): void {
    this.untilCrash = this.random.between(1, crashRange.write);
  }

  /** The process ends. */
  kill(): void {
    if (this.opening) this.host.mark(DiskEvent.DiedOpening);
    this.end();
    this.disk.kill();
  }

  /** The power fails. */
  losePower(random: Prng): PowerLoss {
    if (this.opening) this.host.mark(DiskEvent.PowerLossOpening);
    this.end();
    const point = this.disk.crashPoint();
    this.disk.kill();
    const choice = randomChoice(point, random);
    this.disk = new SimDisk(this.options, point.image(choice));
    const sectors = Array.from(choice.sectors);
    const changes = Array.from(choice.changes);
    const isNew = (state: number): boolean => state === SectorState.New;
    const isSet = (happened: number): boolean => happened === 1;
    const lost = !sectors.every(isNew) || !changes.every(isSet);
    const kept = sectors.some(isNew) || changes.some(isSet);
    if (lost) this.host.mark(DiskEvent.UnsyncedLost);
    if (kept) this.host.mark(DiskEvent.UnsyncedKept);
    return { lost, kept };
  }

  /** A copy of the disk, with what is durable on it. */
  image(): SimDisk {
    const point = this.disk.crashPoint();
    return new SimDisk(this.options, point.image(nothing(point)));
  }

  /** Another disk; an empty one if none is given. */
  replace(disk: SimDisk | null): void {
    this.disk = disk === null ? new SimDisk(this.options) : disk.fork(this.options);
  }

  private end(): void {
    this.opening = false;
    this.untilCrash = 0;
    this.process.alive = false;
    this.process = new Process();
  }

  private get mayFail(): boolean {
    const { host, spared } = this.node;
    return host.faultsOn && !host.quiet && !spared;
  }

  // -- The disk

  private schedule(latency: LatencyKind, run: () => void, op: FileOp): void {
    this.opCount++;
    if (this.untilCrash > 0 && --this.untilCrash === 0) this.node.later(0, () => this.die());
    this.node.later(this.latencyOf(latency, op), () => {
      this.host.promises.touch();
      run();
    });
  }

  private latencyOf(latency: LatencyKind, { path }: FileOp): number {
    const { disk, host } = this.node;
    if (latency === LatencyKind.Sync) return disk.syncLatency(path.includes('.snap'));
    const quick = this.host.plan.quickLatency;
    return Math.max(quick === 0 ? 0 : host.diskRandom.below(2 * quick) * disk.slowness, disk.stalledUntil - host.scheduler.now);
  }

  private die(): void {
    const { node } = this;
    if (!this.mayFail) return;
    const { crashRandom, config } = node.host;
    node.crash(crashRandom.chance(config.powerLoss));
    node.host.crashed(node);
  }

  private faultOf(op: FileOp): Fault | null {
    const { random, host } = this;
    const { syncErrors, errors, shortened } = host.plan;
    if (op.kind === FileOpKind.ReadSync && op.path.endsWith('.wal')) host.mark(DiskEvent.ReadBack);
    if (!this.mayFail) return null;
    switch (op.kind) {
      case FileOpKind.Datasync:
      case FileOpKind.SyncDirectory:
        if (syncErrors === 0 || !random.chance(syncErrors)) return null;
        host.mark(DiskEvent.SyncFailed);
        // A name that the system shows, and will never bring to the disk, cannot be given once more: nobody can help a log whose own directory has such a one.
        return { kind: random.pick(partsOf(op.path).length === 0 ? ['errorAfter', 'error'] : ['fsyncgate', 'fsyncgate', 'errorAfter', 'error']), code: 'EIO' };
      case FileOpKind.ReadSync:
      case FileOpKind.Read:
      case FileOpKind.Write:
        if (shortened === 0 || op.length < 2 || !random.chance(shortened)) break;
        host.mark(DiskEvent.Shortened);
        return { kind: 'short', bytes: random.pick(['one', 'allButOne']) };
      default:
    }
    // A core that cannot read its log stops in the middle of a call; that is tested elsewhere.
    if (errors === 0 || op.kind === FileOpKind.ReadSync || !random.chance(errors)) return null;
    host.mark(DiskEvent.OperationFailed);
    return { kind: random.pick(['error', 'error', 'errorAfter']), code: random.pick(['EIO', 'ENOSPC']) };
  }

  /** Counts what the log does, by the names of its files. */
  private changing({ kind, path, to }: FileOp): void {
    const { host } = this;
    if (kind === FileOpKind.Link && to.endsWith('.wal')) host.mark(this.opening ? DiskEvent.CopiedForward : DiskEvent.Rotation);
    else if (kind === FileOpKind.Unlink && path.endsWith('.wal')) host.mark(DiskEvent.SegmentRemoved);
    else if (kind === FileOpKind.Rename && to.endsWith('.snap')) host.mark(DiskEvent.SnapshotWritten);
  }

  // -- What else a process has

  private clock(): Clock {
    const { node, host, process } = this;
    const later = (delay: number, run: () => void): void => {
      // What was under way when the process ended goes no further.
      if (!process.alive) return;
      node.later(delay, () => {
        host.promises.touch();
        run();
      });
    };
    return {
      now: () => (node.now / millisecond) * node.clockRate,
      after: (ms, run) => {
        let cancelled = false;
        later((ms * millisecond) / node.clockRate, () => {
          if (!cancelled) run();
        });
        return () => {
          cancelled = true;
        };
      },
      // Before the next event, as in Node: a process does nothing between the failure of its log and the call that tells it.
      soon: (run) =>
        host.promises.afterwards(() => {
          if (!process.alive) return;
          host.promises.touch();
          run();
        }),
    };
  }

  /** The kernel takes a claim back when its process ends. */
  private lock(): DirectoryLock {
    const { claimed } = this.process;
    return {
      claim: (dir) => {
        if (claimed.has(dir)) return Promise.reject(new Error(`${dir} is claimed twice`));
        claimed.add(dir);
        return Promise.resolve(() => {
          claimed.delete(dir);
          return Promise.resolve();
        });
      },
    };
  }

  private bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.random.below(256);
    return bytes;
  }
}
