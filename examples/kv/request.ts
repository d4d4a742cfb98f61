/** A change of the store, as a client asks for it. */
export type Write = { readonly kind: 'put'; readonly key: string; readonly value: string } | { readonly kind: 'del'; readonly key: string };

/**
 * A write as it stands in the log, with the name that makes it possible to apply it once and only once,
 * however often it was sent (dissertation §6.3).
 */
export interface Request {
  /** Who asks; unique among all clients. */
  readonly client: string;
  /** Session of that client, from 1. A later one ends those before it. */
  readonly session: number;
  /** Number within the session, from 1, without gaps. */
  readonly sequence: number;
  readonly write: Write;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The data of a log entry. */
export function encodeRequest({ client, session, sequence, write }: Request): Uint8Array {
  const fields = [client, session, sequence, write.kind, write.key];
  if (write.kind === 'put') fields.push(write.value);
  return encoder.encode(JSON.stringify(fields));
}

/** The request in a log entry, or null if there is none. Every node must come to the same answer. */
export function decodeRequest(data: Uint8Array): Request | null {
  let fields: unknown;
  try {
    fields = JSON.parse(decoder.decode(data));
  } catch {
    return null;
  }
  if (!Array.isArray(fields)) return null;
  const [client, session, sequence, kind, key, value] = fields as unknown[];
  if (typeof client !== 'string' || typeof key !== 'string') return null;
  if (!isCount(session) || !isCount(sequence)) return null;
  if (kind === 'del') return { client, session, sequence, write: { kind, key } };
  if (kind === 'put' && typeof value === 'string') return { client, session, sequence, write: { kind, key, value } };
  return null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
