import { describeConfState } from '../../core/describe.js';
import { quoteBytes } from '../../core/quoteBytes.js';
import { confChangesToString } from '../../core/raftpb/confChange.js';
import { tryDecodeConfChange } from '../../core/raftpb/confChangeWire.js';
import { entryTypeName, isConfChangeEntry, isEntryType, newEntry, type Entry } from '../../core/raftpb/entry.js';
import type { HardState } from '../../core/raftpb/state.js';
import type { EntryId, Index } from '../../core/types.js';
import { FileAccess, type FileSystem } from '../shared/fileSystem.js';
import { nodeFileSystem } from '../shared/nodeFileSystem.js';
import { BatchFlag, entryPrefixBytes, recordHeaderBytes } from './format.js';
import { attempts, changesTooFast, LogCounter, LogVerdict, lookAt, saysTheSame, verifyLog, type CountingReader, type InspectOptions, type LogReport } from './inspect.js';
import { readMarks } from './marks.js';
import { absoluteDirectory, isSegmentLike, isSnapshotName, isTemporary, markNames, pathIn, snapshotName } from './names.js';
import type { FoundSegment } from './recovery.js';
import type { SegmentHeader } from './segmentHeader.js';
import type { FoundBatch } from './segmentScan.js';
import { openSnapshotFile } from './snapshotFile.js';
import { readU64, viewOf } from './words.js';
import { isWalError, WalErrorCode } from './walError.js';

/** What {@link dumpLog} prints. */
export interface DumpOptions extends InspectOptions {
  /** Whether to print what is in entries and metadata, or only how large it is. Default true. */
  readonly data?: boolean;
  /** Entries before this index are left out, and batches of nothing else. Default 0: all are printed. */
  readonly from?: Index;
}

/** What is said of a file that was listed, and was not there any more when it was opened. */
const removed = 'removed while this was read';

/** Bytes of an entry that are shown. */
const previewBytes = 48;

/**
 * Prints what is in the directory of a log, in plain text: files, segments, batches, every record, marks, snapshots,
 * and what the next start will drop. Reads only, as {@link verifyLog}. What is damaged is printed up to the damage.
 *
 * @param print gets one line after the other, without a line feed.
 * @returns what `verifyLog` says.
 * @throws as `verifyLog`.
 */
export async function dumpLog(dir: string, print: (line: string) => void, options: DumpOptions = {}): Promise<LogReport> {
  const path = absoluteDirectory(dir);
  const fs = options.fs ?? nodeFileSystem;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const printer = new LogPrinter(print, options);
    const report = await lookAt(fs, path, printer);
    // A file that was listed had gone when it was to be opened; nothing was printed yet.
    if (report === null && printer.first === null) continue;
    await printFiles(fs, path, printer, report, print);
    if (report !== null && report.verdict === LogVerdict.Sound) return report;
    const again = await verifyLog(path, options);
    if (report !== null && saysTheSame(report, again)) return again;
    print('');
    print('The log is in use: it has changed while it was read, and what is printed above is cut off there.');
    return { ...again, inUse: true };
  }
  throw changesTooFast(path);
}

/** Prints a log while it is read. */
class LogPrinter implements CountingReader {
  /** Header of the first segment. */
  first: SegmentHeader | null = null;
  /** Names of the segments that were read. */
  readonly names = new Set<string>();
  private readonly print: (line: string) => void;
  private readonly data: boolean;
  private readonly from: Index;
  private readonly counter = new LogCounter();
  private bytes: Uint8Array = new Uint8Array(0);
  private view = viewOf(this.bytes);
  /** The line of a batch of which no record was printed yet. */
  private title: string | null = null;

  constructor(print: (line: string) => void, { data = true, from = 0 }: DumpOptions) {
    this.print = print;
    this.data = data;
    this.from = from;
  }

  get batches(): number {
    return this.counter.batches;
  }

  segment(segment: FoundSegment): void {
    const { print } = this;
    const { header, name, size } = segment;
    this.counter.segment(segment);
    this.names.add(name);
    if (this.first === null) {
      this.first = header;
      print(`log ${hex(header.walId)} of node ${header.nodeId} of cluster ${header.clusterId}, ${header.joined ? 'which joined its group' : 'a first member of its group'}`);
    }
    print('');
    print(`segment ${header.seq}: ${name}, ${size} bytes, opened ${header.epoch} times`);
    if (header.replacesFrom !== 0) print(`  takes the place of segments ${header.replacesFrom} to ${header.seq - 1}, copied through batch ${header.copiedThrough}`);
    print(`  goes on with batch ${header.firstBatch} behind checksum ${checksum(header.previousCrc)}`);
    print(`  then in force: ${hardState(header.hardState)}; ${range(header.offset, header.last)}; ${newest(header.snapshot)}`);
    if (size !== header.length) print(`  the file should have ${header.length} bytes`);
  }

  batch(segment: FoundSegment, batch: FoundBatch, bytes: Uint8Array): void {
    const { seq, start, end, records, flags } = batch;
    this.counter.batch(segment, batch, bytes);
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    const said = [
      ...((flags & BatchFlag.CleanClose) !== 0 ? ['; the log was closed after it'] : []),
      ...((flags & BatchFlag.SegmentEnd) !== 0 ? ['; the segment ends with it'] : []),
    ];
    this.title = `  batch ${seq} at ${start}: ${end - start} bytes, ${records} ${records === 1 ? 'record' : 'records'}${said.join('')}`;
    if (records === 0) this.begin();
  }

  readonly records = {
    hardState: (state: HardState, offset: number): void => this.line(offset, hardState(state)),
    entry: (index: Index, offset: number, dataBytes: number): void => {
      // Printed before it is judged.
      if (index >= this.from) this.line(offset, this.entry(index, offset, dataBytes));
      this.counter.records.entry(index, offset, dataBytes);
    },
    truncate: (from: Index, offset: number): void => this.line(offset, `truncate: entries from ${from} on are gone`),
    snapshot: ({ index, term }: EntryId, replacesLog: boolean, offset: number): void => {
      this.line(offset, `snapshot ${index}, term ${term}, ${replacesLog ? 'of a leader: takes the place of the log' : 'of the node itself'}`);
    },
    compact: ({ index, term }: EntryId, offset: number): void => this.line(offset, `compact: entries up to ${index}, term ${term}, are discarded`),
    metadata: (bytes: Uint8Array, offset: number): void => this.line(offset, `metadata, ${bytes.length} bytes${this.preview(bytes)}`),
  };

  private begin(): void {
    if (this.title !== null) this.print(this.title);
    this.title = null;
  }

  private line(offset: number, text: string): void {
    this.begin();
    this.print(`    ${offset}: ${text}`);
  }

  private entry(index: Index, offset: number, dataBytes: number): string {
    const { bytes, view } = this;
    const term = readU64(view, offset + recordHeaderBytes + 8);
    const type = bytes[offset + 1]!;
    const data = bytes.subarray(offset + entryPrefixBytes, offset + entryPrefixBytes + dataBytes);
    const change = isEntryType(type) ? confChange(newEntry(type, data, term, index)) : null;
    return `entry ${index}, term ${term}, ${entryTypeName(type)}, ${dataBytes} bytes${change ?? this.preview(data)}`;
  }

  private preview(bytes: Uint8Array): string {
    if (!this.data || bytes.length === 0) return '';
    return `: ${quoteBytes(bytes.subarray(0, previewBytes))}${bytes.length > previewBytes ? '...' : ''}`;
  }
}

/** What is beside the segments, and segments that were not read: everything that the directory holds is named. */
async function printFiles(fs: FileSystem, dir: string, { first, names }: LogPrinter, report: LogReport | null, print: (line: string) => void): Promise<void> {
  const contents = report?.contents ?? null;
  const unread = contents === null ? 'not read' : 'not part of the log: another one takes its place, or nothing was written to it';
  const current = contents === null || contents.snapshot === null ? null : snapshotName(contents.snapshot.index, contents.snapshot.term);
  const marks = first === null ? [] : await readMarks(fs, dir, first.walId);
  print('');
  for (const name of (await fs.readdir(dir)).sort()) {
    if (names.has(name)) continue;
    const mark = marks[markNames.findIndex((known) => known === name)];
    const size = await sizeOf(fs, dir, name);
    const note = isSnapshotName(name) && size !== removed ? await snapshotLine(fs, dir, first, name) : '';
    if (mark !== undefined) print(`${name}: ${mark === null ? 'damaged' : `number ${mark.counter}; batch ${mark.seq} is on the disk, with term ${mark.term} and vote ${mark.vote}`}`);
    else if (size === removed) print(`${name}: ${size}`);
    else if (note === removed) print(`${name}: ${size}, ${note}`);
    else if (isSegmentLike(name)) print(`${name}: ${size}, ${unread}`);
    else if (isSnapshotName(name)) print(`${name}: ${size}, ${note}${current !== null && name !== current ? '; not the newest, removed at the next start' : ''}`);
    else print(`${name}: ${size}${isTemporary(name) ? ', not finished, removed at the next start' : ''}`);
  }
  if (contents === null) return;
  const { hardState: state, firstIndex, lastIndex, snapshot } = contents;
  print('');
  print(`in force: ${hardState(state)}; ${range({ index: firstIndex - 1 }, { index: lastIndex })}; ${snapshot === null ? 'no snapshot' : newest(snapshot, true)}`);
}

async function snapshotLine(fs: FileSystem, dir: string, first: SegmentHeader | null, name: string): Promise<string> {
  if (first === null) return 'not read';
  const [index, term] = name.replace('.snap', '').split('-').map(Number);
  try {
    const { file, metadata, dataBytes } = await openSnapshotFile(fs, dir, first.walId, index!, term!);
    await file.close();
    return `${dataBytes} of them data; ${describeConfState(metadata.confState)}`;
  } catch (error) {
    return messageOf(error);
  }
}

async function sizeOf(fs: FileSystem, dir: string, name: string): Promise<string> {
  try {
    const file = await fs.open(pathIn(dir, name), FileAccess.Read);
    try {
      return `${await file.size()} bytes`;
    } finally {
      await file.close();
    }
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  const { code } = ((error as Error).cause ?? error) as { code?: unknown };
  if (code === 'ENOENT') return removed;
  return isWalError(error, WalErrorCode.Corrupt) ? 'damaged' : (error as Error).message;
}

/** A change of the configuration in words, null for an entry of the application. */
function confChange(entry: Entry): string | null {
  if (!isConfChangeEntry(entry)) return null;
  const change = tryDecodeConfChange(entry);
  return `: ${change === null ? 'cannot be read' : confChangesToString(change.changes)}`;
}

function hardState({ term, vote, commit }: HardState): string {
  return `term ${term}, vote ${vote}, commit ${commit}`;
}

function range({ index: before }: Pick<EntryId, 'index'>, { index: last }: Pick<EntryId, 'index'>): string {
  return last === before ? `no entries behind ${before}` : `entries ${before + 1} to ${last}`;
}

/** One at index 0 is not to be told from none by its position. */
function newest({ index, term }: EntryId, known = index > 0): string {
  return known ? `snapshot ${index}, term ${term}` : 'no snapshot';
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function checksum(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
