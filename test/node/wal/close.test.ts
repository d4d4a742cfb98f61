import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { newEntry } from '../../../src/core/raftpb/entry.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
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
