/**
 * Claims a directory, prints what came of it as JSON, and then, by its third argument:
 *
 * - `stay`: has it until it is killed
 * - `leave`: has nothing more to do, and gives nothing back
 * - `exit`: calls process.exit without giving it back
 * - `parent`: as `stay`, and has a child that outlives it
 */
import { spawn } from 'node:child_process';

import { lockOf, type LockKind } from '../lockKinds.js';

const [kind = 'system', dir = '', then = 'stay'] = process.argv.slice(2);

try {
  await lockOf(kind as LockKind).claim(dir);
  const child = then === 'parent' ? spawn('sleep', ['60'], { stdio: 'ignore' }).pid : undefined;
  await new Promise<void>((resolve) => process.stdout.write(`${JSON.stringify({ claimed: true, child })}\n`, () => resolve()));
  if (then === 'exit') process.exit(0);
  if (then === 'stay' || then === 'parent') setInterval(() => {}, 1000);
} catch (error) {
  console.log(JSON.stringify({ claimed: false, code: (error as { code?: string }).code, message: (error as Error).message }));
}
