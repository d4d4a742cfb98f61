import { inspect } from 'node:util';
import { isCanonicalNodeId, isNodeId, type NodeId } from '../../core/types.js';
import { sectorBytes } from './format.js';
import { absoluteDirectory } from './names.js';
import { segmentHeaderSpace } from './segmentHeader.js';
import { invalidArgument, type WalError } from './walError.js';

/** How a write-ahead log is opened. */
export interface WalOptions {
  /** Directory of this log alone. `bootstrap` and `join` make it; its parent must exist. A relative path is that of the moment of the call. */
  readonly dir: string;
  /** Id of the node. A directory of another node is refused. */
  readonly nodeId: NodeId;
  /** Id of the cluster, any uint64 that its nodes share and no other cluster has. A directory of another cluster is refused. */
  readonly clusterId: NodeId;
  /** Length of a segment in bytes, a multiple of 512, at least 4,096. Opening costs a copy of at most one segment. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** Encoded bytes of entries that are kept in memory once they are on the disk; others are read back when they are needed. Default 64 MiB. */
  readonly cacheBytes?: number;
  /** Bytes of writes that may share a sync. A single write may be larger. Default 1 MiB. */
  readonly maxBatchBytes?: number;
  /**
   * Bytes up to which a write and its sync are made on the calling thread, which does nothing else meanwhile: for disks that
   * sync so fast (in less than about 200 µs) that the trip to another thread and back, 50 µs, counts. A disk that hangs
   * holds up the whole process then, heartbeats included. Default 0: never.
   */
  readonly blockingWriteBytes?: number;
  /** Bytes of writes that may wait for the disk before `append` refuses with `ERR_WAL_QUEUE_FULL`. Default 64 MiB. */
  readonly maxQueuedBytes?: number;
  /**
   * Called when there is no room on the disk for the next segment, while there still is in this one. Hand over
   * leadership, make room or stop: when the segment is full, the instance ends. What it throws is not caught.
   */
  readonly onStorageLow?: (error: unknown) => void;
  /** Called once with the error that ends the instance, soon after the calls that wait have heard of it. What it throws is not caught. */
  readonly onFailure?: (error: WalError) => void;
}

/** Options with all defaults filled in. */
export type ResolvedWalOptions = Required<WalOptions>;

const mib = 1 << 20;

/**
 * Fills in the defaults and checks every rule. What is not known is ignored, as by the core.
 *
 * @throws WalError `ERR_WAL_ARGUMENT_INVALID` that names the option.
 */
export function resolveOptions(options: WalOptions): ResolvedWalOptions {
  if (typeof options !== 'object' || options === null) throw invalidArgument('the options are missing');
  const resolved: ResolvedWalOptions = {
    dir: absoluteDirectory(options.dir),
    nodeId: options.nodeId,
    clusterId: options.clusterId,
    segmentBytes: options.segmentBytes ?? 16 * mib,
    cacheBytes: options.cacheBytes ?? 64 * mib,
    maxBatchBytes: options.maxBatchBytes ?? mib,
    maxQueuedBytes: options.maxQueuedBytes ?? 64 * mib,
    blockingWriteBytes: options.blockingWriteBytes ?? 0,
    onStorageLow: options.onStorageLow ?? (() => undefined),
    onFailure: options.onFailure ?? (() => undefined),
  };
  const { nodeId, clusterId, segmentBytes } = resolved;
  if (!isNodeId(nodeId)) throw invalidArgument(`nodeId ${inspect(nodeId)} is not the id of a node`);
  if (!isCanonicalNodeId(clusterId)) throw invalidArgument(`clusterId ${inspect(clusterId)} is not a uint64 in canonical form`);
  atLeast('segmentBytes', segmentBytes, segmentHeaderSpace + 7 * sectorBytes);
  if (segmentBytes % sectorBytes !== 0 || segmentBytes > 2 ** 31) throw invalidArgument(`segmentBytes ${segmentBytes} is not a multiple of ${sectorBytes} of at most 2 GiB`);
  atLeast('cacheBytes', resolved.cacheBytes, 0);
  atLeast('maxBatchBytes', resolved.maxBatchBytes, 1);
  atLeast('maxQueuedBytes', resolved.maxQueuedBytes, 1);
  atLeast('blockingWriteBytes', resolved.blockingWriteBytes, 0);
  for (const name of ['onStorageLow', 'onFailure'] as const) if (typeof resolved[name] !== 'function') throw invalidArgument(`${name} is no function`);
  return resolved;
}

function atLeast(name: string, value: number, least: number): void {
  if ((!Number.isSafeInteger(value) && value !== Infinity) || value < least) throw invalidArgument(`${name} is ${inspect(value)}, and must be an integer of at least ${least}`);
}
