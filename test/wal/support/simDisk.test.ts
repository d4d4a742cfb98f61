import { describe, expect, test } from '@jest/globals';
import { FileAccess, type File } from '../../../src/node/shared/fileSystem.js';
import { Prng } from '../../../src/sim/prng.js';
import { everything, nothing } from './crashChoices.js';
import { SectorState, type CrashPoint } from './crashPoint.js';
import { describeOp, LatencyKind, type FileOp } from './fileOp.js';
import { SimDisk } from './simDisk.js';
import { SimFile } from './simFileSystem.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (value: string): Uint8Array => Buffer.from(value);

/** A disk with the files, durable. */
function diskWith(files: Record<string, string>): SimDisk {
  const disk = new SimDisk();
  for (const [path, value] of Object.entries(files)) disk.writeFile(path, bytes(value));
  return disk;
}

/** What is on a disk: names with their text. */
function picture(disk: SimDisk): Record<string, string> {
  return Object.fromEntries(disk.files().map((path) => [path, text(disk.readFile(path))]));
}

/** The image in which these changes of names happened. */
function withChanges(disk: SimDisk, happened: readonly number[]): Record<string, string> {
  return picture(disk.crashImage({ ...everything(disk.crashPoint()), changes: happened }));
}

function afterNothing(disk: SimDisk): SimDisk {
  return disk.crashImage(nothing(disk.crashPoint()));
}

/** Whether a promise is still open after everything that can happen has. */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => (settled = true);
  promise.then(note, note);
  await new Promise((resolve) => setImmediate(resolve));
  return !settled;
}

describe('what a process sees', () => {
  test('reads see un-synced writes, at any position', async () => {
    const { fs } = new SimDisk();
    const file = await fs.create('/a');
    expect(await file.write(bytes('world'), 6)).toBe(5);
    await file.write(bytes('hello'), 0);
    const target = new Uint8Array(20);

    expect(await file.size()).toBe(11);
    expect(await file.read(target, 0)).toBe(11);
    expect(text(target.subarray(0, 11))).toBe('hello\0world');
    expect(file.readSync(target, 9)).toBe(2);
    expect(await file.read(target, 11)).toBe(0);
    expect(await (await fs.open('a', FileAccess.Read)).size()).toBe(11);
  });

  test.each([
    { what: 'Buffer', source: Buffer.alloc(600, 'a') },
    { what: 'Uint8Array', source: new Uint8Array(600).fill(0x61) },
  ])('a $what that changes after the call changes nothing', async ({ source }) => {
    const disk = new SimDisk();
    const file = await disk.fs.create('a');
    const writing = file.write(source, 0);
    source.fill(0);
    await writing;

    expect(picture(disk)).toEqual({ a: 'a'.repeat(600) });
    expect(picture(disk.crashImage(everything(disk.crashPoint())))).toEqual({ a: 'a'.repeat(600) });
  });

  test('hard links are names of one file, which lives until the last is gone', async () => {
    const disk = new SimDisk();
    const { fs } = disk;
    const file = await fs.create('a');
    await fs.link('a', 'b');
    await file.write(bytes('x'), 0);
    expect(picture(disk)).toEqual({ a: 'x', b: 'x' });
    await fs.unlink('a');
    await file.write(bytes('y'), 1);
    expect(picture(disk)).toEqual({ b: 'xy' });
    await fs.unlink('b');
    expect(await file.size()).toBe(2);
  });

  test('rename replaces, also itself, and link does not', async () => {
    const disk = diskWith({ a: '1', b: '2' });
    await disk.fs.rename('a', 'b');
    expect(picture(disk)).toEqual({ b: '1' });
    await disk.fs.rename('b', 'b');
    await disk.fs.link('b', 'c');
    await disk.fs.rename('b', 'c');
    expect(await disk.fs.readdir('/')).toEqual(['b', 'c']);
    await expect(disk.fs.link('b', 'c')).rejects.toMatchObject({ code: 'EEXIST' });
  });

  test.each<{ code: string; why: string; run: (disk: SimDisk) => Promise<unknown> }>([
    { code: 'ENOENT', why: 'open what is not there', run: ({ fs }) => fs.open('x', FileAccess.Read) },
    { code: 'EISDIR', why: 'open a directory', run: ({ fs }) => fs.open('d', FileAccess.Read) },
    { code: 'EEXIST', why: 'create what is there', run: ({ fs }) => fs.create('a') },
    { code: 'ENOENT', why: 'create in no directory', run: ({ fs }) => fs.create('x/a') },
    { code: 'ENOTDIR', why: 'create in a file', run: ({ fs }) => fs.create('a/b') },
    { code: 'EEXIST', why: 'mkdir what is there', run: ({ fs }) => fs.mkdir('d') },
    { code: 'ENOENT', why: 'readdir of nothing', run: ({ fs }) => fs.readdir('x') },
    { code: 'ENOENT', why: 'rename of nothing', run: ({ fs }) => fs.rename('x', 'y') },
    { code: 'EXDEV', why: 'rename into another directory', run: ({ fs }) => fs.rename('a', 'd/a') },
    { code: 'EEXIST', why: 'rename over a directory', run: ({ fs }) => fs.rename('a', 'd') },
    { code: 'EPERM', why: 'link of a directory', run: ({ fs }) => fs.link('d', 'e') },
    { code: 'ENOENT', why: 'unlink of nothing', run: ({ fs }) => fs.unlink('x') },
    { code: 'EISDIR', why: 'unlink of a directory', run: ({ fs }) => fs.unlink('d') },
    { code: 'ENOENT', why: 'syncDirectory of nothing', run: ({ fs }) => fs.syncDirectory('x') },
    { code: 'EBADF', why: 'write to what was opened for reading', run: async ({ fs }) => (await fs.open('a', FileAccess.Read)).write(bytes('x'), 0) },
    { code: 'EINVAL', why: 'a position below 0', run: async ({ fs }) => (await fs.open('a', FileAccess.ReadWrite)).write(bytes('x'), -1) },
    { code: 'EBADF', why: 'a closed file', run: async ({ fs }) => fs.open('a', FileAccess.Read).then(async (file) => file.close().then(() => file.size())) },
  ])('$code: $why', async ({ code, run }) => {
    const disk = diskWith({ a: '1', 'd/b': '2' });
    const before = picture(disk);

    await expect(run(disk)).rejects.toMatchObject({ code });
    expect(picture(disk)).toEqual(before);
    expect(disk.isSynced).toBe(true);
  });
});

describe('power loss: bytes', () => {
  const old = 'o'.repeat(2048);

  async function overwritten(): Promise<{ disk: SimDisk; file: File; point: CrashPoint }> {
    const disk = diskWith({ a: old });
    const file = await disk.fs.open('a', FileAccess.ReadWrite);
    await file.write(bytes('n'.repeat(1100)), 500);
    return { disk, file, point: disk.crashPoint() };
  }

  test('every sector of a write is old, new, zero or garbage by itself, and no byte beside it changes', async () => {
    const { disk, point } = await overwritten();
    expect(point.sectors.map(({ position, length }) => [position, length])).toEqual([[500, 12], [512, 512], [1024, 512], [1536, 64]]);
    expect(point.lengths).toEqual([]);
    const found = new Set<string>();
    for (let code = 0; code < 256; code++) {
      const sectors = [0, 1, 2, 3].map((i) => (code >> (2 * i)) & 3);
      const image = disk.crashImage({ sectors, lengths: [], changes: [], garbage: 5 }).readFile('a');
      expect(image.length).toBe(2048);
      point.sectors.forEach(({ position, length }, i) => {
        const part = image.subarray(position, position + length);
        if (sectors[i] === SectorState.Old) expect(part.every((byte) => byte === 0x6f)).toBe(true);
        else if (sectors[i] === SectorState.New) expect(part.every((byte) => byte === 0x6e)).toBe(true);
        else if (sectors[i] === SectorState.Zero) expect(part.every((byte) => byte === 0)).toBe(true);
        else expect(part.every((byte) => byte !== 0x6e && byte !== 0x6f && byte !== 0)).toBe(true);
      });
      expect(text(image.subarray(0, 500))).toBe(old.slice(0, 500));
      expect(text(image.subarray(1600))).toBe(old.slice(1600));
      found.add(text(image));
    }
    expect(found.size).toBe(256);
  });

  test('garbage differs by seed, and is the same for the same one', async () => {
    const { disk } = await overwritten();
    const image = (garbage: number) => text(disk.crashImage({ sectors: [3, 3, 3, 3], lengths: [], changes: [], garbage }).readFile('a'));

    expect(image(1)).toBe(image(1));
    expect(image(1)).not.toBe(image(2));
  });

  test('of two writes to one sector either may be missing', async () => {
    const disk = diskWith({ a: 'aaaa' });
    const file = await disk.fs.open('a', FileAccess.ReadWrite);
    await file.write(bytes('bb'), 0);
    await file.write(bytes('cc'), 1);
    const image = (sectors: number[]) => text(disk.crashImage({ sectors, lengths: [], changes: [] }).readFile('a'));

    expect([image([0, 0]), image([1, 0]), image([0, 1]), image([1, 1])]).toEqual(['aaaa', 'bbaa', 'acca', 'bcca']);
  });

  test('the length is old, new, or one in between, and what is missing reads as zeros', async () => {
    const disk = diskWith({ a: 'ab' });
    const file = await disk.fs.open('a', FileAccess.ReadWrite);
    await file.write(bytes('cd'), 2);
    await file.write(bytes('ef'), 4);
    const point = disk.crashPoint();
    expect(point.lengths).toEqual([{ path: 'a', lengths: [2, 4, 6] }]);
    const image = (sectors: number[], length: number) => text(disk.crashImage({ sectors, lengths: [length], changes: [] }).readFile('a'));

    expect([image([1, 1], 0), image([1, 1], 1), image([1, 1], 2)]).toEqual(['ab', 'abcd', 'abcdef']);
    expect([image([0, 1], 2), image([0, 0], 2)]).toEqual(['ab\0\0ef', 'ab\0\0\0\0']);
  });

  test('datasync makes bytes and length certain, and nothing is certain without it', async () => {
    const { disk, file } = await overwritten();
    expect(text(afterNothing(disk).readFile('a'))).toBe(old);
    await file.write(bytes('tail'), 2048);
    await file.datasync();
    const synced = text(disk.readFile('a'));
    expect(disk.isSynced).toBe(true);
    await file.write(bytes('later'), 0);
    await file.datasync();
    await file.write(bytes('x'.repeat(3000)), 2000);

    const random = new Prng(7, 'images');
    for (let i = 0; i < 200; i++) {
      const image = disk.crashImage(random);
      expect(text(image.readFile('a').subarray(0, 2000))).toBe(`later${synced.slice(5, 2000)}`);
      expect(image.isSynced).toBe(true);
    }
  });

  test('a sync covers its own file alone, by whichever name and handle', async () => {
    const disk = diskWith({ a: '-', b: '-' });
    await disk.fs.link('a', 'c');
    const a = await disk.fs.open('a', FileAccess.ReadWrite);
    const b = await disk.fs.open('b', FileAccess.ReadWrite);
    const c = await disk.fs.open('c', FileAccess.Read);
    await Promise.all([a.write(bytes('x'), 0), b.write(bytes('x'), 0)]);
    await c.datasync();

    expect(picture(afterNothing(disk))).toEqual({ a: 'x', b: '-' });
  });

  test('closing makes nothing durable', async () => {
    const { disk, file } = await overwritten();
    await file.close();

    expect(text(afterNothing(disk).readFile('a'))).toBe(old);
  });

  test('a file without a name on the platter is no uncertainty', async () => {
    const disk = new SimDisk();
    const file = await disk.fs.create('a');
    await disk.fs.unlink('a');
    await disk.fs.syncDirectory('/');
    await file.write(bytes('x'), 0);

    expect(disk.isSynced).toBe(true);
  });

  test('what is un-synced is told in the order in which it was done, whatever file or directory it is of', async () => {
    const disk = diskWith({ a: old, 'd/b': old });
    const b = await disk.fs.open('d/b', FileAccess.ReadWrite);
    const a = await disk.fs.open('a', FileAccess.ReadWrite);
    await b.write(bytes('1'), 0);
    await a.write(bytes('2'), 1);
    await b.write(bytes('3'), 2);
    await disk.fs.link('a', 'd/c');
    await disk.fs.unlink('a');
    await disk.fs.link('d/c', 'd/e');
    const { sectors, changes } = disk.crashPoint();

    expect(sectors.map(({ position }) => position)).toEqual([0, 1, 2]);
    expect(changes.map(({ gone, come }) => gone + come)).toEqual(['d/c', 'a', 'd/e']);
    const image = disk.crashImage({ sectors: [1, 1, 0], lengths: [], changes: [0, 0, 1] });
    expect(image.files()).toEqual(['a', 'd/b', 'd/e']);
    expect(['d/b', 'd/e'].map((path) => text(image.readFile(path).subarray(0, 3)))).toEqual(['1oo', 'o2o']);
  });

  test('a choice for another moment is refused', async () => {
    const { disk, file, point } = await overwritten();
    const choice = everything(point);
    await file.datasync();

    expect(() => disk.crashImage(choice)).toThrow(RangeError);
  });
});

describe('power loss: names', () => {
  test('a new file vanishes with its synced bytes until its directory is synced', async () => {
    const disk = new SimDisk();
    const file = await disk.fs.create('a');
    await file.write(bytes('x'), 0);
    await file.datasync();
    expect(picture(afterNothing(disk))).toEqual({});
    expect(withChanges(disk, [1])).toEqual({ a: 'x' });
    await disk.fs.syncDirectory('/');
    expect(picture(afterNothing(disk))).toEqual({ a: 'x' });
  });

  test('a synced name says nothing about the bytes', async () => {
    const disk = new SimDisk();
    await (await disk.fs.create('a')).write(bytes('x'), 0);
    await disk.fs.syncDirectory('/');

    expect(picture(afterNothing(disk))).toEqual({ a: '' });
  });

  test('a new directory needs a sync of its parent, and what is in it one of its own', async () => {
    const disk = new SimDisk();
    await disk.fs.mkdir('/d');
    await (await disk.fs.create('/d/a')).close();
    await disk.fs.syncDirectory('/d');
    await expect(afterNothing(disk).fs.readdir('/')).resolves.toEqual([]);
    await disk.fs.syncDirectory('/');
    expect(picture(afterNothing(disk))).toEqual({ 'd/a': '' });
    await disk.fs.create('/d/b');
    await disk.fs.syncDirectory('/');
    expect(picture(afterNothing(disk))).toEqual({ 'd/a': '' });
  });

  test('a rename is done or not, in one step', async () => {
    const disk = diskWith({ a: 'new', b: 'old' });
    await disk.fs.rename('a', 'b');

    expect([withChanges(disk, [0]), withChanges(disk, [1])]).toEqual([{ a: 'new', b: 'old' }, { b: 'new' }]);
    await disk.fs.syncDirectory('/');
    expect(picture(afterNothing(disk))).toEqual({ b: 'new' });
  });

  test('link and unlink happen in any subset: both names, either one, or none', async () => {
    const disk = diskWith({ a: 'x' });
    await disk.fs.link('a', 'b');
    await disk.fs.unlink('a');

    expect([[0, 0], [1, 0], [0, 1], [1, 1]].map((changes) => withChanges(disk, changes))).toEqual([{ a: 'x' }, { a: 'x', b: 'x' }, {}, { b: 'x' }]);
  });

  test('those that happened, happened in order', async () => {
    const disk = new SimDisk();
    await (await disk.fs.create('a')).write(bytes('1'), 0);
    await disk.fs.unlink('a');
    await (await disk.fs.create('a')).write(bytes('2'), 0);

    expect([[1, 1, 1], [1, 0, 1], [1, 1, 0], [1, 0, 0], [0, 1, 1]].map((changes) => withChanges(disk, changes))).toEqual([{ a: '2' }, { a: '2' }, {}, { a: '1' }, { a: '2' }]);
  });

  test('hard links stay links in the image', async () => {
    const disk = diskWith({ a: 'x' });
    await disk.fs.link('a', 'b');
    const image = disk.crashImage(everything(disk.crashPoint()));
    await (await image.fs.open('a', FileAccess.ReadWrite)).write(bytes('y'), 0);

    expect(picture(image)).toEqual({ a: 'y', b: 'y' });
    expect(picture(disk)).toEqual({ a: 'x', b: 'x' });
    expect(image.hash()).not.toBe(diskWith({ a: 'y', b: 'y' }).hash());
  });
});

describe('fsyncgate', () => {
  test('what a failed sync lost is read, is not durable, and no later sync makes it so', async () => {
    const disk = diskWith({ a: 'old' });
    const file = await disk.fs.open('a', FileAccess.ReadWrite);
    await file.write(bytes('newer'), 0);
    if (!(file instanceof SimFile)) throw new Error('not a file of a SimDisk');
    file.loseUnsynced();
    await file.datasync();

    expect(picture(disk)).toEqual({ a: 'newer' });
    expect(picture(disk.crashImage(everything(disk.crashPoint())))).toEqual({ a: 'old' });
    disk.kill();
    expect(picture(disk)).toEqual({ a: 'newer' });
    const again = await disk.fs.open('a', FileAccess.ReadWrite);
    await again.write(bytes('X'), 1);
    await again.datasync();
    expect(picture(afterNothing(disk))).toEqual({ a: 'oXd' });
    expect(picture(disk.fork())).toEqual({ a: 'nXwer' });
    disk.evict('a');
    expect(picture(disk)).toEqual({ a: 'oXd' });
  });

  test('eviction keeps what is still on its way', async () => {
    const disk = diskWith({ a: 'old' });
    await (await disk.fs.open('a', FileAccess.ReadWrite)).write(bytes('N'), 0);
    disk.evict('a');

    expect(picture(disk)).toEqual({ a: 'Nld' });
  });

  test('names that a failed sync lost are seen, and gone after a power loss', async () => {
    const disk = diskWith({ a: 'x' });
    await disk.fs.link('a', 'b');
    disk.fs.loseUnsynced('/');
    await disk.fs.syncDirectory('/');

    expect(picture(disk)).toEqual({ a: 'x', b: 'x' });
    expect(picture(disk.crashImage(everything(disk.crashPoint())))).toEqual({ a: 'x' });
  });
});

describe('processes and time', () => {
  test('a killed process does nothing any more; what it saw stays, un-synced', async () => {
    const disk = new SimDisk();
    const { fs } = disk;
    const file = await fs.create('a');
    await file.write(bytes('x'), 0);
    const onItsWay = file.datasync();
    disk.kill();

    expect(await isOpen(onItsWay)).toBe(true);
    expect(await isOpen(file.write(bytes('y'), 1))).toBe(true);
    expect(await isOpen(fs.create('b'))).toBe(true);
    expect(() => file.readSync(new Uint8Array(1), 0)).toThrow('EBADF');
    expect(picture(disk)).toEqual({ a: 'x' });
    expect(picture(afterNothing(disk))).toEqual({});
    expect(await (await disk.fs.open('a', FileAccess.Read)).size()).toBe(1);
  });

  test('a disk stops before a given operation', async () => {
    const disk = new SimDisk({ stopBefore: 2 });
    const file = await disk.fs.create('a');
    await file.write(bytes('x'), 0);

    expect(await isOpen(file.write(bytes('y'), 1))).toBe(true);
    expect(picture(disk)).toEqual({ a: 'x' });
    expect(disk.opCount).toBe(2);
  });

  test('operations are counted and told in the order of the calls', async () => {
    const disk = new SimDisk();
    const { fs } = disk;
    await fs.mkdir('d');
    const file = await fs.create('d/a');
    await Promise.all([file.write(bytes('abc'), 5), file.datasync(), file.size()]);
    file.readSync(new Uint8Array(2), 1);
    await fs.link('d/a', 'd/b');
    await fs.create('d/a').catch(() => {});

    expect(disk.ops.map(describeOp)).toEqual(['mkdir d', 'create d/a', 'write d/a@5+3', 'datasync d/a', 'size d/a', 'readSync d/a@1+2', 'link d/a to d/b', 'create d/a']);
    expect(disk.ops.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('the schedule completes operations when and in the order it likes', async () => {
    const waiting: { latency: LatencyKind; run: () => void; op: FileOp }[] = [];
    const disk = new SimDisk({ schedule: (latency, run, op) => void waiting.push({ latency, run, op }), keepOps: false });
    disk.writeFile('a', bytes('old'));
    const opening = disk.fs.open('a', FileAccess.ReadWrite);
    expect(await isOpen(opening)).toBe(true);
    waiting.pop()!.run();
    const file = await opening;

    const target = new Uint8Array(3);
    const reading = file.read(target, 0);
    const first = file.write(bytes('new'), 0);
    const sync = file.datasync();
    const second = file.write(bytes('N'), 0);
    const failing = file.write(bytes('N'), -1);
    expect(waiting.map(({ latency }) => latency)).toEqual([LatencyKind.Read, LatencyKind.Write, LatencyKind.Sync, LatencyKind.Write, LatencyKind.Write]);
    // Writes are seen from their start on; a sync has no effect before it completes, and none on what was written after its start.
    expect(text(disk.readFile('a'))).toBe('New');
    expect(picture(afterNothing(disk))).toEqual({ a: 'old' });
    waiting[2]!.run();
    await sync;
    expect(picture(afterNothing(disk))).toEqual({ a: 'new' });
    expect(await isOpen(first)).toBe(true);
    waiting[0]!.run();
    expect(await reading).toBe(3);
    expect(text(target)).toBe('New');
    waiting[3]!.run();
    expect(await second).toBe(1);
    expect(await isOpen(first)).toBe(true);
    waiting[4]!.run();
    await expect(failing).rejects.toMatchObject({ code: 'EINVAL' });
    expect(disk.ops).toEqual([]);
    expect(disk.opCount).toBe(6);
  });

  test('a directory sync does not cover what was changed after its start', async () => {
    const waiting: (() => void)[] = [];
    const disk = new SimDisk({ schedule: (_latency, run) => void waiting.push(run) });
    const all = [disk.fs.create('a'), disk.fs.syncDirectory('/'), disk.fs.create('b')];
    waiting.forEach((run) => run());
    await Promise.all(all);

    expect(picture(afterNothing(disk))).toEqual({ a: '' });
  });

  test('a fork goes its own way, with what is un-synced', async () => {
    const disk = new SimDisk();
    const file = await disk.fs.create('a');
    await file.write(bytes('x'), 0);
    const fork = disk.fork();
    await file.datasync();
    await disk.fs.syncDirectory('/');
    await (await fork.fs.open('a', FileAccess.ReadWrite)).write(bytes('y'), 1);
    await fork.fs.unlink('a');

    expect(picture(disk)).toEqual({ a: 'x' });
    expect(picture(fork)).toEqual({});
    expect([[0, 0], [1, 0], [0, 1], [1, 1]].map((changes) => withChanges(fork, changes))).toEqual([{}, { a: 'xy' }, {}, {}]);
  });

  test('equal disks have equal hashes; names, bytes, lengths and directories count', async () => {
    const disks = [diskWith({}), diskWith({ a: '' }), diskWith({ b: '' }), diskWith({ a: '1' }), diskWith({ a: '2' }), diskWith({ a: '1', b: '' }), diskWith({ 'd/a': '1' })];
    const withDirectory = new SimDisk();
    await withDirectory.fs.mkdir('a');

    expect(new Set([...disks, withDirectory].map((disk) => disk.hash())).size).toBe(8);
    expect(diskWith({ a: '1', b: '2' }).hash()).toBe(diskWith({ b: '2', a: '1' }).hash());
  });
});
