import { newConfState, type ConfState } from '../../../src/core/raftpb/state.js';
import { EntryType, newEntry, type Entry } from '../../../src/core/raftpb/entry.js';
import { WalError, WalErrorCode, WalStorage, type WalOptions } from '../../../src/node/wal/index.js';
import type { WalWrite } from '../../../src/node/wal/writePlan.js';
import { outcomeOf, quiet, settled, type DiskEnvironment } from './diskEnvironment.js';
import { contentOf, LogModel } from './logModel.js';

const encoder = new TextEncoder();

/** The membership in all snapshots. */
export const conf: ConfState = newConfState({ voters: [1, 2, 3] });

/** An entry with text that no other entry has, repeated to at least `bytes`. */
export function entryAt(index: number, term: number, bytes = 20, mark = ''): Entry {
  const word = `entry ${index} of term ${term}${mark} `;
  return newEntry(EntryType.EntryNormal, encoder.encode(word.repeat(Math.ceil(bytes / word.length)).slice(0, Math.max(bytes, word.length))), term, index);
}

/** A snapshot with text that no other one has. */
export function snapshotAt(index: number, term: number, bytes = 300): { data: Uint8Array; metadata: { index: number; term: number; confState: ConfState } } {
  return { data: encoder.encode(`snapshot at ${index} `.repeat(bytes / 10).slice(0, bytes)), metadata: { index, term, confState: conf } };
}

/** Somebody broke a promise. */
export class BrokenPromise extends Error {}

/** The driver has stopped, because the log has. */
class Stopped extends Error {}

/**
 * Drives a log, and keeps account of what it was asked for, what it has promised, and what became of each call.
 * Stops at the first error, which then has to be the one of the log itself.
 */
export class FaultDrive {
  readonly env: DiskEnvironment;
  /** Contents after each change, in the order of the calls; the first one is the empty log. */
  readonly contents: string[] = [new LogModel().key()];
  /** The last of {@link contents} that is promised to be durable. */
  promised = 0;
  log: WalStorage | null = null;
  /** What the start was refused with. */
  startError: unknown = null;
  /** Errors that onFailure told of. */
  readonly failures: WalError[] = [];
  /** Errors that onStorageLow told of. */
  readonly low: unknown[] = [];
  /** What was broken on the way. */
  readonly broken: string[] = [];
  /** The outcome of close(), if it was called by the workload. */
  closeError: unknown = null;
  /** Calls that have not settled. */
  readonly pending = new Set<string>();
  private readonly options: WalOptions;
  private readonly model = new LogModel();
  private calls = 0;
  /** Whether nothing may be acknowledged any more. */
  private isOver = false;

  constructor(env: DiskEnvironment, options: Partial<WalOptions> = {}) {
    this.env = env;
    this.options = {
      dir: '/wal',
      nodeId: 1,
      clusterId: 7,
      segmentBytes: 4096,
      cacheBytes: 0,
      ...options,
      onFailure: (error) => {
        this.failures.push(error);
        // What was answered in this very moment reaches the caller a turn later.
        queueMicrotask(() => queueMicrotask(() => (this.isOver = true)));
      },
      onStorageLow: (error) => this.low.push(error),
    };
  }

  async start(mode: 'bootstrap' | 'open'): Promise<void> {
    try {
      this.log = await settled(WalStorage[mode](this.options, this.env));
    } catch (error) {
      this.startError = error;
      throw new Stopped();
    }
  }

  /** A write, which must be promised before the workload goes on if it is awaited. */
  append(write: WalWrite): Promise<void> {
    return this.call(`append ${this.calls}`, this.log!.append(write), () => this.model.append(write), write.sync ?? true);
  }

  /** A snapshot of the own state, and writes while its file is being written. */
  createSnapshot(index: number, meanwhile: readonly WalWrite[] = []): Promise<void> {
    const { data } = snapshotAt(index, 0);
    const created = this.log!.createSnapshot(index, conf, data);
    const writes = meanwhile.map((write) => this.append(write));
    const snapshot = this.call(`createSnapshot ${index}`, created, () => this.model.createSnapshot(index, conf, data), true);
    return all([...writes, snapshot]);
  }

  compact(index: number): Promise<void> {
    return this.call(`compact ${index}`, this.log!.compact(index), () => this.model.compact(index), true);
  }

  /** Reads everything and compares. */
  async read(): Promise<void> {
    let content: string;
    try {
      content = await settled(contentOf(this.log!));
    } catch (error) {
      this.noteError('a read', error);
      throw new Stopped();
    }
    if (content !== this.contents.at(-1)) this.broken.push(`a read gives\n${content}\nand not\n${this.contents.at(-1)}`);
  }

  /** Lets time pass, and what it brings. */
  async pass(ms: number): Promise<void> {
    this.env.clock.advance(ms);
    await quiet();
    if (this.failures.length > 0) throw new Stopped();
  }

  async close(): Promise<void> {
    const { log } = this;
    const outcome = await outcomeOf(log!.close());
    this.log = null;
    // Whatever waits without a promise is durable now.
    if ('error' in outcome) {
      this.closeError = outcome.error;
      throw new Stopped();
    }
    this.promised = this.contents.length - 1;
  }

  /** Carries a workload out. Returns whether it came to its end. */
  async run(workload: (drive: FaultDrive) => Promise<void>): Promise<boolean> {
    try {
      await workload(this);
      return true;
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      return false;
    } finally {
      await quiet();
    }
  }

  /** Where `content` stands among those that were asked for, the last one if several are the same; -1 if it never was. */
  placeOf(content: string): number {
    return this.contents.lastIndexOf(content);
  }

  /** The model, for a workload that needs to know where the log ends. */
  get lastIndex(): number {
    return this.model.lastIndex;
  }

  private async call(what: string, promise: Promise<void>, change: () => void, durable: boolean): Promise<void> {
    this.calls++;
    change();
    const place = this.contents.push(this.model.key()) - 1;
    this.pending.add(what);
    try {
      await promise;
    } catch (error) {
      this.pending.delete(what);
      this.noteError(what, error);
      throw new Stopped();
    }
    this.pending.delete(what);
    if (!durable) return;
    if (this.isOver) this.broken.push(`${what} is acknowledged after the failure`);
    this.promised = Math.max(this.promised, place);
  }

  private noteError(what: string, error: unknown): void {
    if (!(error instanceof WalError)) this.broken.push(`${what} rejects with ${String(error)}`);
    else if (error !== this.failures[0]) this.broken.push(`${what} rejects with another error than the first: ${error.code} ${error.message}`);
  }
}

/** Waits for all, and for the last one also if one rejects: none may be forgotten. */
export async function all(promises: readonly Promise<void>[]): Promise<void> {
  const outcomes = Promise.allSettled(promises);
  const found = await outcomeOf(outcomes);
  if ('error' in found) throw found.error;
  for (const outcome of found.value) if (outcome.status === 'rejected') throw outcome.reason;
}

/**
 * Everything that a log does, in few operations: create, writes that share a sync, one that nobody waits for, a
 * conflict, rotation, marks of both kinds, snapshots of both kinds, compaction that removes segments, reads from
 * the disk, the look at the owner, close, and opening what is there.
 */
export async function everyKindOfWork(drive: FaultDrive): Promise<void> {
  await drive.start('bootstrap');
  await drive.append({ hardState: { term: 1, vote: 1, commit: 0 } });
  await all([
    drive.append({ entries: [entryAt(1, 1)], metadata: encoder.encode('metadata one') }),
    drive.append({ entries: [entryAt(2, 1), entryAt(3, 1)] }),
    drive.append({ hardState: { term: 1, vote: 1, commit: 2 }, sync: false }),
    drive.append({ entries: [entryAt(4, 1, 600)] }),
    drive.append({ entries: [entryAt(5, 1)] }),
  ]);
  await drive.append({ entries: [entryAt(4, 2), entryAt(5, 2)], hardState: { term: 2, vote: 2, commit: 2 } });
  await drive.pass(1000);
  for (let index = 6; index <= 12; index++) await drive.append({ entries: [entryAt(index, 2, 700)], hardState: { term: 2, vote: 2, commit: index - 1 } });
  await drive.read();
  await drive.createSnapshot(9, [{ entries: [entryAt(13, 2)] }, { entries: [entryAt(14, 2)] }]);
  await drive.compact(8);
  await drive.read();
  await drive.pass(5000);
  await drive.append({ hardState: { term: 2, vote: 2, commit: 14 }, sync: false });
  await all([
    drive.append({ snapshot: snapshotAt(30, 2), entries: [entryAt(31, 2)], hardState: { term: 2, vote: 2, commit: 31 } }),
    drive.append({ entries: [entryAt(32, 2)] }),
  ]);
  await drive.read();
  await drive.append({ hardState: { term: 2, vote: 2, commit: 32 }, sync: false });
  await drive.close();
  await drive.start('open');
  await drive.read();
  await drive.append({ entries: [entryAt(33, 3)], hardState: { term: 3, vote: 2, commit: 32 } });
  await drive.close();
}

/** What a log that has ended has to do. Returns what it does not. */
export async function afterFailure(log: WalStorage): Promise<string[]> {
  const { failure } = log;
  if (failure === null) return ['there is no failure'];
  const broken: string[] = [];
  const calls: [string, () => unknown][] = [
    ['append', () => log.append({ entries: [entryAt(1000, 9)] })],
    ['empty append', () => log.append({})],
    ['createSnapshot', () => log.createSnapshot(1, conf, new Uint8Array(0))],
    ['compact', () => log.compact(1)],
    ['loadSnapshot', () => log.loadSnapshot()],
    ['initialState', () => log.initialState()],
    ['entries', () => log.entries(1, 2, Infinity)],
    ['term', () => log.term(1)],
    ['firstIndex', () => log.firstIndex()],
    ['lastIndex', () => log.lastIndex()],
    ['snapshot', () => log.snapshot()],
  ];
  for (const [name, call] of calls) {
    const outcome = await outcomeOf((async () => call())());
    if (!('error' in outcome)) broken.push(`${name} goes on after the failure`);
    else if (outcome.error !== failure) broken.push(`${name} fails with another error: ${String(outcome.error)}`);
  }
  return broken;
}

/** Whether it is the error of an instance that a failure of the disk has ended. */
export function isFailure(error: unknown): error is WalError {
  return error instanceof WalError && error.code === WalErrorCode.Failed && error.cause !== undefined;
}
