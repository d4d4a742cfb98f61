import type { RandomSource } from '../../src/core/random.js';

/**
 * The seed of a random test: from `SEED=`, else a new one. Printed, so that a failure can be replayed.
 *
 * @param what name of the test, as `npm test -- <what>` finds it.
 */
export function announceSeed(what: string): number {
  const given = process.env['SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`SEED=${given} is not an integer`);
  console.log(`${what}: SEED=${seed}`);
  return seed;
}

// Jest's sandbox makes every look-up of a global slow.
const { floor, imul } = Math;

/** Integers in [0, bound), the same ones for the same seed (the mulberry32 generator). */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}
