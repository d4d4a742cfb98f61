import type { RandomSource } from '../../core/index.js';

/** Integers in [0, bound), the same ones for the same seed (the xorshift generator with 32 bits). */
export function randomSource(seed: number): RandomSource {
  // Zero would stay zero; neighbours would begin alike.
  let state = Math.imul(seed ^ 0x2545_f491, 0x9e37_79b1) | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * bound);
  };
}
