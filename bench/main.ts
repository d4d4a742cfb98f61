/**
 * `npm run bench`: one table of everything. Each row runs in a process of its own, so that none is
 * slowed down or sped up by what another has made of the heap and of the compiler.
 *
 * --json prints an array of { name, unit, value, spread, limit? }, --only NAME runs the rows whose name contains
 * NAME, --quick gives a rough answer in half a minute: short runs, and rows of a kind share a process. --plain leaves
 * out what a busy host would set (see {@link hostFlags}).
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { catchupRows } from './catchup.js';
import { groupRows } from './groups.js';
import { microRows } from './micro.js';
import { replicateRows } from './replicate.js';
import { walRows } from './walRows.js';
import { fullEffort, measure, quickEffort, type Effort, type Measured, type Row } from './row.js';

const rows: readonly Row[] = [...replicateRows, ...groupRows, ...microRows, ...catchupRows, ...walRows];

/**
 * What a host with much to do gains from: a young generation in which entries die before they are copied twice (Node's
 * default is 16 MiB), and a compiler that may inline more into one function (V8's default is 920 bytes of bytecode).
 */
const hostFlags: readonly string[] = ['--max-semi-space-size=64', '--max-inlined-bytecode-size-cumulative=3000'];

/** Rows that take long whatever the effort, with what they do at most. */
const heavy: Readonly<Record<string, Effort>> = {
  'ticks groups=5000': { warmups: 1, runs: 5, milliseconds: 0 },
  'idle memory': { warmups: 0, runs: 5, milliseconds: 0 },
  'catchup entries=10000': { warmups: 1, runs: 5, milliseconds: 0 },
  'catchup entries=1000000': { warmups: 1, runs: 5, milliseconds: 0 },
  'wal replay 64 MiB': { warmups: 2, runs: 7, milliseconds: 0 },
  'wal open 64 MiB': { warmups: 1, runs: 5, milliseconds: 0 },
};

/** Rows that wait for the disk, each in turns with the bare disk. */
const quickDiskEffort: Effort = { warmups: 1, runs: 3, milliseconds: 40 };

function effortOf(row: Row, quick: boolean): Effort {
  const effort = heavy[row.name];
  if (effort === undefined) {
    if (!quick) return fullEffort;
    return row.limit === undefined ? quickEffort : quickDiskEffort;
  }
  return quick ? { warmups: 0, runs: 1, milliseconds: 0 } : effort;
}

/** The rows that are measured by one process. */
function parts(chosen: readonly Row[], quick: boolean): Row[][] {
  if (!quick) return chosen.map((row) => [row]);
  const kinds = [replicateRows, microRows, walRows].map((kind) => chosen.filter((row) => kind.includes(row)));
  const alone = chosen.filter((row) => !kinds.flat().includes(row)).map((row) => [row]);
  return [...kinds, ...alone].filter((part) => part.length > 0);
}

function measureInChild(part: readonly Row[], quick: boolean, flags: readonly string[]): Measured[] {
  const child = spawnSync(
    process.execPath,
    ['--expose-gc', ...flags, fileURLToPath(import.meta.url), ...part.flatMap(({ name }) => ['--row', name]), ...(quick ? ['--quick'] : [])],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 20 },
  );
  if (child.status !== 0) throw new Error(`bench: ${part.map(({ name }) => `"${name}"`).join(', ')}: failed`);
  return JSON.parse(child.stdout) as Measured[];
}

/** What the child does. */
async function measureHere(names: readonly string[], quick: boolean): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const name of names) {
    const row = rows.find((known) => known.name === name);
    if (row === undefined) throw new Error(`bench: no row "${name}"`);
    globalThis.gc?.();
    measured.push(await measure(row, effortOf(row, quick)));
  }
  return measured;
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1);
}

function lineOf({ name, value, unit, spread }: Measured): string {
  return `${name.padEnd(46)}${format(value).padStart(14)}  ${unit.padEnd(14)}${spread}\n`;
}

function print(result: Measured): void {
  process.stdout.write(lineOf(result));
  if (result.limit !== undefined) process.stdout.write(`${lineOf(result.limit).trimEnd()}; reached: ${result.limit.share.toFixed(2)}\n`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      plain: { type: 'boolean', default: false },
      only: { type: 'string' },
      row: { type: 'string', multiple: true },
    },
  });
  if (values.row !== undefined) {
    process.stdout.write(JSON.stringify(await measureHere(values.row, values.quick)));
    return 0;
  }

  const chosen = rows.filter(({ name }) => values.only === undefined || name.includes(values.only));
  if (chosen.length === 0) {
    process.stderr.write(`bench: no row contains "${values.only ?? ''}". There are:\n${rows.map(({ name }) => `  ${name}\n`).join('')}`);
    return 1;
  }
  const flags = values.plain ? [] : hostFlags;
  if (!values.json) {
    process.stdout.write(`Node ${[process.version, ...flags].join(' ')}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores. Medians; spread is lowest and highest run.\n\n`);
    process.stdout.write(`${'row'.padEnd(46)}${'value'.padStart(14)}  ${'unit'.padEnd(14)}spread\n`);
  }
  const measured = parts(chosen, values.quick).flatMap((part) => {
    const results = measureInChild(part, values.quick, flags);
    if (!values.json) results.forEach(print);
    return results;
  });
  if (values.json) process.stdout.write(`${JSON.stringify(measured, null, 2)}\n`);
  return 0;
}

process.exitCode = await main();
