import { describe, expect, test } from '@jest/globals';

import { newConfState } from '../../src/core/raftpb/state.js';
import { isWalError, WalErrorCode } from '../../src/node/wal/walError.js';
import { WalStorage } from '../../src/node/wal/walStorage.js';
import { SimDisk } from './support/simDisk.js';
import { diskEnvironment } from './support/diskEnvironment.js';
import { describeLog, entriesFrom } from './support/walModel.js';
import { walOptions } from './support/walWorkloads.js';

const rest = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function segmentsOn(disk: SimDisk): string[] {
  return disk.files().filter((name) => name.endsWith('.wal'));
}

/** Entries of which a few fill a segment. */
async function grow(log: WalStorage, first: number, last: number): Promise<void> {
  for (let index = first; index <= last; index++) await log.append({ entries: entriesFrom(index, 1, 1, 900) });
  await log.append({ hardState: { term: 1, vote: 1, commit: last } });
}

async function compact(log: WalStorage, index: number): Promise<void> {
  await log.createSnapshot(index, newConfState({ voters: [1] }), new Uint8Array([index]));
  await log.compact(index);
}

/** A log of which the first segments were removed, and these. */
async function shortened(): Promise<{ disk: SimDisk; removed: Map<string, Uint8Array>; expected: string }> {
  const disk = new SimDisk();
  const log = await WalStorage.bootstrap(walOptions, diskEnvironment(disk.fs));
  await grow(log, 1, 24);
  const before = new Map(segmentsOn(disk).map((name) => [name, disk.readFile(name)]));
  await compact(log, 20);
  await log.append({ entries: entriesFrom(25, 1, 1) });
  await rest();
  for (const name of segmentsOn(disk)) before.delete(name);
  const expected = describeLog(log);
  disk.kill();
  return { disk, removed: before, expected };
}

async function open(disk: SimDisk): Promise<WalStorage> {
  return WalStorage.open(walOptions, diskEnvironment(disk.fs, 2));
}

/** A sync of the directory fails and is never made up for: what was removed before it is back after a loss of power. */
describe('segments that come back after they were removed', () => {
  test('the oldest, in front of a gap: it is removed once more', async () => {
    const { disk, removed, expected } = await shortened();
    const [oldest] = [...removed.keys()];
    expect(removed.size).toBeGreaterThan(2);
    disk.writeFile(oldest!, removed.get(oldest!)!);

    const log = await open(disk);

    expect(describeLog(log)).toBe(expected);
    expect(segmentsOn(disk)).not.toContain(oldest);
    await log.append({ entries: entriesFrom(26, 1, 1) });
    await log.close();
    await open(disk);
  });

  test('two of them, with a gap behind each', async () => {
    const { disk, removed, expected } = await shortened();
    const names = [...removed.keys()];
    for (const name of [names[0]!, names[names.length - 2]!]) disk.writeFile(name, removed.get(name)!);

    expect(describeLog(await open(disk))).toBe(expected);
  });

  test('a segment that is needed and missing is no such thing: refused, and nothing is changed', async () => {
    const disk = new SimDisk();
    const log = await WalStorage.bootstrap(walOptions, diskEnvironment(disk.fs));
    await grow(log, 1, 24);
    await compact(log, 4);
    await rest();
    disk.kill();
    const names = segmentsOn(disk);
    disk.remove(names[2]!);
    const before = disk.hash();

    const refused: unknown = await open(disk).catch((error: unknown) => error);

    expect(isWalError(refused, WalErrorCode.Corrupt)).toBe(true);
    expect(String(refused)).toMatch(/segments [0-9]+ to [0-9]+ are missing/);
    expect(disk.hash()).toBe(before);
  });

  test('a gap in front of a segment without a batch is refused: what was in front of it may say more', async () => {
    const disk = new SimDisk();
    await grow(await WalStorage.bootstrap(walOptions, diskEnvironment(disk.fs)), 1, 24);
    disk.kill();
    const names = segmentsOn(disk);
    const last = names[names.length - 1]!;
    for (const name of names.slice(1, -1)) disk.remove(name);
    // As it was before anything was written to it.
    disk.writeFile(last, disk.readFile(last).fill(0, 512));

    const refused: unknown = await open(disk).catch((error: unknown) => error);

    expect(isWalError(refused, WalErrorCode.Corrupt)).toBe(true);
    expect(String(refused)).toMatch(/segments [0-9]+ to [0-9]+ are missing/);
  });
});
