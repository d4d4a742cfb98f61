import { WalStorage } from '../../../src/node/wal/walStorage.js';
import { imagesOf, recordRun, type CrashImage, type Workload } from './crashImages.js';
import { diskEnvironment, type DiskEnvironment } from './diskEnvironment.js';
import { describeLog } from './walModel.js';
import { statesOf, walOptions, workloadOf, type Ack, type Scenario } from './walWorkloads.js';
import { entriesFrom } from './walModel.js';

/** How much to try. */
export interface EnumerationDepth {
  /** One image in so many is looked at; 1 for all. */
  readonly share: number;
  /** Every so many images, a crash inside of its recovery is enumerated as well; 0 for never. */
  readonly every: number;
  /** Images of a crash inside of recovery at most, for one image. */
  readonly second: number;
  /** Every so many images, the log is written to and opened once more. */
  readonly goOn: number;
  readonly seed: number;
}

/** What was tried. */
export interface EnumerationResult {
  images: number;
  /** Of these, images of a crash inside of recovery. */
  recoveries: number;
}

/**
 * Crashes a scenario at every moment, with everything that a disk can make of what was not synced, and looks at
 * what is found after: it opens without help, holds a state that the log once had and nothing that was
 * acknowledged is missing, opens a second time to the same, and can be written to.
 *
 * @throws Error that names the image.
 */
export async function enumerateCrashes(scenario: Scenario, { share, every, second, goOn, seed }: EnumerationDepth): Promise<EnumerationResult> {
  const states = statesOf(scenario);
  const run = await recordRun(workloadOf(scenario));
  const result = { images: 0, recoveries: 0 };
  let passed = seed % share;
  for (const image of imagesOf(run, { seed })) {
    if (++passed % share !== 0) continue;
    result.images++;
    const deep = every > 0 && result.images % every === 0;
    if (deep) {
      const recovery = await recordRun(recoveryOf(image.acks), image.disk);
      for (const again of imagesOf(recovery, { seed: seed + result.images, most: Math.max(2, Math.ceil(second / recovery.stops.length)) }, image)) {
        result.images++;
        result.recoveries++;
        await judge(scenario, again, states, result.images % goOn === 0);
      }
    }
    await judge(scenario, image, states, result.images % goOn === 0);
  }
  return result;
}

/** What a process does that starts on the image. */
function recoveryOf(acks: readonly Ack[]): Workload<Ack> {
  return async (fs) => {
    await start(diskEnvironment(fs, 7), acks);
  };
}

/** Starts as an operator would who knows only whether the log was ever there. */
async function start(env: DiskEnvironment, acks: readonly Ack[]): Promise<WalStorage> {
  if (acks.length > 0 || (await WalStorage.exists(walOptions.dir, env))) return WalStorage.open(walOptions, env);
  return WalStorage.bootstrap(walOptions, env);
}

async function judge(scenario: Scenario, image: CrashImage<Ack>, states: readonly string[], goesOn: boolean): Promise<void> {
  const complain = (what: string, cause?: unknown): Error =>
    new Error(`${scenario.name}, ${image.kind} ${image.description}, promised ${image.acks.join(' ')}: ${what}`, { cause });
  const env = diskEnvironment(image.fs, 8);
  let log: WalStorage;
  try {
    log = await start(env, image.acks);
  } catch (error) {
    throw complain(`does not open: ${String(error)}`, error);
  }
  const found = describeLog(log);
  const promised = Math.max(0, ...image.acks);
  const state = states.lastIndexOf(found);
  if (state < 0) throw complain(`a state that never was:\n${found}`);
  if (state < promised) throw complain(`back at step ${state}:\n${found}`);
  if (!goesOn) return log.close();

  const next = log.lastIndex() + 1;
  const { hardState } = log.initialState();
  await log.append({ entries: entriesFrom(next, 1, Math.max(log.term(next - 1), hardState.term) + 1), hardState: { ...hardState, term: hardState.term + 1, vote: 3 } });
  const grown = describeLog(log);
  if (state % 2 === 0) await log.close();
  else image.disk.kill();
  const again = await WalStorage.open(walOptions, diskEnvironment(image.fs, 9));
  if (describeLog(again) !== grown) throw complain('the second start finds something else');
  await again.close();
}
