import { FaultKind } from '../../../src/sim/index.js';
import { finishAppends, writeOf, type Append, type AppendThread } from '../../../src/sim/appendThread.js';
import { crashHere, drawCrash, write, type CrashPoint, type ReadyWriter } from '../../../src/sim/readyLoop.js';
import { SimEventKind } from '../../../src/sim/simEvent.js';
import type { SimNode } from '../../../src/sim/simNode.js';
import type { SimWrite } from '../../../src/sim/simStorage.js';
import type { WalNodeStorage } from './walNodeStorage.js';

/** Writes to the real log, and says so. Calls `written` when it is acknowledged; a crash may come between two operations of the disk. */
function append(node: SimNode, storage: WalNodeStorage, asked: SimWrite, mustSync: boolean, crash: CrashPoint | null, written: () => void): void {
  if (crash === FaultKind.CrashBeforeSync) {
    node.host.mark(FaultKind.CrashBeforeSync);
    storage.machine.dieSoon();
  }
  write(node, asked, (w) =>
    storage.append(w, mustSync, () => {
      if (mustSync) node.host.emit({ kind: SimEventKind.Synced, time: node.now, node: node.id });
      written();
    }),
  );
}

/** Writes for a host that handles one Ready after the other. */
export class WalReadyWriter implements ReadyWriter {
  private readonly node: SimNode;
  private readonly storage: WalNodeStorage;

  constructor(node: SimNode, storage: WalNodeStorage) {
    this.node = node;
    this.storage = storage;
  }

  write(asked: SimWrite | null, mustSync: boolean, crash: CrashPoint | null, written: () => void): void {
    if (asked === null) return written();
    append(this.node, this.storage, asked, mustSync, crash, written);
  }
}

/** A piece of work that was begun. */
interface Begun {
  readonly append: Append;
  readonly crash: CrashPoint | null;
  written: boolean;
}

/** Several writes under way, which share syncs as the log sees fit; answered in the order in which they were begun. */
export class WalAppendThread implements AppendThread {
  private readonly node: SimNode;
  private readonly storage: WalNodeStorage;
  private readonly answered: () => void;
  private readonly waiting: Append[] = [];
  private readonly begun: Begun[] = [];

  /** @param answered lets the host go on when the thread has answered. */
  constructor(node: SimNode, storage: WalNodeStorage, answered: () => void) {
    this.node = node;
    this.storage = storage;
    this.answered = answered;
  }

  get isBusy(): boolean {
    return this.begun.length > 0 || this.waiting.length > 0;
  }

  add(work: Append): void {
    this.waiting.push(work);
  }

  start(): void {
    const { node, storage, begun, waiting } = this;
    while (node.up && waiting.length > 0 && begun.length < node.host.config.groupCommit) {
      const crash = drawCrash(node);
      if (crashHere(node, crash, FaultKind.CrashBeforeWrite)) return;
      const work: Begun = { append: waiting.shift()!, crash, written: false };
      begun.push(work);
      const written = (): void => {
        work.written = true;
        this.answer();
      };
      const asked = writeOf(work.append.message);
      // Never at once: the thread answers after the call that gave it the work.
      if (asked === null) node.later(0, written);
      else append(node, storage, asked, work.append.mustSync, crash, written);
    }
  }

  private answer(): void {
    const { node, begun } = this;
    while (begun[0]?.written === true) {
      const { append: work, crash } = begun.shift()!;
      if (!finishAppends(node, [work], crash)) return;
    }
    this.start();
    this.answered();
  }
}
