import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { newEntry } from '../../../src/core/raftpb/entry.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import { nodeFileSystem } from '../../../src/node/shared/nodeFileSystem.js';
import { systemEnvironment } from '../../../src/node/wal/systemEnvironment.js';
import { WalStorage } from '../../../src/node/wal/walStorage.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';

const newDirectory = temporaryDirectories();
const confState = newConfState({ voters: [1, 2, 3] });

/** A promise, and the key to it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/**
 * A snapshot of the own state at 5 is overtaken by one of the leader at 9: its file is there when the log already
 * speaks of the newer one. Two want to remove it then.
 */
describe('the file of an overtaken snapshot', () => {
  test.each([
    { first: 'the one that tidies up', makerWaits: true },
    { first: 'its maker', makerWaits: false },
  ])('is removed by $first, and the other one does not mind', async ({ makerWaits }) => {
    const dir = join(newDirectory(), 'log');
    const isThere = (): boolean => readdirSync(dir).some((name) => name.startsWith('00000000000000000005-') && name.endsWith('.snap'));
    const isListed = gate();
    const mayTidy = gate();
    const isTidy = gate();
    const fs: typeof nodeFileSystem = {
      ...nodeFileSystem,
      async rename(from, to) {
        await nodeFileSystem.rename(from, to);
        if (/0005-\d+\.snap$/.test(to)) await (makerWaits ? isTidy : isListed).opened;
      },
      async readdir(path) {
        const names = await nodeFileSystem.readdir(path);
        if (isThere()) {
          isListed.open();
          if (!makerWaits) await mayTidy.opened;
        }
        return names;
      },
      async unlink(path) {
        await nodeFileSystem.unlink(path);
        if (path.includes('0005-')) isTidy.open();
      },
    };
    const log = await WalStorage.bootstrap({ dir, nodeId: 1, clusterId: 1, segmentBytes: 65_536 }, { ...systemEnvironment, fs });
    const entries = [1, 2, 3, 4, 5].map((index) => newEntry(0, new Uint8Array(10), 1, index));
    await log.append({ entries, hardState: { term: 1, vote: 1, commit: 5 } });

    const own = log.createSnapshot(5, confState, new Uint8Array(10));
    while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 1));
    await log.append({ snapshot: { data: new Uint8Array(20), metadata: { index: 9, term: 1, confState } } });
    await own;
    mayTidy.open();
    await log.append({ entries: [newEntry(0, new Uint8Array(10), 1, 10)] });
    await log.close();

    expect(log.failure).toBeNull();
    expect(isThere()).toBe(false);
    const again = await WalStorage.open({ dir, nodeId: 1, clusterId: 1, segmentBytes: 65_536 });
    expect((await again.loadSnapshot()).metadata.index).toBe(9);
    expect([again.firstIndex(), again.lastIndex()]).toEqual([10, 10]);
    await again.close();
  });

  test('is no reason to say that it is durable before the newer one is', async () => {
    const dir = join(newDirectory(), 'log');
    const isCalled = gate();
    const fs: typeof nodeFileSystem = {
      ...nodeFileSystem,
      async rename(from, to) {
        await nodeFileSystem.rename(from, to);
        if (/0005-\d+\.snap$/.test(to)) await isCalled.opened;
        // Much longer than all that is left to do for the other one.
        if (/0009-\d+\.snap$/.test(to)) await new Promise((resolve) => setTimeout(resolve, 300));
      },
    };
    const log = await WalStorage.bootstrap({ dir, nodeId: 1, clusterId: 1, segmentBytes: 65_536 }, { ...systemEnvironment, fs });
    const entries = [1, 2, 3, 4, 5].map((index) => newEntry(0, new Uint8Array(10), 1, index));
    await log.append({ entries, hardState: { term: 1, vote: 1, commit: 5 } });

    const order: string[] = [];
    const own = log.createSnapshot(5, confState, new Uint8Array(10)).then(() => order.push('own'));
    const installed = log.append({ snapshot: { data: new Uint8Array(20), metadata: { index: 9, term: 1, confState } } }).then(() => order.push('installed'));
    isCalled.open();
    await Promise.all([own, installed]);
    await log.close();

    expect(order).toEqual(['installed', 'own']);
  });
});
