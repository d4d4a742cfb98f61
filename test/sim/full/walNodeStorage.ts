import { RaftError, RaftErrorCode } from '../../../src/core/errors.js';
import type { Entry } from '../../../src/core/raftpb/entry.js';
import type { ConfState, HardState, Snapshot } from '../../../src/core/raftpb/state.js';
import type { InitialState, Storage } from '../../../src/core/storage/storage.js';
import type { Index, Term } from '../../../src/core/types.js';
import type { WalEnvironment } from '../../../src/node/wal/environment.js';
import { isWalError, WalErrorCode } from '../../../src/node/wal/walError.js';
import { WalStorage } from '../../../src/node/wal/walStorage.js';
import { Violation, type DurableView } from '../../../src/sim/index.js';
import type { DiskCopy, NodeStorage, PowerLoss } from '../../../src/sim/nodeStorage.js';
import type { Prng } from '../../../src/sim/prng.js';
import type { SimNode } from '../../../src/sim/simNode.js';
import { snapshotFails } from '../../../src/sim/simulatedParts.js';
import { copyOf, newWrite, type SimWrite } from '../../../src/sim/simStorage.js';
import { DiskError } from '../../wal/support/fileOp.js';
import type { SimDisk } from '../../wal/support/simDisk.js';
import { Acknowledged } from './acknowledged.js';
import { DiskEvent } from './diskEvent.js';
import { WalMachine, type MachineHost } from './walMachine.js';

const dir = '/wal';

/** A backup that is a real disk. */
interface WalCopy extends DiskCopy {
  /** What its owner knew of it. */
  readonly acknowledged: Acknowledged;
  readonly image: SimDisk;
}

/**
 * The storage of a node is the real write-ahead log, on a simulated disk. What it reads is what the log says; what
 * counts as durable is what the log has acknowledged, however much more there may be on the disk.
 */
export class WalNodeStorage implements NodeStorage {
  machineConfState: ConfState | null = null;
  readonly machine: WalMachine;
  private readonly host: MachineHost;
  private readonly node: SimNode;
  private readonly acknowledged = new Acknowledged();
  /** The log of the process that runs. */
  private log: WalStorage | null = null;
  /** Whether there must be a log, because one was opened before. */
  private exists = false;
  private founding: Snapshot | null = null;
  /** The newest snapshot, also one that is being written. */
  private newest: Snapshot;
  /** Index of the newest snapshot of a leader. */
  private installed: Index = 0;
  /** Number of the process. */
  private life = 0;
  /** Writes that are under way. */
  private underWay = 0;

  constructor(host: MachineHost, node: SimNode) {
    this.host = host;
    this.node = node;
    this.machine = new WalMachine(host, node);
    this.newest = this.acknowledged.content.snapshot();
  }

  // -- Life of a process

  get durable(): DurableView {
    return this.acknowledged.durable;
  }

  format(founding: Snapshot): void {
    this.founding = founding;
  }

  open(opened: () => void): void {
    const { node, machine, host } = this;
    const life = ++this.life;
    const env = machine.begin();
    host.promises.touch();
    const finish = (log: WalStorage, snapshot: Snapshot) => (): void => {
      machine.opened();
      // It may have ended before its process hears that it is open: the next segment is prepared meanwhile.
      if (log.failure !== null) return this.ended(log.failure, life);
      this.log = log;
      this.newest = snapshot;
      opened();
    };
    this.load(env, life).then(
      ([log, snapshot]) => {
        if (this.life === life && node.running) node.later(0, finish(log, snapshot));
      },
      (error: unknown) => host.promises.afterwards(() => this.openFailed(error, life)),
    );
  }

  /** Opens the log, or makes it. Returns it with the snapshot that the state machine starts from. */
  private async load(env: WalEnvironment, life: number): Promise<[WalStorage, Snapshot]> {
    const { plan } = this.host;
    const { seed } = this.node.host.config;
    const options = {
      dir,
      nodeId: this.node.id,
      clusterId: seed + 1,
      segmentBytes: plan.segmentBytes,
      cacheBytes: plan.cacheBytes,
      maxBatchBytes: plan.maxBatchBytes,
      onFailure: (error: Error) => this.host.promises.afterwards(() => this.ended(error, life)),
    };
    const isThere = await WalStorage.exists(dir, env);
    if (!isThere && this.exists) throw new Violation('I24', `node ${this.node.id} has no log any more`);
    const make = isThere ? WalStorage.open(options, env) : this.node.founder ? WalStorage.bootstrap(options, env) : WalStorage.join(options, env);
    const log = await make;
    this.exists = true;
    this.installed = 0;
    this.compareWith(log);
    const { founding } = this;
    if (founding !== null && log.lastIndex() === 0) {
      const { index, term } = founding.metadata;
      const write = newWrite({ snapshot: founding, hardState: { term, vote: 0, commit: index } });
      const acknowledge = this.acknowledged.begin(write);
      await log.append(write);
      acknowledge();
    }
    return [log, await log.loadSnapshot()];
  }

  private compareWith(log: WalStorage): void {
    const { found, gone } = this.acknowledged.restart(`node ${this.node.id}`, copyOf(log));
    if (found > 0) this.host.mark(DiskEvent.UnacknowledgedFound);
    if (gone > 0) this.host.mark(DiskEvent.UnacknowledgedGone);
    if (found > 0 && gone === 0) this.host.mark(DiskEvent.AllFound);
  }

  private openFailed(error: unknown, life: number): void {
    const { node, host } = this;
    if (this.life !== life || !node.running) return;
    if (error instanceof Violation) throw error;
    if (!this.isDiskFault(error)) throw new Violation('I24', `node ${node.id} cannot open its log, and nothing was wrong with its disk: ${String(error)}`);
    host.mark(DiskEvent.OpenFailed);
    this.crash();
  }

  /** The log has ended by itself. */
  private ended(error: unknown, life: number): void {
    const { node, host } = this;
    if (this.life !== life || !node.running) return;
    if (!this.isDiskFault(error)) throw new Violation('I24', `the log of node ${node.id} ends, and nothing was wrong with its disk: ${String(error)}`);
    host.mark(DiskEvent.LogEnded);
    this.crash();
  }

  /** Whether an error of the log goes back to an operation that was made to fail. */
  private isDiskFault(error: unknown): boolean {
    return this.machine.hasFailed && isWalError(error, WalErrorCode.Failed) && (error as Error).cause instanceof DiskError;
  }

  private crash(): void {
    const { node } = this;
    node.crash(false);
    node.host.crashed(node);
  }

  kill(): void {
    this.end();
    this.machine.kill();
  }

  losePower(random: Prng): PowerLoss {
    this.end();
    return this.machine.losePower(random);
  }

  private end(): void {
    if (this.underWay > 0) this.host.mark(DiskEvent.DiedWriting);
    this.underWay = 0;
    this.log = null;
  }

  shutDown(): void {
    this.kill();
  }

  backup(): WalCopy {
    const acknowledged = this.acknowledged.copy();
    const { content } = acknowledged;
    return { hardState: content.initialState().hardState, content, acknowledged, image: this.machine.image() };
  }

  replaceDisk(backup: DiskCopy | null): void {
    const copy = backup as WalCopy | null;
    this.machine.replace(copy === null ? null : copy.image);
    this.exists = copy !== null && copy.content.lastIndex() > 0;
    this.founding = null;
    this.machineConfState = null;
    this.acknowledged.takeOver(copy === null ? new Acknowledged() : copy.acknowledged);
  }

  // -- Writing

  /** Begins a write. Calls `written` when it is acknowledged. */
  append(w: SimWrite, sync: boolean, written: () => void): void {
    const { host, node } = this;
    const log = this.log!;
    if (w.snapshot !== null) {
      this.newest = w.snapshot;
      this.installed = w.snapshot.metadata.index;
      host.mark(DiskEvent.SnapshotInstalled);
    }
    if (this.underWay > 0) host.mark(DiskEvent.SeveralUnderWay);
    if (!sync) host.mark(DiskEvent.Unsynced);
    this.underWay++;
    const acknowledge = this.acknowledged.begin(w);
    host.promises.touch();
    const done = (): void => {
      this.underWay--;
      if (sync) acknowledge();
      node.later(0, written);
    };
    this.follow(log, log.append({ entries: w.entries, hardState: w.hardState, snapshot: w.snapshot, sync }), done);
  }

  saveCommit(commit: Index): void {
    this.append(newWrite({ hardState: { ...this.writtenHardState, commit } }), false, () => undefined);
  }

  saveSnapshot(created: Snapshot, compact: Index): void {
    const { host } = this;
    const log = this.log!;
    const { index, confState } = created.metadata;
    this.newest = created;
    this.acknowledged.beginSnapshot(created);
    host.promises.touch();
    this.follow(log, log.createSnapshot(index, confState, created.data), () => {
      const superseded = this.installed >= index;
      this.acknowledged.endSnapshot(created, superseded);
      if (!superseded && compact > 0) this.compact(log, compact);
    });
  }

  private compact(log: WalStorage, compact: Index): void {
    if (compact < log.firstIndex()) return;
    this.follow(log, log.compact(compact), this.acknowledged.begin(newWrite({ compact })));
  }

  /**
   * Waits for the answer to a call, unless the process ends before. It is acknowledged, and never after the log
   * has ended, or it is refused because the log has ended, and for no other reason.
   */
  private follow(log: WalStorage, answer: Promise<void>, acknowledged: () => void): void {
    const complain = (what: string): void =>
      this.host.promises.afterwards(() => {
        throw new Violation('I24', `the log of node ${this.node.id} ${what}`);
      });
    answer.then(
      () => {
        // A call may be answered at once, and its process still not live to hear it.
        if (this.log !== log) return;
        if (log.failure === null) acknowledged();
        else complain(`acknowledges a write after it has ended: ${String(log.failure)}`);
      },
      (error: unknown) => {
        if (this.log === log && (log.failure === null || error !== log.failure)) complain(`refuses a write: ${String(error)}`);
      },
    );
  }

  // -- Reading

  /** What can be read: the log of the process that runs, else what is sure to be on the disk. */
  private get reader(): Storage {
    return this.log ?? this.acknowledged.content;
  }

  get writtenHardState(): HardState {
    return this.reader.initialState().hardState;
  }

  newestSnapshot(): Snapshot {
    return this.newest;
  }

  initialState(): InitialState {
    const { hardState, confState } = this.reader.initialState();
    return { hardState, confState: this.machineConfState ?? confState };
  }

  entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    return this.reader.entries(lo, hi, maxBytes);
  }

  term(index: Index): Term {
    return this.reader.term(index);
  }

  firstIndex(): Index {
    return this.reader.firstIndex();
  }

  lastIndex(): Index {
    return this.reader.lastIndex();
  }

  snapshot(): Snapshot {
    if (snapshotFails(this.node)) throw new RaftError(RaftErrorCode.SnapshotTemporarilyUnavailable, 'the snapshot is being made');
    return this.reader.snapshot();
  }
}
