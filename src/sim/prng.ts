// Looked up once: inside of test runners and old engines every look-up of a global costs.
const { floor, imul } = Math;

/**
 * A stream of pseudo-random numbers (sfc32). The same seed and name give the same numbers on every
 * machine. Every purpose has a stream of its own, so that taking one fault away does not shift the rest.
 */
export class Prng {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /**
   * A stream.
   *
   * @param seed a safe integer of 0 or more.
   * @param name what the numbers are for.
   */
  constructor(seed: number, name: string) {
    let h = 0x811c9dc5;
    for (let i = 0; i < name.length; i++) h = imul(h ^ name.charCodeAt(i), 0x01000193);
    this.a = splitMix(h ^ (seed >>> 0));
    this.b = splitMix(this.a ^ floor(seed / 0x1_0000_0000));
    this.c = splitMix(this.b ^ h);
    // The first numbers of close seeds resemble one another.
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number in [0, 1). */
  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return floor(this.float() * bound);
  }

  /** An integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability. Takes one number, whatever the probability is. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** A number in [low, high), small ones as likely as large ones on a logarithmic scale. */
  logarithmic(low: number, high: number): number {
    return low * (high / low) ** this.float();
  }

  /** An exponentially distributed number with the given mean. */
  exponential(mean: number): number {
    // A table in place of Math.log: that may differ in the last bit between engines.
    return mean * exponentials[this.uint32() >>> 24]!;
  }

  /** One of the items, of which there must be one. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/** One round of SplitMix with 32 bits: spreads every bit of the input over all of the output. */
function splitMix(x: number): number {
  x = (x + 0x9e3779b9) | 0;
  x = imul(x ^ (x >>> 16), 0x21f0aaad);
  x = imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}

/** Quantiles of the exponential distribution with mean 1, at the middle of each 256th. */
const exponentials: readonly number[] = Array.from({ length: 256 }, (_, i) => Math.round(-Math.log(1 - (i + 0.5) / 256) * 4096) / 4096);
