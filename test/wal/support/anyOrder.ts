import { RaftErrorCode } from '../../../src/core/errors.js';
import type { RandomSource } from '../../../src/core/random.js';
import { WalErrorCode, WalStorage } from '../../../src/node/wal/index.js';
import { seededRandom } from '../../support/seededRandom.js';
import { randomChoice } from './crashChoices.js';
import { diskEnvironment, settled } from './diskEnvironment.js';
import { conf, entryAt, snapshotAt } from './faultDrive.js';
import { HandleCounter } from './handleCounter.js';
import { contentOf } from './logModel.js';
import { SlowDisk } from './slowDisk.js';

const options = { dir: '/wal', nodeId: 1, clusterId: 7, segmentBytes: 4096, cacheBytes: 500 } as const;

/** What a log shows at once, without its disk. */
function glance(log: WalStorage): string {
  const { term, vote, commit } = log.initialState().hardState;
  const first = log.firstIndex();
  const terms = [];
  for (let index = first - 1; index <= log.lastIndex(); index++) terms.push(log.term(index));
  const meta = log.metadata === null ? '' : Buffer.from(log.metadata).toString();
  return `${term} ${vote} ${commit} behind ${first - 1}: ${terms.join(',')} ${meta}`;
}

/** One random run; the disk answers in any order. Ends by closing or by a loss of power. */
async function anyOrder(random: RandomSource): Promise<void> {
  const slow = new SlowDisk(random);
  const handles = new HandleCounter(slow.disk.fs);
  const env = diskEnvironment(handles, 1 + random(1000));
  const log = await slow.finish(WalStorage.bootstrap(options, env));
  const seen = [glance(log)];
  let promised = 0;
  const look = (): number => {
    if (seen.at(-1) !== glance(log)) seen.push(glance(log));
    return seen.length - 1;
  };
  const pending = new Set<Promise<void>>();
  let closing: Promise<void> | null = null;
  const follow = (promise: Promise<void>, isDurable: boolean): void => {
    const place = look();
    const followed = promise.then(
      () => {
        if (isDurable) promised = Math.max(promised, place);
      },
      (error: { code?: string }) => {
        // A snapshot may be overtaken by another one, or by close; anything else must not fail.
        const codes: unknown[] = [RaftErrorCode.SnapshotOutOfDate, RaftErrorCode.Compacted, RaftErrorCode.Unavailable, WalErrorCode.ArgumentInvalid];
        if (!codes.includes(error.code) && !(closing !== null && error.code === WalErrorCode.Closed)) throw error;
      },
    ).finally(() => pending.delete(followed));
    pending.add(followed);
    followed.catch(() => undefined);
  };
  const steps = 20 + random(60);
  for (let i = 0; i < steps; i++) {
    const { term, vote, commit } = log.initialState().hardState;
    const last = log.lastIndex();
    const at = log.firstIndex() + random(Math.max(1, last - log.firstIndex() + 1));
    switch (random(10)) {
      case 0:
        follow(log.append({ hardState: { term: term + 1, vote: random(4), commit }, entries: last > commit ? [entryAt(commit + 1 + random(last - commit), term + 1, 30, ` of ${i}`)] : [] }), true);
        break;
      case 1:
        follow(log.createSnapshot(at, conf, snapshotAt(at, 0).data), false);
        break;
      case 2:
        if (log.firstIndex() > 1 || last > 2) follow(log.compact(at), true);
        break;
      case 3:
        follow(log.append({ snapshot: snapshotAt(last + 3, term) }), true);
        break;
      case 4:
        follow(log.append({ hardState: { term, vote, commit: commit + random(last - commit + 1) }, sync: false }), false);
        break;
      case 5:
        env.clock.advance(random(2) === 0 ? 1000 : 5000);
        break;
      case 6:
        follow(log.append({ metadata: Buffer.from(`metadata ${i}`) }), true);
        break;
      default:
        follow(log.append({ entries: [entryAt(last + 1, Math.max(1, term), 20 + random(900), ` of ${i}`)], hardState: { term: Math.max(1, term), vote, commit } }), true);
    }
    for (let j = random(6); j > 0; j--) {
      await slow.step();
      look();
    }
  }
  if (log.failure !== null) throw log.failure;
  if (random(2) === 0) {
    look();
    const place = promised;
    const after = slow.disk.crashImage(randomChoice(slow.disk.crashPoint(), { below: random }), {});
    const again = await settled(WalStorage.open(options, diskEnvironment(after.fs, 3)));
    const found = seen.lastIndexOf(glance(again));
    if (found < place) throw new Error(`found ${glance(again)}, which is change ${found}; change ${place} was acknowledged: ${seen[place]}`);
    await settled(contentOf(again));
    await settled(again.close());
  }
  closing = log.close();
  const waiting = [...pending];
  await slow.finish(closing);
  await slow.finish(Promise.all(waiting));
  await slow.drain();
  if (handles.handles.size > 0 || handles.closedTwice.length > 0) throw new Error(`open: ${[...handles.handles].map(({ path }) => path).join()}; closed twice: ${handles.closedTwice.join()}`);
  const again = await settled(WalStorage.open(options, diskEnvironment(slow.disk.fork({}).fs, 4)));
  const found = seen.lastIndexOf(glance(again));
  if (found < promised) throw new Error(`found ${glance(again)}, which is change ${found}; change ${promised} was acknowledged: ${seen[promised]}`);
  await settled(contentOf(again));
  await settled(again.close());
}

/** Many runs, each with a seed of its own. */
export async function manyOrders(seed: number, runs: number): Promise<void> {
  for (let run = 0; run < runs; run++) {
    try {
      await anyOrder(seededRandom(seed + run));
    } catch (error) {
      throw new Error(`SEED=${seed + run}: ${(error as Error).stack}`, { cause: error });
    }
  }
}
