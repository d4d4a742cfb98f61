import {
  decodeConfState,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeMessageFrom,
  decodeSnapshot,
  encodeMessage,
} from '../../src/codec/index.js';
import { isRaftError, RaftErrorCode } from '../../src/core/errors.js';
import type { RandomSource } from '../../src/core/random.js';
import type { Message } from '../../src/core/raftpb/message.js';
import { toHex } from './protoBytes.js';
import { randomMessage } from './randomMessage.js';

/** Joins pieces of byte strings. */
function join(...pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** One of the ways in which bytes go wrong: cut off, byte too many, bytes missing, a piece repeated, bytes changed (X1 to X4). */
function damage(bytes: Uint8Array, random: RandomSource): Uint8Array {
  const at = random(bytes.length + 1);
  switch (random(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return join(bytes.subarray(0, at), Uint8Array.of(random(256)), bytes.subarray(at));
    case 2:
      return join(bytes.subarray(0, at), bytes.subarray(at + 1 + random(4)));
    case 3: {
      const from = random(bytes.length + 1);
      return join(bytes.subarray(0, at), bytes.subarray(from, from + random(40)), bytes.subarray(at));
    }
    default: {
      const copy = bytes.slice();
      for (let i = random(3); i >= 0 && copy.length > 0; i--) copy[random(copy.length)] = random(2) === 0 ? 0xff : random(256);
      return copy;
    }
  }
}

/** Runs a decoder; only a proper refusal counts as one. */
function attempt<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T): T | null {
  try {
    return decode(bytes);
  } catch (error) {
    const proper = isRaftError(error, RaftErrorCode.Malformed) || isRaftError(error, RaftErrorCode.OutOfRange);
    const { offset } = error as { offset?: number };
    if (!proper || offset === undefined || offset < 0 || offset > bytes.length) {
      throw new Error(`bytes ${toHex(bytes)}`, { cause: error });
    }
    return null;
  }
}

const otherDecoders: readonly ((bytes: Uint8Array) => unknown)[] = [decodeEntry, decodeSnapshot, decodeHardState, decodeConfState];

/** Valid messages of at most 2,000 bytes, which the inputs are made from. */
export function fuzzCorpus(random: RandomSource, count: number): Uint8Array[] {
  const corpus: Uint8Array[] = [];
  while (corpus.length < count) {
    const bytes = encodeMessage(randomMessage(random, 1));
    if (bytes.length <= 2000) corpus.push(bytes);
  }
  return corpus;
}

/** What comes of the bytes: the message, encoded again, or the refusal and where it stands after `start`. */
function outcomeOf(decode: () => Message, start: number): string {
  try {
    return toHex(encodeMessage(decode()));
  } catch (error) {
    const { code, offset } = error as { code?: string; offset?: number };
    return `${code} at ${offset! - start}`;
  }
}

/** Reads the bytes as a frame between others. What stands around them must not change anything. */
function compareAsFrame(bytes: Uint8Array, random: RandomSource): void {
  const before = Uint8Array.from({ length: random(12) }, () => random(256));
  const after = Uint8Array.from({ length: random(12) }, () => random(256));
  const source = join(before, bytes, after);
  const alone = outcomeOf(() => decodeMessage(bytes), 0);
  const framed = outcomeOf(() => decodeMessageFrom(source, before.length, before.length + bytes.length), before.length);
  if (alone !== framed) throw new Error(`bytes ${toHex(bytes)} are ${alone}, and ${framed} from ${before.length} on in ${toHex(source)}`);
}

/**
 * One input: a valid message with one to three accidents, for every decoder. Returns whether it still
 * was a message. What was accepted must be understood: it can be encoded, and means the same afterwards.
 *
 * @throws Error with the bytes in hex if a decoder fails in any other way than by a typed refusal.
 */
export function fuzzOnce(corpus: readonly Uint8Array[], random: RandomSource): boolean {
  let bytes = corpus[random(corpus.length)]!;
  for (let accidents = random(3); accidents >= 0; accidents--) bytes = damage(bytes, random);
  for (const decode of otherDecoders) attempt(bytes, decode);
  if (random(4) === 0) compareAsFrame(bytes, random);
  const m = attempt(bytes, decodeMessage);
  if (m === null) return false;
  const again = encodeMessage(m);
  if (toHex(encodeMessage(decodeMessage(again))) !== toHex(again)) throw new Error(`bytes ${toHex(bytes)} are not understood`);
  return true;
}
