import { RaftError, RaftErrorCode } from '../core/errors.js';
import { varintSize } from '../core/raftpb/varint.js';
import { emptyBytes, isBytes } from '../core/types.js';
import { writeNumberField } from './uint64.js';

/** Bytes of a field that holds `length` bytes, with its tag of one byte and its length. */
export function lengthDelimitedSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Bytes of an optional byte string. */
export function bytesFieldSize(bytes: Uint8Array): number {
  return bytes === emptyBytes ? 0 : lengthDelimitedSize(bytes.length);
}

/** Apart from the usual case, which so stays short enough to be inlined. */
function mustBeBytes(value: unknown): void {
  if (!isBytes(value)) throw new RaftError(RaftErrorCode.ArgumentInvalid, 'only a Uint8Array can be encoded as bytes');
}

/**
 * Writes an optional byte string; returns the position after it.
 *
 * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` if it is something else, which an array would turn into zeros.
 */
export function writeBytesField(target: Uint8Array, start: number, tag: number, bytes: Uint8Array): number {
  if (bytes === emptyBytes) return start;
  if (!(bytes instanceof Uint8Array)) mustBeBytes(bytes);
  const length = bytes.length;
  const pos = writeNumberField(target, start, tag, length);
  // Measured: a call of `set` costs as much as this loop over 16 bytes.
  if (length > 16) target.set(bytes, pos);
  else for (let i = 0; i < length; i++) target[pos + i] = bytes[i]!;
  return pos + length;
}
