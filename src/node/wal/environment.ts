import type { Clock } from '../shared/clock.js';
import type { FileSystem } from '../shared/fileSystem.js';
import type { DirectoryLock } from './directoryLock.js';

/** Everything outside of the process's own memory that the log touches. */
export interface WalEnvironment {
  /** The files. */
  readonly fs: FileSystem;
  /** The time. */
  readonly clock: Clock;
  /** What keeps a second owner out. */
  readonly lock: DirectoryLock;
  /** Fills an array with random bytes that nobody can guess. */
  readonly randomBytes: (length: number) => Uint8Array;
}
