import { RaftError, RaftErrorCode } from './errors.js';
import { canonicalNodeId } from './types.js';

// Markers of values that JSON has no form for. An object of the user with such a single key would be
// taken for one; messages and states of this library have none.
const bytesKey = '$bytes';
const uint64Key = '$uint64';
const mapKey = '$map';

const hexDigits = '0123456789abcdef';

function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += hexDigits[bytes[i]! >> 4]! + hexDigits[bytes[i]! & 15]!;
  return text;
}

function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || /[^0-9a-f]/.test(text)) throw new RaftError(RaftErrorCode.Malformed, 'json: bytes must be pairs of hex digits');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/**
 * For `JSON.stringify`: writes bytes, 64-bit ids and Maps, so that messages, entries, Readys and
 * states of this library survive JSON. Read them back with {@link jsonReviver}.
 */
export function jsonReplacer(this: unknown, key: string, converted: unknown): unknown {
  // A Buffer has turned itself into something else by now; its holder still has it.
  const original = (this as Record<string, unknown>)[key];
  const value = ArrayBuffer.isView(original) ? original : converted;
  if (typeof value === 'bigint') return { [uint64Key]: value.toString() };
  if (ArrayBuffer.isView(value)) return { [bytesKey]: toHex(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  if (value instanceof Map) return { [mapKey]: [...(value as Map<unknown, unknown>)] };
  return value;
}

/**
 * For `JSON.parse`: reads what {@link jsonReplacer} wrote.
 *
 * @throws RaftError `ERR_RAFT_MALFORMED` if a marked value is not what its mark says.
 */
export function jsonReviver(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  if (keys.length !== 1) return value;
  const inner = (value as Record<string, unknown>)[keys[0]!];
  switch (keys[0]) {
    case bytesKey:
      if (typeof inner === 'string') return fromHex(inner);
      break;
    case uint64Key:
      if (typeof inner === 'string' && /^[0-9]{1,20}$/.test(inner) && BigInt(inner) < 2n ** 64n) return canonicalNodeId(BigInt(inner));
      break;
    case mapKey:
      if (Array.isArray(inner) && inner.every(isPair)) return new Map(inner);
      break;
    default:
      return value;
  }
  throw new RaftError(RaftErrorCode.Malformed, `json: ${keys[0]!} has a value of another kind`);
}

function isPair(value: unknown): value is [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}
