import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { abstractName, kernelClaim, type KernelClaim } from '../../../src/node/wal/kernelClaim.js';
import { lockWith, processLock } from '../../../src/node/wal/processLock.js';
import { claimDirectory, claimSocketFile } from '../../../src/node/wal/socketFileClaim.js';
import { isWalError, WalErrorCode } from '../../../src/node/wal/walError.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { lockKinds, lockOf, type LockKind } from './lockKinds.js';

const newDirectory = temporaryDirectories();
const linuxTest = process.platform === 'linux' ? test : test.skip;

/** The error of a claim that is refused; the message has to say by whom and what to do. */
const refused = (...words: string[]): unknown =>
  expect.objectContaining({ name: 'WalError', code: 'ERR_WAL_LOCKED', message: expect.stringMatching(words.join('.*')) });

/** The claim below a lock. */
function claimOf(kind: LockKind): KernelClaim {
  return kind === 'system' ? kernelClaim(process.platform) : claimSocketFile;
}

describe.each(lockKinds.map((kind) => ({ kind })))('the lock of one process ($kind)', ({ kind }) => {
  const lock = lockOf(kind);

  test('K: a directory is claimed once, until it is given back', async () => {
    const dir = newDirectory();

    const release = await lock.claim(dir);
    await expect(lock.claim(dir)).rejects.toEqual(refused(dir, 'this process', 'Close'));
    await release();

    await (await lock.claim(dir))();
  });

  test('other directories are free, one inside it too', async () => {
    const dir = newDirectory();
    mkdirSync(join(dir, 'inside'));

    const releases = [await lock.claim(dir), await lock.claim(join(dir, 'inside')), await lock.claim(newDirectory())];

    for (const release of releases) await release();
  });

  test.each([
    { path: 'a symbolic link', of: (dir: string) => join(dir, '..', 'link') },
    { path: 'a symbolic link to its parent', of: (dir: string) => join(dir, '..', 'parent', 'data') },
    { path: 'a way around', of: (dir: string) => `${dir}/../data/.` },
    { path: 'a relative path', of: () => 'data' },
  ])('K: $path leads to the same claim', async ({ of }) => {
    const base = newDirectory();
    const dir = join(base, 'data');
    mkdirSync(dir);
    symlinkSync(dir, join(base, 'link'));
    symlinkSync(base, join(base, 'parent'));
    const before = process.cwd();

    const release = await lock.claim(dir);
    process.chdir(base);
    try {
      await expect(lock.claim(of(dir))).rejects.toEqual(refused('this process'));
    } finally {
      process.chdir(before);
    }
    await release();
  });

  test('of many claims at once one gets it', async () => {
    const dir = newDirectory();

    const claims = await Promise.allSettled(Array.from({ length: 20 }, () => lock.claim(dir)));

    const got = claims.filter((claim) => claim.status === 'fulfilled');
    const not = claims.filter((claim) => claim.status === 'rejected');
    expect(got).toHaveLength(1);
    expect(not.filter(({ reason }) => isWalError(reason, WalErrorCode.Locked))).toHaveLength(19);
    for (const { value } of got) await value();
  });

  test('of six that know nothing of one another one has it at a time, however their steps mix', async () => {
    const dir = newDirectory();
    let inside = 0;
    let had = 0;
    const contend = async (): Promise<void> => {
      // A list of its own, so that the claim alone keeps them apart.
      const own = lockWith(claimOf(kind));
      for (let turn = 0; turn < 10; ) {
        const release = await own.claim(dir).catch((error: unknown) => {
          if (!isWalError(error, WalErrorCode.Locked)) throw error;
        });
        if (release === undefined) {
          await new Promise((resolve) => setImmediate(resolve));
          continue;
        }
        inside++;
        expect(inside).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        expect(inside).toBe(1);
        inside--;
        had++;
        turn++;
        await release();
      }
    };

    await Promise.all(Array.from({ length: 6 }, contend));

    expect(had).toBe(60);
  });

  test('it is free as soon as it has been given back, 200 times', async () => {
    const dir = newDirectory();

    for (let i = 0; i < 200; i++) await (await lock.claim(dir))();
  });

  test('to give it back again changes nothing, not even for the next owner', async () => {
    const dir = newDirectory();
    const release = await lock.claim(dir);
    await Promise.all([release(), release()]);

    const next = await lock.claim(dir);
    await release();

    await expect(lock.claim(dir)).rejects.toEqual(refused('this process'));
    await next();
  });

  test('a directory that is not there, or is a file', async () => {
    const dir = newDirectory();
    writeFileSync(join(dir, 'file'), '');

    await expect(lock.claim(join(dir, 'none'))).rejects.toEqual(expect.objectContaining({ code: 'ENOENT' }));
    await expect(lock.claim(join(dir, 'file'))).rejects.toEqual(expect.objectContaining({ code: 'ENOTDIR' }));
  });

  test('a new directory in the place of one that was removed is another one, though its inode were free', async () => {
    const dir = join(newDirectory(), 'data');
    mkdirSync(dir);

    const release = await lock.claim(dir);
    rmSync(dir, { recursive: true });
    mkdirSync(dir);
    const releaseNew = await lock.claim(dir);

    await release();
    await expect(lock.claim(dir)).rejects.toEqual(refused('this process'));
    await releaseNew();
  });

  linuxTest('nothing stays open: neither after release, nor after a refusal', async () => {
    const dir = newDirectory();
    const before = readdirSync('/proc/self/fd').length;

    for (let i = 0; i < 20; i++) {
      const release = await lock.claim(dir);
      await expect(lock.claim(dir)).rejects.toEqual(refused('this process'));
      await expect(lockWith(claimOf(kind)).claim(dir)).rejects.toEqual(refused('another process'));
      await release();
    }

    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('a claim that fails half way', () => {
  test.each([
    { when: 'the kernel refuses', claim: () => Promise.resolve(null), error: refused('another process', 'Stop') },
    { when: 'the system fails', claim: () => Promise.reject(new Error('out of sockets')), error: new Error('out of sockets') },
  ])('is forgotten when $when', async ({ claim, error }) => {
    const dir = newDirectory();
    let fails = true;
    const lock = lockWith((path, identity) => (fails ? claim() : kernelClaim(process.platform)(path, identity)));
    const before = readdirSync('/proc/self/fd').length;

    await expect(lock.claim(dir)).rejects.toEqual(error);
    expect(readdirSync('/proc/self/fd').length).toBe(before);

    fails = false;
    await (await lock.claim(dir))();
  });
});

describe('the abstract socket', () => {
  linuxTest('has one name for every version of Node: it fills the address, which Node 20 pads with zeros and later ones do not', async () => {
    const name = abstractName('66304-123456');
    expect(Buffer.byteLength(name)).toBe(108);
    expect(name).toMatch(/^\0raftstep-66304-123456-+$/);
    // The longest there can be still fits.
    expect(Buffer.byteLength(abstractName(`${2n ** 64n - 1n}-${2n ** 64n - 1n}`))).toBe(108);

    const release = await processLock.claim(newDirectory());
    const bound = readFileSync('/proc/net/unix', 'latin1').match(/@raftstep-\S+$/gm) ?? [];
    await release();

    expect(bound.length).toBeGreaterThan(0);
    // A zero would show as @.
    for (const shown of bound) expect(shown).toMatch(/^@raftstep-\d+-\d+-+$/);
    for (const shown of bound) expect(shown).toHaveLength(108);
  });

  test('a named pipe and a socket file stand for the other systems', () => {
    expect(kernelClaim('darwin')).toBe(claimSocketFile);
    expect(kernelClaim('freebsd')).toBe(claimSocketFile);
    expect(kernelClaim('win32')).not.toBe(claimSocketFile);
  });
});

describe('the socket file', () => {
  const lock = lockOf('socketFile');
  const names = (dir: string): string[] => readdirSync(join(dir, claimDirectory)).sort();

  test('one name at a time, one higher each time', async () => {
    const dir = newDirectory();

    for (let n = 1; n <= 12; n++) {
      const release = await lock.claim(dir);
      expect(names(dir)).toEqual([`${n}`]);
      await release();
    }
  });

  test('remains of processes that died at any step are no obstacle, and are removed', async () => {
    const dir = newDirectory();
    mkdirSync(join(dir, claimDirectory));
    // A plain file refuses connections just as a dead socket does.
    for (const name of ['7', '9', '10', 'new-0123456789ab']) writeFileSync(join(dir, claimDirectory, name), '');

    const release = await lock.claim(dir);

    expect(names(dir)).toEqual(['11']);
    await expect(lock.claim(dir)).rejects.toEqual(refused('this process'));
    await release();
  });

  test('a path that is too long for a socket', async () => {
    const dir = join(newDirectory(), 'long'.repeat(50));
    mkdirSync(dir);

    const release = await lock.claim(dir);
    expect(names(dir)).toEqual(['1']);
    await expect(lockWith(claimSocketFile).claim(dir)).rejects.toEqual(refused('another process'));
    await release();

    await (await lock.claim(dir))();
    expect(existsSync(join(dir, claimDirectory, '2'))).toBe(true);
  });

  test('who connects is sent away at once, and does not keep the claim from being given back', async () => {
    const dir = newDirectory();
    const release = await lock.claim(dir);

    const visitors = Array.from({ length: 50 }, () => connect(join(dir, claimDirectory, '1')));
    await Promise.all(visitors.map((visitor) => once(visitor.resume(), 'close')));
    const late = connect(join(dir, claimDirectory, '1'));
    await once(late, 'connect');
    await release();

    late.destroy();
    await (await lock.claim(dir))();
  });
});
