import type { RandomSource } from '../../../src/core/random.js';
import { batchesOf, type CorpusLog } from './corpusLogs.js';
import type { DamageTrial } from './damageTrial.js';

/** Content of a log whose last segment ends at `length`: that of the last batch before, and its number. */
function contentBefore({ disk, segments, states }: CorpusLog, length: number): { seq: number; content: string } {
  const batches = batchesOf(disk.readFile(segments.at(-1)!));
  const seq = batches.filter(({ end }) => end <= length).at(-1)?.seq ?? batches[0]!.seq - 1;
  return { seq, content: states.filter((state) => state.seq <= seq).at(-1)!.content };
}

/** Cuts the last segment at every length, or at every `step`th and around each sector. */
export async function cutLastSegment(trial: DamageTrial, step: number): Promise<void> {
  const { log } = trial;
  const path = log.segments.at(-1)!;
  const size = log.disk.readFile(path).length;
  for (let length = 0; length < size; length++) {
    if (length % step > 0 && (length + 1) % 512 > 2) continue;
    const { seq, content } = contentBefore(log, length);
    const outcome = await trial.damageBytes(`${path} cut at ${length}`, path, (bytes) => bytes.slice(0, length));
    const expected = length < 512 || seq < log.marked ? 'refused' : content === log.states.at(-1)!.content ? 'identical' : 'dropped';
    if (outcome !== expected || (outcome !== 'refused' && trial.lastContent !== content)) trial.wrong.push(`${log.name} cut at ${length}: ${outcome}, and not ${expected}`);
  }
}

/** Cuts all other segments: always refused. */
export async function cutOtherSegments(trial: DamageTrial, step: number): Promise<void> {
  for (const path of trial.log.segments.slice(0, -1)) {
    const size = trial.log.disk.readFile(path).length;
    for (let length = 0; length < size; length += step) {
      const outcome = await trial.damageBytes(`${path} cut at ${length}`, path, (bytes) => bytes.slice(0, length), { path, atMost: length });
      if (outcome !== 'refused') trial.wrong.push(`${path} cut at ${length}: ${outcome}`);
    }
  }
}

const tears: readonly ((bytes: Uint8Array, at: number) => Uint8Array)[] = [
  (bytes, at) => bytes.slice(0, at),
  (bytes, at) => bytes.fill(0, at),
  (bytes, at) => bytes.fill(0xa5, at),
];

/** Tears each mark at every `step`th byte, in three ways: never of consequence. */
export async function tearMarks(trial: DamageTrial, step: number): Promise<void> {
  for (const path of ['wal/mark.0', 'wal/mark.1']) {
    for (let at = 0; at < 512; at += step) {
      for (const [way, tear] of tears.entries()) {
        const outcome = await trial.damageBytes(`${path} torn at ${at}, way ${way}`, path, (bytes) => tear(bytes, at));
        if (outcome !== 'identical') trial.wrong.push(`${path} torn at ${at}, way ${way}: ${outcome}`);
      }
    }
  }
}

/** Cuts the snapshot at every byte: always refused. */
export async function cutSnapshot(trial: DamageTrial): Promise<void> {
  for (const path of trial.log.disk.files().filter((name) => name.endsWith('.snap'))) {
    const size = trial.log.disk.readFile(path).length;
    for (let length = 0; length < size; length++) {
      const outcome = await trial.damageBytes(`${path} cut at ${length}`, path, (bytes) => bytes.slice(0, length), { path, atMost: Infinity });
      if (outcome !== 'refused') trial.wrong.push(`${path} cut at ${length}: ${outcome}`);
    }
  }
}

/** Puts zeros and garbage behind every file: refused, or of no consequence. */
export async function extendFiles(trial: DamageTrial, random: RandomSource): Promise<void> {
  for (const path of trial.log.disk.files()) {
    for (const more of [1, 7, 8, 48, 511, 512, 513, 4096]) {
      for (const lowest of [0, 1]) {
        const outcome = await trial.damageBytes(`${path} and ${more} bytes`, path, (bytes) => {
          const longer = new Uint8Array(bytes.length + more);
          longer.set(bytes);
          if (lowest > 0) for (let i = bytes.length; i < longer.length; i++) longer[i] = lowest + random(255);
          return longer;
        });
        if (outcome === 'dropped') trial.wrong.push(`${path} and ${more} bytes: something was dropped`);
      }
    }
  }
}
