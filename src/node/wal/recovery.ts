import { damaged } from './damage.js';
import type { WalEnvironment } from './environment.js';
import { BatchFlag } from './format.js';
import { LogState } from './logState.js';
import { readMarks, type Mark } from './marks.js';
import { isSegmentLike, markNames, pathIn, segmentSeqOf } from './names.js';
import { Replay, type ReplayListener } from './replay.js';
import type { Segment } from './placeIndex.js';
import { decodeSegmentHeader, segmentHeaderSpace, type WalIdentity } from './segmentHeader.js';
import { ScanEnd, SegmentScan, walIdLow, type FoundBatch } from './segmentScan.js';
import { FileAccess, type File } from '../shared/fileSystem.js';
import { readFully } from '../shared/fileIo.js';
import { WalError, WalErrorCode } from './walError.js';

/** A segment as it was found. */
export interface FoundSegment extends Segment {
  /** Length of the file, which may have been cut. */
  readonly size: number;
}

/** What a directory holds. */
export interface FoundLog {
  readonly state: LogState;
  /** In order; the last one is the one that was written to. */
  readonly segments: readonly FoundSegment[];
  /** Files of segments that were replaced, and not removed yet. */
  readonly replaced: readonly string[];
  /** The newer of the marks, and which file holds it. */
  readonly mark: Mark;
  readonly markHolder: number;
  /** Sequence number and checksum of the last batch. */
  readonly lastSeq: number;
  readonly lastCrc: number;
  /** Names of all segments that were there, needed or not. */
  readonly names: readonly string[];
  /** Whether there is a snapshot: one at index 0 is not to be told from none by its position. */
  readonly hasSnapshot: boolean;
  /** How many of the segments at the end have to be copied into a new one: those that are not sealed. */
  readonly unsealed: number;
  /** Bytes behind the last batch that were dropped, as the rest of an interrupted write. */
  readonly tornAt: number | null;
}

/** Hears of what is found while a directory is read: for the places of entries, and for the tool that prints everything. */
export interface LogReader {
  segment(segment: FoundSegment): void;
  /** Before its records. `bytes` are those of the whole segment, until the next one is begun. */
  batch(segment: FoundSegment, batch: FoundBatch, bytes: Uint8Array): void;
  readonly records: ReplayListener;
}

/**
 * Reads a directory and decides what of it is the log. Changes nothing.
 *
 * @param access what the files of the segments are opened for; they stay open.
 * @returns null if there is no log.
 * @throws WalError `ERR_WAL_CORRUPT` if it is damaged, `ERR_WAL_WRONG_IDENTITY` if it is not the log of `identity`.
 */
export async function readLog(
  env: Pick<WalEnvironment, 'fs'>,
  dir: string,
  identity: WalIdentity | null,
  reader: LogReader,
  access: FileAccess = FileAccess.ReadWrite,
): Promise<FoundLog | null> {
  const opened = new Set<File>();
  try {
    return await new LogFinder(env, dir, identity, reader, access, opened).run();
  } catch (error) {
    // The first error says what is wrong.
    for (const file of opened) await file.close().catch(() => undefined);
    throw error;
  }
}

/** Names of what looks like a segment, in their order. */
export async function segmentNames({ fs }: Pick<WalEnvironment, 'fs'>, dir: string): Promise<string[]> {
  return (await fs.readdir(dir)).filter(isSegmentLike).sort();
}

class LogFinder {
  private readonly env: Pick<WalEnvironment, 'fs'>;
  private readonly dir: string;
  private readonly identity: WalIdentity | null;
  private readonly reader: LogReader;
  private readonly access: FileAccess;
  /** To be closed if the log cannot be used. */
  private readonly opened: Set<File>;
  private readonly state = new LogState();
  private readonly replay: Replay;
  private hasSnapshot = false;
  /** What to say if what is missing in front of a gap is needed. */
  private gap: WalError | null = null;
  private buffer = new Uint8Array(0);

  constructor(env: Pick<WalEnvironment, 'fs'>, dir: string, identity: WalIdentity | null, reader: LogReader, access: FileAccess, opened: Set<File>) {
    this.env = env;
    this.dir = dir;
    this.identity = identity;
    this.reader = reader;
    this.access = access;
    this.opened = opened;
    const { records } = reader;
    this.replay = new Replay(this.state, {
      hardState: (state, offset) => records.hardState(state, offset),
      entry: (index, offset, dataBytes) => records.entry(index, offset, dataBytes),
      truncate: (from, offset) => records.truncate(from, offset),
      snapshot: (id, replacesLog, offset) => {
        this.hasSnapshot = true;
        records.snapshot(id, replacesLog, offset);
      },
      compact: (to, offset) => records.compact(to, offset),
      metadata: (bytes, offset) => records.metadata(bytes, offset),
    });
  }

  async run(): Promise<FoundLog | null> {
    const names = await segmentNames(this.env, this.dir);
    if (names.length === 0) return null;
    const { segments: all, replaced } = await this.openSegments(names);
    this.checkIdentity(all);
    const segments = await this.behindGap(all, replaced);
    const first = segments[0]!;
    this.state.resume(first.header);
    const { mark, holder } = this.newestMark(await readMarks(this.env.fs, this.dir, first.header.walId));

    let scan: SegmentScan | null = null;
    let unsealed = 1;
    let durable = mark.seq;
    let ending: ScanEnd = ScanEnd.Clean;
    for (const [i, segment] of segments.entries()) {
      if (scan !== null) this.checkJoint(segment, scan);
      scan = await this.readSegment(segment);
      ending = scan.ending();
      const left = segments.length - 1 - i;
      const sealed = (scan.lastFlags & BatchFlag.SegmentEnd) !== 0;
      if (sealed) this.checkSealed(segment, ending, left);
      if (left === 0) break;
      const next = segments[i + 1]!;
      if (sealed) {
        if (left > 1 || mark.seq >= scan.lastSeq || (await this.hasBatch(next))) continue;
        // Nothing says that the seal was synced: what is read may be in the page cache alone. Without it the segment
        // is copied, and nothing depends on it.
        this.checkJoint(next, scan);
        scan.dropLast();
        segment.end = scan.end;
      } else if (left > 1 || (await this.hasBatch(next))) {
        // Only the last but one may be without its seal, and only while nothing was written behind it.
        throw damaged(segment.path, segment.end, 'the segment is not complete, and the next one goes on behind it');
      }
      unsealed = 2;
      durable = Math.max(durable, next.header.firstBatch - 2);
      break;
    }
    const last = segments[segments.length - unsealed]!;
    this.judgeEnd(last, scan!, ending, mark, Math.max(durable, last.header.copiedThrough));
    this.checkResult(first);
    return {
      state: this.state,
      segments,
      replaced,
      mark,
      markHolder: holder,
      lastSeq: scan!.lastSeq,
      lastCrc: scan!.lastCrc,
      names,
      hasSnapshot: this.hasSnapshot || this.state.snapshot.index > 0,
      unsealed,
      tornAt: ending === ScanEnd.Torn ? last.end : null,
    };
  }

  /** Opens what is not replaced, in order. */
  private async openSegments(names: readonly string[]): Promise<{ segments: FoundSegment[]; replaced: string[] }> {
    const { fs } = this.env;
    const all: FoundSegment[] = [];
    for (const name of names) {
      const path = pathIn(this.dir, name);
      const seq = segmentSeqOf(name);
      if (seq === null) throw damaged(path, 0, 'its name is not that of a segment');
      const file = await fs.open(path, this.access);
      this.opened.add(file);
      const head = new Uint8Array(segmentHeaderSpace);
      const decoded = decodeSegmentHeader(head.subarray(0, await readFully(file, head, 0)));
      if ('problem' in decoded) {
        if (decoded.newerVersion) throw new WalError(WalErrorCode.UnknownVersion, `${path}: ${decoded.problem}`, { file: path, offset: 0 });
        throw damaged(path, 0, decoded.problem);
      }
      const segment = { name, path, file, header: decoded.header, size: await file.size(), end: segmentHeaderSpace };
      all.push(segment);
      if (segment.header.seq !== seq) throw damaged(path, 0, `its name says segment ${seq}, and its header ${segment.header.seq}`);
    }
    all.sort((a, b) => a.header.seq - b.header.seq);
    const gone = (segment: FoundSegment): boolean =>
      all.some(({ header }) => header.replacesFrom !== 0 && segment.header.seq >= header.replacesFrom && segment.header.seq < header.seq);
    const replaced: string[] = [];
    const segments: FoundSegment[] = [];
    for (const segment of all) {
      if (!gone(segment)) {
        segments.push(segment);
        continue;
      }
      replaced.push(segment.name);
      this.opened.delete(segment.file);
      await segment.file.close();
    }
    return { segments, replaced };
  }

  /** All segments are of one log, of this node. */
  private checkIdentity(segments: readonly FoundSegment[]): void {
    const { header: first } = segments[0]!;
    const { identity } = this;
    if (identity !== null && (first.nodeId !== identity.nodeId || first.clusterId !== identity.clusterId)) {
      throw new WalError(
        WalErrorCode.WrongIdentity,
        `${this.dir} is the log of node ${first.nodeId} of cluster ${first.clusterId}, and not of node ${identity.nodeId} of cluster ${identity.clusterId}`,
      );
    }
    for (let i = 1; i < segments.length; i++) {
      const { header, path } = segments[i]!;
      if (header.walId.some((byte, at) => byte !== first.walId[at]) || header.nodeId !== first.nodeId || header.clusterId !== first.clusterId) {
        throw damaged(path, 16, 'the segment is of another log than the one before it');
      }
    }
  }

  /**
   * The segments behind the last gap. Segments are removed from the oldest on, each one durably before the next. But a
   * sync of the directory that fails may never be made up for, and then a removed segment is back after the next loss
   * of power, in front of a gap. So what stands in front of one is removed once more, as if it had been replaced, if
   * the rest is complete by itself; `checkResult` tells.
   */
  private async behindGap(segments: FoundSegment[], replaced: string[]): Promise<FoundSegment[]> {
    let start = 0;
    for (let i = 1; i < segments.length; i++) {
      const { header, path } = segments[i]!;
      const before = segments[i - 1]!.header.seq;
      const follows = (header.replacesFrom === 0 ? header.seq : header.replacesFrom) - 1;
      if (follows === before) continue;
      start = i;
      this.gap = damaged(path, 48, `segments ${before + 1} to ${follows} are missing`);
    }
    if (this.gap === null) return segments;
    // Nothing is removed before something is written behind it, and then the segment holds all there is to know.
    if (!(await this.hasBatch(segments[start]!))) throw this.gap;
    for (const { name, file } of segments.splice(0, start)) {
      replaced.push(name);
      this.opened.delete(file);
      await file.close();
    }
    return segments;
  }

  /** A segment goes on exactly where the one before it ended. */
  private checkJoint({ header, path }: FoundSegment, before: SegmentScan): void {
    if (header.firstBatch === before.lastSeq + 1 && header.previousCrc === before.lastCrc) return;
    throw damaged(path, 72, `the segment goes on behind batch ${header.firstBatch - 1}, and the one before it ends with batch ${before.lastSeq}`);
  }

  /** Behind its seal a segment has nothing, and its successor was there before it was sealed. */
  private checkSealed({ path, header, size, end }: FoundSegment, ending: ScanEnd, left: number): void {
    if (left === 0) throw damaged(path, end, `segment ${header.seq + 1}, which goes on behind this one, is missing`);
    if (ending !== ScanEnd.Clean) throw damaged(path, end, 'there is something behind the end of the segment');
    if (size !== header.length) throw damaged(path, size, `the file has ${size} bytes, and should have ${header.length}`);
  }

  private async readSegment(segment: FoundSegment): Promise<SegmentScan> {
    const { header, path, file, size } = segment;
    if (this.buffer.length < size) this.buffer = new Uint8Array(size);
    const bytes = this.buffer.subarray(0, size);
    const read = await readFully(file, bytes, 0);
    if (read < size) throw damaged(path, read, `the file has ${size} bytes, and only ${read} can be read`);
    this.reader.segment(segment);
    const scan = new SegmentScan(bytes, { firstBatch: header.firstBatch, previousCrc: header.previousCrc, walIdLow: walIdLow(header.walId) });
    for (let batch = scan.next(); batch !== null; batch = scan.next()) {
      this.reader.batch(segment, batch, bytes);
      const problem = this.replay.batch(bytes, batch);
      if (problem !== null) throw damaged(path, problem.offset, problem.problem);
      segment.end = batch.end;
      if ((batch.flags & BatchFlag.SegmentEnd) !== 0) break;
    }
    return scan;
  }

  private async hasBatch(segment: FoundSegment): Promise<boolean> {
    const bytes = new Uint8Array(segment.size);
    await readFully(segment.file, bytes, 0);
    const { header } = segment;
    const scan = new SegmentScan(bytes, { firstBatch: header.firstBatch, previousCrc: header.previousCrc, walIdLow: walIdLow(header.walId) });
    return scan.next() !== null || scan.ending() !== ScanEnd.Clean;
  }

  private newestMark(marks: readonly (Mark | null)[]): { mark: Mark; holder: number } {
    let holder = -1;
    for (const [i, mark] of marks.entries()) if (mark !== null && (holder < 0 || mark.counter > marks[holder]!.counter)) holder = i;
    if (holder < 0) throw damaged(pathIn(this.dir, markNames[0]), 0, 'both marks are missing or damaged, so nobody knows how far the log reached');
    return { mark: marks[holder]!, holder };
  }

  /**
   * Tells the rest of an interrupted write, which nobody was told of, from the loss of something that was durable.
   *
   * @param durable the newest batch of which anything says that it was on the disk: a mark, the copy that it is in, the
   * segment behind it.
   */
  private judgeEnd({ path, header, end }: FoundSegment, scan: SegmentScan, ending: ScanEnd, mark: Mark, durable: number): void {
    if (ending === ScanEnd.Damaged) throw damaged(path, end, 'a batch is damaged, and there are batches behind it');
    if (scan.lastSeq < durable) {
      throw damaged(path, end, `the log ends with batch ${scan.lastSeq}, and batch ${durable} was on the disk`);
    }
    const { term, vote } = this.state.hardState;
    if (term < mark.term || (term === mark.term && vote !== mark.vote && mark.seq === scan.lastSeq)) {
      throw damaged(path, end, `the log ends in term ${term}, and term ${mark.term} with a vote for ${mark.vote} was on the disk`);
    }
    if (ending === ScanEnd.Torn && (scan.lastFlags & BatchFlag.CleanClose) !== 0 && scan.lastSeq > header.copiedThrough) {
      throw damaged(path, end, 'there is something behind the last batch, although the log was closed after it');
    }
  }

  private checkResult({ path }: FoundSegment): void {
    const { offset, missingThrough } = this.state;
    if (missingThrough <= offset.index) return;
    throw this.gap ?? damaged(path, 0, `entries ${offset.index + 1} to ${missingThrough} are missing: a segment before it is gone`);
  }
}
