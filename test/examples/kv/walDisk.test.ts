import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { WalDisk } from '../../../examples/kv/walDisk.js';
import type { NodeLogEvents } from '../../../examples/kv/disk.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';

const newDirectory = temporaryDirectories();
const members = [1, 2];
const ignored: NodeLogEvents = { failed: () => undefined, storageLow: () => undefined };

/** Opens every log and closes it, as a run of the program does. */
async function use(disk: WalDisk): Promise<void> {
  for (const id of members) await (await disk.open(id, ignored)).close();
  await disk.close();
}

/** What the first start leaves behind. */
async function make(dir: string): Promise<void> {
  await (await WalDisk.prepare(dir, members)).close();
}

describe('the logs of the example on the disk', () => {
  test('are empty at first, and then what they were', async () => {
    const dir = join(newDirectory(), 'not', 'there');
    const firstDisk = await WalDisk.prepare(dir, members);
    const first = await firstDisk.open(1, ignored);
    expect(first.lastIndex()).toBe(0);
    expect((await first.loadSnapshot()).metadata.index).toBe(0);
    await first.append({ hardState: { term: 3, vote: 2, commit: 0 } });
    await first.close();
    await firstDisk.close();

    const disk = await WalDisk.prepare(dir, members);
    expect(disk.description).toBe(`the logs are in ${dir}/node-1, ${dir}/node-2`);
    const again = await disk.open(1, ignored);
    expect(again.initialState().hardState).toEqual({ term: 3, vote: 2, commit: 0 });
    await again.close();
    await disk.close();
  });

  test('a member that has lost its log does not get an empty one', async () => {
    const dir = newDirectory();
    await use(await WalDisk.prepare(dir, members));
    renameSync(join(dir, 'node-2'), join(dir, 'elsewhere'));

    await expect(WalDisk.prepare(dir, members)).rejects.toThrow(
      `there is no log in ${dir}/node-2, and there has been one. Without it the node must not start, since it would take back what it has promised. Put it back, or begin with an empty directory`,
    );
    renameSync(join(dir, 'elsewhere'), join(dir, 'node-2'));
    await use(await WalDisk.prepare(dir, members));
    for (const id of members) rmSync(join(dir, `node-${id}`), { recursive: true });
    await expect(WalDisk.prepare(dir, members)).rejects.toThrow(`there is no log in ${dir}/node-1, ${dir}/node-2,`);
  });

  test('logs without their group are no new group, and a strange file is none', async () => {
    const dir = newDirectory();
    await make(dir);
    rmSync(join(dir, 'cluster'));
    await expect(WalDisk.prepare(dir, members)).rejects.toThrow(`${dir}/cluster is missing, but there are logs beside it`);

    for (const text of ['', '[]', 'null', '{"clusterId": 1}', '{"clusterId": 1.5, "complete": true}']) {
      writeFileSync(join(dir, 'cluster'), text);
      await expect(WalDisk.prepare(dir, members)).rejects.toThrow(`${dir}/cluster is not what an earlier run has written`);
    }
  });

  test('a first start that was interrupted is finished', async () => {
    const dir = newDirectory();
    await make(dir);
    const group = readFileSync(join(dir, 'cluster'), 'utf8');
    expect(group).toContain('"complete":true');
    // As if it had ended when there was one log: no node has run.
    writeFileSync(join(dir, 'cluster'), group.replace('true', 'false'));
    rmSync(join(dir, 'node-2'), { recursive: true });

    await use(await WalDisk.prepare(dir, members));

    expect(readFileSync(join(dir, 'cluster'), 'utf8')).toBe(group);
  });

  test('the log of another node or group is refused', async () => {
    const dir = newDirectory();
    const other = newDirectory();
    await make(dir);
    await make(other);
    rmSync(join(dir, 'node-1'), { recursive: true });
    rmSync(join(dir, 'node-2'), { recursive: true });
    renameSync(join(other, 'node-1'), join(dir, 'node-1'));
    renameSync(join(other, 'node-2'), join(dir, 'node-2'));

    const disk = await WalDisk.prepare(dir, members);
    await expect(disk.open(1, ignored)).rejects.toMatchObject({ code: 'ERR_WAL_WRONG_IDENTITY' });
    await disk.close();
  });

  test('of two that begin together one gets the directory, and the other leaves nothing there', async () => {
    const dir = newDirectory();

    const begun = await Promise.allSettled([WalDisk.prepare(dir, members), WalDisk.prepare(dir, members)]);

    const refused = begun.filter((one) => one.status === 'rejected');
    expect(refused.map(({ reason }) => reason as unknown)).toEqual([expect.objectContaining({ code: 'ERR_WAL_LOCKED', message: expect.stringContaining(`${dir} is in use`) })]);
    expect(readdirSync(dir).sort()).toEqual(['cluster', 'node-1', 'node-2']);
    for (const one of begun) if (one.status === 'fulfilled') await use(one.value);
  });

  test('a log that is in use is refused', async () => {
    const dir = newDirectory();
    const disk = await WalDisk.prepare(dir, members);
    const log = await disk.open(1, ignored);

    await expect(disk.open(1, ignored)).rejects.toMatchObject({ code: 'ERR_WAL_LOCKED' });
    await log.close();
    await use(disk);
  });
});
