import { WalStorage } from '../../../src/node/wal/index.js';
import type { WalWrite } from '../../../src/node/wal/writePlan.js';
import { diskEnvironment, quiet, settled, type DiskEnvironment } from './diskEnvironment.js';
import { conf, entryAt, snapshotAt } from './faultDrive.js';
import { contentOf, LogModel } from './logModel.js';
import { SimDisk } from './simDisk.js';

export const corpusOptions = { dir: '/wal', nodeId: 1, clusterId: 7, segmentBytes: 4096, cacheBytes: 0 } as const;

/** A batch as it stands in a segment. */
export interface BatchPlace {
  readonly seq: number;
  readonly start: number;
  readonly end: number;
}

/** A log on a disk that nothing runs on, and everything that is known of it. */
export interface CorpusLog {
  readonly name: string;
  /** Everything on it is durable. */
  readonly disk: SimDisk;
  /** Its content, and what it was after each batch before, in order; `seq` is the number of the batch. */
  readonly states: readonly { readonly seq: number; readonly content: string }[];
  /** The newest batch that a mark names. */
  readonly marked: number;
  /** Paths of segments, in order. */
  readonly segments: readonly string[];
  /** What the disk was at earlier times. */
  readonly earlier: readonly SimDisk[];
}

/** The batches of a segment, found by their headers alone. */
export function batchesOf(bytes: Uint8Array): BatchPlace[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: BatchPlace[] = [];
  for (let at = 512; at + 48 <= bytes.length && view.getUint32(at, true) === 0x31425352; ) {
    const end = at + 48 + view.getUint32(at + 16, true);
    found.push({ seq: view.getUint32(at + 8, true), start: at, end });
    at = end;
  }
  return found;
}

/** Paths of the segments on a disk, in order. */
export function segmentsOf(disk: SimDisk): string[] {
  return disk.files().filter((path) => path.endsWith('.wal'));
}

/** The batch that the newer mark of an undamaged disk names. */
export function markedOn(disk: SimDisk): number {
  const marks = ['wal/mark.0', 'wal/mark.1'].map((path) => {
    const bytes = disk.readFile(path);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { counter: view.getUint32(8, true), seq: view.getUint32(16, true) };
  });
  return marks.reduce((one, other) => (one.counter > other.counter ? one : other)).seq;
}

/** The same files, all durable, without what is not finished. */
export function copyOfDisk(disk: SimDisk): SimDisk {
  const copy = new SimDisk({ keepOps: false });
  for (const path of disk.files()) if (!path.endsWith('.tmp')) copy.writeFile(path, disk.readFile(path));
  return copy;
}

/** Writes a log and keeps account of it. */
class Recorder {
  private readonly disk = new SimDisk({ keepOps: false });
  private readonly model = new LogModel();
  private readonly states: { seq: number; content: string }[] = [];
  private readonly earlier: SimDisk[] = [];
  private env: DiskEnvironment = diskEnvironment(this.disk.fs, 11);
  private log!: WalStorage;

  async start(mode: 'bootstrap' | 'open'): Promise<void> {
    this.env = diskEnvironment(this.disk.fs, 11 + this.states.length);
    this.log = await settled(WalStorage[mode](corpusOptions, this.env));
    this.note();
  }

  async append(write: WalWrite): Promise<void> {
    await settled(this.log.append(write));
    this.model.append(write);
    this.note();
  }

  async createSnapshot(index: number): Promise<void> {
    const { data } = snapshotAt(index, 0);
    await settled(this.log.createSnapshot(index, conf, data));
    this.model.createSnapshot(index, conf, data);
    this.note();
  }

  async compact(index: number): Promise<void> {
    await settled(this.log.compact(index));
    this.model.compact(index);
    this.note();
    await quiet();
  }

  /** Lets so much time pass that a mark is written. */
  async mark(): Promise<void> {
    this.env.clock.advance(1000);
    await quiet();
  }

  async close(): Promise<void> {
    await settled(this.log.close());
    this.note();
  }

  /** Stops as a process that is killed does. */
  async kill(): Promise<void> {
    await quiet();
    this.disk.kill();
  }

  async finish(name: string): Promise<CorpusLog> {
    await quiet();
    const disk = copyOfDisk(this.disk);
    const { states, earlier } = this;
    const reopened = copyOfDisk(disk);
    const log = await settled(WalStorage.open(corpusOptions, diskEnvironment(reopened.fs)));
    const content = await settled(contentOf(log));
    if (content !== states.at(-1)!.content) throw new Error(`the log ${name} is\n${content}\nand not\n${states.at(-1)!.content}`);
    return { name, disk, states, marked: markedOn(disk), segments: segmentsOf(disk), earlier };
  }

  private note(): void {
    this.earlier.push(copyOfDisk(this.disk));
    const last = segmentsOf(this.disk).map((path) => batchesOf(this.disk.readFile(path)).at(-1)?.seq ?? 0);
    this.states.push({ seq: Math.max(0, ...last), content: this.model.key() });
  }
}

/** One segment; the last batches are above the mark, as if the power had failed. */
async function freshLog(): Promise<CorpusLog> {
  const log = new Recorder();
  await log.start('bootstrap');
  await log.append({ hardState: { term: 1, vote: 1, commit: 0 } });
  await log.append({ entries: [entryAt(1, 1), entryAt(2, 1)] });
  await log.mark();
  await log.append({ entries: [entryAt(3, 1, 600)], hardState: { term: 1, vote: 1, commit: 2 } });
  await log.mark();
  await log.append({ entries: [entryAt(4, 1)] });
  await log.append({ entries: [entryAt(4, 1, 20, ' again'), entryAt(5, 1)] });
  await log.kill();
  return log.finish('fresh');
}

/** Several segments, closed: everything is below the mark. */
async function rotatedLog(): Promise<CorpusLog> {
  const log = new Recorder();
  await log.start('bootstrap');
  await log.append({ hardState: { term: 1, vote: 2, commit: 0 }, metadata: new TextEncoder().encode('somebody') });
  for (let index = 1; index <= 10; index++) await log.append({ entries: [entryAt(index, 1, 700)], hardState: { term: 1, vote: 2, commit: index - 1 } });
  await log.append({ entries: [entryAt(10, 2), entryAt(11, 2)], hardState: { term: 2, vote: 0, commit: 9 } });
  await log.append({ hardState: { term: 2, vote: 3, commit: 9 } });
  await log.close();
  return log.finish('rotated');
}

/** After a snapshot, a compaction that removed segments, and a second start; the last batches are above the mark. */
async function compactedLog(): Promise<CorpusLog> {
  const log = new Recorder();
  await log.start('bootstrap');
  await log.append({ hardState: { term: 1, vote: 2, commit: 0 } });
  await log.append({ snapshot: snapshotAt(20, 1, 100), metadata: new TextEncoder().encode('somebody') });
  for (let index = 21; index <= 28; index++) await log.append({ entries: [entryAt(index, 1, 700)], hardState: { term: 1, vote: 2, commit: index - 1 } });
  await log.createSnapshot(25);
  await log.compact(25);
  await log.close();
  await log.start('open');
  for (let index = 29; index <= 30; index++) await log.append({ entries: [entryAt(index, 2)], hardState: { term: 2, vote: 1, commit: index - 1 } });
  for (let index = 31; index <= 35; index++) await log.append({ entries: [entryAt(index, 2, 300)], hardState: { term: 2, vote: 1, commit: index - 1 } });
  await log.mark();
  await log.append({ entries: [entryAt(36, 2, 300)] });
  await log.append({ entries: [entryAt(37, 2, 300)] });
  await log.kill();
  return log.finish('compacted');
}

/** The three logs that are damaged in every way. */
export async function corpusLogs(): Promise<CorpusLog[]> {
  return [await freshLog(), await rotatedLog(), await compactedLog()];
}
