/** Kinds of operations of a `FileSystem` and its files. */
export const FileOpKind = {
  Open: 'open',
  Create: 'create',
  Readdir: 'readdir',
  Mkdir: 'mkdir',
  Rename: 'rename',
  Link: 'link',
  Unlink: 'unlink',
  SyncDirectory: 'syncDirectory',
  Size: 'size',
  Read: 'read',
  ReadSync: 'readSync',
  Write: 'write',
  Datasync: 'datasync',
  Close: 'close',
} as const;
export type FileOpKind = (typeof FileOpKind)[keyof typeof FileOpKind];

/** One call of an operation. */
export interface FileOp {
  /** Number of operations before it. */
  readonly index: number;
  readonly kind: FileOpKind;
  /** The path it was called with, or that its file was opened by. */
  readonly path: string;
  /** The other path of `rename` and `link`; else empty. */
  readonly to: string;
  /** Where in the file, for reads and writes; else 0. */
  readonly position: number;
  /** How many bytes were asked for or given, for reads and writes; else 0. */
  readonly length: number;
}

/** The operation in a few words: `write wal/1.wal@4096+512`. */
export function describeOp(op: FileOp): string {
  switch (op.kind) {
    case FileOpKind.Read:
    case FileOpKind.ReadSync:
    case FileOpKind.Write:
      return `${op.kind} ${op.path}@${op.position}+${op.length}`;
    case FileOpKind.Rename:
    case FileOpKind.Link:
      return `${op.kind} ${op.path} to ${op.to}`;
    default:
      return `${op.kind} ${op.path}`;
  }
}

/** What an operation costs like. */
export const LatencyKind = {
  /** Bytes of a file. */
  Read: 'read',
  Write: 'write',
  /** A flush: `datasync` and `syncDirectory`. */
  Sync: 'sync',
  /** Everything else: names, sizes, opening and closing. */
  Names: 'names',
} as const;
export type LatencyKind = (typeof LatencyKind)[keyof typeof LatencyKind];

/** What an operation costs like. */
export function latencyOf(kind: FileOpKind): LatencyKind {
  switch (kind) {
    case FileOpKind.Read:
    case FileOpKind.ReadSync:
      return LatencyKind.Read;
    case FileOpKind.Write:
      return LatencyKind.Write;
    case FileOpKind.Datasync:
    case FileOpKind.SyncDirectory:
      return LatencyKind.Sync;
    default:
      return LatencyKind.Names;
  }
}

/** An error as the system gives it: with a `code`. */
export class DiskError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path: string;

  constructor(code: string, syscall: string, path: string) {
    super(`${code}: ${syscall} '${path}'`);
    this.name = 'DiskError';
    this.code = code;
    this.syscall = syscall;
    this.path = path;
  }
}
