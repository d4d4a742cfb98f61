import { RaftError, RaftErrorCode } from '../core/errors.js';

/**
 * A record as protobuf bytes.
 *
 * @param size its size in bytes.
 * @param write writes it from a position on, and returns the position after it.
 */
export function encodeRecord<T>(record: T, size: (record: T) => number, write: (target: Uint8Array, start: number, record: T) => number): Uint8Array {
  try {
    const bytes = new Uint8Array(size(record));
    write(bytes, 0, record);
    return bytes;
  } catch (error) {
    throw unencodable(error);
  }
}

/**
 * What an encoder throws that has met `error`. Encoders check numbers as they write them, and nothing else: looking at every
 * field first would cost as much as writing it. So what the engine says of a missing field, or of a bigint in the place of
 * a number, is told here in the words of the library.
 */
export function unencodable(error: unknown): RaftError {
  if (error instanceof RaftError) return error;
  return new RaftError(RaftErrorCode.ArgumentInvalid, 'it cannot be encoded: a field is missing or of another type', { cause: error });
}
