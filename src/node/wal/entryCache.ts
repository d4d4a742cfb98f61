import type { Entry } from '../../core/raftpb/entry.js';
import { EntryBlocks } from '../../core/storage/entryBlocks.js';
import type { Index } from '../../core/types.js';
import { entryBytes } from './format.js';

/** Entries that go together. */
interface Stretch {
  /** Index of the last one. */
  through: Index;
  /** Number of the write that the last one came with, to tell when all of them are on the disk. */
  write: number;
  bytes: number;
}

/**
 * The end of the log in memory: what is not written yet, and as much of what is as fits. Leaders read little
 * else, since their followers are at most a few messages behind.
 *
 * Nothing is kept for a single entry, and none is looked at when it goes: in a cache of 64 MiB it has not been
 * touched for long, and would have to come from the main memory first.
 */
export class EntryCache {
  private readonly limit: number;
  /** Bytes from which on a stretch is closed: so much more than needed may go at once. */
  private readonly stretchBytes: number;
  private entries = new EntryBlocks();
  private stretches: Stretch[] = [];
  private bytes = 0;
  private firstIndex: Index = 1;

  /** @param limit bytes of written entries to keep, counted as they are in the file. */
  constructor(limit: number) {
    this.limit = limit;
    this.stretchBytes = limit / 64;
  }

  /** Index of the first entry here; behind the last one of the log if there is none. */
  get first(): Index {
    return this.firstIndex;
  }

  /** Begins anew: the next entry is `index`. */
  reset(index: Index): void {
    this.entries = new EntryBlocks();
    this.stretches = [];
    this.bytes = 0;
    this.firstIndex = index;
  }

  /**
   * Adds entries behind the last.
   *
   * @param bytes of their records.
   * @param write number of the write that they come with.
   */
  append(entries: readonly Entry[], bytes: number, write: number): void {
    if (entries.length === 0) return;
    this.entries.append(entries, 0);
    this.bytes += bytes;
    const through = this.firstIndex + this.entries.length - 1;
    const last = this.stretches[this.stretches.length - 1];
    if (last === undefined || last.bytes >= this.stretchBytes) {
      this.stretches.push({ through, write, bytes });
      return;
    }
    last.through = through;
    last.write = write;
    last.bytes += bytes;
  }

  /** Takes away everything from `index` on. */
  truncate(index: Index): void {
    if (index <= this.firstIndex) return this.reset(index);
    const { stretches } = this;
    while (stretches.length > 0 && this.beginOf(stretches.length - 1) >= index) this.bytes -= stretches.pop()!.bytes;
    const last = stretches[stretches.length - 1];
    if (last !== undefined && last.through >= index) {
      this.lighten(last, index, last.through + 1);
      last.through = index - 1;
    }
    this.entries.truncate(index - this.firstIndex);
  }

  /** Takes away everything before `index`, as far as it is here. */
  forgetBefore(index: Index): void {
    if (index <= this.firstIndex) return;
    if (index >= this.firstIndex + this.entries.length) return this.reset(index);
    const { stretches } = this;
    let gone = 0;
    for (; stretches[gone]!.through < index; gone++) this.bytes -= stretches[gone]!.bytes;
    this.lighten(stretches[gone]!, this.beginOf(gone), index);
    this.drop(gone, index);
  }

  /** Lets go of what is over the limit and on the disk. @param written number of the newest write that is. */
  shrink(written: number): void {
    const { stretches } = this;
    let gone = 0;
    while (gone < stretches.length && this.bytes > this.limit && stretches[gone]!.write <= written) this.bytes -= stretches[gone++]!.bytes;
    if (gone > 0) this.drop(gone, stretches[gone - 1]!.through + 1);
  }

  /** Entries from `lo` on, before `hi`, as many as fit into `maxBytes`, but at least one (E12); all of them are here. */
  slice(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    return this.entries.slice(lo - this.firstIndex, hi - this.firstIndex, maxBytes);
  }

  /** Index of the first entry of a stretch. */
  private beginOf(number: number): Index {
    return number === 0 ? this.firstIndex : this.stretches[number - 1]!.through + 1;
  }

  /** The entries in [from, to) of a stretch are about to go. */
  private lighten(stretch: Stretch, from: Index, to: Index): void {
    let bytes = 0;
    for (let index = from; index < to; index++) bytes += entryBytes(this.entries.at(index - this.firstIndex)!);
    stretch.bytes -= bytes;
    this.bytes -= bytes;
  }

  /** Takes away whole stretches, and the entries before `index`. */
  private drop(stretches: number, index: Index): void {
    this.stretches.splice(0, stretches);
    this.entries.drop(index - this.firstIndex);
    this.firstIndex = index;
  }
}
