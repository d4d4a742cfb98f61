import { mkdirSync, realpathSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterEach, describe, expect, test } from '@jest/globals';

import { newConfState } from '../../../src/core/raftpb/state.js';
import { dumpLog } from '../../../src/node/wal/dump.js';
import { LogVerdict, verifyLog } from '../../../src/node/wal/inspect.js';
import { systemEnvironment } from '../../../src/node/wal/systemEnvironment.js';
import { WalErrorCode } from '../../../src/node/wal/walError.js';
import { WalStorage } from '../../../src/node/wal/walStorage.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { entry } from './inspectedLog.js';

const newDirectory = temporaryDirectories();
const identity = { nodeId: 1, clusterId: 1, segmentBytes: 4096 };
const starts = [
  { how: 'bootstrap' as const, done: 'made' },
  { how: 'join' as const, done: 'made' },
  { how: 'open' as const, done: 'opened' },
];

describe('a relative path', () => {
  const before = process.cwd();
  afterEach(() => process.chdir(before));

  test.each(starts)('stays the same directory when the process works in another one, after $how', async ({ how }) => {
    const base = newDirectory();
    const elsewhere = newDirectory();
    process.chdir(base);
    if (how === 'open') await (await WalStorage.bootstrap({ ...identity, dir: 'log' })).close();

    const starting = WalStorage[how]({ ...identity, dir: 'log' });
    process.chdir(elsewhere);
    const log = await starting;
    for (let index = 1; index <= 30; index++) await log.append({ entries: [entry(index, 1, 'x'.repeat(400))], hardState: { term: 1, vote: 0, commit: index } });
    await log.createSnapshot(20, newConfState({ voters: [1] }), new Uint8Array(10));
    await log.compact(20);
    expect(log.entries(21, 31, Infinity)).toHaveLength(10);
    await log.close();

    const again = await WalStorage.open({ ...identity, dir: join(base, 'log') });
    expect([again.firstIndex(), again.lastIndex()]).toEqual([21, 30]);
    await again.close();
  });

  test('is that of the moment of the call for those who look as well', async () => {
    const base = newDirectory();
    await (await WalStorage.bootstrap({ ...identity, dir: join(base, 'log') })).close();
    process.chdir(base);

    const looks = [WalStorage.exists('log'), verifyLog('log'), dumpLog('log', () => undefined)];
    process.chdir(newDirectory());

    expect(await Promise.all(looks)).toEqual([true, expect.objectContaining({ verdict: LogVerdict.Sound }), expect.objectContaining({ verdict: LogVerdict.Sound })]);
    expect(await WalStorage.exists('log')).toBe(false);
  });

  test.each([
    { dir: '.', has: '' },
    { dir: 'below/..', has: '' },
    { dir: 'below/.', has: 'below' },
    { dir: 'link', has: 'elsewhere' },
  ])('$dir: the directory that has the name of the log is synced', async ({ dir, has }) => {
    const base = join(newDirectory(), 'base');
    mkdirSync(join(base, 'below'), { recursive: true });
    mkdirSync(join(base, 'elsewhere'));
    symlinkSync(join(base, 'elsewhere'), join(base, 'link'));
    process.chdir(base);
    const synced: string[] = [];
    const syncDirectory = (path: string): Promise<void> => {
      synced.push(realpathSync(path));
      return systemEnvironment.fs.syncDirectory(path);
    };

    await (await WalStorage.bootstrap({ ...identity, dir }, { ...systemEnvironment, fs: { ...systemEnvironment.fs, syncDirectory } })).close();

    expect(synced[0]).toBe(dirname(realpathSync(join(base, has))));
  });

  test('of a working directory that is gone is refused with a WalError', async () => {
    const base = join(newDirectory(), 'base');
    mkdirSync(base);
    process.chdir(base);
    rmdirSync(base);
    const failed = { name: 'WalError', code: WalErrorCode.Failed };

    for (const { how } of starts) await expect(WalStorage[how]({ ...identity, dir: 'log' })).rejects.toMatchObject(failed);
    await expect(WalStorage.exists('log')).rejects.toMatchObject(failed);
  });

  test('goes up from where a symbolic link leads to, as it does for the system', async () => {
    const base = newDirectory();
    mkdirSync(join(base, 'far', 'away'), { recursive: true });
    symlinkSync(join(base, 'far', 'away'), join(base, 'link'));
    process.chdir(base);

    await (await WalStorage.bootstrap({ ...identity, dir: 'link/../log' })).close();

    expect(await WalStorage.exists(join(base, 'far', 'log'))).toBe(true);
  });
});

describe('a start that is not possible says what is in the way', () => {
  test.each(starts)('a file in place of the directory: $how', async ({ how, done }) => {
    const dir = join(newDirectory(), 'log');
    writeFileSync(dir, '');

    await expect(WalStorage[how]({ ...identity, dir })).rejects.toMatchObject({
      name: 'WalError',
      code: WalErrorCode.Failed,
      message: expect.stringContaining(`the log in ${dir} could not be ${done}: ENOTDIR: not a directory`),
      cause: { code: 'ENOTDIR' },
    });
  });

  test.each(starts.slice(0, 2))('a directory above it that is missing: $how', async ({ how, done }) => {
    const dir = join(newDirectory(), 'none', 'log');

    await expect(WalStorage[how]({ ...identity, dir })).rejects.toMatchObject({
      name: 'WalError',
      code: WalErrorCode.Failed,
      message: `the log in ${dir} could not be ${done}: ENOENT: no such file or directory, mkdir '${dir}'`,
      cause: { code: 'ENOENT' },
    });
  });

  test('a directory above it that is missing: open finds no log', async () => {
    await expect(WalStorage.open({ ...identity, dir: join(newDirectory(), 'none', 'log') })).rejects.toMatchObject({ name: 'WalError', code: WalErrorCode.NotFound, cause: { code: 'ENOENT' } });
  });

  test('exists, of a file', async () => {
    const dir = join(newDirectory(), 'log');
    writeFileSync(dir, '');

    await expect(WalStorage.exists(dir)).rejects.toMatchObject({
      name: 'WalError',
      code: WalErrorCode.Failed,
      message: `${dir} could not be read: ENOTDIR: not a directory, scandir '${dir}'`,
      cause: { code: 'ENOTDIR' },
    });
  });

  test.each([undefined, null, 5, '', 'a\0b', {}])('no path: %p', async (path) => {
    const invalid = { name: 'WalError', code: WalErrorCode.ArgumentInvalid, message: expect.stringContaining('is not the path of a directory') };
    const dir = path as string;

    for (const { how } of starts) await expect(WalStorage[how]({ ...identity, dir })).rejects.toMatchObject(invalid);
    await expect(WalStorage.exists(dir)).rejects.toMatchObject(invalid);
    await expect(verifyLog(dir)).rejects.toMatchObject(invalid);
    await expect(dumpLog(dir, () => undefined)).rejects.toMatchObject(invalid);
  });

  test.each([undefined, null, 5, 'log'])('no options: %p', async (options) => {
    for (const { how } of starts) await expect(WalStorage[how](options as never)).rejects.toMatchObject({ name: 'WalError', code: WalErrorCode.ArgumentInvalid });
  });
});
