import { entrySize, type Entry } from '../../core/raftpb/entry.js';
import type { Index } from '../../core/types.js';

/**
 * The end of the log in memory: what is not written yet, and as much of what is as fits. Leaders read little
 * else, since their followers are at most a few messages behind.
 */
export class EntryCache {
  private readonly limit: number;
  /** Entries, of which the first `gone` are not here any more. */
  private entries: (Entry | null)[] = [];
  /** Number of the write that an entry came with, to tell when it may go. */
  private writes: number[] = [];
  private gone = 0;
  private bytes = 0;
  private firstIndex: Index = 1;

  /** @param limit bytes of written entries to keep. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Index of the first entry here; behind the last one of the log if there is none. */
  get first(): Index {
    return this.firstIndex;
  }

  /** Begins anew: the next entry is `index`. */
  reset(index: Index): void {
    this.entries = [];
    this.writes = [];
    this.gone = 0;
    this.bytes = 0;
    this.firstIndex = index;
  }

  /** Adds the entry behind the last. */
  push(entry: Entry, write: number): void {
    this.entries.push(entry);
    this.writes.push(write);
    this.bytes += entrySize(entry);
  }

  /** Takes away everything from `index` on. */
  truncate(index: Index): void {
    if (index <= this.firstIndex) return this.reset(index);
    const { entries, writes } = this;
    const keep = this.gone + index - this.firstIndex;
    for (let i = keep; i < entries.length; i++) this.bytes -= entrySize(entries[i]!);
    entries.length = keep;
    writes.length = keep;
  }

  /** Takes away everything before `index`, as far as it is here. */
  forgetBefore(index: Index): void {
    const count = Math.min(index - this.firstIndex, this.entries.length - this.gone);
    for (let i = 0; i < count; i++) this.dropFirst();
    if (this.firstIndex < index) this.reset(index);
    else this.tidy();
  }

  /** Lets go of what is over the limit and on the disk. @param written number of the newest write that is. */
  shrink(written: number): void {
    while (this.bytes > this.limit && this.gone < this.entries.length && this.writes[this.gone]! <= written) this.dropFirst();
    this.tidy();
  }

  /** Entries from `lo` on, before `hi`, as many as fit into `maxBytes`, but at least `atLeast`; `lo` is here. */
  read(lo: Index, hi: Index, maxBytes: number, atLeast: number, target: Entry[]): void {
    const { entries } = this;
    const start = this.gone + lo - this.firstIndex;
    const stop = this.gone + hi - this.firstIndex;
    let size = 0;
    for (let i = start; i < stop; i++) {
      const entry = entries[i]!;
      size += entrySize(entry);
      if (size > maxBytes && i - start >= atLeast) return;
      target.push(entry);
    }
  }

  private dropFirst(): void {
    const { entries, gone } = this;
    this.bytes -= entrySize(entries[gone]!);
    entries[gone] = null;
    this.gone++;
    this.firstIndex++;
  }

  /** Closes the hole in front once it is the larger part, so that each entry is moved once on average. */
  private tidy(): void {
    if (this.gone < 1024 || this.gone * 2 < this.entries.length) return;
    this.entries.splice(0, this.gone);
    this.writes.splice(0, this.gone);
    this.gone = 0;
  }
}
