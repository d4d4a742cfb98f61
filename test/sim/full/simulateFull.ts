import type { NodeParts } from '../../../src/sim/nodeStorage.js';
import { ReadyLoop } from '../../../src/sim/readyLoop.js';
import type { SimNode } from '../../../src/sim/simNode.js';
import { failureOf, newRun, resultOf, type SimFailure, type SimOptions, type SimResult } from '../../../src/sim/simulate.js';
import { StorageThreads } from '../../../src/sim/storageThreads.js';
import { diskEvents } from './diskEvent.js';
import { Promises } from './promises.js';
import { drawWalPlan, type WalPlan } from './walPlan.js';
import type { MachineHost } from './walMachine.js';
import { WalNodeStorage } from './walNodeStorage.js';
import { WalAppendThread, WalReadyWriter } from './walWriter.js';

/** What to simulate with real logs. */
export interface FullOptions extends SimOptions {
  /** Values in place of the drawn ones. */
  readonly wal?: Partial<WalPlan>;
}

/** What came of a run with real logs. */
export interface FullResult extends SimResult {
  readonly plan: WalPlan;
  /** How often each `DiskEvent` happened. */
  readonly diskMarks: Uint32Array;
  /** Operations of all disks. */
  readonly diskOps: number;
}

/**
 * As `simulate`, with the real write-ahead log below every node, on a simulated disk: the code that ships, in
 * virtual time.
 */
export async function simulateFull(options: FullOptions): Promise<FullResult> {
  const plan: WalPlan = { ...drawWalPlan(options.seed, options.profile === 'calm' || options.profile === 'stable'), ...options.wal };
  const diskMarks = new Uint32Array(diskEvents);
  const promises = new Promises();
  const host: MachineHost = { plan, promises, mark: (event) => void diskMarks[event]!++ };
  const storages: WalNodeStorage[] = [];
  const newParts = (node: SimNode): NodeParts => {
    const storage = new WalNodeStorage(host, node);
    storages.push(storage);
    const newHandler = (): ReadyLoop | StorageThreads =>
      node.host.config.asyncStorageWrites ? new StorageThreads(node, (answered) => new WalAppendThread(node, storage, answered)) : new ReadyLoop(node, new WalReadyWriter(node, storage));
    return { storage, newHandler };
  };
  const cluster = newRun(options, newParts);
  let failure: SimFailure | null = null;
  try {
    const course = cluster.course();
    while (course.next().done !== true) if (promises.isPending) await promises.settle();
  } catch (error) {
    failure = failureOf(error);
  }
  const result = resultOf(cluster, failure);
  const disks = storages.map(({ machine }) => machine.disk.hash());
  const diskOps = storages.reduce((sum, { machine }) => sum + machine.opCount, 0);
  return { ...result, traceHash: [result.traceHash, ...disks].join(' '), plan, diskMarks, diskOps };
}
