/**
 * Writes a log of many mebibytes, reads it at random places, opens it anew and reads again. Prints what that took as a
 * line of JSON, {@link LargeLogFigures}. To be run with a small `--max-old-space-size`.
 *
 * Arguments: directory, size in MiB, seed.
 */
import { setImmediate as turn } from 'node:timers/promises';

import { newEntry, type Entry } from '../../../../src/core/raftpb/entry.js';
import { WalStorage } from '../../../../src/node/wal/walStorage.js';
import { peakMemory } from '../../../support/peakMemory.js';
import { seededRandom } from '../../../support/seededRandom.js';
import type { LargeLogFigures } from '../largeLog.js';

const mib = 1 << 20;
const entryBytes = 4096;
const entriesPerWrite = 64;
/** Writes on their way at once: 4 MiB. */
const writesAtOnce = 16;
const reads = 1000;
const readBytes = 256 * 1024;

const [dir = '', sizeText = '', seedText = ''] = process.argv.slice(2);
const count = Math.round((Number(sizeText) * mib) / entryBytes);
const random = seededRandom(Number(seedText));
const options = { dir, nodeId: 1, clusterId: 1, cacheBytes: 4 * mib };
let heap = 0;

/** The data of an entry: its index, again and again. */
function dataOf(index: number): Uint8Array {
  return new Uint8Array(new Uint32Array(entryBytes / 4).fill(index).buffer);
}

function isRight({ index, data }: Entry, expected: number): boolean {
  const numbers = new Uint32Array(data.slice().buffer);
  return index === expected && numbers.length === entryBytes / 4 && numbers[0] === index && numbers[random(numbers.length)] === index;
}

function watchMemory(): void {
  heap = Math.max(heap, process.memoryUsage().heapUsed);
}

async function write(log: WalStorage): Promise<void> {
  const atOnce: Promise<void>[] = [];
  for (let index = 1; index <= count; index += entriesPerWrite) {
    const entries = Array.from({ length: Math.min(entriesPerWrite, count + 1 - index) }, (_, i) => newEntry(0, dataOf(index + i), 1, index + i));
    atOnce.push(log.append({ entries, hardState: { term: 1, vote: 1, commit: index - 1 } }));
    if (atOnce.length >= writesAtOnce) await atOnce.shift();
    watchMemory();
  }
  await Promise.all(atOnce);
}

/** Ranges of 256 KiB at random places, as a leader reads for a follower that is far behind. */
async function read(log: WalStorage): Promise<void> {
  if (log.firstIndex() !== 1 || log.lastIndex() !== count) throw new Error(`the log goes from ${log.firstIndex()} to ${log.lastIndex()}`);
  for (let i = 0; i < reads; i++) {
    const lo = 1 + random(count);
    const found = log.entries(lo, count + 1, readBytes);
    if (found.length === 0 || !found.every((entry, k) => isRight(entry, lo + k)) || log.term(lo) !== 1) throw new Error(`what is read from ${lo} on is wrong`);
    if (i % 10 === 0) {
      watchMemory();
      await turn();
    }
  }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return Math.round(performance.now() - start);
}

const rssAtStart = process.memoryUsage().rss;
let log = await WalStorage.bootstrap(options);
const writeMs = await timed(() => write(log));
const readMs = await timed(() => read(log));
await log.close();
const openMs = await timed(async () => (log = await WalStorage.open(options)));
const readAgainMs = await timed(() => read(log));
await log.close();
const figures: LargeLogFigures = {
  ...{ entries: count, writeMs, readMs, openMs, readAgainMs },
  heapMiB: Math.round(heap / mib),
  rssAtStartMiB: Math.round(rssAtStart / mib),
  peakRssMiB: Math.round(peakMemory() / mib),
};
console.log(JSON.stringify(figures));
