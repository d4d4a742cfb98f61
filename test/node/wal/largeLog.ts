import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runNode } from '../../support/runProgram.js';

/** What a log of some size took. */
export interface LargeLogFigures {
  readonly entries: number;
  readonly writeMs: number;
  readonly readMs: number;
  readonly openMs: number;
  readonly readAgainMs: number;
  /** Most of the heap that was seen in use, in MiB. */
  readonly heapMiB: number;
  /** Memory of the process before it had a log, and at most, in MiB. */
  readonly rssAtStartMiB: number;
  readonly peakRssMiB: number;
}

/** Heap that the process may have, in MiB. One that needs more is ended by V8. */
export const heapLimitMiB = 64;

const program = fileURLToPath(new URL('./programs/largeLog.js', import.meta.url));

/** Writes and reads a log of some size in a process of its own. @throws Error if anything that was read is wrong, or the heap is too small. */
export function useLargeLog(base: string, sizeMiB: number, seed: number, timeoutMs: number): LargeLogFigures {
  const output = runNode([`--max-old-space-size=${heapLimitMiB}`, program, join(base, 'log'), String(sizeMiB), String(seed)], base, timeoutMs);
  return JSON.parse(output) as LargeLogFigures;
}

/** The figures in one line. */
export function describeLargeLog(sizeMiB: number, figures: LargeLogFigures): string {
  const { entries, writeMs, readMs, openMs, readAgainMs, heapMiB, rssAtStartMiB, peakRssMiB } = figures;
  return (
    `${sizeMiB} MiB in ${entries} entries: written in ${writeMs} ms, opened in ${openMs} ms, 1,000 ranges of 256 KiB read in ${readMs} and ${readAgainMs} ms; ` +
    `heap ${heapMiB} MiB at most, memory ${rssAtStartMiB} MiB at first and ${peakRssMiB} MiB at most`
  );
}
