import { randomBytes } from 'node:crypto';
import { link, mkdir, mkdtemp, readdir, rm, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { isListening, listenOn, type Release } from './claimSocket.js';

/** Directory inside the claimed one that holds the sockets. */
export const claimDirectory = 'claim';

/** The longest path of a socket, in bytes: 104 on the BSDs and macOS, with a zero at the end. */
const maxSocketPath = 103;

/** Bytes of the longest name in the directory of sockets, and of the slash before it. Short, for macOS has a long temporary directory. */
const longestName = 1 + 16;

/**
 * Claims a directory by a socket in it, for systems whose sockets all have a name in the file system. The name
 * outlives a process that is killed, and to remove it and take it is two steps, between which somebody else
 * may have taken it. So nobody takes a name over. Names are numbers; the owner is who listens on the highest one:
 *
 * 1. If somebody listens on the highest number n, it is taken. Otherwise n is dead for good.
 * 2. Listen on a name of one's own, and link it as n+1, which never replaces: the socket answers from the moment it is seen.
 * 3. If n+1 is the highest number now, it is owned. If not, others came and maybe went meanwhile: start anew.
 * 4. Only then lower numbers are removed, and those only by the owner, so that 3 sees a higher one whenever there was one.
 *
 * @returns what gives it back, or null if it is taken.
 */
export async function claimSocketFile(dir: string): Promise<Release | null> {
  const sockets = join(dir, claimDirectory);
  await mkdir(sockets, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const way = await shortWay(sockets);
  try {
    for (;;) {
      const highest = await highestNumber(sockets);
      if (highest > 0 && (await isListening(join(way.path, `${highest}`)))) return null;

      const release = await listenAs(way.path, highest + 1);
      if (release === null) continue;
      try {
        if ((await highestNumber(sockets)) === highest + 1) {
          await removeLower(sockets, highest + 1);
          return release;
        }
      } catch (error) {
        await release();
        throw error;
      }
      await release();
    }
  } finally {
    await way.remove();
  }
}

/** Listens on a socket that appears under the name `number` when it is ready. Null if the name is taken. */
async function listenAs(sockets: string, number: number): Promise<Release | null> {
  const own = join(sockets, `new-${randomBytes(6).toString('hex')}`);
  const release = await listenOn(own);
  if (release === null) return null;
  try {
    await link(own, join(sockets, `${number}`));
    await unlink(own);
    return release;
  } catch (error) {
    await release();
    // ENOENT: the owner has tidied up before we could link.
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST' || code === 'ENOENT') return null;
    throw error;
  }
}

/** The highest number among the names; 0 if there is none. */
async function highestNumber(sockets: string): Promise<number> {
  return (await readdir(sockets)).reduce((highest, name) => Math.max(highest, numberOf(name)), 0);
}

/** Removes all names but `number`, and higher ones of processes that are about to give up. */
async function removeLower(sockets: string, number: number): Promise<void> {
  for (const name of await readdir(sockets)) {
    if (numberOf(name) < number) await rm(join(sockets, name), { force: true });
  }
}

/** The number that a name stands for; 0 for a socket that has not got its number yet. */
function numberOf(name: string): number {
  return /^[1-9]\d*$/.test(name) ? Number(name) : 0;
}

/** A way to a directory that is short enough for sockets in it, and what removes it: a symbolic link if the path is too long. */
async function shortWay(dir: string): Promise<{ path: string; remove: () => Promise<void> }> {
  if (Buffer.byteLength(dir) + longestName <= maxSocketPath) return { path: dir, remove: () => Promise.resolve() };
  const base = await mkdtemp(join(tmpdir(), 'raftstep-'));
  const path = join(base, 'd');
  await symlink(resolve(dir), path);
  return { path, remove: () => rm(base, { recursive: true, force: true }) };
}
