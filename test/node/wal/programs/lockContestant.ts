/**
 * Takes part in the races of `lockRaces.ts`: from a moment on it tries to claim the directory, again and again,
 * until it has had it once. While it has it, it writes lines to a journal that all contestants share; so two
 * that have it at once have their lines mixed.
 */
import { appendFileSync } from 'node:fs';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

import { isWalError, WalErrorCode } from '../../../../src/node/wal/walError.js';
import { lockOf } from '../lockKinds.js';
import type { ContestantReport, RaceOrder } from '../lockRaces.js';

let mayLeave: (() => void) | undefined;

process.on('message', (message: RaceOrder | 'leave') => {
  if (message === 'leave') mayLeave?.();
  else void race(message).catch((error: unknown) => report({ race: message.race, event: 'failed', message: String(error) }));
});
process.on('disconnect', () => process.exit());
report({ race: -1, event: 'ready' });

async function race(order: RaceOrder): Promise<void> {
  const lock = lockOf(order.lock);
  let left = false;
  mayLeave = () => (left = true);
  let refusals = 0;
  await sleep(Math.max(0, order.startAt - Date.now()));
  for (;;) {
    const since = Date.now();
    let release;
    try {
      release = await lock.claim(order.dir);
    } catch (error) {
      if (!isWalError(error, WalErrorCode.Locked)) throw error;
      refusals++;
      await turn();
      continue;
    }
    const note = (what: string): void => appendFileSync(order.journal, `${process.pid} ${order.race} ${what}\n`);
    note('begin');
    if (order.stay) report({ race: order.race, event: 'inside', since });
    for (let step = 0; step < order.steps || (order.stay && !left); step++) {
      await (order.stay ? sleep(1) : turn());
      note('work');
    }
    note('end');
    await release();
    report({ race: order.race, event: 'done', refusals });
    return;
  }
}

function report(message: ContestantReport): void {
  process.send?.(message);
}
