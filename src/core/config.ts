import { RaftError, RaftErrorCode } from './errors.js';
import { silentLogger, type Logger } from './logger.js';
import { defaultRandom, type RandomSource } from './random.js';
import type { Storage } from './storage/storage.js';
import type { TraceLogger } from './trace.js';
import { isNodeId, ReadOnlyOption, type Index, type NodeId } from './types.js';

/** How a node behaves. Only `id` and `storage` are required; the defaults are safe for newcomers. */
export interface Config {
  /** This node: any uint64 except 0, 2^64-1 and 2^64-2, in canonical form, never reused within a group. */
  readonly id: NodeId;

  /** Where the log, the hard state and snapshots are read from. The host writes to it what a Ready says. */
  readonly storage: Storage;

  /**
   * Ticks without a word from a leader after which a follower campaigns, at least; the timeout is
   * drawn from [electionTick, 2 electionTick) (Raft §5.2). Integer above `heartbeatTick`; ten times
   * that is customary. Default 10.
   */
  readonly electionTick?: number;

  /** Ticks between two heartbeats of a leader. Integer above 0. Default 1. */
  readonly heartbeatTick?: number;

  /**
   * Last index that the state machine has applied already. Set it after a restart if the state
   * machine is durable itself; entries up to here are not handed out again. Where the storage keeps
   * entries from before its snapshot, at least the index of the snapshot, as of which the storage knows
   * the configuration. Default 0: start with the first entry of the storage.
   */
  readonly applied?: Index;

  /**
   * Whether the host writes and applies in threads of its own: `ready` then hands out
   * MsgStorageAppend and MsgStorageApply, whose `responses` take the place of `advance`. Default false.
   */
  readonly asyncStorageWrites?: boolean;

  /** Bytes of encoded entries in one MsgApp at most; at least one entry is always sent (E12). 0 or more, or Infinity. Default 1 MiB. */
  readonly maxSizePerMsg?: number;

  /** Bytes of encoded entries that are handed out and not applied yet, exceeded by less than one entry. 0 hands out nothing. 0 or more, or Infinity. Default: `maxSizePerMsg`, at least 1. */
  readonly maxCommittedSizePerReady?: number;

  /**
   * With synchronous writes: when more entries than this wait to be written, a Ready carries those that came first
   * alone, and what depends on the others follows with them. Where they come faster than that, the next Ready carries
   * all. For a follower that catches up, whose arrays would otherwise grow beyond what V8 uses again. 1 or more, or
   * Infinity. Default 16,384.
   */
  readonly maxEntriesPerReady?: number;

  /**
   * Bytes of data in all entries of a leader that are not applied yet, at most; further proposals are
   * dropped with reason `overLimit`. One proposal is always accepted. Above 0, or Infinity. Default 1 GiB.
   */
  readonly maxUncommittedEntriesSize?: number;

  /** MsgApps on their way to one follower at most (dissertation §10.2.1). Integer above 0, or Infinity. Default 256. */
  readonly maxInflightMsgs?: number;

  /** Bytes of data on their way to one follower at most, exceeded by less than one message (E5). At least `maxSizePerMsg`, or Infinity. Default 16 MiB. */
  readonly maxInflightBytes?: number;

  /**
   * Whether a leader steps down when it has not heard a quorum for an election timeout, and followers
   * refuse votes while they hear a leader (dissertation §6.2, §4.2.3). Default true.
   */
  readonly checkQuorum?: boolean;

  /** Whether a candidate first asks if it could win, so that a node that comes back does not raise the term (dissertation §9.6). Default true. */
  readonly preVote?: boolean;

  /** How reads are confirmed. `LeaseBased` needs `checkQuorum`. Default `Safe`. */
  readonly readOnlyOption?: ReadOnlyOption;

  /**
   * Clock drift that lease reads tolerate, in ticks per election timeout: a lease ends this many
   * ticks early (D13). Integer of 0 or more. Default: a tenth of `electionTick`, rounded up.
   */
  readonly leaseMarginTicks?: number;

  /**
   * Whether reads stay linearizable in two situations in which those of etcd's raft do not. A leader that
   * was removed asks the one voter that is left before it answers. And with lease-based reads, a node that
   * has a lease to keep does not campaign because the host says so, nor vote for an election timeout after
   * a restart. Default true; false for comparisons with etcd's raft.
   */
  readonly strictReads?: boolean;

  /** Whether a follower drops proposals in place of sending them on to the leader. Default false. */
  readonly disableProposalForwarding?: boolean;

  /** Whether configuration changes are appended without a check; those that are invalid when they are applied have no effect (D8). Default false. */
  readonly disableConfChangeValidation?: boolean;

  /**
   * Whether a leader steps down as soon as it has applied its own removal or demotion. Otherwise it goes
   * on until the others elect another leader. With it a leader that alone has heard that its removal is committed
   * may leave a group that cannot elect: the more so the fewer voters are left. Default false.
   */
  readonly stepDownOnRemoval?: boolean;

  /** Whether a follower's log may always go back, as if `allowNextRevert` were given each time. For tests only: it loses data (O13). Default false. */
  readonly loosenFollowerLogRevert?: boolean;

  /** Source of randomized timeouts. Default `Math.random`. */
  readonly random?: RandomSource;

  /** Where sentences for people go. Default: nowhere. */
  readonly logger?: Logger;

  /** Receives every protocol step. Default: none. */
  readonly trace?: TraceLogger | null;
}

/** A Config with every default filled in and every rule checked. */
export type ResolvedConfig = Required<Config>;

/** Whether voters keep quiet for the sake of leases, beyond what check-quorum makes them do. */
export function holdsLeases(config: ResolvedConfig): boolean {
  return config.strictReads && config.readOnlyOption === ReadOnlyOption.LeaseBased;
}

const mebibyte = 1024 * 1024;

function invalid(message: string): never {
  throw new RaftError(RaftErrorCode.ConfigInvalid, `config: ${message}`);
}

/** Lowest value of the options that count something. */
const leastCounts = { heartbeatTick: 1, electionTick: 2, applied: 0, leaseMarginTicks: 0, maxInflightMsgs: 1 } as const;

/** Lowest value of the options that limit bytes, or entries; each may be Infinity, and need not be an integer. */
const leastLimits = { maxSizePerMsg: 0, maxCommittedSizePerReady: 0, maxEntriesPerReady: 1, maxUncommittedEntriesSize: 1, maxInflightBytes: 1 } as const;

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[];
}

/** What holds where nothing is given. */
function defaultsOf({ id, storage, electionTick = 10, maxSizePerMsg = mebibyte }: Config): ResolvedConfig {
  return {
    id,
    storage,
    electionTick,
    heartbeatTick: 1,
    applied: 0,
    asyncStorageWrites: false,
    maxSizePerMsg,
    // A message limit of 0 means one entry at a time; an apply limit of 0 would mean none at all.
    maxCommittedSizePerReady: Math.max(maxSizePerMsg, 1),
    maxEntriesPerReady: 16_384,
    maxUncommittedEntriesSize: 1024 * mebibyte,
    maxInflightMsgs: 256,
    maxInflightBytes: Math.max(16 * mebibyte, maxSizePerMsg),
    checkQuorum: true,
    preVote: true,
    strictReads: true,
    readOnlyOption: ReadOnlyOption.Safe,
    leaseMarginTicks: Math.ceil(electionTick / 10),
    disableProposalForwarding: false,
    disableConfChangeValidation: false,
    stepDownOnRemoval: false,
    loosenFollowerLogRevert: false,
    random: defaultRandom,
    logger: silentLogger,
    trace: null,
  };
}

/**
 * Fills in the defaults and checks every rule.
 *
 * @throws RaftError `ERR_RAFT_CONFIG_INVALID` that names the option.
 */
export function resolveConfig(config: Config): ResolvedConfig {
  if (typeof config !== 'object' || config === null) invalid('it is missing');
  const resolved = defaultsOf(config);
  replaceByGiven(resolved, config);
  check(resolved);
  return resolved;
}

function replaceByGiven<T extends object>(defaults: T, given: Partial<T>): void {
  for (const name of keysOf(defaults)) {
    const isFlag = typeof defaults[name] === 'boolean';
    defaults[name] = given[name] ?? defaults[name];
    if (isFlag && typeof defaults[name] !== 'boolean') invalid(`${String(name)} must be true or false`);
  }
}

function check(config: ResolvedConfig): void {
  if (!isNodeId(config.id)) invalid(`id: ${String(config.id)} cannot be the id of a node`);
  if (typeof config.storage !== 'object' || config.storage === null) invalid('storage is missing');
  for (const name of keysOf(leastCounts)) {
    const value = config[name];
    const unlimited = name === 'maxInflightMsgs' && value === Infinity;
    if (!unlimited && (!Number.isSafeInteger(value) || value < leastCounts[name])) {
      invalid(`${name} must be an integer of ${leastCounts[name]} or more, is ${String(value)}`);
    }
  }
  for (const name of keysOf(leastLimits)) {
    const value = config[name];
    if (typeof value !== 'number' || !(value >= leastLimits[name])) invalid(`${name} must be ${leastLimits[name]} or more, or Infinity, is ${String(value)}`);
  }
  if (config.electionTick <= config.heartbeatTick) invalid('electionTick must be above heartbeatTick');
  if (config.maxInflightBytes < config.maxSizePerMsg) invalid('maxInflightBytes must not be below maxSizePerMsg');
  if (typeof config.random !== 'function') invalid('random is no function');
  if (typeof config.logger !== 'object' || config.logger === null) invalid('logger is no Logger');
  if (config.trace !== null && typeof config.trace.trace !== 'function') invalid('trace is no TraceLogger');
  if (config.readOnlyOption !== ReadOnlyOption.Safe && config.readOnlyOption !== ReadOnlyOption.LeaseBased) invalid('readOnlyOption is unknown');
  // Without check-quorum a leader that is cut off never learns that its lease has ended.
  if (config.readOnlyOption === ReadOnlyOption.LeaseBased && !config.checkQuorum) invalid('lease-based reads need checkQuorum');
}
