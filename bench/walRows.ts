import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EntryType, newConfState, newEntry, type Entry } from '../src/core/index.js';
import type { FileSystem } from '../src/node/shared/fileSystem.js';
import { nodeFileSystem } from '../src/node/shared/nodeFileSystem.js';
import { batchHeaderBytes, entryPrefixBytes, sectorsFor } from '../src/node/wal/format.js';
import { readLog } from '../src/node/wal/recovery.js';
import { systemEnvironment } from '../src/node/wal/systemEnvironment.js';
import { FoundEntries } from '../src/node/wal/walLoader.js';
import { WalStorage } from '../src/node/wal/walStorage.js';
import { RawDisk } from './rawDisk.js';
import { secondsOf, type Row, type Run } from './row.js';
import { scratchDirectory } from './scratch.js';

const identity = { nodeId: 1, clusterId: 1 };
const data = new Uint8Array(128).fill(7);
const entryBytes = entryPrefixBytes + data.length;

/** Bytes that a write of so many entries takes in the file. */
function writeBytes(entries: number): number {
  return sectorsFor(batchHeaderBytes + entries * entryBytes);
}

/** Callers that each append `batch` entries, wait for the disk, and go on. @param blocking whether on the calling thread. */
function append(batch: number, callers: number, blocking = false): Row {
  return {
    name: `wal append size=128 batch=${batch} callers=${callers}${blocking ? ' blocking' : ''}`,
    unit: 'entries/s',
    higherIsBetter: true,
    prepare: async (milliseconds) => {
      const log = await WalStorage.bootstrap({ dir: join(scratchDirectory(), 'wal'), ...identity, maxQueuedBytes: Infinity, blockingWriteBytes: blocking ? Infinity : 0 });
      const next = (): Entry[] => {
        const first = log.lastIndex() + 1;
        const entries: Entry[] = [];
        for (let i = 0; i < batch; i++) entries.push(newEntry(EntryType.EntryNormal, data, 1, first + i));
        return entries;
      };
      return async () => {
        const before = log.lastIndex();
        const start = performance.now();
        const caller = async (): Promise<void> => {
          while (performance.now() - start < milliseconds) await log.append({ entries: next() });
        };
        const taken = await secondsOf(async () => {
          await Promise.all(Array.from({ length: callers }, caller));
        });
        const last = log.lastIndex();
        // What is not needed any more goes, so that a long benchmark does not fill the disk.
        await log.append({ hardState: { term: 1, vote: 1, commit: last } });
        await log.createSnapshot(last, newConfState({ voters: [1] }), new Uint8Array(8));
        await log.compact(last);
        return (last - before) / taken;
      };
    },
    limit: {
      name: `wal raw ${writeBytes(batch * callers)} bytes a sync`,
      prepare: (milliseconds) => {
        const disk = new RawDisk();
        return () => disk.syncsPerSecond(writeBytes(batch * callers), milliseconds) * batch * callers;
      },
    },
  };
}

const noSync: FileSystem = {
  ...nodeFileSystem,
  create: async (path) => {
    const file = await nodeFileSystem.create(path);
    file.datasync = () => Promise.resolve();
    return file;
  },
};

/** Makes a log of 64 MiB: batches of 1 to 64 entries, in four full segments and the beginning of a fifth. Not synced on the way. */
async function makeLog(): Promise<string> {
  const dir = join(scratchDirectory(), 'wal');
  const log = await WalStorage.bootstrap({ dir, ...identity, cacheBytes: 0 }, { ...systemEnvironment, fs: noSync });
  let bytes = 0;
  for (let size = 1; bytes < 64 << 20; size = 1 + ((size * 29) % 64)) {
    const first = log.lastIndex() + 1;
    await log.append({ entries: Array.from({ length: size }, (_, i) => newEntry(EntryType.EntryNormal, data, 1, first + i)), hardState: { term: 1, vote: 1, commit: first - 1 } });
    bytes += writeBytes(size);
  }
  await log.close();
  return dir;
}

/** Reading, verifying and indexing, without the copy of the last segment that a start makes. */
const replay: Row = {
  name: 'wal replay 64 MiB',
  unit: 'MB/s',
  higherIsBetter: true,
  prepare: async () => {
    const dir = await makeLog();
    const bytes = readdirSync(dir).filter((name) => name.endsWith('.wal')).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
    return async () => {
      const taken = await secondsOf(async () => {
        const found = await readLog(systemEnvironment, dir, identity, new FoundEntries());
        for (const { file } of found!.segments) await file.close();
      });
      return bytes / taken / 1e6;
    };
  },
};

const open: Row = {
  name: 'wal open 64 MiB',
  unit: 'ms',
  higherIsBetter: false,
  prepare: async (): Promise<Run> => {
    const dir = await makeLog();
    return async () => {
      let log: WalStorage | undefined;
      const taken = await secondsOf(async () => {
        log = await WalStorage.open({ dir, ...identity });
      });
      await log?.close();
      return 1000 * taken;
    };
  },
};

export const walRows: readonly Row[] = [append(1, 1, true), ...[1, 16, 256].flatMap((batch) => [append(batch, 1), append(batch, 64)]), replay, open];
