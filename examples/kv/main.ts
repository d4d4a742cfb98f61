import { parseArgs } from 'node:util';
import { Client } from './client.js';
import { Cluster } from './cluster.js';
import { Input } from './input.js';
import { Journal } from './journal.js';
import { Screen } from './screen.js';
import { Shell } from './shell.js';
import { summarize } from './summary.js';

/** Exit code after Ctrl-C, as shells have it. */
const interruptedCode = 130;

const usage = 'usage: npm start [-- --timeout SECONDS] [< commands.txt]';

const screen = new Screen();

/** Starts the cluster, carries out the input, and returns the exit code. */
async function main(timeoutMs: number): Promise<number> {
  const ready = new Signal();
  const cluster = await Cluster.start({
    say: (line) => screen.event(line),
    leads: () => ready.give(),
  });
  await ready.given;
  screen.event(`three nodes on loopback, ready ${Math.round(performance.now())} ms after the program started`);

  const journal = new Journal();
  const client = new Client(cluster, journal, timeoutMs);
  const input = new Input(screen);
  const shell = new Shell(cluster, client, screen, { interactive: input.interactive });
  if (input.interactive) screen.print('Type help for the commands.');
  const startedAt = performance.now();
  await shell.run(input.lines());
  const elapsedMs = performance.now() - startedAt;
  input.close();

  const { lines, problems, exitCode } = await summarize(cluster, journal, shell.tally, elapsedMs);
  for (const line of lines) screen.print(line);
  for (const problem of problems) screen.error(`problem: ${problem}`);
  client.close();
  cluster.close();
  return input.interrupted ? interruptedCode : exitCode;
}

/** How long commands wait for an answer, in milliseconds. */
function timeoutOption(): number {
  try {
    const { timeout } = parseArgs({ options: { timeout: { type: 'string', default: '3' } } }).values;
    const seconds = Number(timeout);
    if (seconds > 0 && seconds <= 3600) return seconds * 1000;
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
  process.exitCode = await main(timeoutOption());
} catch (error) {
  screen.error(`failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
