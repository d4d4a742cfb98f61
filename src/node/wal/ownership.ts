import { readSmallFile, writeFully } from '../shared/fileIo.js';
import type { WalEnvironment } from './environment.js';
import { ownerName, pathIn, temporaryName } from './names.js';
import { WalError, WalErrorCode } from './walError.js';

const tokenBytes = 32;

/**
 * The second line of defence behind the lock, for where the lock does not reach (other network namespaces,
 * shared file systems): each owner leaves a random token in the directory, and looks from time to time whether
 * it is still there. Late, but then for good.
 */
export class Ownership {
  /** Tells files of this owner from those of another one. */
  readonly tag: string;
  private readonly env: WalEnvironment;
  private readonly dir: string;
  private readonly path: string;
  private readonly token: Uint8Array;

  constructor(env: WalEnvironment, dir: string) {
    const token = randomHex(env, tokenBytes / 2);
    this.env = env;
    this.dir = dir;
    this.path = pathIn(dir, ownerName);
    this.token = new TextEncoder().encode(token);
    this.tag = token.slice(0, 16);
  }

  /** Takes the directory over from whoever had it. */
  async take(): Promise<void> {
    const { fs } = this.env;
    const temporary = pathIn(this.dir, temporaryName(ownerName, this.tag));
    const file = await fs.create(temporary);
    try {
      await writeFully(file, this.token, 0);
      await file.datasync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, this.path);
  }

  /** @throws WalError `ERR_WAL_LOST_OWNERSHIP` if somebody else has taken the directory over. */
  async check(): Promise<void> {
    const found = await readSmallFile(this.env.fs, this.path, tokenBytes + 1);
    if (found !== null && found.length === this.token.length && found.every((byte, i) => byte === this.token[i])) return;
    throw new WalError(
      WalErrorCode.LostOwnership,
      `${this.path} has changed: another process has opened this directory. Two processes must never run on one directory; this one has stopped writing`,
    );
  }
}

/** Random bytes, as twice as many letters. */
export function randomHex(env: WalEnvironment, bytes: number): string {
  return Array.from(env.randomBytes(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
