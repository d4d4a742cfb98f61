/**
 * Keeps two owners out of one directory. A claim ends with its process, however that ends.
 */
export interface DirectoryLock {
  /**
   * Claims a directory that exists.
   *
   * @returns what gives it back.
   * @throws WalError `ERR_WAL_LOCKED` if somebody else has it, in this process or another one of this machine.
   */
  claim(dir: string): Promise<() => Promise<void>>;
}
