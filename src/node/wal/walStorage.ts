import { inspect } from 'node:util';
import { RaftError, RaftErrorCode } from '../../core/errors.js';
import { entriesSize, entrySize, type Entry } from '../../core/raftpb/entry.js';
import type { ConfState, Snapshot } from '../../core/raftpb/state.js';
import type { InitialState } from '../../core/storage/storage.js';
import type { EntryId, Index, Term } from '../../core/types.js';
import type { DurableLog } from '../shared/durableLog.js';
import { unlinkIfThere } from '../shared/fileIo.js';
import type { BatchBuilder } from './batchBuilder.js';
import { EntryCache } from './entryCache.js';
import { EntryReader } from './entryReader.js';
import type { WalEnvironment } from './environment.js';
import { pathIn, snapshotName } from './names.js';
import type { LogSummary } from './segmentHeader.js';
import { SpareSegment } from './spareSegment.js';
import { systemEnvironment } from './systemEnvironment.js';
import { invalidArgument, WalError, WalErrorCode } from './walError.js';
import { hasLog, loadLog, StartMode, type LoadedLog } from './walLoader.js';
import { resolveOptions, type WalOptions } from './walOptions.js';
import { failure, WalWriter } from './walWriter.js';
import { checkSnapshotContent, planWrite, type WalWrite, type WritePlan } from './writePlan.js';

/** Time between two looks at whether the directory still is ours, in milliseconds. */
const ownershipInterval = 5000;

/** Room for a record that is not an entry. */
const smallRecord = 64;

/**
 * A {@link DurableLog} in a directory: a write-ahead log that survives the loss of power at any moment. Format,
 * guarantees and limits are in docs/wal.md.
 *
 * Starting is explicit, because a member that has lost its log must not be taken for one that never had any:
 * {@link bootstrap} for the first members of a group, {@link join} for a node that is added to one, {@link open} for
 * every further start.
 */
export class WalStorage implements DurableLog {
  readonly #log: LoadedLog;
  readonly #cache: EntryCache;
  readonly #reader: EntryReader;
  readonly #spare: SpareSegment;
  readonly #writer: WalWriter;
  /** Work behind the writes: settling snapshots, removing segments. One piece after the other. */
  #chores: Promise<void> = Promise.resolve();
  /** Snapshots of the own state, one after the other. */
  #creating: Promise<void> = Promise.resolve();
  /** Index of the newest of them. */
  #asked: Index = 0;
  /** The snapshot whose file was, or is about to be, verified last. */
  #settled: Index;
  /** The snapshot whose file was verified last. */
  #verified: EntryId;
  #cancelCheck: () => void = () => undefined;
  #failure: WalError | null = null;
  #closing: Promise<void> | null = null;

  private constructor(log: LoadedLog) {
    const { env, options, state, places, segments, snapshots, marks, ownership, lastSeq, lastCrc } = log;
    const { dir, segmentBytes, cacheBytes, maxBatchBytes, maxQueuedBytes, blockingWriteBytes } = options;
    this.#log = log;
    this.#settled = state.snapshot.index;
    this.#verified = state.snapshot;
    this.#cache = new EntryCache(cacheBytes);
    this.#cache.reset(state.lastIndex + 1);
    this.#reader = new EntryReader(places);
    const failed = (error: unknown): void => this.#fail(error);
    snapshots.report = (error) => this.#failNow(error);
    this.#spare = new SpareSegment(env.fs, dir, ownership.tag, segmentBytes, (error) => this.#tell(() => options.onStorageLow(error)), failed);
    const writeSnapshot = (snapshot: Snapshot): Promise<void> => snapshots.write(snapshot);
    const written = (number: number, after: LogSummary, installed: Snapshot | null): void => this.#written(number, after, installed !== null);
    const parts = { env, dir, segments, places, marks, ownership, spare: this.#spare, writeSnapshot, written, failed };
    const start = { lastSeq, lastCrc, summary: state.summary, metadata: state.metadata };
    this.#writer = new WalWriter({ ...parts, segmentBytes, maxBatchBytes, maxQueuedBytes, blockingWriteBytes }, start);
    this.#spare.prepare();
    this.#planCheck();
  }

  // -- Starting

  /**
   * Makes the log of one of the first members of a new group. The host then calls `RawNode.bootstrap`.
   *
   * @param env everything outside of the process's memory; tests replace it.
   * @throws WalError `ERR_WAL_ALREADY_EXISTS` if there is a log: bootstrapping twice would start a second history.
   */
  static bootstrap(options: WalOptions, env: WalEnvironment = systemEnvironment): Promise<WalStorage> {
    return WalStorage.#start(StartMode.Bootstrap, options, env);
  }

  /**
   * Makes the log of a node that is being added to a group, with an id that was never used before. The host
   * does not bootstrap it: the leader sends it everything.
   *
   * @throws WalError `ERR_WAL_ALREADY_EXISTS` if there is a log.
   */
  static join(options: WalOptions, env: WalEnvironment = systemEnvironment): Promise<WalStorage> {
    return WalStorage.#start(StartMode.Join, options, env);
  }

  /**
   * Opens a log that is there. What a crash has left behind is put in order.
   *
   * @throws WalError `ERR_WAL_NOT_FOUND` if there is none, `ERR_WAL_CORRUPT` if it is damaged, `ERR_WAL_WRONG_IDENTITY`,
   * `ERR_WAL_LOCKED`, `ERR_WAL_UNKNOWN_VERSION`. In all of these cases nothing was changed. `ERR_WAL_LOST_OWNERSHIP` if another
   * process wrote to the directory while it was read: then it was taken over from that process, which stops.
   */
  static open(options: WalOptions, env: WalEnvironment = systemEnvironment): Promise<WalStorage> {
    return WalStorage.#start(StartMode.Open, options, env);
  }

  /** Whether a directory holds a log, sound or not. @throws WalError (as a rejection) if it cannot be read. */
  static exists(dir: string, env: WalEnvironment = systemEnvironment): Promise<boolean> {
    return hasLog(env, dir);
  }

  static async #start(mode: StartMode, options: WalOptions, env: WalEnvironment): Promise<WalStorage> {
    return new WalStorage(await loadLog(mode, resolveOptions(options), env));
  }

  // -- Writing

  /**
   * As {@link DurableLog.append}. The bytes of entries and snapshots are kept and must not be changed afterwards.
   *
   * @throws WalError (as a rejection) `ERR_WAL_ARGUMENT_INVALID`, `ERR_WAL_QUEUE_FULL`: nothing was changed;
   * `ERR_WAL_FAILED`, `ERR_WAL_LOST_OWNERSHIP`, `ERR_WAL_CLOSED`: the instance has ended.
   */
  append(write: WalWrite): Promise<void> {
    try {
      this.#refuse();
      const plan = planWrite(this.#log.state, write);
      const sync = write.sync ?? true;
      if (isNothing(plan)) return sync && this.#writer.isBusy ? this.#flush() : Promise.resolve();
      if (!this.#writer.hasRoom(plan.bytes)) {
        this.#writer.makeRoom();
        throw new WalError(WalErrorCode.QueueFull, `${this.#writer.queuedBytes} bytes wait for the disk, and at most ${this.#log.options.maxQueuedBytes} may`);
      }
      return this.#carryOut(plan, sync);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * As {@link DurableLog.createSnapshot}. The file is written beside the log; appends go on meanwhile.
   *
   * @param confState null if it is still that of the last snapshot.
   * @throws RaftError (as a rejection) `ERR_RAFT_SNAPSHOT_OUT_OF_DATE`, WalError as {@link append}.
   */
  async createSnapshot(index: Index, confState: ConfState | null, data: Uint8Array): Promise<void> {
    this.#refuse();
    mustBeIndex(index);
    const { state, snapshots } = this.#log;
    const id: EntryId = { index, term: index >= state.offset.index && index <= state.lastIndex ? state.term(index) : 0 };
    this.#checkSnapshot(id);
    if (index <= this.#asked) throw new RaftError(RaftErrorCode.SnapshotOutOfDate, `a snapshot at ${index} is not newer than the one at ${this.#asked}, which is being written`);
    const metadata = { ...id, confState: confState ?? snapshots.confState };
    checkSnapshotContent(metadata.confState, data);
    this.#asked = index;
    const snapshot: Snapshot = { data, metadata };
    const done = this.#creating.then(() => this.#create(snapshot, id));
    this.#creating = done.catch(() => undefined);
    return done;
  }

  /**
   * As {@link DurableLog.compact}. Space is given back in whole segments.
   *
   * @throws RaftError (as a rejection) `ERR_RAFT_COMPACTED` if that was done before, `ERR_RAFT_UNAVAILABLE` if it is after
   * the last entry; WalError `ERR_WAL_ARGUMENT_INVALID` if no snapshot covers it, or it is no index.
   */
  async compact(index: Index): Promise<void> {
    this.#refuse();
    mustBeIndex(index);
    const { state } = this.#log;
    if (index <= state.offset.index) throw compacted(index, state.offset.index);
    const to = { index, term: this.term(index) };
    const problem = state.compactProblem(to);
    if (problem !== null) throw invalidArgument(problem);
    this.#writer.beginAddition(smallRecord, false);
    state.compact(to);
    this.#cache.forgetBefore(index + 1);
    await this.#add((builder) => builder.compact(to));
  }

  /** As {@link DurableLog.close}. Also frees an instance that has ended by an error, and then makes nothing durable. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  /** The error that has ended this instance, or null. */
  get failure(): WalError | null {
    return this.#failure;
  }

  /** Bytes of writes that wait for the disk. */
  get queuedBytes(): number {
    return this.#writer.queuedBytes;
  }

  /** Whether the log was made by {@link join}, and not by {@link bootstrap}. */
  get joined(): boolean {
    return this.#log.segments[0]!.header.joined;
  }

  /** What the application keeps here; null if nothing. */
  get metadata(): Uint8Array | null {
    return this.#log.state.metadata;
  }

  // -- Reading

  initialState(): InitialState {
    this.#refuse();
    return { hardState: this.#log.state.hardState, confState: this.#log.snapshots.confState };
  }

  entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    this.#refuse();
    mustBeInteger(lo);
    mustBeInteger(hi);
    if (typeof maxBytes !== 'number' || Number.isNaN(maxBytes)) throw new RaftError(RaftErrorCode.ArgumentInvalid, `maxBytes is ${inspect(maxBytes)}`);
    const { offset, lastIndex } = this.#log.state;
    if (lo <= offset.index) throw compacted(lo, offset.index);
    if (hi > lastIndex + 1) throw unavailable(hi - 1, lastIndex);
    if (lo > hi) throw new RaftError(RaftErrorCode.ArgumentInvalid, `entries from ${lo} to before ${hi}: the range is reversed`);
    if (lo === hi) return [];
    const cache = this.#cache;
    if (lo >= cache.first) return cache.slice(lo, hi, maxBytes);
    const until = Math.min(hi, cache.first);
    const found: Entry[] = [];
    let complete: boolean;
    try {
      complete = this.#reader.read(lo, until, maxBytes, found);
    } catch (error) {
      return this.#failNow(error);
    }
    if (!complete || until === hi) return found;
    const room = maxBytes - entriesSize(found);
    const more = cache.slice(until, hi, room);
    return entrySize(more[0]!) > room ? found : found.concat(more);
  }

  term(index: Index): Term {
    this.#refuse();
    mustBeInteger(index);
    const { state } = this.#log;
    if (index < state.offset.index) throw compacted(index, state.offset.index);
    if (index > state.lastIndex) throw unavailable(index, state.lastIndex);
    return state.term(index);
  }

  firstIndex(): Index {
    this.#refuse();
    return this.#log.state.offset.index + 1;
  }

  lastIndex(): Index {
    this.#refuse();
    return this.#log.state.lastIndex;
  }

  /**
   * As {@link Storage.snapshot}. A large one is read in the background and can be had later; until then
   * `ERR_RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE` is thrown, so that heartbeats go on (V17).
   */
  snapshot(): Snapshot {
    this.#refuse();
    return this.#log.snapshots.get();
  }

  /** The newest snapshot, however large: for the start of a state machine. Empty if there is none. */
  async loadSnapshot(): Promise<Snapshot> {
    this.#refuse();
    return this.#log.snapshots.load();
  }

  // -- Behind the calls

  #carryOut(plan: WritePlan, sync: boolean): Promise<void> {
    const { state, snapshots } = this.#log;
    const { snapshot, truncateFrom, entries, hardState, metadata } = plan;
    const writer = this.#writer;
    writer.beginAddition(plan.bytes, snapshot !== null);
    const number = writer.openNumber;
    if (snapshot !== null) {
      const { index, term } = snapshot.metadata;
      state.install({ index, term });
      snapshots.adopt(snapshot);
      this.#cache.reset(index + 1);
    }
    if (truncateFrom > 0) {
      state.truncate(truncateFrom);
      this.#cache.truncate(truncateFrom);
    }
    if (entries.length > 0) {
      state.pushEntries(entries);
      this.#cache.append(entries, plan.entryBytes, number);
    }
    if (hardState !== null) state.hardState = hardState;
    if (metadata !== null) state.metadata = metadata;
    return writer.add({ fill: (builder) => fill(builder, plan), sync, mark: plan.votes, snapshot, after: state.summary, metadata: state.metadata });
  }

  /** Waits for what was added before. */
  #flush(): Promise<void> {
    this.#writer.beginAddition(0, false);
    return this.#add(() => undefined);
  }

  /** Adds a record whose effect is in the state already. */
  #add(record: (builder: BatchBuilder) => void): Promise<void> {
    const { summary, metadata } = this.#log.state;
    return this.#writer.add({ fill: record, sync: true, mark: false, snapshot: null, after: summary, metadata });
  }

  #checkSnapshot(id: EntryId): void {
    const { state } = this.#log;
    const problem = state.snapshotProblem(id);
    if (problem !== null) throw id.index <= state.snapshot.index ? new RaftError(RaftErrorCode.SnapshotOutOfDate, problem) : invalidArgument(problem);
  }

  /**
   * A snapshot was overtaken while it was written, by a newer one of the leader or by the same one. Its file may be
   * that of the leader's as well, so it goes only when all do that the log on the disk has left behind.
   */
  async #giveUpSnapshot(): Promise<void> {
    // The newer one may still wait for the disk, and until it is there neither of them would be.
    if (this.#writer.isBusy) await this.#flush();
    this.#chore(() => this.#removeOldSnapshots());
  }

  async #create(snapshot: Snapshot, id: EntryId): Promise<void> {
    const { state, snapshots } = this.#log;
    this.#refuseAfterFailure();
    // One of the leader came meanwhile.
    if (state.snapshotProblem(id) !== null) return this.#giveUpSnapshot();
    try {
      await snapshots.write(snapshot);
    } catch (error) {
      this.#failNow(error);
    }
    this.#refuseAfterFailure();
    if (state.snapshotProblem(id) !== null) return this.#giveUpSnapshot();
    this.#writer.beginAddition(smallRecord, false);
    state.snapshot = id;
    snapshots.adopt(snapshot);
    await this.#add((builder) => builder.snapshot(id, false));
  }

  /** A batch is on the disk. */
  #written(number: number, after: LogSummary, installed: boolean): void {
    const { places } = this.#log;
    this.#cache.shrink(number);
    places.forgetBefore(after.offset.index + 1);
    const settles = installed || after.snapshot.index !== this.#settled;
    if (settles) {
      this.#settled = after.snapshot.index;
      this.#chore(() => this.#settle(after.snapshot));
    }
    const [oldest] = this.#log.segments;
    if (oldest !== undefined && this.#log.segments.length > 1 && !places.uses(oldest)) this.#chore(() => this.#removeSegments());
  }

  async #settle(id: EntryId): Promise<void> {
    await this.#log.snapshots.settle(id);
    this.#verified = id;
    await this.#removeOldSnapshots();
  }

  async #removeOldSnapshots(): Promise<void> {
    const { snapshots, ownership } = this.#log;
    const { index, term } = this.#verified;
    // What is removed may be needed by another owner, whose log does not know of this snapshot.
    await ownership.check();
    await snapshots.removeOthers(snapshotName(index, term));
  }

  #chore(run: () => Promise<void>): void {
    this.#chores = this.#chores.then(async () => {
      if (this.#failure === null) await run();
    }).catch((error: unknown) => this.#fail(error));
  }

  /** Removes the oldest segments, as long as no entry of the log stands in them. The snapshot that covers them was verified before. */
  async #removeSegments(): Promise<void> {
    const { segments, places, env, options, ownership } = this.#log;
    let removed = false;
    while (segments.length > 1 && !places.uses(segments[0]!)) {
      // As with snapshots: another owner may need it.
      await ownership.check();
      const { file, name } = segments.shift()!;
      await file.close();
      await unlinkIfThere(env.fs, pathIn(options.dir, name));
      // One after the other: a gap between segments is damage.
      await env.fs.syncDirectory(options.dir);
      removed = true;
    }
    if (removed) this.#spare.prepare();
  }

  #planCheck(): void {
    const { env, ownership } = this.#log;
    this.#cancelCheck = env.clock.after(ownershipInterval, () => {
      this.#chore(async () => {
        await ownership.check();
        if (this.#closing === null) this.#planCheck();
      });
    });
  }

  /** @throws WalError if the instance has ended by an error. What was asked for before `close` goes on. */
  #refuseAfterFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** @throws WalError if the instance has ended. */
  #refuse(): void {
    this.#refuseAfterFailure();
    if (this.#closing !== null) throw closed();
  }

  #fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = failure(error);
    this.#cancelCheck();
    const told = this.#failure;
    void this.#writer.end(told);
    this.#tell(() => this.#log.options.onFailure(told));
  }

  /** Calls the host back on a stack of its own: what it throws is its own affair, and must leave nobody here waiting. */
  #tell(call: () => void): void {
    this.#log.env.clock.soon(call);
  }

  #failNow(error: unknown): never {
    this.#fail(error);
    throw this.#failure!;
  }

  async #end(): Promise<void> {
    const { segments, snapshots, marks, release } = this.#log;
    const before = this.#failure;
    let first: unknown = null;
    // Whatever fails, the rest is released all the same.
    const run = async (...steps: (() => Promise<void>)[]): Promise<void> => {
      for (const step of steps) await step().catch((error: unknown) => (first ??= error));
    };
    const finish = async (): Promise<void> => {
      if (this.#failure === null) await this.#writer.finish();
      // A snapshot that was being made: what waited for the disk besides is lost.
      else if (this.#failure !== before) throw this.#failure;
    };
    const end = (): Promise<void> => this.#writer.end(this.#failure ?? closed());
    await run(() => this.#creating, finish);
    this.#cancelCheck();
    await run(end, () => this.#chores, () => this.#spare.close(), () => marks.close(), () => snapshots.close());
    // Only now: a chore may have removed some of them.
    await run(...segments.map(({ file }) => () => file.close()), release);
    if (first !== null) throw failure(first);
  }
}

function isNothing({ snapshot, entries, hardState, metadata }: WritePlan): boolean {
  return snapshot === null && entries.length === 0 && hardState === null && metadata === null;
}

/** Entries before the hard state, which may commit them; a snapshot before both. */
function fill(builder: BatchBuilder, { snapshot, truncateFrom, entries, hardState, metadata }: WritePlan): void {
  if (snapshot !== null) builder.snapshot(snapshot.metadata, true);
  if (truncateFrom > 0) builder.truncate(truncateFrom);
  for (const entry of entries) builder.entry(entry);
  if (hardState !== null) builder.hardState(hardState);
  if (metadata !== null) builder.metadata(metadata);
}

function compacted(index: Index, offset: Index): RaftError {
  return new RaftError(RaftErrorCode.Compacted, `index ${index}: the log is compacted up to ${offset}`);
}

function unavailable(index: Index, last: Index): RaftError {
  return new RaftError(RaftErrorCode.Unavailable, `index ${index}: the last entry is ${last}`);
}

/** Every comparison with NaN is false, so that no check of a range refuses it. */
function mustBeIndex(index: Index): void {
  if (!Number.isSafeInteger(index) || index < 0) throw invalidArgument(`${inspect(index)} is no index`);
}

/** As {@link mustBeIndex}, in the words of `Storage`. */
function mustBeInteger(index: Index): void {
  if (!Number.isSafeInteger(index)) throw new RaftError(RaftErrorCode.ArgumentInvalid, `${inspect(index)} is no index`);
}

function closed(): WalError {
  return new WalError(WalErrorCode.Closed, 'the log was closed');
}
