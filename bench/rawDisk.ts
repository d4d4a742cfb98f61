import { fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory } from './scratch.js';

/** As large as a segment, and filled, as a segment is. */
const fileBytes = 16 << 20;

/** The bare disk: a file that is written to piece by piece, with a sync after each, and nothing else. */
export class RawDisk {
  readonly #fd = openSync(join(scratchDirectory(), 'raw'), 'w');
  #position = 0;

  constructor() {
    writeSync(this.#fd, new Uint8Array(fileBytes));
    fdatasyncSync(this.#fd);
  }

  /** Writes and syncs pieces of `bytes` bytes, one after the other. Returns how many in a second. */
  syncsPerSecond(bytes: number, milliseconds: number): number {
    const piece = new Uint8Array(bytes).fill(1);
    const start = performance.now();
    let syncs = 0;
    let now = start;
    for (; now - start < milliseconds; now = performance.now()) {
      if (this.#position + bytes > fileBytes) this.#position = 0;
      writeSync(this.#fd, piece, 0, bytes, this.#position);
      fdatasyncSync(this.#fd);
      this.#position += bytes;
      syncs++;
    }
    return (1000 * syncs) / (now - start);
  }
}
