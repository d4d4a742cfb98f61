/**
 * Writes a log until it is killed or told to close it: opens the directory, reports all that is in it, and then
 * carries out a {@link Workload}, several operations at once. What is durable it says through a pipe, with a
 * blocking write of its own, right after the promise was resolved: so what it has said arrives whatever happens next.
 *
 * Lines, in this order: `log REPORT`, then `written N` for each write that was to be synced, `snapshot N` and
 * `compacted N` for the parts of a checkpoint, `failed MESSAGE` if something rejects, `closed` at the end.
 */
import { writeSync } from 'node:fs';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

import { WalStorage } from '../../../../src/node/wal/walStorage.js';
import { seededRandom } from '../../../support/seededRandom.js';
import type { WriterOrder } from '../killRuns.js';
import { reportOf, Workload, type Op } from '../killWorkload.js';

/** Where the driver has put the pipe. */
const pipe = 4;

let mayGoOn = true;

process.on('message', (message: WriterOrder | 'close') => {
  if (message === 'close') mayGoOn = false;
  else void run(message).catch((error: unknown) => say(`failed ${String(error)}`));
});
process.on('disconnect', () => process.exit());
// A driver that has ended meanwhile is no error.
process.send?.('ready', () => undefined);

async function run({ seed, options }: WriterOrder): Promise<void> {
  const log = await ((await WalStorage.exists(options.dir)) ? WalStorage.open(options) : WalStorage.bootstrap(options));
  const report = await reportOf(log);
  say(`log ${JSON.stringify(report)}`);
  const workload = new Workload(report, seed);
  // Of its own, so that the operations do not depend on the time.
  const random = seededRandom(seed + 1);
  const mostAtOnce = 1 + random(16);
  const atOnce = new Set<Promise<void>>();
  for (let number = 1; mayGoOn; number++) {
    const done = carryOut(log, workload.next(), number).catch((error: unknown) => say(`failed operation ${number}: ${String(error)}`));
    atOnce.add(done);
    void done.finally(() => atOnce.delete(done));
    while (atOnce.size >= mostAtOnce) await Promise.race(atOnce);
    if (random(10) === 0) await turn();
    if (random(100) === 0) await sleep(random(5));
  }
  await Promise.all(atOnce);
  await log.close();
  say('closed');
  process.disconnect();
}

async function carryOut(log: WalStorage, op: Op, number: number): Promise<void> {
  if (op.kind === 'append') {
    await log.append(op.write);
    // Without a sync a promise promises nothing.
    if (op.write.sync !== false) say(`written ${number}`);
    return;
  }
  const { data, metadata } = op.snapshot;
  await log.createSnapshot(metadata.index, metadata.confState, data);
  say(`snapshot ${number}`);
  // A snapshot of the leader may have replaced the log meanwhile.
  if (op.compactTo < log.firstIndex()) return;
  await log.compact(op.compactTo);
  say(`compacted ${number}`);
}

function say(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let done = 0; done < bytes.length; ) done += writeSync(pipe, bytes, done);
}
