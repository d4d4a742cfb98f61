import type { FileSystem } from '../../../src/node/shared/fileSystem.js';
import { Prng } from '../../../src/sim/prng.js';
import { crashChoices, type EnumerationLimits } from './crashChoices.js';
import { SectorState, type CrashChoice, type CrashPoint } from './crashPoint.js';
import { describeOp, type FileOp } from './fileOp.js';
import { SimDisk } from './simDisk.js';

/**
 * What is done to a disk. Has to do the same every time, and may wait for nothing but the disk. What it promises to
 * somebody, it notes at the moment it does.
 */
export type Workload<A> = (fs: FileSystem, note: (ack: A) => void) => Promise<void>;

export interface CrashImageOptions<A> extends EnumerationLimits {
  /** Where the workload starts; left as it is. From an image, its acks and its description go on. Default: an empty disk. */
  readonly from?: SimDisk | CrashImage<A>;
  /** Whether each state of the disk is given once only for the same acks. Default true. */
  readonly distinct?: boolean;
  /** Whether there are images of killed processes among them. Default true. */
  readonly kills?: boolean;
  /** For the random choices. Default 1. */
  readonly seed?: number;
}

/** A disk after a crash. */
export class CrashImage<A> {
  readonly disk: SimDisk;
  /** Number of operations that were done at the crash; the next one was on its way, and may be done in part. */
  readonly stop: number;
  /** What had been promised at the crash, at most: no operation that was on its way has to have an effect. */
  readonly acks: readonly A[];
  /** `power`: everything on the disk is durable. `kill`: the disk is as the process saw it, un-synced where it was. */
  readonly kind: 'power' | 'kill';
  /** Of what a process sees. */
  readonly hash: string;
  private readonly describe: () => string;

  constructor(disk: SimDisk, stop: number, acks: readonly A[], kind: 'power' | 'kill', describe: () => string) {
    this.disk = disk;
    this.stop = stop;
    this.acks = acks;
    this.kind = kind;
    this.hash = disk.hash();
    this.describe = describe;
  }

  get fs(): FileSystem {
    return this.disk.fs;
  }

  /** Where the crash was, and what became of what was un-synced: `before op 17 datasync wal/1.wal; wal/1.wal@4096+512 new, @4608+24 zero`. */
  get description(): string {
    return this.describe();
  }
}

/** A moment of a run, right before something changed. */
export interface CrashStop<A> {
  readonly point: CrashPoint;
  /** Number of operations before the one that made the change. */
  readonly stop: number;
  /** That operation; null at the end. */
  readonly next: FileOp | null;
  readonly acks: readonly A[];
}

/** A workload that was carried out. */
export interface RecordedRun<A> {
  /** The disk afterwards, with what is un-synced still so. */
  readonly disk: SimDisk;
  readonly ops: readonly FileOp[];
  /** Everything that was promised. */
  readonly acks: readonly A[];
  /** All moments that differ: before each operation that changes something, and the end. */
  readonly stops: readonly CrashStop<A>[];
}

/** So many turns of the event loop without an operation mean that the workload waits for something else. */
const patience = 1000;

/**
 * Carries out a workload, and keeps every moment at which the disk was another one.
 *
 * An operation completes only when the workload has nothing left to do but wait for it. So what is noted before it
 * completes does not depend on it, and counts as promised at a crash for which it did not happen.
 *
 * @throws what the workload rejects with; an Error if it waits for something that is not the disk.
 */
export async function recordRun<A>(workload: Workload<A>, from: SimDisk = new SimDisk()): Promise<RecordedRun<A>> {
  const acks: A[] = [];
  const stops: { point: CrashPoint; stop: number; next: FileOp | null; acks: A[] }[] = [];
  /** Stops since the last completion: acks of now are theirs. */
  let open: { acks: A[] }[] = [];
  const keep = (stop: number, next: FileOp | null): void => {
    const kept = { point: disk.crashPoint(), stop, next, acks: acks.slice() };
    stops.push(kept);
    open.push(kept);
  };
  const settle = (): void => {
    for (const stop of open) if (stop.acks.length < acks.length) stop.acks = acks.slice();
    open = [];
  };
  const waiting: (() => void)[] = [];
  const disk = from.fork({ schedule: (_latency, run) => void waiting.push(run), onChange: (op) => keep(op.index, op) });
  let end: { readonly error?: unknown } | undefined;
  workload(disk.fs, (ack) => void acks.push(ack)).then(
    () => (end = {}),
    (error: unknown) => (end = { error }),
  );
  for (let idle = 0; ; ) {
    await macrotask();
    const run = waiting.shift();
    if (run !== undefined) {
      settle();
      run();
      // A sync has kept the moment before it; promises that follow from it are none of that moment.
      open = [];
      idle = 0;
    } else if (end !== undefined) {
      break;
    } else if (++idle > patience) {
      throw new Error(`the workload waits for something that is not the disk, after ${disk.opCount} operations`);
    }
  }
  if ('error' in end) throw end.error;
  settle();
  keep(disk.opCount, null);
  return { disk: disk.fork({}), ops: disk.ops, acks, stops };
}

function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Every disk that a crash during the workload can leave: for each moment, the images of {@link crashChoices}, and
 * what a killed process leaves. They are made as they are asked for.
 *
 * ```ts
 * for await (const image of crashImages(async (fs, note: (ack: number) => void) => {
 *   const log = await openLog(fs);
 *   for (let i = 1; i <= 12; i++) await log.append(i).then(() => note(i));
 * })) {
 *   const log = await openLog(image.fs);
 *   if (log.last < (image.acks.at(-1) ?? 0)) throw new Error(image.description);
 * }
 * ```
 *
 * To crash in the recovery as well, give it as the workload: `crashImages(recover, { from: image, most: 20 })`, before
 * anything else is done to the image, or take a `fork()` of its disk.
 */
export async function* crashImages<A>(workload: Workload<A>, options: CrashImageOptions<A> = {}): AsyncGenerator<CrashImage<A>, void, void> {
  const { from } = options;
  const earlier = from instanceof CrashImage ? from : undefined;
  const run = await recordRun(workload, from instanceof CrashImage ? from.disk : from);
  yield* imagesOf(run, options, earlier);
}

/** The images of a run: see {@link crashImages}, whose `from` is `earlier` if it was an image. */
export function* imagesOf<A>(run: RecordedRun<A>, options: CrashImageOptions<A> = {}, earlier?: CrashImage<A>): Generator<CrashImage<A>, void, void> {
  const { distinct = true, kills = true, seed = 1 } = options;
  const source = new Prng(seed, 'crash images');
  const seen = new Set<string>();
  const isNew = (image: CrashImage<A>): boolean => {
    if (!distinct) return true;
    const before = seen.size;
    return seen.add(`${image.hash} ${image.kind} ${image.acks.length}`).size > before;
  };
  for (const stop of run.stops) {
    const acks = earlier === undefined ? stop.acks : [...earlier.acks, ...stop.acks];
    const where = (): string => {
      const here = stop.next === null ? 'at the end' : `before op ${stop.stop} ${describeOp(stop.next)}`;
      return earlier === undefined ? here : `${earlier.description}; then ${here}`;
    };
    if (kills) {
      const image = new CrashImage(new SimDisk({}, stop.point.survivor()), stop.stop, acks, 'kill', () => `${where()}; killed`);
      if (isNew(image)) yield image;
    }
    const chosen = new Set<string>();
    for (const choice of crashChoices(stop.point, source, options)) {
      if (distinct) {
        const key = stop.point.key(choice);
        if (chosen.has(key)) continue;
        chosen.add(key);
      }
      const disk = new SimDisk({}, stop.point.image(choice));
      const image = new CrashImage(disk, stop.stop, acks, 'power', () => [where(), ...describeChoice(stop.point, choice)].join('; '));
      if (isNew(image)) yield image;
    }
  }
}

const stateNames = ['old', 'new', 'zero', 'garbage'] as const;

/** What became of everything un-synced, in words. */
export function describeChoice(point: CrashPoint, choice: CrashChoice): string[] {
  let path = '';
  const sectors = point.sectors.map((sector, i) => {
    const where = sector.path === path ? '' : sector.path;
    path = sector.path;
    return `${where}@${sector.position}+${sector.length} ${stateNames[choice.sectors[i] ?? SectorState.Old]}`;
  });
  const lengths = point.lengths.map((file, i) => `${file.path} has length ${file.lengths[choice.lengths[i] ?? 0]}`);
  const changes = point.changes.map(({ kind, gone, come }, i) => {
    const what = gone !== '' && come !== '' ? `${gone} to ${come}` : gone + come;
    return `${kind} ${what} ${choice.changes[i] === 1 ? 'happened' : 'lost'}`;
  });
  return [sectors, lengths, changes].filter((part) => part.length > 0).map((part) => part.join(', '));
}
