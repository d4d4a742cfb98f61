import type { DirectoryLock } from '../../../src/node/wal/directoryLock.js';
import { lockWith, processLock } from '../../../src/node/wal/processLock.js';
import { claimSocketFile } from '../../../src/node/wal/socketFileClaim.js';

/**
 * The locks that are tried: that of this system, that of systems without abstract sockets and pipes (which works
 * on Linux as well), and none at all, so that a test can show that it would notice.
 */
export type LockKind = 'system' | 'socketFile' | 'none';

/** The locks that lock. */
export const lockKinds: readonly LockKind[] = ['system', 'socketFile'];

const socketFileLock = lockWith(claimSocketFile);

/** The lock of a kind. */
export function lockOf(kind: LockKind): DirectoryLock {
  if (kind === 'system') return processLock;
  if (kind === 'socketFile') return socketFileLock;
  return { claim: () => Promise.resolve(() => Promise.resolve()) };
}
