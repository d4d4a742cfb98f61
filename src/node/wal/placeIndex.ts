import type { Index } from '../../core/types.js';
import type { File } from '../shared/fileSystem.js';
import type { SegmentHeader } from './segmentHeader.js';

/** A segment that is open, for reading back and, if it is the last, for writing. */
export interface Segment {
  readonly header: SegmentHeader;
  readonly name: string;
  /** Where it is found. The file itself may have been opened by another name. */
  readonly path: string;
  readonly file: File;
  /** Where the next batch goes. */
  end: number;
}

/** Places of entries that stand in one segment, one behind the other. */
interface Stretch {
  segment: Segment;
  readonly first: Index;
  count: number;
  offsets: Uint32Array;
}

/** Where an entry's record begins. */
export interface Place {
  readonly segment: Segment;
  readonly offset: number;
}

/**
 * Where on the disk each entry of the log stands: four bytes an entry, so that a log far larger than the memory
 * can be read at any place at once.
 */
export class PlaceIndex {
  private stretches: Stretch[] = [];

  /** The next entry stands at `offset` of a segment. */
  place(segment: Segment, index: Index, offset: number): void {
    const stretch = this.stretchFor(segment, index, 1);
    stretch.offsets[stretch.count++] = offset;
  }

  /** The next entries stand at the offsets [from, to) of a list, counted from `base` on in the segment. */
  placeSeveral(segment: Segment, first: Index, base: number, offsets: readonly number[], from: number, to: number): void {
    const stretch = this.stretchFor(segment, first, to - from);
    const target = stretch.offsets;
    let { count } = stretch;
    for (let i = from; i < to; i++) target[count++] = base + offsets[i]!;
    stretch.count = count;
  }

  /** Where `index` and what follows it goes, with room for `more`. */
  private stretchFor(segment: Segment, index: Index, more: number): Stretch {
    const last = this.stretches[this.stretches.length - 1];
    if (last === undefined || last.segment !== segment || last.first + last.count !== index) {
      const made: Stretch = { segment, first: index, count: 0, offsets: new Uint32Array(Math.max(16, more)) };
      this.stretches.push(made);
      return made;
    }
    if (last.count + more > last.offsets.length) {
      const grown = new Uint32Array(Math.max(last.count + more, 2 * last.count));
      grown.set(last.offsets);
      last.offsets = grown;
    }
    return last;
  }

  /** Entries from `index` on are gone. */
  truncate(index: Index): void {
    const { stretches } = this;
    while (stretches.length > 0 && stretches[stretches.length - 1]!.first >= index) stretches.pop();
    const last = stretches[stretches.length - 1];
    if (last !== undefined && last.first + last.count > index) last.count = index - last.first;
  }

  /** All entries are gone. */
  clear(): void {
    this.stretches = [];
  }

  /** Entries before `index` are not needed any more. */
  forgetBefore(index: Index): void {
    const { stretches } = this;
    let gone = 0;
    while (gone < stretches.length && stretches[gone]!.first + stretches[gone]!.count <= index) gone++;
    if (gone > 0) stretches.splice(0, gone);
  }

  /** Place of an entry, or null if it has none. */
  find(index: Index): Place | null {
    const { stretches } = this;
    let low = 0;
    let high = stretches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (stretches[middle]!.first <= index) low = middle + 1;
      else high = middle;
    }
    const found = stretches[low - 1];
    if (found === undefined || index >= found.first + found.count) return null;
    return { segment: found.segment, offset: found.offsets[index - found.first]! };
  }

  /** What stood in one segment stands at the same offsets of another one. */
  move(from: Segment, to: Segment): void {
    for (const stretch of this.stretches) if (stretch.segment === from) stretch.segment = to;
  }

  /** Whether an entry stands in the segment. */
  uses(segment: Segment): boolean {
    return this.stretches.some((stretch) => stretch.segment === segment && stretch.count > 0);
  }
}
