import { SimAppendThread } from './appendThread.js';
import { FaultKind } from './faultKind.js';
import type { NodeParts, ReadyHandler } from './nodeStorage.js';
import { ReadyLoop, SimWriter } from './readyLoop.js';
import type { SimNode } from './simNode.js';
import { SimStorage } from './simStorage.js';
import { StorageThreads } from './storageThreads.js';

/** The parts of a node that need nothing from outside: a disk that is a model of one. */
export function simulatedParts(node: SimNode): NodeParts {
  const { host } = node;
  const storage = new SimStorage(() => snapshotFails(node));
  const newHandler = (): ReadyHandler =>
    host.config.asyncStorageWrites ? new StorageThreads(node, (answered) => new SimAppendThread(node, storage, answered)) : new ReadyLoop(node, new SimWriter(node, storage));
  return { storage, newHandler };
}

/** Whether a storage has no snapshot to give yet this time. */
export function snapshotFails({ host }: SimNode): boolean {
  const { snapshotUnavailable } = host.config;
  const fails = host.faultsOn && snapshotUnavailable > 0 && host.diskRandom.chance(snapshotUnavailable);
  if (fails) host.mark(FaultKind.SnapshotUnavailable);
  return fails;
}
