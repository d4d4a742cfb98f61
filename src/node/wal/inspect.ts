import type { HardState } from '../../core/raftpb/state.js';
import type { EntryId, Index } from '../../core/types.js';
import { readFully } from '../shared/fileIo.js';
import { FileAccess, type FileSystem } from '../shared/fileSystem.js';
import { nodeFileSystem } from '../shared/nodeFileSystem.js';
import { entryCrc } from './batchBuilder.js';
import { damaged } from './damage.js';
import { entryPrefixBytes } from './format.js';
import { absoluteDirectory, pathIn } from './names.js';
import { readLog, type FoundLog, type FoundSegment, type LogReader } from './recovery.js';
import type { WalIdentity } from './segmentHeader.js';
import type { FoundBatch } from './segmentScan.js';
import { openSnapshotFile, verifySnapshotFile } from './snapshotFile.js';
import { viewOf } from './words.js';
import { remainsIn } from './walDirectory.js';
import { isWalError, WalError, WalErrorCode } from './walError.js';

/** What {@link verifyLog} can find. */
export const LogVerdict = {
  /** Everything that was written is there and whole. */
  Sound: 'sound',
  /**
   * All is whole but the last write, which was interrupted before anybody was told that it had succeeded: the next
   * start drops it. While the log is open somewhere, it may as well be a write that is under way.
   */
  TornTail: 'torn tail',
  /** Something that was durable is damaged or missing: the log cannot be opened. */
  Damaged: 'damaged',
} as const;
/** One of the values of the constant of the same name. */
export type LogVerdict = (typeof LogVerdict)[keyof typeof LogVerdict];

/** What a log holds once all of it is read. */
export interface LogContents extends WalIdentity {
  /** Whether the node joined a group, or was there from the beginning. */
  readonly joined: boolean;
  /** Number of segments, those that were replaced not counted. */
  readonly segments: number;
  /** Number of batches. */
  readonly batches: number;
  /** Index of the first entry. */
  readonly firstIndex: Index;
  /** Index of the last entry; one below the first if there is none. */
  readonly lastIndex: Index;
  /** Term, vote and commit index. */
  readonly hardState: HardState;
  /** The newest snapshot, or null if there is none. */
  readonly snapshot: EntryId | null;
}

/** The rest of an interrupted write. */
export interface TornTail {
  /** Path of the segment. */
  readonly file: string;
  /** Byte position at which it begins. */
  readonly offset: number;
  /** How many bytes there are up to the last one that is not zero. */
  readonly bytes: number;
}

/** What {@link verifyLog} has to say of a directory. */
export interface LogReport {
  /** The verdict. */
  readonly verdict: LogVerdict;
  /** What is in the log; null if it is damaged. */
  readonly contents: LogContents | null;
  /** What is dropped at the next start; null unless the tail is torn. */
  readonly torn: TornTail | null;
  /** The error, `ERR_WAL_CORRUPT`, that opening the log would end with; null unless it is damaged. */
  readonly damage: WalError | null;
  /** Whether the log was seen to change while it was read: its owner is at work. */
  readonly inUse: boolean;
}

/** How a directory is looked at. */
export interface InspectOptions {
  /** The files. Default: those of this machine. */
  readonly fs?: FileSystem;
}

/** How often a log that changes is read again before this is given up. */
export const attempts = 20;

/** Time before a log that changes is read again, in milliseconds. */
const pauseMs = 20;

/**
 * Reads the log in a directory and says whether it is sound. Reads only: takes no lock, writes nothing, and may run
 * while the owner does.
 *
 * @throws WalError `ERR_WAL_NOT_FOUND` if there is no log, `ERR_WAL_UNKNOWN_VERSION`, `ERR_WAL_LOCKED` if the owner
 * changes it faster than it can be read; or the error of the system.
 */
export async function verifyLog(dir: string, options: InspectOptions = {}): Promise<LogReport> {
  const path = absoluteDirectory(dir);
  const fs = options.fs ?? nodeFileSystem;
  let before: LogReport | null = null;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const report = await lookAt(fs, path, new LogCounter());
    if (report !== null) {
      if (report.verdict === LogVerdict.Sound) return { ...report, inUse: attempt > 0 };
      // What an owner does meanwhile can look like a torn tail or like damage, but not twice in the same place.
      if (before !== null && saysTheSame(report, before)) return { ...report, inUse: attempt > 1 };
    }
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    before = report;
  }
  throw changesTooFast(path);
}

/** The error that a look ends with if the directory never holds still. */
export function changesTooFast(dir: string): WalError {
  return new WalError(WalErrorCode.Locked, `${dir} is in use, and changes faster than it can be read: try again, or stop the owner`);
}

/** Whether two reports find the same fault. */
export function saysTheSame(a: LogReport, b: LogReport): boolean {
  if (a.damage !== null) return a.damage.message === b.damage?.message;
  return a.torn !== null && b.torn !== null && a.torn.file === b.torn.file && a.torn.offset === b.torn.offset;
}

/** Hears of a log while it is read, and counts. */
export interface CountingReader extends LogReader {
  readonly batches: number;
}

/** Reads a directory once; null if a file that was listed had gone when it was to be opened. */
export async function lookAt(fs: FileSystem, dir: string, reader: CountingReader): Promise<LogReport | null> {
  try {
    // A directory that is not there is something else than one whose files have gone.
    await listing(fs, dir);
    const found = await readLog({ fs }, dir, null, reader, FileAccess.Read);
    if (found === null) throw await nothingFound(fs, dir);
    try {
      return await reportOn(fs, dir, found, reader.batches);
    } finally {
      for (const { file } of found.segments) await file.close();
    }
  } catch (error) {
    if (isWalError(error, WalErrorCode.Corrupt)) return { verdict: LogVerdict.Damaged, contents: null, torn: null, damage: error as WalError, inUse: false };
    if ((error as { code?: unknown }).code === 'ENOENT') return null;
    throw error;
  }
}

async function listing(fs: FileSystem, dir: string): Promise<string[]> {
  try {
    return await fs.readdir(dir);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    throw new WalError(WalErrorCode.NotFound, `there is no directory ${dir}`, { cause: error });
  }
}

/** Without segments there is no log, unless something else shows that there was one. */
async function nothingFound(fs: FileSystem, dir: string): Promise<WalError> {
  const remains = await remainsIn({ fs }, dir);
  if (remains !== null) return damaged(pathIn(dir, remains), 0, 'it is here, and all segments of the log are missing');
  return new WalError(WalErrorCode.NotFound, `${dir} holds no log`);
}

async function reportOn(fs: FileSystem, dir: string, found: FoundLog, batches: number): Promise<LogReport> {
  const { state, segments, hasSnapshot, tornAt } = found;
  const { nodeId, clusterId, joined, walId } = segments[0]!.header;
  if (hasSnapshot) {
    const { index, term } = state.snapshot;
    const snapshot = await openSnapshotFile(fs, dir, walId, index, term);
    try {
      await verifySnapshotFile(snapshot);
    } finally {
      await snapshot.file.close();
    }
  }
  const contents: LogContents = {
    nodeId,
    clusterId,
    joined,
    segments: segments.length,
    batches,
    firstIndex: state.offset.index + 1,
    lastIndex: state.lastIndex,
    hardState: state.hardState,
    snapshot: hasSnapshot ? state.snapshot : null,
  };
  const torn = tornAt === null ? null : await tornTail(segments[segments.length - found.unsealed]!, tornAt);
  return { verdict: torn === null ? LogVerdict.Sound : LogVerdict.TornTail, contents, torn, damage: null, inUse: false };
}

async function tornTail({ file, size }: FoundSegment, offset: number): Promise<TornTail> {
  const bytes = new Uint8Array(size - offset);
  let end = await readFully(file, bytes, offset);
  while (end > 0 && bytes[end - 1] === 0) end--;
  return { file: file.path, offset, bytes: end };
}

/** Checks what opening a log leaves for later, the checksum of every single entry, and counts the batches. */
export class LogCounter implements CountingReader {
  batches = 0;
  private current: FoundSegment | null = null;
  private bytes: Uint8Array = new Uint8Array(0);
  private view = viewOf(this.bytes);

  segment(segment: FoundSegment): void {
    this.current = segment;
  }

  batch(_segment: FoundSegment, _batch: FoundBatch, bytes: Uint8Array): void {
    this.batches++;
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }

  readonly records = {
    hardState: (): void => undefined,
    entry: (index: Index, offset: number, dataBytes: number): void => this.checkEntry(index, offset, dataBytes),
    truncate: (): void => undefined,
    snapshot: (): void => undefined,
    compact: (): void => undefined,
    metadata: (): void => undefined,
  };

  /** @throws WalError `ERR_WAL_CORRUPT` */
  private checkEntry(index: Index, offset: number, dataBytes: number): void {
    if (this.view.getUint32(offset + entryPrefixBytes - 8, true) === entryCrc(this.bytes, offset, dataBytes)) return;
    throw damaged(this.current!.file.path, offset, `the checksum of entry ${index} is wrong, and that of its batch is right`);
  }
}
