import { describe, expect, test } from '@jest/globals';
import { FileAccess, type File, type FileSystem } from '../../../src/node/shared/fileSystem.js';
import { readFully, writeFully } from '../../../src/node/shared/fileIo.js';
import { everything } from './crashChoices.js';
import { recordRun } from './crashImages.js';
import { describeFault, diskErrorCodes, faultAt, faultsOf, FaultyFileSystem, type Fault } from './faultyFileSystem.js';
import { describeOp, FileOpKind } from './fileOp.js';
import { SimDisk } from './simDisk.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** Every kind of operation once. */
async function everyKind(fs: FileSystem): Promise<void> {
  await fs.mkdir('d');
  const file = await fs.create('d/a');
  await writeFully(file, Buffer.from('hello'), 0);
  await file.datasync();
  await fs.syncDirectory('d');
  await file.size();
  await readFully(file, new Uint8Array(5), 0);
  let done = 0;
  while (done < 5) done += file.readSync(new Uint8Array(5 - done), done);
  await file.close();
  await fs.link('d/a', 'd/b');
  await fs.rename('d/b', 'd/c');
  await fs.readdir('d');
  const again = await fs.open('d/c', FileAccess.ReadWrite);
  await again.close();
  await fs.unlink('d/c');
}

describe('FaultyFileSystem', () => {
  test('counts as the disk does, and changes nothing without a fault', async () => {
    const disk = new SimDisk();
    const faulty = new FaultyFileSystem(disk.fs, () => null);
    await everyKind(faulty);

    expect(faulty.ops).toEqual(disk.ops);
    expect(new Set(faulty.ops.map(({ kind }) => kind))).toEqual(new Set(Object.values(FileOpKind)));
    expect(disk.hash()).toBe((await recordRun(everyKind)).disk.hash());
    expect(faulty.failed).toBeUndefined();
    expect(faulty.opsAfterError()).toBe(0);
  });

  test('every error at every operation reaches the caller, once, with its code', async () => {
    const { ops } = await recordRun(everyKind);
    let tried = 0;
    for (const op of ops) {
      for (const fault of faultsOf(op)) {
        tried++;
        const faulty = new FaultyFileSystem(new SimDisk().fs, faultAt(op.index, fault));
        const outcome = await everyKind(faulty).then(() => 'done', (error: { code: string }) => error.code);
        const expected = fault.kind === 'short' ? 'done' : fault.code;
        if (outcome !== expected) throw new Error(`${describeFault(fault)} at ${describeOp(op)}: ${outcome}`);
        expect(faulty.faults).toEqual([{ op, fault }]);
        expect(faulty.opsAfterError()).toBe(0);
      }
    }
    expect(tried).toBeGreaterThan(ops.length * diskErrorCodes.length);
  });

  async function opened(fault: Fault, index: number): Promise<{ disk: SimDisk; faulty: FaultyFileSystem; file: File }> {
    const disk = new SimDisk();
    disk.writeFile('a', Buffer.from('old'));
    const faulty = new FaultyFileSystem(disk.fs, faultAt(index, fault));
    return { disk, faulty, file: await faulty.open('a', FileAccess.ReadWrite) };
  }

  const read = async (file: File): Promise<string> => {
    const target = new Uint8Array(10);
    return text(target.subarray(0, await file.read(target, 0)));
  };

  test.each<{ fault: Fault; count: number; found: string }>([
    { fault: { kind: 'short', bytes: 'one' }, count: 1, found: 'nld' },
    { fault: { kind: 'short', bytes: 'allButOne' }, count: 4, found: 'newe' },
  ])('short writes: $count of 5 bytes', async ({ fault, count, found }) => {
    const { disk, faulty, file } = await opened(fault, 1);

    expect(await file.write(Buffer.from('newer'), 0)).toBe(count);
    expect(text(disk.readFile('a'))).toBe(found);
    expect(faulty.failed).toBeUndefined();
    expect(await file.write(Buffer.from('newer'), 0)).toBe(5);
  });

  test('short reads, in both ways', async () => {
    const { file } = await opened({ kind: 'short', bytes: 'one' }, 1);
    expect(await read(file)).toBe('o');
    expect(await read(file)).toBe('old');
    const sync = await opened({ kind: 'short', bytes: 'allButOne' }, 1);
    expect(sync.file.readSync(new Uint8Array(3), 0)).toBe(2);
  });

  test('an error before an operation leaves nothing, one after it all', async () => {
    const before = await opened({ kind: 'error', code: 'ENOSPC' }, 1);
    await expect(before.file.write(Buffer.from('new'), 0)).rejects.toMatchObject({ code: 'ENOSPC', path: 'a' });
    expect(text(before.disk.readFile('a'))).toBe('old');
    const after = await opened({ kind: 'errorAfter', code: 'EIO' }, 1);
    await expect(after.file.write(Buffer.from('new'), 0)).rejects.toMatchObject({ code: 'EIO' });
    expect(text(after.disk.readFile('a'))).toBe('new');
  });

  test('fsyncgate: lost on the platter, there for readers, and no later sync brings it back', async () => {
    const { disk, faulty, file } = await opened({ kind: 'fsyncgate', code: 'EIO' }, 2);
    await file.write(Buffer.from('newer'), 0);
    await expect(file.datasync()).rejects.toMatchObject({ code: 'EIO' });
    expect(faulty.syncsAfterFailedSync).toBe(0);
    await file.datasync();

    expect(faulty.syncsAfterFailedSync).toBe(1);
    expect(await read(file)).toBe('newer');
    expect(text(disk.crashImage(everything(disk.crashPoint())).readFile('a'))).toBe('old');
  });

  test('a plain failure of a sync loses nothing: what was un-synced stays so', async () => {
    const { disk, file } = await opened({ kind: 'error', code: 'EIO' }, 2);
    await file.write(Buffer.from('newer'), 0);
    await expect(file.datasync()).rejects.toMatchObject({ code: 'EIO' });
    expect(disk.isSynced).toBe(false);
    await file.datasync();
    expect(disk.isSynced).toBe(true);
  });

  test('fsyncgate of a directory', async () => {
    const disk = new SimDisk();
    const faulty = new FaultyFileSystem(disk.fs, faultAt(1, { kind: 'fsyncgate', code: 'EIO' }));
    await faulty.create('a');
    await expect(faulty.syncDirectory('/')).rejects.toMatchObject({ code: 'EIO' });
    await faulty.syncDirectory('/');

    expect(disk.files()).toEqual(['a']);
    expect(disk.crashImage(everything(disk.crashPoint())).files()).toEqual([]);
  });

  test('what is done after an error is counted, by kind; syncs of other files are not held against a file', async () => {
    const { disk, faulty, file } = await opened({ kind: 'error', code: 'EIO' }, 1);
    disk.writeFile('b', new Uint8Array(0));
    await file.datasync().catch(() => {});
    await file.write(Buffer.from('x'), 0);
    const other = await faulty.open('b', FileAccess.ReadWrite);
    await other.datasync();

    expect(faulty.failed?.kind).toBe(FileOpKind.Datasync);
    expect(faulty.opsAfterError()).toBe(3);
    expect(faulty.opsAfterError(FileOpKind.Write, FileOpKind.Datasync)).toBe(2);
    expect(faulty.syncsAfterFailedSync).toBe(0);
  });

  test('a failure of the disk itself counts as a failed sync', async () => {
    const { faulty, file } = await opened({ kind: 'error', code: 'EIO' }, 99);
    await file.close();
    await file.datasync().catch(() => {});
    await file.datasync().catch(() => {});

    expect(faulty.syncsAfterFailedSync).toBe(1);
  });
});
