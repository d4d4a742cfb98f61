/**
 * The file operations that the write-ahead log is made of, and no more. Everything it does to a disk goes
 * through here, so that tests can put a disk below it that fails, tears and forgets.
 *
 * Every operation rejects (or throws, if synchronous) with the error of the operating system, whose `code`
 * is `EIO`, `ENOSPC`, `ENOENT` and so on. Reads and writes may be short, as those of the system: see `fileIo.ts`.
 */
export interface FileSystem {
  /** Opens a file that exists. @throws `ENOENT` if it does not. */
  open(path: string, access: FileAccess): Promise<File>;

  /**
   * Makes a file for reading and writing.
   *
   * @param writesThrough whether {@link File.writeThrough} is going to be called, which may need more than others do.
   * @throws `EEXIST` if the name is taken.
   */
  create(path: string, writesThrough?: boolean): Promise<File>;

  /** Names in a directory, in no particular order. @throws `ENOENT` if there is none. */
  readdir(path: string): Promise<string[]>;

  /** Makes a directory. @throws `EEXIST` if the name is taken. */
  mkdir(path: string): Promise<void>;

  /** Moves a file; the name may be taken, and is replaced in one step. */
  rename(from: string, to: string): Promise<void>;

  /** Gives a file a second name. Unlike `rename` it never replaces anything. @throws `EEXIST` if the name is taken. */
  link(from: string, to: string): Promise<void>;

  /** Takes a name away; the file goes with its last name. @throws `ENOENT` if there is none. */
  unlink(path: string): Promise<void>;

  /**
   * Makes the names in a directory durable: what was created, moved, linked and removed in it. Does nothing
   * where the system cannot do this (Windows).
   */
  syncDirectory(path: string): Promise<void>;
}

/** What a file is opened for. */
export const FileAccess = {
  /** Reading. */
  Read: 'read',
  /** Reading and writing. */
  ReadWrite: 'readWrite',
} as const;
export type FileAccess = (typeof FileAccess)[keyof typeof FileAccess];

/** An open file. Positions and lengths are in bytes. */
export interface File {
  /** The path it was opened by. */
  readonly path: string;

  /** Current length. */
  size(): Promise<number>;

  /** Reads into `target` from `position` on. Resolves with the number of bytes, which is 0 at the end of the file and may be short before. */
  read(target: Uint8Array, position: number): Promise<number>;

  /** As {@link read}, at once. For the synchronous read side of `Storage` alone. */
  readSync(target: Uint8Array, position: number): number;

  /** Writes `source` at `position`, which may be at or behind the end. Resolves with the number of bytes written, at least 1, maybe not all. */
  write(source: Uint8Array, position: number): Promise<number>;

  /**
   * Writes all of `source` at `position` and makes it durable, in one step where the system can. If it fails, none, some or
   * all of it may be there.
   *
   * @param blocking whether it may be done on the calling thread, which waits for the disk then.
   */
  writeThrough(source: Uint8Array, position: number, blocking?: boolean): Promise<void>;

  /** Makes the content durable, and the length with it (fdatasync). */
  datasync(): Promise<void>;

  /** Releases the file. Makes nothing durable. */
  close(): Promise<void>;
}
