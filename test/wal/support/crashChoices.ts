import { SectorState, type CrashChoice, type CrashPoint } from './crashPoint.js';

/** Where random choices come from: a `Prng`, or `{ below: seededRandom(seed) }`. */
export interface ChoiceSource {
  /** An integer in [0, bound). */
  below(bound: number): number;
}

/** Everything that was un-synced reached the platter. */
export function everything(point: CrashPoint): CrashChoice {
  return {
    sectors: new Uint8Array(point.sectors.length).fill(SectorState.New),
    lengths: point.lengths.map(({ lengths }) => lengths.length - 1),
    changes: new Uint8Array(point.changes.length).fill(1),
  };
}

/** Nothing that was un-synced reached the platter. */
export function nothing(point: CrashPoint): CrashChoice {
  return {
    sectors: new Uint8Array(point.sectors.length),
    lengths: new Uint8Array(point.lengths.length),
    changes: new Uint8Array(point.changes.length),
  };
}

/** How likely it is, in quarters, that a part of what was un-synced happened: images of one kind only would miss those of the other. */
function drawWeight(source: ChoiceSource): () => boolean {
  const quarters = source.below(5);
  return () => source.below(4) < quarters;
}

const lost = [SectorState.Old, SectorState.Old, SectorState.Zero, SectorState.Garbage] as const;

/** A random choice. How much of everything happened is drawn first. */
export function randomChoice(point: CrashPoint, source: ChoiceSource): CrashChoice {
  const written = drawWeight(source);
  const changed = drawWeight(source);
  const sectors = new Uint8Array(point.sectors.length);
  for (let i = 0; i < sectors.length; i++) sectors[i] = written() ? SectorState.New : lost[source.below(lost.length)]!;
  return {
    sectors,
    lengths: point.lengths.map(({ lengths }) => source.below(lengths.length)),
    changes: point.changes.map(() => (changed() ? 1 : 0)),
    garbage: source.below(0x7fff_ffff),
  };
}

/** How far to enumerate. */
export interface EnumerationLimits {
  /** All subsets of up to so many sectors; of more, prefixes, single omissions and random ones. Default 8. */
  readonly sectors?: number;
  /** So many random choices where not all are tried. Default 64. */
  readonly random?: number;
  /** Up to so many combinations of sectors, lengths and changes of names are all tried; of more, the interesting ones. Default 4096. */
  readonly combinations?: number;
  /** At most so many choices in all, drawn at random if there are more: for the second depth. Default no limit. */
  readonly most?: number;
}

/** All sector states are tried of so many sectors; of more, one sort of loss at a time. */
const allStates = 4;
/** All subsets are tried of so many changes of names. */
const allChanges = 6;

/**
 * What may have become of a disk: choices for a crash point, the plain ones first. Two choices may give the same image.
 *
 * Sectors: all states of up to 4; up to `limits.sectors` all subsets, where what did not happen is old, zero or
 * garbage throughout, and one sector at a time is zero or garbage among the others; of more, all prefixes and all
 * single omissions, with old, zero and garbage, and random ones. Lengths: each one by itself, and all if they are few.
 * Changes of names: all subsets of up to 6; of more, prefixes, single omissions and random ones.
 */
export function* crashChoices(point: CrashPoint, source: ChoiceSource, limits: EnumerationLimits = {}): Generator<CrashChoice> {
  const { random = 64, combinations = 4096, most = Infinity } = limits;
  const all = everything(point);
  const none = nothing(point);
  if (most !== Infinity) {
    for (const choice of [all, none].slice(0, most)) yield choice;
    for (let i = 2; i < most; i++) yield randomChoice(point, source);
    return;
  }
  const sectors = () => sectorPlans(point.sectors.length, source, limits);
  const lengths = lengthPlans(point);
  const changes = [...changePlans(point.changes.length, source, random)];
  const counted = count(sectors(), Math.ceil(combinations / (lengths.length * changes.length)));
  if (counted * lengths.length * changes.length <= combinations) {
    for (const s of sectors()) for (const l of lengths) for (const c of changes) yield { sectors: s, lengths: l, changes: c };
    return;
  }
  for (const s of sectors()) {
    yield { ...all, sectors: s };
    if (lengths.length > 1) yield { ...none, sectors: s, changes: all.changes };
    if (changes.length > 1) yield { ...all, sectors: s, changes: none.changes };
  }
  for (const l of lengths) {
    for (const c of changes) {
      yield { sectors: all.sectors, lengths: l, changes: c };
      yield { sectors: none.sectors, lengths: l, changes: c };
    }
  }
  for (let i = 0; i < random; i++) yield randomChoice(point, source);
}

/** How many there are, or one more than `limit`. */
function count(items: Iterable<unknown>, limit: number): number {
  let counted = 0;
  for (const _ of items) if (++counted > limit) break;
  return counted;
}

type Sectors = CrashChoice['sectors'];
const losses = [SectorState.Old, SectorState.Zero, SectorState.Garbage] as const;

function* sectorPlans(total: number, source: ChoiceSource, { sectors: exhaustive = 8, random = 64 }: EnumerationLimits): Generator<Sectors> {
  if (total === 0) return yield [];
  if (total <= Math.min(allStates, exhaustive)) {
    for (let code = 4 ** total - 1; code >= 0; code--) yield Array.from({ length: total }, (_, i) => (code >> (2 * i)) & 3);
    return;
  }
  const states = (state: (i: number) => SectorState): Sectors => Array.from({ length: total }, (_, i) => state(i));
  if (total <= exhaustive) {
    for (let subset = 2 ** total - 1; subset >= 0; subset--) {
      for (const loss of losses) yield states((i) => ((subset >> i) & 1 ? SectorState.New : loss));
    }
  } else {
    for (const loss of losses) {
      for (let length = total; length >= 0; length--) yield states((i) => (i < length ? SectorState.New : loss));
    }
  }
  for (let omitted = 0; omitted < total; omitted++) {
    for (const loss of losses) yield states((i) => (i === omitted ? loss : SectorState.New));
    for (const loss of losses) yield states((i) => (i === omitted ? loss : SectorState.Old));
  }
  if (total <= exhaustive) return;
  for (let i = 0; i < random; i++) {
    const written = drawWeight(source);
    yield states(() => (written() ? SectorState.New : lost[source.below(lost.length)]!));
  }
}

function lengthPlans(point: CrashPoint): number[][] {
  const choices = point.lengths.map(({ lengths }) => lengths.length);
  const product = choices.reduce((a, b) => a * b, 1);
  const last = choices.map((n) => n - 1);
  if (product <= 16) {
    return Array.from({ length: product }, (_, code) =>
      choices.map((n) => {
        const digit = code % n;
        code = Math.floor(code / n);
        return digit;
      }),
    );
  }
  const plans = [last, choices.map(() => 0)];
  choices.forEach((n, file) => {
    for (let at = 0; at < n - 1; at++) plans.push(last.map((length, i) => (i === file ? at : length)));
  });
  return plans;
}

function* changePlans(total: number, source: ChoiceSource, random: number): Generator<number[]> {
  const flags = (happened: (i: number) => boolean): number[] => Array.from({ length: total }, (_, i) => (happened(i) ? 1 : 0));
  if (total <= allChanges) {
    for (let subset = 2 ** total - 1; subset >= 0; subset--) yield flags((i) => ((subset >> i) & 1) === 1);
    return;
  }
  for (let length = total; length >= 0; length--) yield flags((i) => i < length);
  for (let omitted = 0; omitted < total; omitted++) yield flags((i) => i !== omitted);
  for (let i = 0; i < random; i++) {
    const changed = drawWeight(source);
    yield flags(() => changed());
  }
}
