import type { Snapshot } from '../../core/raftpb/state.js';
import { BatchBuilder, type Placements } from './batchBuilder.js';
import type { WalEnvironment } from './environment.js';
import { aligned, batchHeaderBytes, BatchFlag, recordHeaderBytes, sectorsFor } from './format.js';
import type { MarkWriter } from './marks.js';
import type { Ownership } from './ownership.js';
import type { PlaceIndex, Segment } from './placeIndex.js';
import { publish } from './segmentFiles.js';
import { segmentHeaderSpace, type LogSummary, type SegmentHeader } from './segmentHeader.js';
import { walIdLow } from './segmentScan.js';
import type { SpareSegment } from './spareSegment.js';
import { WalError, WalErrorCode } from './walError.js';

/** Room that every segment keeps for the batch that seals it. */
const sealSpace = sectorsFor(batchHeaderBytes);

/** Time between two marks that nobody waits for, in milliseconds. */
const markInterval = 1000;

/**
 * Bytes of a batch that is written without waiting for more: a write of so much costs as much as the sync does,
 * and the disk works while the callers make more.
 */
const largeEnough = 64 << 10;

/** Buffers that are kept for the next batches: one that is written, and those that wait behind it where callers have 3 MiB on their way. */
const mostSpareBuilders = 4;

/** What one call adds to a batch. */
export interface Addition {
  /** Adds the records. */
  readonly fill: (builder: BatchBuilder) => void;
  /** Whether somebody waits for the disk. */
  readonly sync: boolean;
  /** Whether a mark has to be written before anyone is told: the term or the vote has changed. */
  readonly mark: boolean;
  /** Snapshot whose file has to be complete before. */
  readonly snapshot: Snapshot | null;
  /** What is in force after it. */
  readonly after: LogSummary;
  readonly metadata: Uint8Array | null;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A batch that is being collected. */
interface Pending {
  readonly builder: BatchBuilder;
  /** Position in the order of all writes of this run. */
  readonly number: number;
  readonly waiters: Waiter[];
  sync: boolean;
  mark: boolean;
  snapshot: Snapshot | null;
  after: LogSummary;
  metadata: Uint8Array | null;
  flags: number;
}

/** What the writer works with. */
export interface WriterParts {
  readonly env: WalEnvironment;
  readonly dir: string;
  /** All segments, the last of which is written to. Shared with those who read and delete. */
  readonly segments: Segment[];
  readonly places: PlaceIndex;
  readonly marks: MarkWriter;
  readonly ownership: Ownership;
  readonly spare: SpareSegment;
  readonly writeSnapshot: (snapshot: Snapshot) => Promise<void>;
  /** Called after each batch that is durable, with its number and what is in force after it. */
  readonly written: (number: number, after: LogSummary, installed: Snapshot | null) => void;
  /** Called with the error that ends the instance. */
  readonly failed: (error: unknown) => void;
  readonly segmentBytes: number;
  readonly maxBatchBytes: number;
  readonly maxQueuedBytes: number;
  readonly blockingWriteBytes: number;
}

/** Where the log ends at the start. */
export interface WriterStart {
  readonly lastSeq: number;
  readonly lastCrc: number;
  readonly summary: LogSummary;
  readonly metadata: Uint8Array | null;
}

/**
 * Writes batches, one after the other: each is written and synced before the next one is begun. What arrives
 * meanwhile is collected into the next one (group commit).
 */
export class WalWriter {
  private readonly parts: WriterParts;
  private readonly idLow: bigint;
  private queue: Pending[] = [];
  private readonly spareBuilders: BatchBuilder[] = [];
  private writing: Pending | null = null;
  /** Whether what is due waits for more that may come. */
  private gathering = false;
  private numbers = 0;
  private queued = 0;
  private lastSeq: number;
  private lastCrc: number;
  /** What is in force on the disk; what is queued is not in it. */
  private placed: LogSummary;
  private metadata: Uint8Array | null;
  private ended = false;
  /** What those hear who waited when everything ended. */
  private endError: unknown = null;
  private cancelMark: (() => void) | null = null;
  private lastMarkAt = -Infinity;
  private readonly idle: (() => void)[] = [];

  constructor(parts: WriterParts, { lastSeq, lastCrc, summary, metadata }: WriterStart) {
    this.parts = parts;
    this.idLow = walIdLow(this.segment.header.walId);
    this.lastSeq = lastSeq;
    this.lastCrc = lastCrc;
    this.placed = summary;
    this.metadata = metadata;
  }

  /** Bytes that wait for the disk. */
  get queuedBytes(): number {
    return this.queued;
  }

  /** Whether anything waits or is being written. */
  get isBusy(): boolean {
    return this.writing !== null || this.queue.length > 0;
  }

  /** Number of the batch that is open for additions, to tell later whether it was written. */
  get openNumber(): number {
    return this.queue[this.queue.length - 1]!.number;
  }

  /** Whether so many bytes more may wait. One write may always, however large. */
  hasRoom(bytes: number): boolean {
    return this.queued === 0 || this.queued + bytes <= this.parts.maxQueuedBytes;
  }

  /**
   * Writes what waits although nobody may wait for it. For when there is no room: a write that somebody waits for would
   * bring the rest to the disk, and is refused because of it.
   */
  makeRoom(): void {
    const open = this.queue[this.queue.length - 1];
    if (open === undefined) return;
    open.sync = true;
    this.kick();
  }

  /** Opens a batch for what is added next, if it does not fit into the one that is open. Sets {@link openNumber}. */
  beginAddition(bytes: number, snapshot: boolean): void {
    const open = this.queue[this.queue.length - 1];
    if (open !== undefined && open.builder.size + bytes <= this.parts.maxBatchBytes && !(snapshot && open.snapshot !== null)) return;
    const builder = this.spareBuilders.pop() ?? new BatchBuilder();
    const { after, metadata } = open ?? this.writing ?? { after: this.placed, metadata: this.metadata };
    this.queue.push({ builder, number: ++this.numbers, waiters: [], sync: false, mark: false, snapshot: null, after, metadata, flags: 0 });
  }

  /** Adds to the batch that {@link beginAddition} has found. The promise is that of the disk, if somebody waits for it. */
  add({ fill, sync, mark, snapshot, after, metadata }: Addition): Promise<void> {
    const open = this.queue[this.queue.length - 1]!;
    const before = open.builder.size;
    try {
      fill(open.builder);
    } catch (error) {
      // No memory is left for it. Those who read see it already, and what comes behind it would leave a gap on the disk.
      this.parts.failed(error);
      return Promise.reject(this.endError as Error);
    }
    this.queued += open.builder.size - before;
    if (snapshot !== null) open.snapshot = snapshot;
    open.mark ||= mark;
    open.after = after;
    open.metadata = metadata;
    if (sync) open.sync = true;
    // Nobody waits, but it must not pile up either.
    else if (open.builder.size > this.parts.maxBatchBytes / 2) open.sync = true;
    if (!sync) {
      this.kick();
      return Promise.resolve();
    }
    return new Promise<void>((resolve, reject) => {
      open.waiters.push({ resolve, reject });
      this.kick();
    });
  }

  /** Writes everything that waits, and a batch that says that nothing follows. */
  async finish(): Promise<void> {
    this.beginAddition(0, false);
    const open = this.queue[this.queue.length - 1]!;
    open.flags = BatchFlag.CleanClose;
    const { after, metadata } = open;
    await this.add({ fill: () => undefined, sync: true, mark: true, snapshot: null, after, metadata });
  }

  /** Ends everything: what waits is refused with `error`. Resolves when no operation is under way any more. */
  async end(error: unknown): Promise<void> {
    this.ended = true;
    this.endError = error;
    this.cancelMark?.();
    this.cancelMark = null;
    const refused = this.queue;
    this.queue = [];
    this.queued = 0;
    for (const { waiters } of refused) for (const { reject } of waiters) reject(error);
    if (this.writing !== null) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private get segment(): Segment {
    const { segments } = this.parts;
    return segments[segments.length - 1]!;
  }

  /** Length of the batch that a segment has to begin with, as those before it may go: the metadata once more. 0 if there is none. */
  private get repeatedBytes(): number {
    if (this.metadata === null || this.segment.end > segmentHeaderSpace) return 0;
    return sectorsFor(batchHeaderBytes + aligned(recordHeaderBytes + this.metadata.length));
  }

  /** Whether there is something to write. */
  private get isDue(): boolean {
    const next = this.queue[0];
    return next !== undefined && (next.sync || this.queue.length > 1);
  }

  /**
   * Whether what is due is worth a sync of its own, whatever else may come. A write on the calling thread never is: nobody
   * makes more while it lasts, and several of them, one right behind the other, would stop the event loop.
   */
  private get isLargeEnough(): boolean {
    if (!this.isDue) return false;
    const { builder } = this.queue[0]!;
    return (this.queue.length > 1 || builder.size >= largeEnough) && !this.isBlocking(builder.fileBytes);
  }

  /** Whether a batch of so many bytes is written on the calling thread. */
  private isBlocking(bytes: number): boolean {
    return bytes <= this.parts.blockingWriteBytes;
  }

  /** Sees to it that what is due is written. While a write is under way, its end does. */
  private kick(): void {
    if (this.isLargeEnough) this.begin();
    if (this.writing !== null || this.gathering || this.ended || !this.isDue) return;
    // Not at once: of many callers that were answered together, the first one would get a sync for itself alone.
    this.gathering = true;
    this.parts.env.clock.soon(() => {
      this.gathering = false;
      this.begin();
    });
  }

  /** Begins to write what is first in the queue, if it is due. */
  private begin(): void {
    if (this.writing !== null || this.ended || !this.isDue) return;
    const pending = this.queue.shift()!;
    const { size } = pending.builder;
    this.writing = pending;
    this.write(pending).then(
      () => this.done(pending, size),
      (error: unknown) => this.failed(pending, error),
    );
  }

  /** What was written is on the disk. */
  private done(pending: Pending, size: number): void {
    this.writing = null;
    // Something else has failed meanwhile. It is on the disk, but nobody may be told any more.
    if (this.ended) return this.refuse(pending);
    this.queued -= size - batchHeaderBytes;
    pending.builder.clear();
    if (this.spareBuilders.length < mostSpareBuilders) this.spareBuilders.push(pending.builder);
    // The next one before anyone is told, so that the disk has something to do while they make more.
    if (this.isLargeEnough) this.begin();
    for (const { resolve } of pending.waiters) resolve();
    this.kick();
  }

  private failed(pending: Pending, error: unknown): void {
    this.writing = null;
    this.parts.failed(error);
    this.refuse(pending);
  }

  /** All waiters hear the one error that the owner has made of the first that there was. */
  private refuse(pending: Pending): void {
    for (const { reject } of pending.waiters) reject(this.endError);
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private async write(pending: Pending): Promise<void> {
    const { builder, snapshot, flags, after, metadata } = pending;
    if (snapshot !== null) await this.parts.writeSnapshot(snapshot);
    if (this.segment.end + this.repeatedBytes + builder.fileBytes + sealSpace > this.segment.header.length) await this.rotate(builder.fileBytes);
    if (this.repeatedBytes > 0) {
      const first = new BatchBuilder();
      first.metadata(this.metadata!);
      await this.writeBatch(first, 0);
    }
    await this.writeBatch(builder, flags);
    if (this.ended) return;
    this.placed = after;
    this.metadata = metadata;
    this.parts.written(pending.number, after, snapshot);
    if (pending.mark) await this.parts.marks.write(this.lastSeq, after.hardState);
    else this.planMark();
  }

  /** Writes one batch behind the last, syncs, and only then takes note of it. */
  private async writeBatch(builder: BatchBuilder, flags: number): Promise<void> {
    const { segment } = this;
    const seq = this.lastSeq + 1;
    const bytes = builder.seal({ seq, flags, previousCrc: this.lastCrc, syncedSeq: this.lastSeq, walIdLow: this.idLow });
    await segment.file.writeThrough(bytes, segment.end, this.isBlocking(bytes.length));
    builder.placeInto(new PlacesOf(this.parts.places, segment, segment.end));
    segment.end += bytes.length;
    this.lastSeq = seq;
    this.lastCrc = builder.payloadCrc;
  }

  /**
   * Goes on in a new segment. It is there, with its name, before the old one is sealed, so a sealed segment
   * without a successor has lost it.
   */
  private async rotate(needed: number): Promise<void> {
    const { env, dir, ownership, spare, segments, segmentBytes } = this.parts;
    await ownership.check();
    const { segment } = this;
    const length = Math.max(segmentBytes, sectorsFor(segmentHeaderSpace + needed + 2 * sealSpace + (this.metadata?.length ?? 0)));
    const file = await spare.take(length);
    const seal = new BatchBuilder();
    const bytes = seal.seal({ seq: this.lastSeq + 1, flags: BatchFlag.SegmentEnd, previousCrc: this.lastCrc, syncedSeq: this.lastSeq, walIdLow: this.idLow });
    const header: SegmentHeader = {
      ...segment.header,
      ...this.placed,
      seq: segment.header.seq + 1,
      replacesFrom: 0,
      firstBatch: this.lastSeq + 2,
      copiedThrough: 0,
      previousCrc: seal.payloadCrc,
      length,
    };
    let next: Segment;
    try {
      next = await publish(env.fs, dir, file, header);
      await this.stillMine(next);
      await segment.file.writeThrough(bytes, segment.end);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    segment.end += bytes.length;
    this.lastSeq++;
    this.lastCrc = seal.payloadCrc;
    segments.push(next);
    spare.prepare();
  }

  /** Takes back a segment that another owner of the directory knows nothing of. */
  private async stillMine({ path }: Segment): Promise<void> {
    const { env, ownership } = this.parts;
    try {
      await ownership.check();
    } catch (error) {
      await env.fs.unlink(path).catch(() => undefined);
      throw error;
    }
  }

  /** Marks the newest batch some time soon. */
  private planMark(): void {
    if (this.cancelMark !== null || this.ended) return;
    const { clock } = this.parts.env;
    const wait = Math.max(0, this.lastMarkAt + markInterval - clock.now());
    this.cancelMark = clock.after(wait, () => {
      this.cancelMark = null;
      if (this.ended) return;
      this.lastMarkAt = clock.now();
      this.parts.marks.write(this.lastSeq, this.placed.hardState).catch((error: unknown) => this.parts.failed(error));
    });
  }
}

/** Puts the entries of one batch into the index of places. */
class PlacesOf implements Placements {
  private readonly places: PlaceIndex;
  private readonly segment: Segment;
  private readonly start: number;

  constructor(places: PlaceIndex, segment: Segment, start: number) {
    this.places = places;
    this.segment = segment;
    this.start = start;
  }

  reset(): void {
    this.places.clear();
  }

  truncate(index: number): void {
    this.places.truncate(index);
  }

  place(first: number, offsets: readonly number[], from: number, to: number): void {
    this.places.placeSeveral(this.segment, first, this.start, offsets, from, to);
  }
}

/** The error that the first failure turns into. */
export function failure(error: unknown): WalError {
  if (error instanceof WalError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new WalError(WalErrorCode.Failed, `the log has stopped, because the disk failed: ${message}. Start anew from the disk`, { cause: error });
}
