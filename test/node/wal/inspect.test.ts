import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { emptyHardState } from '../../../src/core/index.js';
import type { File, FileSystem } from '../../../src/node/shared/fileSystem.js';
import { dumpLog, isWalError, LogVerdict, verifyLog, WalErrorCode, WalStorage, type DumpOptions } from '../../../src/node/wal/index.js';
import { crc32 } from '../../../src/node/shared/crc32.js';
import { crc32c } from '../../../src/node/shared/crc32c.js';
import { batchAt } from '../../../src/node/wal/batchBuilder.js';
import { batchHeaderBytes, entryPrefixBytes } from '../../../src/node/wal/format.js';
import { inspectCommand } from '../../../src/node/wal/inspectCommand.js';
import { snapshotName } from '../../../src/node/wal/names.js';
import { viewOf } from '../../../src/node/wal/words.js';
import { dir, entry, options, writeEverything } from './inspectedLog.js';
import { instead, MemoryFileSystem } from './memoryFileSystem.js';
import { testEnvironment } from './testEnvironment.js';

const golden = 'test/node/wal/testdata/dump.golden.txt';

async function dumped(fs: FileSystem, more: DumpOptions = {}): Promise<string> {
  const lines: string[] = [];
  await dumpLog(dir, (line) => lines.push(line), { fs, ...more });
  return `${lines.join('\n')}\n`;
}

/** Names of the segments, oldest first. */
async function segments(fs: FileSystem): Promise<string[]> {
  return (await fs.readdir(dir)).filter((name) => name.endsWith('.wal')).sort();
}

/** A log with records of every kind, as a killed process leaves it. */
async function killedLog(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  const log = await writeEverything(fs);
  const image = fs.clone();
  await log.close();
  return image;
}

/** Damages a byte of a file. */
function flip(fs: MemoryFileSystem, name: string, offset: number): void {
  const bytes = fs.bytesOf(`${dir}/${name}`);
  bytes[offset] = bytes[offset]! ^ 1;
}

/** Where the last batch of a segment ends. */
async function endOf(fs: MemoryFileSystem, name: string): Promise<number> {
  const text = await dumped(fs);
  const section = text.slice(text.indexOf(name));
  const batches = [...section.slice(0, section.indexOf('\n\n')).matchAll(/batch \d+ at (\d+): (\d+) bytes/g)];
  return batches.map(([, at, bytes]) => Number(at) + Number(bytes)).at(-1)!;
}

describe('dump', () => {
  test('prints everything that a log holds, and the same each time', async () => {
    const fs = await killedLog();
    const left = fs.bytesOf(`${dir}/${(await segments(fs)).at(-1)!}`);
    left.fill(7, left.length - 1536, left.length - 1500);
    const lines: string[] = [];
    const code = await inspectCommand(['dump', dir], (line) => lines.push(line), (line) => lines.push(line), fs);
    const text = `${lines.join('\n')}\n`;
    if (process.env['REWRITE'] === '1') writeFileSync(golden, text);

    expect(code).toBe(0);
    expect(text).toBe(readFileSync(golden, 'utf8'));
    for (const word of ['entry', 'truncate', 'snapshot', 'compact', 'metadata', 'term', 'closed after', 'segment ends']) expect(text).toContain(word);
  });

  test('leaves out data, and entries before an index with the batches of nothing else', async () => {
    const fs = await killedLog();
    const all = await dumped(fs);
    const noData = await dumped(fs, { data: false });
    const late = await dumped(fs, { from: 20 });

    expect(all).toContain('entry 20, term 2, EntryNormal, 8 bytes: "entry 20"');
    expect(noData).toContain('entry 20, term 2, EntryNormal, 8 bytes\n');
    expect(noData).not.toMatch(/: "/);
    expect(all).toMatch(/entry 1[1-9],/);
    expect(late).not.toMatch(/entry 1[1-9],/);
    expect(late).toMatch(/entry 20,[^]*entry 21,/);
    expect(noData.split('\n').length).toBe(all.split('\n').length);
  });

  test('leaves out a batch if all of its records are left out, and keeps those without records', async () => {
    const fs = new MemoryFileSystem();
    const log = await WalStorage.bootstrap(options, testEnvironment(fs));
    await log.append({ entries: [entry(1, 0)] });
    await log.append({ entries: [entry(2, 0)] });
    await log.close();

    expect((await dumped(fs, { from: 2 })).match(/batch \d+ at/g)).toEqual(['batch 2 at', 'batch 3 at']);
  });

  test('prints what is before the damage, and names what was not read', async () => {
    const fs = await killedLog();
    const names = await segments(fs);
    flip(fs, names[0]!, 1024 + 100);
    const text = await dumped(fs);

    expect(text).toMatch(/batch \d+ at 512/);
    expect(text).not.toMatch(/batch \d+ at 1024/);
    expect(text).toContain(`${names[1]!}: 4096 bytes, not read`);
  });

  test('names the files even if no segment can be read', async () => {
    const fs = await killedLog();
    for (const name of await segments(fs)) flip(fs, name, 20);
    const text = await dumped(fs);

    for (const name of await fs.readdir(dir)) expect(text).toContain(name);
    expect(text).not.toContain('batch');
  });

  test('says of marks and snapshots that they are damaged, and that a snapshot is not the newest', async () => {
    const fs = await killedLog();
    flip(fs, 'mark.0', 30);
    flip(fs, snapshotName(12, 1), 3);
    fs.put(`${dir}/${snapshotName(30, 3)}`, new Uint8Array(70));
    const text = await dumped(fs);

    expect(text).toContain('mark.0: damaged');
    expect(text).toMatch(/00012-\d+\.snap: \d+ bytes, damaged\n/);
    expect(text).toMatch(/00030-\d+\.snap: 70 bytes, damaged\n/);
  });
});

describe('verify', () => {
  test('a sound log: what is in it', async () => {
    const fs = await killedLog();
    const { verdict, contents, torn, damage, inUse } = await verifyLog(dir, { fs });

    expect({ verdict, torn, damage, inUse }).toEqual({ verdict: LogVerdict.Sound, torn: null, damage: null, inUse: false });
    expect(contents).toMatchObject({ nodeId: 1, clusterId: 0xffff_ffff_ffff_fff0n, joined: false, firstIndex: 12, lastIndex: 21, hardState: { term: 2, vote: 3, commit: 20 }, snapshot: { index: 12, term: 1 } });
  });

  test('a new log of a node that joins', async () => {
    const fs = new MemoryFileSystem();
    await WalStorage.join(options, testEnvironment(fs));
    const { verdict, contents } = await verifyLog(dir, { fs });

    expect(verdict).toBe(LogVerdict.Sound);
    expect(contents).toMatchObject({ joined: true, firstIndex: 1, lastIndex: 0, segments: 1, batches: 0, hardState: emptyHardState, snapshot: null });
  });

  test('the rest of an interrupted write: how much of it there is, and opening drops it', async () => {
    const fs = await killedLog();
    const last = (await segments(fs)).at(-1)!;
    const end = await endOf(fs, last);
    fs.bytesOf(`${dir}/${last}`).fill(1, end, end + 333);
    const { verdict, torn, contents } = await verifyLog(dir, { fs });

    expect(verdict).toBe(LogVerdict.TornTail);
    expect(torn).toEqual({ file: `${dir}/${last}`, offset: end, bytes: 333 });
    expect(contents?.lastIndex).toBe(21);
    const opened = await WalStorage.open(options, testEnvironment(fs));
    expect(opened.lastIndex()).toBe(21);
    await opened.close();
    expect((await verifyLog(dir, { fs })).verdict).toBe(LogVerdict.Sound);
  });

  const damages: readonly { what: string; damage: (fs: MemoryFileSystem, names: string[]) => void | Promise<void>; message: RegExp }[] = [
    { what: 'a byte of a segment that is complete', damage: (fs, names) => flip(fs, names[0]!, 1024 + 100), message: /byte 1024: the segment is not complete, and the next one goes on behind it/ },
    { what: 'a byte before the last batch', damage: (fs, names) => flip(fs, names.at(-1)!, 1024 + 100), message: /byte 1024: a batch is damaged, and there are batches behind it/ },
    { what: 'the header of a segment', damage: (fs, names) => flip(fs, names[0]!, 20), message: /byte 0: the checksum of its header is wrong/ },
    { what: 'a missing segment', damage: (fs, names) => fs.unlink(`${dir}/${names[1]!}`), message: /byte \d+: segments? \d.* missing/ },
    { what: 'all segments missing', damage: async (fs, names) => { for (const name of names) await fs.unlink(`${dir}/${name}`); }, message: /all segments of the log are missing/ },
    { what: 'both marks missing', damage: async (fs) => { await fs.unlink(`${dir}/mark.0`); await fs.unlink(`${dir}/mark.1`); }, message: /both marks are missing/ },
    { what: 'the data of the snapshot', damage: (fs) => flip(fs, snapshotName(12, 1), fs.bytesOf(`${dir}/${snapshotName(12, 1)}`).length - 10), message: /the checksum of the snapshot is wrong/ },
    { what: 'a missing snapshot', damage: (fs) => fs.unlink(`${dir}/${snapshotName(12, 1)}`), message: /the snapshot is missing/ },
    { what: 'a file that is no segment', damage: (fs) => fs.put(`${dir}/1.wal`, new Uint8Array(4096)), message: /its name is not that of a segment/ },
  ];
  test.each(damages)('damaged, $what: the same error that opening ends with', async ({ damage, message }) => {
    const fs = await killedLog();
    await damage(fs, await segments(fs));
    const report = await verifyLog(dir, { fs });

    expect(report).toMatchObject({ verdict: LogVerdict.Damaged, contents: null, torn: null });
    expect(report.damage?.code).toBe(WalErrorCode.Corrupt);
    expect(report.damage?.message).toMatch(message);
    expect(report.damage?.advice).toContain('under a new id');
    await expect(WalStorage.open(options, testEnvironment(fs))).rejects.toMatchObject({ message: report.damage?.message });
  });

  test('an entry whose own checksum is wrong, in a batch whose checksum is right', async () => {
    const fs = await killedLog();
    const path = `${dir}/${(await segments(fs)).at(-1)!}`;
    const bytes = fs.bytesOf(path);
    const view = viewOf(bytes);
    const [before, last] = [1024, 1536];
    bytes[last + batchHeaderBytes + entryPrefixBytes]! ^= 1;
    const end = last + batchHeaderBytes + view.getUint32(last + batchAt.payloadBytes, true);
    view.setUint32(last + batchAt.payloadCrc, crc32(bytes, view.getUint32(before + batchAt.payloadCrc, true), last + batchHeaderBytes, end), true);
    view.setUint32(last + batchAt.headerCrc, crc32c(bytes, 0, last + batchAt.seq, last + batchHeaderBytes), true);

    expect((await verifyLog(dir, { fs })).damage?.message).toMatch(/byte 1584: the checksum of entry 21 is wrong, and that of its batch is right/);
    expect(await dumped(fs)).toContain('entry 21, term 2');
  });

  test('a start that was interrupted: what was copied takes the place of the old segment', async () => {
    const fs = await killedLog();
    const [, old] = await segments(fs);
    const bytes = fs.bytesOf(`${dir}/${old!}`).slice();
    await (await WalStorage.open(options, testEnvironment(fs))).close();
    fs.put(`${dir}/${old!}`, bytes);

    expect(await verifyLog(dir, { fs })).toMatchObject({ verdict: LogVerdict.Sound, contents: { lastIndex: 21 } });
    expect(await dumped(fs)).toContain(`${old!}: 4096 bytes, not part of the log`);
  });

  test('no directory, an empty one, and a newer format are no logs to judge', async () => {
    const fs = new MemoryFileSystem(['/', '/empty']);
    await expect(verifyLog('/none', { fs })).rejects.toMatchObject({ code: WalErrorCode.NotFound, message: 'there is no directory /none' });
    await expect(verifyLog('/empty', { fs })).rejects.toMatchObject({ code: WalErrorCode.NotFound, message: '/empty holds no log' });
    const newer = await killedLog();
    for (const name of await segments(newer)) {
      const bytes = newer.bytesOf(`${dir}/${name}`);
      bytes[8] = 2;
      // Alone it would be a flipped bit; a newer version has a header of its own.
      bytes[12] = 1;
    }
    await expect(verifyLog(dir, { fs: newer })).rejects.toMatchObject({ code: WalErrorCode.UnknownVersion });
  });
});

/** A file system that does something of the owner's in between. */
function interrupted(fs: MemoryFileSystem, at: { listed?: () => Promise<void>; read?: (path: string, position: number) => Promise<void> }): FileSystem {
  return instead<FileSystem>(fs, {
    readdir: async (path) => {
      const names = await fs.readdir(path);
      await at.listed?.();
      return names;
    },
    open: async (path, access) => {
      const file = await fs.open(path, access);
      return instead<File>(file, {
        read: async (target, position) => {
          await at.read?.(path, position);
          // Piece by piece, as a large file is.
          return file.read(target.subarray(0, 512), position);
        },
      });
    },
  });
}

describe('while the owner runs', () => {
  async function runningLog(): Promise<{ fs: MemoryFileSystem; log: WalStorage; more: () => Promise<void> }> {
    const fs = new MemoryFileSystem();
    const log = await writeEverything(fs);
    const more = (): Promise<void> => log.append({ entries: [entry(log.lastIndex() + 1, 2)], hardState: { term: 2, vote: 3, commit: log.lastIndex() } });
    return { fs, log, more };
  }

  test('a segment that came after the listing is not taken for a missing one', async () => {
    const { fs, log, more } = await runningLog();
    let calls = 0;
    const listed = async (): Promise<void> => {
      // Twice in each look: enough batches for a new segment.
      if (calls++ < 2) for (let i = 0; i < 8; i++) await more();
    };
    const report = await verifyLog(dir, { fs: interrupted(fs, { listed }) });

    expect(calls).toBeGreaterThan(2);
    expect(report).toMatchObject({ verdict: LogVerdict.Sound, inUse: true });
    expect(report.contents?.lastIndex).toBe(log.lastIndex());
    await log.close();
  });

  test('a segment and a snapshot that went after the listing are not taken for damage', async () => {
    const { fs, log, more } = await runningLog();
    let calls = 0;
    const listed = async (): Promise<void> => {
      if (calls++ > 1) return;
      for (let i = 0; i < 8; i++) await more();
      await log.createSnapshot(log.lastIndex() - 1, null, new Uint8Array(100));
      await log.compact(log.lastIndex() - 1);
      await more();
    };
    const lines: string[] = [];
    const report = await dumpLog(dir, (line) => lines.push(line), { fs: interrupted(fs, { listed }) });

    expect(report.verdict).toBe(LogVerdict.Sound);
    expect(calls).toBeGreaterThan(2);
    await log.close();
  });

  test.each([
    { when: 'before its size is known', opens: 0, expected: '' },
    { when: 'behind its size', opens: 1, expected: '70 bytes, ' },
  ])('a snapshot that goes $when is not called damaged, and no more is said of it', async ({ opens, expected }) => {
    const { fs, log } = await runningLog();
    await log.createSnapshot(log.lastIndex() - 1, null, new Uint8Array(100));
    await log.close();
    const old = `${dir}/${snapshotName(1, 1)}`;
    fs.put(old, new Uint8Array(70));
    let opened = 0;
    const going = instead<FileSystem>(fs, {
      open: async (path, access) => {
        // Once for its size, and once for what is in it.
        if (path === old && opened++ === opens) await fs.unlink(old);
        return fs.open(path, access);
      },
    });
    const lines: string[] = [];
    await dumpLog(dir, (line) => lines.push(line), { fs: going });

    expect(lines.filter((line) => line.startsWith(snapshotName(1, 1)))).toEqual([`${snapshotName(1, 1)}: ${expected}removed while this was read`]);
  });

  test('a write under way is not taken for damage, although later ones are there', async () => {
    const { fs, log, more } = await runningLog();
    const last = (await segments(fs)).at(-1)!;
    const end = await endOf(fs, last);
    let looks = 0;
    const read = async (path: string, position: number): Promise<void> => {
      // What comes next has been read as zeros; what follows it will be found. The first reading only asks whether there is a batch.
      if (path.endsWith(last) && position === end + 512 && looks++ === 1) for (let i = 0; i < 3; i++) await more();
    };
    const watched = interrupted(fs, { read });
    const lines: string[] = [];
    const report = await dumpLog(dir, (line) => lines.push(line), { fs: watched });

    expect(report).toMatchObject({ verdict: LogVerdict.Sound, inUse: true });
    expect(lines.at(-1)).toContain('The log is in use');
    await log.close();
  });

  test('who changes faster than one can read is told of, after a while', async () => {
    const { fs, log } = await runningLog();
    const [first] = await segments(fs);
    const gone = instead<FileSystem>(fs, {
      open: (path, access) => (path.endsWith(first!) ? Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' })) : fs.open(path, access)),
    });

    const codes = await Promise.all([verifyLog(dir, { fs: gone }), dumpLog(dir, () => undefined, { fs: gone })].map((call) => call.catch((error: unknown) => isWalError(error, WalErrorCode.Locked))));
    expect(codes).toEqual([true, true]);
    await log.close();
  });
});
