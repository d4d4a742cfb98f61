import { spawnSync } from 'node:child_process';
import fs, { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, describe, expect, jest, test } from '@jest/globals';

import { readFully, writeFully } from '../../../src/node/shared/fileIo.js';
import { FileAccess, type File } from '../../../src/node/shared/fileSystem.js';
import { nodeFileSystem as disk } from '../../../src/node/shared/nodeFileSystem.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';

const newDirectory = temporaryDirectories();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array): string => new TextDecoder().decode(content);
/** The error of the system that an operation is to fail with. */
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

/** For what only Linux has a file or a list of. */
const linuxTest = process.platform === 'linux' ? test : test.skip;

/** A new file with some content, open for reading and writing. */
async function fileWith(content: string): Promise<File> {
  const path = join(newDirectory(), 'file');
  writeFileSync(path, content);
  return disk.open(path, FileAccess.ReadWrite);
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('names in directories', () => {
  test('create makes an empty file that can be written and read, and only once', async () => {
    const path = join(newDirectory(), 'file');

    const file = await disk.create(path);
    expect(file.path).toBe(path);
    expect(await file.size()).toBe(0);
    await writeFully(file, bytes('abc'), 0);
    const read = new Uint8Array(3);
    expect(await readFully(file, read, 0)).toBe(3);
    await file.close();

    expect(text(read)).toBe('abc');
    await expect(disk.create(path)).rejects.toEqual(code('EEXIST'));
    expect(readFileSync(path, 'utf8')).toBe('abc');
    expect(await disk.readdir(join(path, '..'))).toEqual(['file']);
  });

  test('create does not follow a symbolic link that leads to nothing', async () => {
    const dir = newDirectory();
    symlinkSync(join(dir, 'elsewhere'), join(dir, 'link'));

    await expect(disk.create(join(dir, 'link'))).rejects.toEqual(code('EEXIST'));
    expect(existsSync(join(dir, 'elsewhere'))).toBe(false);
  });

  test.each([FileAccess.Read, FileAccess.ReadWrite])('open for %s does not make files', async (access) => {
    const path = join(newDirectory(), 'file');

    await expect(disk.open(path, access)).rejects.toEqual(code('ENOENT'));
    expect(existsSync(path)).toBe(false);
  });

  test('open keeps the content; a file open for reading cannot be written', async () => {
    const written = await fileWith('abc');
    expect(await written.size()).toBe(3);
    const read = await disk.open(written.path, FileAccess.Read);

    await expect(read.write(bytes('x'), 0)).rejects.toEqual(code('EBADF'));
    await read.close();
    await written.close();

    expect(readFileSync(written.path, 'utf8')).toBe('abc');
  });

  test('mkdir and readdir', async () => {
    const dir = join(newDirectory(), 'new');

    await expect(disk.readdir(dir)).rejects.toEqual(code('ENOENT'));
    await disk.mkdir(dir);
    expect(await disk.readdir(dir)).toEqual([]);
    await expect(disk.mkdir(dir)).rejects.toEqual(code('EEXIST'));
    await expect(disk.mkdir(join(dir, 'a/b'))).rejects.toEqual(code('ENOENT'));

    for (const name of ['b', 'a', 'c']) await (await disk.create(join(dir, name))).close();
    expect((await disk.readdir(dir)).sort()).toEqual(['a', 'b', 'c']);
    await expect(disk.readdir(join(dir, 'a'))).rejects.toEqual(code('ENOTDIR'));
  });

  test('what it makes is for its owner alone', async () => {
    const dir = join(newDirectory(), 'new');
    await disk.mkdir(dir);
    await (await disk.create(join(dir, 'file'))).close();

    expect(statSync(dir).mode & 0o077).toBe(0);
    expect(statSync(join(dir, 'file')).mode & 0o077).toBe(0);
  });

  test('rename replaces what has the name', async () => {
    const dir = newDirectory();
    const [from, to] = [join(dir, 'from'), join(dir, 'to')];
    writeFileSync(from, 'new');
    writeFileSync(to, 'old');

    await disk.rename(from, to);

    expect(readFileSync(to, 'utf8')).toBe('new');
    expect(await disk.readdir(dir)).toEqual(['to']);
    await expect(disk.rename(from, to)).rejects.toEqual(code('ENOENT'));
  });

  test('link gives a second name to the same file, and never replaces', async () => {
    const dir = newDirectory();
    const [from, to] = [join(dir, 'from'), join(dir, 'to')];
    writeFileSync(from, 'new');
    writeFileSync(to, 'old');

    await expect(disk.link(from, to)).rejects.toEqual(code('EEXIST'));
    expect(readFileSync(to, 'utf8')).toBe('old');

    await disk.link(from, join(dir, 'second'));
    expect(statSync(join(dir, 'second')).ino).toBe(statSync(from).ino);
    await expect(disk.link(join(dir, 'none'), join(dir, 'third'))).rejects.toEqual(code('ENOENT'));
  });

  test('unlink takes one name away; the file stays for who has it open', async () => {
    const file = await fileWith('abc');

    await disk.unlink(file.path);

    expect(existsSync(file.path)).toBe(false);
    expect(await file.read(new Uint8Array(3), 0)).toBe(3);
    await expect(disk.unlink(file.path)).rejects.toEqual(code('ENOENT'));
    await file.close();
  });
});

describe('content', () => {
  test('reads stop at the end of the file, and find nothing behind it', async () => {
    const file = await fileWith('abcdef');
    const target = new Uint8Array(4).fill(0x2e);

    expect(await file.read(target, 4)).toBe(2);
    expect(text(target)).toBe('ef..');
    expect(file.readSync(target, 3)).toBe(3);
    expect(text(target)).toBe('def.');
    for (const position of [6, 7, 1_000_000]) {
      expect(await file.read(target, position)).toBe(0);
      expect(file.readSync(target, position)).toBe(0);
    }
    expect(await file.read(new Uint8Array(0), 0)).toBe(0);
    expect(text(target)).toBe('def.');
    await file.close();
  });

  test('W4: writes go where they are told, whatever was written before; a gap reads as zeros', async () => {
    const file = await fileWith('abcdef');

    await writeFully(file, bytes('XY'), 1);
    await writeFully(file, bytes('end'), 9);
    await writeFully(file, bytes('!'), 0);

    expect(await file.size()).toBe(12);
    await file.close();
    expect(readFileSync(file.path, 'utf8')).toBe('!XYdef\0\0\0end');
  });

  test('reads and writes touch only the part of the memory they were given', async () => {
    const file = await fileWith('abcdef');
    const memory = bytes('..........');

    await file.read(memory.subarray(2, 5), 1);
    file.readSync(memory.subarray(7, 9), 4);
    await writeFully(file, memory.subarray(1, 4), 6);
    await file.close();

    expect(text(memory)).toBe('..bcd..ef.');
    expect(readFileSync(file.path, 'utf8')).toBe('abcdef.bc');
  });

  test('beyond 4 GiB', async () => {
    const file = await fileWith('');
    const far = 2 ** 32 + 5;
    const target = new Uint8Array(3);

    await writeFully(file, bytes('far'), far);

    expect(await file.size()).toBe(far + 3);
    expect(await file.read(target, far)).toBe(3);
    expect(text(target)).toBe('far');
    expect(await file.read(target, 5)).toBe(3);
    expect(text(target)).toBe('\0\0\0');
    await file.close();
  });

  test('readSync sees its region while another one is being written', async () => {
    const file = await fileWith('left');
    const big = new Uint8Array(16 << 20).fill(7);
    const target = new Uint8Array(4);

    const writing = writeFully(file, big, 4096);
    for (let i = 0; i < 100; i++) {
      target.fill(0);
      expect(file.readSync(target, 0)).toBe(4);
      expect(text(target)).toBe('left');
    }
    await writing;
    await file.datasync();

    expect(await file.size()).toBe(4096 + big.length);
    expect(file.readSync(target, 4096 + big.length - 4)).toBe(4);
    expect([...target]).toEqual([7, 7, 7, 7]);
    await file.close();
  });

  test.each([-1, 0.5, NaN, 2 ** 53])('position %p is refused: node:fs would take it for "where the last one ended"', async (position) => {
    const file = await fileWith('abc');

    await expect(file.write(bytes('x'), position)).rejects.toThrow(RangeError);
    await expect(file.read(new Uint8Array(1), position)).rejects.toThrow(RangeError);
    expect(() => file.readSync(new Uint8Array(1), position)).toThrow(RangeError);
    await file.close();

    expect(readFileSync(file.path, 'utf8')).toBe('abc');
  });
});

describe('what fails', () => {
  test('B95: a write that the system cuts short tells how much it was; the rest of it fails', () => {
    const program = fileURLToPath(new URL('./programs/writeBeyondLimit.js', import.meta.url));
    const path = join(newDirectory(), 'file');

    // The limit on the length of files, a block of 512 or 1024 bytes, makes a real short write.
    const run = spawnSync('sh', ['-c', `trap '' XFSZ; ulimit -f 1; exec "$0" "$@"`, process.execPath, program, path], { encoding: 'utf8' });

    expect(run.stderr).toBe('');
    const length = statSync(path).size;
    expect([512, 1024]).toContain(length);
    expect(JSON.parse(run.stdout)).toEqual({ first: length - 100, error: 'EFBIG', size: length });
  });

  test('B95: a write of nothing is an error and does not go on for ever', async () => {
    const file = await fileWith('');
    // No file of this machine can be made to do this.
    jest.spyOn(fs, 'write').mockImplementation(((...args: unknown[]) => {
      setImmediate(args.at(-1) as (error: null, written: number) => void, null, 0);
    }) as unknown as typeof fs.write);

    await expect(writeFully(file, bytes('abc'), 0)).rejects.toEqual(code('EIO'));
    await expect(file.write(new Uint8Array(0), 0)).rejects.toThrow(RangeError);
    await file.close();
  });

  linuxTest('a full disk', async () => {
    const file = await disk.open('/dev/full', FileAccess.ReadWrite);

    await expect(file.write(bytes('abc'), 0)).rejects.toEqual(code('ENOSPC'));
    await file.close();
  });

  linuxTest('a sync that fails is told, once, and not tried again', async () => {
    const file = await disk.open('/dev/full', FileAccess.ReadWrite);
    const sync = jest.spyOn(fs, 'fdatasync');

    await expect(file.datasync()).rejects.toEqual(code('EINVAL'));

    expect(sync).toHaveBeenCalledTimes(1);
    await file.close();
  });

  linuxTest('B91: syncDirectory syncs the directory itself and closes it', async () => {
    const dir = newDirectory();
    const sync = jest.spyOn(fs, 'fsync');
    const before = openDescriptors();

    await disk.syncDirectory(dir);

    expect(sync).toHaveBeenCalledTimes(1);
    expect(openDescriptors()).toEqual(before);
    await expect(disk.syncDirectory(join(dir, 'none'))).rejects.toEqual(code('ENOENT'));
  });

  linuxTest('a directory that cannot be synced is closed all the same', async () => {
    const before = openDescriptors();

    await expect(disk.syncDirectory('/proc/self')).rejects.toEqual(code('EINVAL'));

    expect(openDescriptors()).toEqual(before);
  });
});

describe('writing through', () => {
  test.each([
    ['in one step, if the file was made for it', true, false],
    ['in two steps, if it was not', false, false],
    ['in one step on the calling thread', true, true],
    ['in two steps on the calling thread', false, true],
  ])('puts all of it where it is told, %s', async (_, writesThrough, blocking) => {
    const file = await disk.create(join(newDirectory(), 'file'), writesThrough);
    const sync = jest.spyOn(fs, blocking ? 'fdatasyncSync' : 'fdatasync');
    const elsewhere = jest.spyOn(fs, 'write');
    const large = new Uint8Array(3 << 20).map((_value, i) => i % 251);

    await file.writeThrough(bytes('abc'), 5, blocking);
    await file.writeThrough(large, 8, blocking);

    expect(elsewhere.mock.calls.length === 0).toBe(blocking);
    const oneStep = writesThrough && process.platform === 'linux';
    expect(sync).toHaveBeenCalledTimes(oneStep ? 0 : 2);
    const read = new Uint8Array(3 + large.length);
    expect(file.readSync(read, 5)).toBe(read.length);
    await file.close();
    expect(text(read.subarray(0, 3))).toBe('abc');
    expect(Buffer.compare(read.subarray(3), large)).toBe(0);
  });

  test('B95: goes on where the system cut it short, and ends where it writes nothing', async () => {
    const file = await disk.create(join(newDirectory(), 'file'), true);
    const { write } = fs;
    let calls = 0;
    const cutShort = jest.spyOn(fs, 'write').mockImplementation(((fd: number, source: Uint8Array, start: number, _length: number, position: number, done: () => void) => {
      write(fd, source, start, 1 + (calls++ % 2), position, done);
    }) as unknown as typeof fs.write);
    await file.writeThrough(bytes('abcdefg'), 0);
    expect(readFileSync(file.path, 'utf8')).toBe('abcdefg');
    expect(calls).toBe(5);

    cutShort.mockImplementation(((...args: unknown[]) => {
      setImmediate(args.at(-1) as (error: null, written: number) => void, null, 0);
    }) as unknown as typeof fs.write);
    await expect(file.writeThrough(bytes('abc'), 0)).rejects.toEqual(code('EIO'));
    await expect(file.writeThrough(bytes('abc'), -1)).rejects.toThrow(RangeError);
    await file.close();
  });

  test('B95: the same on the calling thread', async () => {
    const file = await disk.create(join(newDirectory(), 'file'), true);
    const { writeSync } = fs;
    let calls = 0;
    const cutShort = jest.spyOn(fs, 'writeSync').mockImplementation(((fd: number, source: Uint8Array, start: number, _length: number, position: number) =>
      writeSync(fd, source, start, 1 + (calls++ % 2), position)) as typeof fs.writeSync);
    await file.writeThrough(bytes('abcdefg'), 0, true);
    expect(readFileSync(file.path, 'utf8')).toBe('abcdefg');
    expect(calls).toBe(5);

    cutShort.mockReturnValue(0);
    await expect(file.writeThrough(bytes('abc'), 0, true)).rejects.toEqual(code('EIO'));
    await expect(file.writeThrough(bytes('abc'), -1, true)).rejects.toThrow(RangeError);
    cutShort.mockRestore();
    await file.close();
  });

  linuxTest('the kernel is asked to sync each write, and everything is closed', async () => {
    const dir = newDirectory();
    const before = openDescriptors();
    const file = await disk.create(join(dir, 'file'), true);
    const flags = openDescriptors()
      .filter((fd) => !before.includes(fd))
      .map((fd) => Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!, 8) & fs.constants.O_DSYNC);

    expect(flags.sort((a, b) => a - b)).toEqual([0, fs.constants.O_DSYNC]);
    await file.close();
    expect(openDescriptors()).toEqual(before);
  });

  linuxTest('if the second descriptor cannot be had, the first is closed', async () => {
    const dir = newDirectory();
    const before = openDescriptors();
    const { open } = fs;
    let calls = 0;
    jest.spyOn(fs, 'open').mockImplementation(((...args: Parameters<typeof open>) => {
      if (++calls === 1) open(...args);
      else setImmediate(args.at(-1) as unknown as (error: unknown) => void, Object.assign(new Error('too many'), { code: 'EMFILE' }));
    }) as typeof fs.open);

    await expect(disk.create(join(dir, 'file'), true)).rejects.toEqual(code('EMFILE'));
    expect(openDescriptors()).toEqual(before);
  });
});

describe('close', () => {
  test('once; afterwards nothing reaches the descriptor, which is another file by then', async () => {
    const file = await fileWith('abc');
    await file.close();
    const other = await fileWith('other');

    await expect(file.close()).rejects.toThrow('is closed');
    await expect(file.write(bytes('x'), 0)).rejects.toThrow('is closed');
    await expect(file.read(new Uint8Array(1), 0)).rejects.toThrow('is closed');
    await expect(file.size()).rejects.toThrow('is closed');
    await expect(file.datasync()).rejects.toThrow('is closed');
    await expect(file.writeThrough(bytes('x'), 0)).rejects.toThrow('is closed');
    await expect(file.writeThrough(bytes('x'), 0, true)).rejects.toThrow('is closed');
    expect(() => file.readSync(new Uint8Array(1), 0)).toThrow('is closed');

    await other.close();
    expect(readFileSync(other.path, 'utf8')).toBe('other');
  });

  test('waits for what is under way, and lets nothing new in', async () => {
    const file = await fileWith('');
    const order: string[] = [];
    const writing = writeFully(file, new Uint8Array(8 << 20).fill(1), 0).then(() => order.push('written'));
    const syncing = file.datasync().then(() => order.push('synced'));

    const closing = file.close().then(() => order.push('closed'));
    await expect(file.write(bytes('late'), 0)).rejects.toThrow('is closed');
    await Promise.all([writing, syncing, closing]);

    expect(order.at(-1)).toBe('closed');
    expect(statSync(file.path).size).toBe(8 << 20);
  });

  test('an operation that node:fs refuses does not keep it from closing', async () => {
    const file = await fileWith('abc');

    await expect(file.read('no memory' as unknown as Uint8Array, 0)).rejects.toThrow('must be an instance');
    await file.close();
    expect(readFileSync(file.path, 'utf8')).toBe('abc');
  });
});

/** What this process has open, apart from the look itself. */
function openDescriptors(): string[] {
  return fs.readdirSync('/proc/self/fd').filter((fd) => existsSync(`/proc/self/fd/${fd}`));
}
