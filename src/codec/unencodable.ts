import { RaftError, RaftErrorCode } from '../core/errors.js';

/**
 * What an encoder throws that has met `error`. Encoders check numbers as they write them, and nothing else: looking at every
 * field first would cost as much as writing it. So what the engine says of a missing field, or of a bigint in the place of
 * a number, is told here in the words of the library.
 */
export function unencodable(error: unknown): RaftError {
  if (error instanceof RaftError) return error;
  return new RaftError(RaftErrorCode.ArgumentInvalid, 'it cannot be encoded: a field is missing or of another type', { cause: error });
}
