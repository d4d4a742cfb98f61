import { Unstable } from '../../src/core/log/unstable.js';
import type { Raft } from '../../src/core/raft/raft.js';

/**
 * Fields that are no state of the protocol: what the node was given, the counter of refusals, which is how a refusal is
 * visible, room for computing in, the memory of the log for what it was asked last, and the pieces that its end is kept in.
 */
const passedOver: ReadonlySet<string> = new Set([
  'logger', 'trace', 'storage', 'refused', 'scratch', 'sliced', 'slicedLo', 'slicedHi', 'slicedMaxBytes', 'shared',
  'older', 'newest',
]);

/**
 * A number over everything that can be reached from a node's record: terms, log with its unstable part, configuration,
 * progress with its windows, votes, reads, queues. Two calls between which nothing changed give the same number; it
 * proves that a refused message left the state as it was (D9).
 */
export function stateHash(raft: Raft): number {
  const hash = new Hash();
  for (const [key, value] of Object.entries(raft)) {
    if (key === 'config' || passedOver.has(key)) continue;
    hash.text(key);
    hash.value(value);
  }
  return hash.result();
}

// Jest's sandbox makes every look-up of a global slow.
const imul = Math.imul;
const isArray = Array.isArray;
const Bytes = Uint8Array;
const Table = Map;

/** FNV-1a over 32-bit words, with a rotation so that no bit stays where it is. */
class Hash {
  private hash = 0x811c9dc5;
  /** Progress is reached by several ways; once is enough. */
  private readonly visited = new Set<object>();
  private readonly float = new Float64Array(1);
  private readonly words = new Int32Array(this.float.buffer);

  result(): number {
    return this.hash >>> 0;
  }

  value(value: unknown): void {
    switch (typeof value) {
      case 'number':
        this.number(value);
        return;
      case 'string':
        this.text(value);
        return;
      case 'boolean':
        this.word(value ? 1 : 2);
        return;
      case 'bigint':
        this.text(value.toString());
        return;
      case 'object':
        this.object(value);
        return;
      case 'undefined':
        this.word(3);
        return;
      default:
        throw new Error(`state hash: a ${typeof value} in the state`);
    }
  }

  text(text: string): void {
    this.word(text.length);
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i));
  }

  private object(value: object | null): void {
    if (value === null) {
      this.word(4);
    } else if (value instanceof Bytes) {
      this.bytes(value);
    } else if (isArray(value)) {
      this.word(value.length);
      for (let i = 0; i < value.length; i++) this.value(value[i]);
    } else if (value instanceof Table) {
      this.word(value.size);
      for (const [key, element] of value as Map<unknown, unknown>) {
        this.value(key);
        this.value(element);
      }
    } else if (!this.visited.has(value)) {
      this.visited.add(value);
      this.fields(value);
    }
  }

  private bytes(bytes: Uint8Array): void {
    let mixed = imul(this.hash ^ bytes.length, 0x01000193);
    for (let i = 0; i < bytes.length; i++) mixed = imul(((mixed << 5) | (mixed >>> 27)) ^ bytes[i]!, 0x01000193);
    this.hash = mixed;
  }

  private fields(value: object): void {
    const record = value as Record<string, unknown>;
    for (const key in record) {
      if (passedOver.has(key)) continue;
      this.word(key.length * 256 + key.charCodeAt(0));
      this.value(record[key]);
    }
    if (value instanceof Unstable) this.value(value.entries);
  }

  private number(value: number): void {
    if ((value | 0) === value) {
      this.word(value);
      return;
    }
    this.float[0] = value;
    this.word(this.words[0]!);
    this.word(this.words[1]! + 5);
  }

  private word(word: number): void {
    const mixed = imul(this.hash ^ word, 0x01000193);
    this.hash = (mixed << 13) | (mixed >>> 19);
  }
}
