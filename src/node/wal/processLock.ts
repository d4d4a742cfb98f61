import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import type { Release } from './claimSocket.js';
import type { DirectoryLock } from './directoryLock.js';
import { kernelClaim, type KernelClaim } from './kernelClaim.js';
import { WalError, WalErrorCode } from './walError.js';

/**
 * The lock between the processes of one machine: one claim per directory, by whatever path, among all threads and
 * processes. It is free as soon as its process has ended, SIGKILL included; the owner need not do anything for it.
 *
 * Its limits are those of the claim, see `kernelClaim.ts`: above all it does not reach into another network
 * namespace, nor to another machine. What guards there is the owner token of the log.
 *
 * What `claim` returns may be called again: a later call is the same as the first one.
 */
export const processLock: DirectoryLock = lockWith(kernelClaim(process.platform));

/**
 * A lock that stands on `claim`, and on a list of what this thread has: the claim alone would keep two owners
 * apart, but it does not know who they are.
 */
export function lockWith(claim: KernelClaim): DirectoryLock {
  const claimed = new Set<string>();
  return {
    async claim(dir) {
      // Open for as long as it is claimed: a directory that is removed keeps its inode, so that a new one does not get its identity.
      const handle = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
      const releases: Release[] = [() => handle.close()];
      try {
        const { dev, ino } = await handle.stat({ bigint: true });
        const identity = `${dev}-${ino}`;
        if (claimed.has(identity)) throw locked(dir, 'this process', 'Close the log that has it first');
        claimed.add(identity);
        releases.push(() => Promise.resolve(void claimed.delete(identity)));

        const release = await claim(dir, identity);
        if (release === null) throw locked(dir, 'another process of this machine, or another thread of this one', 'Stop that one first');
        releases.push(release);
      } catch (error) {
        await releaseAll(releases);
        throw error;
      }
      let released: Promise<void> | undefined;
      return () => (released ??= releaseAll(releases));
    },
  };
}

/** Gives back what was claimed, the last one first: nobody may be told that the directory is free before it is. */
async function releaseAll(releases: readonly Release[]): Promise<void> {
  for (const release of [...releases].reverse()) await release();
}

function locked(dir: string, owner: string, remedy: string): WalError {
  return new WalError(WalErrorCode.Locked, `${dir} is in use by ${owner}. ${remedy}, or choose another directory.`);
}
