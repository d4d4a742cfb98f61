import { parseArgs } from 'node:util';
import { Client } from './client.js';
import { Cluster, members } from './cluster.js';
import type { Disk } from './disk.js';
import { Input } from './input.js';
import { Journal } from './journal.js';
import { MemoryDisk } from './memoryDisk.js';
import { Screen } from './screen.js';
import { Shell } from './shell.js';
import { summarize } from './summary.js';
import { WalDisk } from './walDisk.js';

/** Exit code after Ctrl-C, as shells have it. */
const interruptedCode = 130;

const usage = 'usage: npm start [-- [--data DIR] [--timeout SECONDS] [--answers]] [< commands.txt]';

/** What can be said on the command line. */
interface Options {
  /** Where the logs are kept; undefined if they stay in memory. */
  readonly data: string | undefined;
  /** How long commands wait for an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether every acknowledged write is printed. */
  readonly answers: boolean;
}

const screen = new Screen();

/** Starts the cluster, carries out the input, and returns the exit code. */
async function main({ data, timeoutMs, answers }: Options): Promise<number> {
  const ready = new Signal();
  const disk: Disk = data === undefined ? new MemoryDisk() : await WalDisk.prepare(data, members);
  const cluster = await Cluster.start(disk, {
    say: (line) => screen.event(line),
    leads: () => ready.give(),
  });
  await ready.given;
  screen.event(`three nodes on loopback, ready ${Math.round(performance.now())} ms after the program started`);

  screen.event(disk.description);

  const journal = new Journal();
  const client = new Client(cluster, journal, timeoutMs);
  const found = await client.look((store) => new Map(store.values));
  if (!found.ok) throw new Error(`the store cannot be read: ${found.reason}`);
  journal.begin(found.value);
  if (found.value.size > 0) screen.event(`${found.value.size.toLocaleString('en')} keys are there from before`);
  const input = new Input(screen);
  const shell = new Shell(cluster, client, screen, { interactive: input.interactive, answers });
  if (input.interactive) screen.print('Type help for the commands.');
  const startedAt = performance.now();
  await shell.run(input.lines());
  const elapsedMs = performance.now() - startedAt;
  input.close();

  const { lines, problems, exitCode } = await summarize(cluster, journal, shell.tally, elapsedMs);
  for (const line of lines) screen.print(line);
  for (const problem of problems) screen.error(`problem: ${problem}`);
  client.close();
  await cluster.close();
  await disk.close();
  return input.interrupted ? interruptedCode : exitCode;
}

/** Reads the command line. Whoever made a mistake there gets the usage. */
function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: { data: { type: 'string' }, timeout: { type: 'string', default: '3' }, answers: { type: 'boolean', default: false } },
    });
    const seconds = Number(values.timeout);
    if (seconds > 0 && seconds <= 3600 && values.data !== '') return { data: values.data, timeoutMs: seconds * 1000, answers: values.answers };
  } catch {
    // The usage says more than the error does.
  }
  screen.error(usage);
  process.exit(1);
}

/** A promise, and the key to it. */
class Signal {
  give: () => void = () => undefined;
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve;
  });
}

// Whoever reads our output may stop early (`npm start | head`).
process.stdout.on('error', () => process.exit(1));
try {
  process.exitCode = await main(readOptions());
} catch (error) {
  screen.error(`failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
