import { expect, test } from '@jest/globals';
import {
  decodeConfState,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeSnapshot,
  encodeMessage,
} from '../../src/codec/index.js';
import { isRaftError, RaftErrorCode } from '../../src/core/errors.js';
import type { RandomSource } from '../../src/core/random.js';
import { announceSeed, seededRandom } from '../support/seededRandom.js';
import { toHex } from './protoBytes.js';
import { randomMessage } from './randomMessage.js';

/** One of the ways in which bytes go wrong. */
function damage(bytes: Uint8Array, random: RandomSource): Uint8Array {
  const at = random(bytes.length + 1);
  switch (random(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Uint8Array.from([...bytes.subarray(0, at), random(256), ...bytes.subarray(at)]);
    case 2:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + random(4))]);
    case 3: {
      const from = random(bytes.length + 1);
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(from, from + random(40)), ...bytes.subarray(at)]);
    }
    default: {
      const copy = Uint8Array.from(bytes);
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

/**
 * Goal (X1 to X4, D9): damaged bytes end in a record or a typed error, and a record that was accepted is
 * understood: it can be encoded, and means the same afterwards.
 * Method: valid messages with one to three accidents. Replay one: SEED=17 npm test -- codec/fuzz
 */
test('20,000 damaged messages', () => {
  const seed = announceSeed('codec/fuzz');
  const random = seededRandom(seed);
  let accepted = 0;
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    const whole = encodeMessage(randomMessage(random, 1));
    if (whole.length > 2000) continue;
    let bytes = whole;
    for (let accidents = random(3); accidents >= 0; accidents--) bytes = damage(bytes, random);

    const m = attempt(bytes, decodeMessage);
    if (m === null) {
      refused++;
    } else {
      accepted++;
      const again = encodeMessage(m);
      expect(toHex(encodeMessage(decodeMessage(again)))).toBe(toHex(again));
    }
    for (const decode of [decodeEntry, decodeSnapshot, decodeHardState, decodeConfState]) attempt<unknown>(bytes, decode);
  }
  expect(accepted).toBeGreaterThan(1000);
  expect(refused).toBeGreaterThan(1000);
});
