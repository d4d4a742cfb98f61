import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What a run of the example has left behind. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const program = 'build/examples/kv/main.js';

/** Starts the built example. Its output is text. */
export function startExample(args: readonly string[]): ChildProcessWithoutNullStreams {
  if (!existsSync('dist/wal.js')) throw new Error('dist/ is missing: run `npm run bundle` first');
  const child = spawn(process.execPath, [program, ...args], { stdio: 'pipe' });
  child.stdout.setEncoding('utf8');
  child.stderr.setEncoding('utf8');
  // Whoever ends early does not read everything.
  child.stdin.on('error', () => undefined);
  return child;
}

/** How long a run may take, in milliseconds. A run that hangs is killed, which shows as an exit code of null. */
const limitMs = 30_000;

/** How a run differs from the usual one. */
export interface RunOptions {
  /** Arguments of the program, besides `--timeout`. */
  readonly args?: readonly string[];
  /** Time in seconds after which the program gives up what gets no answer. By default longer than a busy machine stands still. */
  readonly timeout?: number;
  /** Called whenever something was printed, with all of the standard output so far. If it is given, the input stays open, as from a person who thinks. */
  readonly onOutput?: (stdout: string, child: ChildProcessWithoutNullStreams) => void;
}

/** Runs the built example with `lines` as its input, as `npm start < file` does. */
export async function runExample(lines: readonly string[], { args = [], timeout = 20, onOutput }: RunOptions = {}): Promise<Run> {
  const child = startExample(['--timeout', String(timeout), ...args]);
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text: string) => {
    stdout += text;
    onOutput?.(stdout, child);
  });
  child.stderr.on('data', (text: string) => (stderr += text));
  child.stdin.write(lines.map((line) => `${line}\n`).join(''));
  if (onOutput === undefined) child.stdin.end();
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  return { exitCode, stdout, stderr };
}

/** `count` puts of different keys, numbered from `from` on. */
export function puts(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `put key${from + i} value${from + i}`);
}

/** What the summary says about each node: `down`, or its number of writes and the hash of its state. */
export function finalStates(stdout: string): string[] {
  const summary = stdout.slice(stdout.indexOf('summary\n'));
  return [...summary.matchAll(/^node \d+ {2}(?:(down)|.* writes (\d+) .* state ([0-9a-f]{16}))$/gm)].map(([, down, writes, hash]) => down ?? `${writes} ${hash}`);
}
