import { entrySize, isEntryType, newEntry, type Entry } from '../../core/raftpb/entry.js';
import type { Index } from '../../core/types.js';
import { readFullySync } from '../shared/fileIo.js';
import { entryCrc } from './batchBuilder.js';
import { damaged } from './damage.js';
import { entryPrefixBytes, recordHeaderBytes, RecordType } from './format.js';
import type { Place, PlaceIndex, Segment } from './placeIndex.js';
import { readU64, viewOf } from './words.js';

/** Bytes that are read at once, unless one entry needs more. */
const chunkBytes = 256 << 10;

/** Bytes that are read for the last entry before its length is known. */
const lastGuess = 4096;

/** Reads entries back from the disk, at once, as the core needs them. */
export class EntryReader {
  private readonly places: PlaceIndex;

  constructor(places: PlaceIndex) {
    this.places = places;
  }

  /**
   * Entries from `lo` on, before `hi`, as many as fit into `maxBytes`, but at least one. Returns whether it got to
   * `hi`. What is read is verified.
   *
   * @throws WalError `ERR_WAL_CORRUPT`, or the error of the system.
   */
  read(lo: Index, hi: Index, maxBytes: number, target: Entry[]): boolean {
    const chunk = new Chunk();
    const last = this.place(hi - 1);
    let size = 0;
    for (let index = lo; index < hi; index++) {
      const place = this.place(index);
      // No more than up to the last entry, whose length is a guess until it is read.
      const distance = place.segment === last.segment && place.offset <= last.offset ? last.offset - place.offset + lastGuess : chunkBytes;
      const entry = chunk.entry(place, index, Math.min(chunkBytes, maxBytes - size + entryPrefixBytes, distance));
      size += entrySize(entry);
      if (size > maxBytes && index > lo) return false;
      target.push(entry);
    }
    return true;
  }

  private place(index: Index): Place {
    const place = this.places.find(index);
    if (place === null) throw new Error(`entry ${index} has no place`);
    return place;
  }
}

/** A piece of a segment. Entries that are read from it are views of it, so a new one is made, never filled again. */
class Chunk {
  private bytes = new Uint8Array(0);
  private view = viewOf(this.bytes);
  private segment: Segment | null = null;
  private start = 0;

  entry({ segment, offset }: Place, index: Index, wanted: number): Entry {
    if (!this.covers(segment, offset, entryPrefixBytes)) this.fill(segment, offset, Math.max(wanted, entryPrefixBytes));
    let at = offset - this.start;
    const dataBytes = this.view.getUint32(at + 4, true) + recordHeaderBytes - entryPrefixBytes;
    if (dataBytes < 0 || offset + entryPrefixBytes + dataBytes > segment.end) throw damaged(segment.path, offset, `the record of entry ${index} is damaged`);
    if (!this.covers(segment, offset, entryPrefixBytes + dataBytes)) {
      this.fill(segment, offset, Math.max(wanted, entryPrefixBytes + dataBytes));
      at = 0;
    }
    const { bytes, view } = this;
    const type = bytes[at + 1]!;
    const sound =
      bytes[at] === RecordType.Entry &&
      isEntryType(type) &&
      readU64(view, at + 8) === index &&
      view.getUint32(at + 24, true) === entryCrc(bytes, at, dataBytes);
    if (!sound || !isEntryType(type)) throw damaged(segment.path, offset, `the record of entry ${index} is damaged`);
    const data = bytes.subarray(at + entryPrefixBytes, at + entryPrefixBytes + dataBytes);
    return newEntry(type, data, readU64(view, at + 16), index);
  }

  private covers(segment: Segment, offset: number, bytes: number): boolean {
    return this.segment === segment && offset >= this.start && offset + bytes <= this.start + this.bytes.length;
  }

  private fill(segment: Segment, offset: number, wanted: number): void {
    const bytes = new Uint8Array(Math.min(wanted, segment.end - offset));
    if (readFullySync(segment.file, bytes, offset) < bytes.length) throw damaged(segment.path, offset, 'the file ends too early');
    this.segment = segment;
    this.start = offset;
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}
