import type { Clock } from '../shared/clock.js';
import type { FileSystem } from '../shared/fileSystem.js';
import type { DirectoryLock } from './directoryLock.js';

/** Everything outside of the process's own memory that the log touches. */
export interface WalEnvironment {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly lock: DirectoryLock;
  /** Fills an array with random bytes that nobody can guess. */
  readonly randomBytes: (length: number) => Uint8Array;
}
