import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { newEntry } from '../../../src/core/raftpb/entry.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { nodeFileSystem } from '../../../src/node/shared/nodeFileSystem.js';
import { systemEnvironment } from '../../../src/node/wal/systemEnvironment.js';
import { WalErrorCode } from '../../../src/node/wal/walError.js';
import { WalStorage } from '../../../src/node/wal/walStorage.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';

const newDirectory = temporaryDirectories();
const onLinux = process.platform === 'linux' ? test : test.skip;

/** A log of 30 entries in several segments. */
async function longLog(dir: string): Promise<WalStorage> {
  const log = await WalStorage.bootstrap({ dir, nodeId: 1, clusterId: 1, segmentBytes: 4096 });
  for (let index = 1; index <= 30; index++) {
    await log.append({ entries: [newEntry(0, new Uint8Array(400), 1, index)], hardState: { term: 1, vote: 1, commit: index } });
  }
  return log;
}

/** Files below a directory that this process has open. */
function openFiles(dir: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(dir) ? [path] : [];
    } catch {
      // The descriptor that lists the descriptors is gone by now.
      return [];
    }
  });
}

describe('closing a log', () => {
  test('while segments are being removed', async () => {
    const dir = join(newDirectory(), 'log');
    const log = await longLog(dir);
    await log.createSnapshot(29, newConfState({ voters: [1] }), new Uint8Array(10));
    // Resolves with the record on the disk; the segments are removed behind it.
    await log.compact(29);
    await log.close();

    const again = await WalStorage.open({ dir, nodeId: 1, clusterId: 1 });
    expect([again.firstIndex(), again.lastIndex()]).toEqual([30, 30]);
    await again.close();
  });

  test('carries out what was asked for before, and refuses what is asked for behind it', async () => {
    const dir = join(newDirectory(), 'log');
    const log = await longLog(dir);
    const confState = newConfState({ voters: [1] });
    await log.createSnapshot(10, confState, new Uint8Array(10));

    const asked = [
      log.append({ entries: [newEntry(0, new Uint8Array(400), 1, 31)], sync: false }),
      log.createSnapshot(20, confState, new Uint8Array(2 << 20)),
      log.compact(10),
      log.createSnapshot(30, confState, Uint8Array.of(7)),
      log.append({ hardState: { term: 1, vote: 1, commit: 31 }, sync: false }),
    ];
    const closing = log.close();
    await expect(log.createSnapshot(31, confState, new Uint8Array(1))).rejects.toMatchObject({ code: WalErrorCode.Closed });
    await Promise.all(asked);
    await closing;

    const again = await WalStorage.open({ dir, nodeId: 1, clusterId: 1 });
    expect([again.firstIndex(), again.lastIndex(), again.initialState().hardState.commit]).toEqual([11, 31, 31]);
    expect(again.snapshot()).toEqual({ data: Uint8Array.of(7), metadata: { index: 30, term: 1, confState } });
    await again.close();
  });

  test('rejects if the disk fails under a snapshot that was asked for before: what else waited is not durable', async () => {
    const dir = join(newDirectory(), 'log');
    const fs: typeof nodeFileSystem = {
      ...nodeFileSystem,
      create: (path, ...more) => (path.includes('.snap-') ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })) : nodeFileSystem.create(path, ...more)),
    };
    const log = await WalStorage.bootstrap({ dir, nodeId: 1, clusterId: 1 }, { ...systemEnvironment, fs });
    await log.append({ entries: [newEntry(0, new Uint8Array(1), 1, 1)], hardState: { term: 1, vote: 1, commit: 1 } });
    await log.append({ entries: [newEntry(0, new Uint8Array(1), 1, 2)], sync: false });

    const making = log.createSnapshot(1, newConfState({ voters: [1] }), new Uint8Array(1));
    const closing = log.close();

    await expect(making).rejects.toMatchObject({ code: WalErrorCode.Failed, cause: { code: 'EIO' } });
    await expect(closing).rejects.toBe(log.failure);
    const again = await WalStorage.open({ dir, nodeId: 1, clusterId: 1 });
    expect(again.lastIndex()).toBe(1);
    await again.close();
  });

  onLinux('leaves no file open, however full its last segment is', async () => {
    for (let bytes = 0; bytes < 4096; bytes += 512) {
      const dir = join(newDirectory(), 'log');
      const log = await longLog(dir);
      // The batch that says that nothing follows may be the one that needs a new segment.
      await log.append({ entries: [newEntry(0, new Uint8Array(bytes), 1, 31)] });
      expect(openFiles(dir)).not.toEqual([]);
      await log.close();
      expect(openFiles(dir)).toEqual([]);
    }
  });
});
