#!/usr/bin/env node
// The program `raftstep-wal`: what it does is in inspectCommand.ts.
import { inspectCommand } from './inspectCommand.js';

/** Text that is written at once: a line at a time would cost a call of the system each. */
const chunkLength = 1 << 16;
let chunk = '';

function print(line: string): void {
  chunk += `${line}\n`;
  if (chunk.length >= chunkLength) flush();
}

function flush(): void {
  process.stdout.write(chunk);
  chunk = '';
}

// Whoever reads has enough: `raftstep-wal dump DIR | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await inspectCommand(process.argv.slice(2), print, (line) => process.stderr.write(`${line}\n`));
flush();
