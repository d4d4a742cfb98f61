/**
 * Does everything with a log that touches the disk, one step after the other, to be watched by strace. Around each
 * step it writes a line to the standard output: `begin NAME`, and `done NAME` when the promise was resolved.
 */
import { readdirSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { newEntry, type Entry } from '../../../../src/core/raftpb/entry.js';
import { newConfState } from '../../../../src/core/raftpb/state.js';
import { isSegmentLike } from '../../../../src/node/wal/names.js';
import { WalStorage } from '../../../../src/node/wal/walStorage.js';

const dir = process.argv[2]!;
const options = { dir, nodeId: 1, clusterId: 1, segmentBytes: 32 * 1024 };
const confState = newConfState({ voters: [1, 2, 3] });

async function step(name: string, run: () => Promise<unknown>): Promise<void> {
  writeSync(1, `begin ${name}\n`);
  await run();
  writeSync(1, `done ${name}\n`);
}

function entries(from: number, count: number, bytes: number): Entry[] {
  return Array.from({ length: count }, (_, i) => newEntry(0, new Uint8Array(bytes).fill(7), 1, from + i));
}

function segments(): number {
  return readdirSync(dir).filter(isSegmentLike).length;
}

/** Waits until something has happened in the background, and ends the program if it does not. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`it did not happen: ${what}`);
    await sleep(5);
  }
}

let log!: WalStorage;
await step('bootstrap', async () => (log = await WalStorage.bootstrap(options)));
await step('vote', () => log.append({ hardState: { term: 1, vote: 1, commit: 0 } }));
await step('entries', () => log.append({ entries: entries(1, 3, 100) }));
await step('ten at once', () => Promise.all(Array.from({ length: 10 }, (_, i) => log.append({ entries: entries(4 + i, 1, 100) }))));
await step('commit', () => log.append({ hardState: { term: 1, vote: 1, commit: 13 }, sync: false }));
await step('entry after it', () => log.append({ entries: entries(14, 2, 100) }));
await step('conflict', () => log.append({ entries: entries(15, 1, 50) }));
await step('snapshot of the leader', () => {
  const snapshot = { data: new Uint8Array(3000), metadata: { index: 20, term: 1, confState } };
  return log.append({ snapshot, entries: entries(21, 1, 100), hardState: { term: 1, vote: 1, commit: 20 } });
});
await until('a spare segment is made', () => readdirSync(dir).some((name) => name.startsWith('spare')));
// Two thirds of a segment: the second one does not fit any more.
await log.append({ entries: entries(22, 1, 20_000) });
await step('rotation', () => log.append({ entries: entries(23, 1, 20_000) }));
await log.append({ hardState: { term: 1, vote: 1, commit: 23 } });
await step('own snapshot', () => log.createSnapshot(23, confState, new Uint8Array(3000)));
await step('compaction', async () => {
  const before = segments();
  await log.compact(22);
  writeSync(1, 'done compact\n');
  await until('a segment is removed', () => segments() < before);
  // For the directory to be synced.
  await sleep(100);
});
await step('close', () => log.close());
await step('open', async () => (log = await WalStorage.open(options)));
await log.close();
