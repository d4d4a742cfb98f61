import { RaftError, RaftErrorCode } from '../core/errors.js';

/**
 * What a decoder accepts at most. The input itself bounds every length; these bound what a small input
 * could otherwise make large: an empty entry takes 2 bytes on the wire and about 60 in memory.
 *
 * All are far above what a group of nodes needs, and a message beyond them is refused as malformed.
 */
export const codecLimits = {
  /**
   * Entries in one message, those of its responses included. No MsgApp of up to 1 MiB, the default of
   * `maxSizePerMsg`, reaches it, because an entry takes at least 4 bytes. Raise it with
   * {@link DecodeOptions.maxEntries} together with `maxSizePerMsg`.
   */
  maxEntries: 0x4_0000,
  /** Responses in one message, on all levels together. */
  maxResponses: 0x4000,
  /** Levels of responses inside responses. */
  maxResponseDepth: 8,
  /** Ids in one list of a configuration. */
  maxIds: 1000,
  /** Levels of groups inside an unknown group. */
  maxGroupDepth: 64,
} as const;

/**
 * Refuses options that are not what they must be: a limit that is not a number would be none.
 *
 * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID`.
 */
export function checkDecodeOptions(options: DecodeOptions | undefined): void {
  const alias = options?.alias ?? false;
  const maxEntries = options?.maxEntries ?? Infinity;
  if (typeof alias === 'boolean' && (maxEntries === Infinity || (Number.isSafeInteger(maxEntries) && maxEntries > 0))) return;
  throw new RaftError(RaftErrorCode.ArgumentInvalid, `alias ${String(alias)}, maxEntries ${String(maxEntries)} are no options to decode with`);
}

/** How to decode. */
export interface DecodeOptions {
  /**
   * False (default): the result shares no memory with the input, which may be reused or freed.
   * True: byte strings longer than 64 bytes are views of the input. Only for a caller who owns the
   * input and never changes it again; every view keeps the whole input alive.
   */
  readonly alias?: boolean;
  /** Entries that one message may hold; a positive integer or Infinity, {@link codecLimits}`.maxEntries` by default. */
  readonly maxEntries?: number;
}
