/**
 * Source of the randomized election timeouts (Raft §5.2).
 *
 * @param bound a positive integer.
 * @returns an integer in [0, bound).
 */
export type RandomSource = (bound: number) => number;

/** The default source. Give your own to replay a run from a seed. */
export const defaultRandom: RandomSource = (bound) => Math.floor(Math.random() * bound);
