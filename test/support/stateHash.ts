import type { Raft } from '../../src/core/raft/raft.js';

/**
 * Fields that are no state of the protocol: what the node was given, the counter of refusals, which is how a refusal is
 * visible, and room for computing in.
 */
const passedOver: ReadonlySet<string> = new Set(['logger', 'trace', 'storage', 'refused', 'scratch']);

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

/** Two 32-bit FNV-1a hashes side by side. */
class Hash {
  private a = 0x811c9dc5;
  private b = 0x1b873593;
  private readonly float = new Float64Array(1);
  private readonly words = new Int32Array(this.float.buffer);

  result(): number {
    return (this.a >>> 0) * 0x20_0000 + (this.b & 0x1f_ffff);
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
    } else if (value instanceof Uint8Array) {
      this.word(value.length);
      for (let i = 0; i < value.length; i++) this.word(value[i]!);
    } else if (Array.isArray(value)) {
      this.word(value.length);
      for (let i = 0; i < value.length; i++) this.value(value[i]);
    } else if (value instanceof Map) {
      this.word(value.size);
      for (const [key, element] of value as Map<unknown, unknown>) {
        this.value(key);
        this.value(element);
      }
    } else {
      this.fields(value);
    }
  }

  private fields(value: object): void {
    const record = value as Record<string, unknown>;
    for (const key in record) {
      if (passedOver.has(key)) continue;
      this.word(key.length * 256 + key.charCodeAt(0));
      this.value(record[key]);
    }
  }

  private number(value: number): void {
    this.float[0] = value;
    this.word(this.words[0]!);
    this.word(this.words[1]!);
  }

  private word(word: number): void {
    this.a = Math.imul(this.a ^ word, 0x01000193);
    this.b = Math.imul(this.b ^ (word + (this.a >>> 15)), 0x85ebca6b);
  }
}
