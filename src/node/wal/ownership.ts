import { createAnew, writeFully } from '../shared/fileIo.js';
import type { WalEnvironment } from './environment.js';
import { readSmallFile } from './marks.js';
import { ownerName, pathIn } from './names.js';
import { WalError, WalErrorCode } from './walError.js';

const tokenBytes = 32;

/**
 * The second line of defence behind the lock, for where the lock does not reach (other network namespaces,
 * shared file systems): each owner leaves a random token in the directory, and looks from time to time whether
 * it is still there. Late, but then for good.
 */
export class Ownership {
  private readonly env: WalEnvironment;
  private readonly path: string;
  private readonly token: Uint8Array;

  private constructor(env: WalEnvironment, dir: string, token: Uint8Array) {
    this.env = env;
    this.path = pathIn(dir, ownerName);
    this.token = token;
  }

  /** Takes the directory over from whoever had it. */
  static async take(env: WalEnvironment, dir: string): Promise<Ownership> {
    const { fs } = env;
    const token = new TextEncoder().encode(Array.from(env.randomBytes(tokenBytes / 2), (byte) => byte.toString(16).padStart(2, '0')).join(''));
    const ownership = new Ownership(env, dir, token);
    const temporary = `${ownership.path}.tmp`;
    const file = await createAnew(fs, temporary);
    try {
      await writeFully(file, token, 0);
      await file.datasync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, ownership.path);
    return ownership;
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
