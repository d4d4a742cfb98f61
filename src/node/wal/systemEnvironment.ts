import { randomBytes } from 'node:crypto';
import { systemClock } from '../shared/clock.js';
import { nodeFileSystem } from '../shared/nodeFileSystem.js';
import type { WalEnvironment } from './environment.js';
import { processLock } from './processLock.js';

/** The machine that the process runs on. */
export const systemEnvironment: WalEnvironment = {
  fs: nodeFileSystem,
  clock: systemClock,
  lock: processLock,
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
};
