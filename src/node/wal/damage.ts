import { WalError, WalErrorCode } from './walError.js';

/** What an operator can do about a log that cannot be trusted any more. */
const advice =
  'Nothing was changed. Do not delete or repair files by hand: a member that comes back with a part of its log can make the group lose data. ' +
  'Keep a copy of the directory, remove this member from the group, and add it again under a new id with an empty directory (docs/wal.md).';

/** The error that refuses a damaged directory. */
export function damaged(file: string, offset: number, what: string, cause?: unknown): WalError {
  return new WalError(WalErrorCode.Corrupt, `${file}, byte ${offset}: ${what}. ${advice}`, { file, offset, advice, cause });
}
