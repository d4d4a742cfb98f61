import type { HardState } from '../../core/raftpb/state.js';
import type { NodeId, Term } from '../../core/types.js';
import { crc32c } from '../shared/crc32c.js';
import { readSmallFile, writeFully } from '../shared/fileIo.js';
import type { File, FileSystem } from '../shared/fileSystem.js';
import { markBytes, markMagic, sectorBytes } from './format.js';
import { markNames, pathIn, temporaryName } from './names.js';
import type { Ownership } from './ownership.js';
import { firstNonZero, readId, readU64, viewOf, writeId, writeU64 } from './words.js';

/** What is known to be durable, kept apart from the log: what the log has lost below it was not lost by a crash. */
export interface Mark {
  /** Grows with every mark. */
  readonly counter: number;
  /** The newest batch that was synced. */
  readonly seq: number;
  readonly term: Term;
  readonly vote: NodeId;
}

const at = { magic: 0, counter: 8, seq: 16, term: 24, vote: 32, walId: 40, crc: markBytes - 4 } as const;

/** The bytes of a mark: one sector. */
export function encodeMark({ counter, seq, term, vote }: Mark, walId: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(sectorBytes);
  const view = viewOf(bytes);
  view.setBigUint64(at.magic, markMagic, true);
  writeU64(view, at.counter, counter);
  writeU64(view, at.seq, seq);
  writeU64(view, at.term, term);
  writeId(view, at.vote, vote);
  bytes.set(walId, at.walId);
  view.setUint32(at.crc, crc32c(bytes, 0, 0, at.crc), true);
  return bytes;
}

/** Reads a mark; null if it is none, or of another log. */
export function decodeMark(bytes: Uint8Array, walId: Uint8Array): Mark | null {
  if (bytes.length < sectorBytes) return null;
  const view = viewOf(bytes);
  if (view.getBigUint64(at.magic, true) !== markMagic || view.getUint32(at.crc, true) !== crc32c(bytes, 0, 0, at.crc)) return null;
  if (walId.some((byte, i) => bytes[at.walId + i] !== byte) || firstNonZero(bytes, markBytes, sectorBytes) < sectorBytes) return null;
  return { counter: readU64(view, at.counter), seq: readU64(view, at.seq), term: readU64(view, at.term), vote: readId(view, at.vote) };
}

/** Reads both marks of a directory; null for one that is missing or unreadable. */
export async function readMarks(fs: FileSystem, dir: string, walId: Uint8Array): Promise<(Mark | null)[]> {
  const found: (Mark | null)[] = [];
  for (const name of markNames) {
    const bytes = await readSmallFile(fs, pathIn(dir, name), sectorBytes);
    found.push(bytes === null ? null : decodeMark(bytes, walId));
  }
  return found;
}

/** Makes both marks of a new log, and nothing durable yet but their content. */
export async function createMarks(fs: FileSystem, dir: string, walId: Uint8Array): Promise<void> {
  for (const [i, name] of markNames.entries()) {
    const file = await fs.create(pathIn(dir, name));
    try {
      await writeFully(file, encodeMark({ counter: i, seq: 0, term: 0, vote: 0 }, walId), 0);
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}

/** What a {@link MarkWriter} begins with. */
export interface MarkStart {
  readonly fs: FileSystem;
  readonly dir: string;
  readonly walId: Uint8Array;
  readonly ownership: Ownership;
  /** The newer of the marks on disk, and which file it stands in. */
  readonly mark: Mark;
  readonly holder: number;
}

/**
 * Writes marks, by turns into two files, so that one is whole at any time: always after the batch they name
 * was synced.
 */
export class MarkWriter {
  private readonly files: readonly File[];
  private readonly walId: Uint8Array;
  private counter: number;
  /** The batch that the newest mark names. */
  private marked: number;
  private tail: Promise<void> = Promise.resolve();

  private constructor(files: readonly File[], walId: Uint8Array, counter: number, marked: number) {
    this.files = files;
    this.walId = walId;
    this.counter = counter;
    this.marked = marked;
  }

  /**
   * Puts two new files in the place of those that are there: an owner that does not know yet that it is none goes on
   * writing to the old ones, and harms nobody. Both say what the newer one said, which is replaced last.
   */
  static async open({ fs, dir, walId, ownership, mark, holder }: MarkStart): Promise<MarkWriter> {
    const { tag } = ownership;
    // The file to write to is the counter modulo two.
    let counter = mark.counter + ((mark.counter + 1) % 2 === holder ? 2 : 1);
    const files: File[] = [];
    try {
      for (let i = 0; i < 2; i++, counter++) {
        const name = markNames[counter % 2]!;
        const file = await fs.create(pathIn(dir, temporaryName(name, tag)));
        files[counter % 2] = file;
        await writeFully(file, encodeMark({ ...mark, counter }, walId), 0);
        await file.datasync();
        await ownership.check();
        await fs.rename(file.path, pathIn(dir, name));
      }
      await fs.syncDirectory(dir);
    } catch (error) {
      await Promise.allSettled(files.map((file) => file.close()));
      throw error;
    }
    return new MarkWriter(files, walId, counter, mark.seq);
  }

  /** Marks a batch as durable. Calls are done one after the other. */
  write(seq: number, { term, vote }: HardState): Promise<void> {
    this.tail = this.tail.then(async () => {
      if (seq < this.marked) return;
      const { counter } = this;
      this.counter++;
      const file = this.files[counter % 2]!;
      await writeFully(file, encodeMark({ counter, seq, term, vote }, this.walId), 0);
      await file.datasync();
      this.marked = seq;
    });
    return this.tail;
  }

  async close(): Promise<void> {
    await this.tail.catch(() => undefined);
    const closed = await Promise.allSettled(this.files.map((file) => file.close()));
    for (const outcome of closed) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
