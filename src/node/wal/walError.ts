/** What went wrong with a log on disk, for programs. Codes are stable; messages are for people and may change. */
export const WalErrorCode = {
  /** The directory is damaged: see `file`, `offset` and `advice`. Nothing was changed. */
  Corrupt: 'ERR_WAL_CORRUPT',
  /** `open` found no log. A member that lost its log must not start as if it had none: see docs/reverted-follower.md. */
  NotFound: 'ERR_WAL_NOT_FOUND',
  /** `bootstrap` or `join` found a log, or the remains of one. Nothing was changed. */
  AlreadyExists: 'ERR_WAL_ALREADY_EXISTS',
  /** The directory belongs to another node or another cluster. Nothing was changed. */
  WrongIdentity: 'ERR_WAL_WRONG_IDENTITY',
  /** The directory was written by a newer version of the format. */
  UnknownVersion: 'ERR_WAL_UNKNOWN_VERSION',
  /** Another process, or this one, has the directory open. */
  Locked: 'ERR_WAL_LOCKED',
  /** Another process took the directory over while this one had it open. The instance has ended. */
  LostOwnership: 'ERR_WAL_LOST_OWNERSHIP',
  /** An argument is not what its documentation asks for. Nothing was changed. */
  ArgumentInvalid: 'ERR_WAL_ARGUMENT_INVALID',
  /** As much as may wait for the disk is waiting. Nothing was changed; try again after a pending write. */
  QueueFull: 'ERR_WAL_QUEUE_FULL',
  /** An operation of the disk failed, which is the `cause`; the instance has ended, or there is none. Start anew from the disk. */
  Failed: 'ERR_WAL_FAILED',
  /** The log was closed. */
  Closed: 'ERR_WAL_CLOSED',
} as const;
export type WalErrorCode = (typeof WalErrorCode)[keyof typeof WalErrorCode];

/** What else a {@link WalError} can tell. */
export interface WalErrorDetail {
  /** Path of the file that is damaged. */
  readonly file?: string;
  /** Byte position in the file at which the damage was found. */
  readonly offset?: number;
  /** What an operator can do. */
  readonly advice?: string;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/** The error of the write-ahead log. Test {@link code}. */
export class WalError extends Error {
  /** What went wrong; stable, unlike the message. */
  readonly code: WalErrorCode;
  /** Path of the file that is damaged; undefined for other errors. */
  readonly file: string | undefined;
  /** Byte position in the file at which the damage was found; undefined for other errors. */
  readonly offset: number | undefined;
  /** What an operator can do; undefined where the message says all. */
  readonly advice: string | undefined;

  /**
   * Made by the library.
   *
   * @param message a sentence for people.
   * @param detail what else is known.
   */
  constructor(code: WalErrorCode, message: string, detail: WalErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'WalError';
    this.code = code;
    this.file = detail.file;
    this.offset = detail.offset;
    this.advice = detail.advice;
  }
}

/** The refusal of an argument. */
export function invalidArgument(message: string): WalError {
  return new WalError(WalErrorCode.ArgumentInvalid, message);
}

/** Whether `error` is a WalError of the given code, from whichever copy of the library. */
export function isWalError(error: unknown, code: WalErrorCode): boolean {
  return typeof error === 'object' && error !== null && (error as { code?: unknown }).code === code;
}
