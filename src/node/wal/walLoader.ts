import { RaftError } from '../../core/errors.js';
import { damaged } from './damage.js';
import { copyForward, createLog, remainsIn, removeTemporaries } from './walDirectory.js';
import type { WalEnvironment } from './environment.js';
import type { LogState } from './logState.js';
import { MarkWriter } from './marks.js';
import { absoluteDirectory, isSegmentLike, pathIn, snapshotName } from './names.js';
import { Ownership } from './ownership.js';
import { PlaceIndex, type Segment } from './placeIndex.js';
import { readLog, segmentNames, type FoundSegment, type LogReader } from './recovery.js';
import { SnapshotStore } from './snapshotStore.js';
import { WalError, WalErrorCode } from './walError.js';
import type { ResolvedWalOptions } from './walOptions.js';

/** What a directory turned out to hold, put together to be used. */
export interface LoadedLog {
  readonly env: WalEnvironment;
  readonly options: ResolvedWalOptions;
  /** Gives the directory back. */
  readonly release: () => Promise<void>;
  readonly state: LogState;
  readonly places: PlaceIndex;
  /** The last one is to be written to. */
  readonly segments: Segment[];
  readonly snapshots: SnapshotStore;
  readonly marks: MarkWriter;
  readonly ownership: Ownership;
  readonly lastSeq: number;
  readonly lastCrc: number;
}

/** How a start differs. */
export const StartMode = {
  /** A new log of a first member. */
  Bootstrap: 'bootstrap',
  /** A new log of a node that joins. */
  Join: 'join',
  /** A log that is there. */
  Open: 'open',
} as const;
export type StartMode = (typeof StartMode)[keyof typeof StartMode];

/** Makes or finds a log and puts it in order. @throws WalError */
export async function loadLog(mode: StartMode, options: ResolvedWalOptions, env: WalEnvironment): Promise<LoadedLog> {
  const { dir, segmentBytes } = options;
  const isNew = mode !== StartMode.Open;
  let release: (() => Promise<void>) | null = null;
  try {
    if (isNew) await makeDirectory(env, dir);
    release = await env.lock.claim(dir);
    if (isNew) await createLog(env, dir, options, mode === StartMode.Join, segmentBytes);
    return await load(options, env, release);
  } catch (error) {
    await release?.();
    if (error instanceof WalError || error instanceof RaftError) throw error;
    if (!isNew && isMissing(error)) throw notFound(dir, error);
    throw notStarted(`the log in ${dir} could not be ${isNew ? 'made' : 'opened'}`, error);
  }
}

/** Whether there is a log, sound or not. @throws WalError */
export async function hasLog({ fs }: WalEnvironment, path: string): Promise<boolean> {
  const dir = absoluteDirectory(path);
  try {
    return (await fs.readdir(dir)).some(isSegmentLike);
  } catch (error) {
    if (isMissing(error)) return false;
    throw notStarted(`${dir} could not be read`, error);
  }
}

/** The error of a log that is not there yet, so that nothing has stopped. */
function notStarted(what: string, cause: unknown): WalError {
  return new WalError(WalErrorCode.Failed, `${what}: ${(cause as Partial<Error> | null)?.message ?? String(cause)}`, { cause });
}

async function load(options: ResolvedWalOptions, env: WalEnvironment, release: () => Promise<void>): Promise<LoadedLog> {
  const { dir } = options;
  const entries = new FoundEntries();
  const found = await readLog(env, dir, options, entries);
  if (found === null) {
    const remains = await remainsIn(env, dir);
    throw remains === null ? notFound(dir) : damaged(pathIn(dir, remains), 0, 'it is here, and all segments of the log are missing');
  }
  const { state, lastSeq, lastCrc } = found;
  const { walId } = found.segments[0]!.header;
  const ownership = new Ownership(env, dir);
  const snapshots = new SnapshotStore(env.fs, dir, walId, ownership.tag);
  const handles = new Set(found.segments.map(({ file }) => file));
  let marks: MarkWriter | null = null;
  try {
    // Before anything is changed: a snapshot that cannot be read is as bad as a segment that cannot.
    if (found.hasSnapshot) await snapshots.recover(state.snapshot);
    await removeTemporaries(env, dir);
    await ownership.take();
    await mustBeUnchanged(env, dir, found.names);
    // Before the log goes on in another segment: an owner that does not know yet that it is none marks what is in its own.
    marks = await MarkWriter.open({ fs: env.fs, dir, walId, ownership, mark: found.mark, holder: found.markHolder });
    const segments = await copyForward(env, dir, found, options.segmentBytes, ownership.tag, handles);
    const { places } = entries;
    for (const old of found.segments) if (!segments.includes(old)) places.move(old, segments[segments.length - 1]!);
    places.forgetBefore(state.offset.index + 1);
    await ownership.check();
    await snapshots.removeOthers(found.hasSnapshot ? snapshotName(state.snapshot.index, state.snapshot.term) : '', true);
    return { env, options, release, state, places, segments, snapshots, marks, ownership, lastSeq, lastCrc };
  } catch (error) {
    for (const file of handles) await file.close().catch(() => undefined);
    await marks?.close().catch(() => undefined);
    await snapshots.close().catch(() => undefined);
    throw error;
  }
}

/**
 * What was read is old if another owner, which the lock did not reach, has begun or removed segments since. Copying
 * from it would put a segment of the past among those of the present. From here on that owner does neither.
 */
async function mustBeUnchanged(env: WalEnvironment, dir: string, names: readonly string[]): Promise<void> {
  const now = await segmentNames(env, dir);
  if (now.join() === names.join()) return;
  throw new WalError(WalErrorCode.LostOwnership, `${dir}: another process has written here while it was read. Two processes must never run on one directory`);
}

/** Takes note of the places of entries while a directory is read. */
export class FoundEntries implements LogReader {
  readonly places = new PlaceIndex();
  private current: FoundSegment | null = null;

  segment(segment: FoundSegment): void {
    this.current = segment;
  }

  batch(): void {
    // Batches are nothing that is looked for later.
  }

  readonly records = {
    hardState: (): void => undefined,
    entry: (index: number, offset: number): void => this.places.place(this.current!, index, offset),
    truncate: (from: number): void => this.places.truncate(from),
    snapshot: (_id: unknown, replacesLog: boolean): void => {
      if (replacesLog) this.places.clear();
    },
    compact: (): void => undefined,
    metadata: (): void => undefined,
  };
}

async function makeDirectory({ fs }: WalEnvironment, dir: string): Promise<void> {
  try {
    await fs.mkdir(dir);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
  }
  // Also if it was there: whoever made it may have died before its name was durable. `dirname` would not find the directory
  // that has the name where the path is a link, or ends in a dot.
  await fs.syncDirectory(pathIn(dir, '..'));
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ENOENT';
}

function notFound(dir: string, cause?: unknown): WalError {
  const message = `${dir} holds no log. If this node never had one, bootstrap it or let it join; if it had one, it must not start without it`;
  return new WalError(WalErrorCode.NotFound, message, { cause });
}
