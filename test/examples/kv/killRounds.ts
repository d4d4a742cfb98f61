import type { RandomSource } from '../../../src/core/random.js';
import { seededRandom } from '../../support/seededRandom.js';
import { startExample } from './runExample.js';

/** What came of many runs that were killed. */
export interface KillResult {
  kills: number;
  /** Kills before anything was acknowledged. */
  early: number;
  acknowledged: number;
  /** Writes that were there after a kill though they were not acknowledged, which is their right. */
  ahead: number;
  /** How often a state was compared with what it must be. */
  comparisons: number;
  /** What went wrong. */
  faults: string[];
}

/** One write of the input, and what it does to the model. */
interface Step {
  readonly line: string;
  readonly key: string;
  /** Undefined for a removal. */
  readonly value: string | undefined;
}

const keys = Array.from({ length: 30 }, (_, i) => `k${i}`);

/** Writes that one run is given; more than it has time for. */
const writesPerRun = 20_000;

/** A run that is not over after this time hangs, in milliseconds. */
const limitMs = 60_000;

/**
 * Runs the example on the same data again and again, and kills all of it, three nodes in one process, in the
 * middle of its writes or of its start.
 *
 * Each run first reads every key. The writes of one client happen in their order, each once. So what is found
 * must be the state after the first n writes of the run before, for an n that is at least the number of those
 * that were acknowledged: nothing lost, nothing twice, nothing invented.
 */
export async function killRounds(dir: string, kills: number, seed: number): Promise<KillResult> {
  const random = seededRandom(seed);
  const result: KillResult = { kills: 0, early: 0, acknowledged: 0, ahead: 0, comparisons: 0, faults: [] };
  let model: ReadonlyMap<string, string> = new Map();
  let open: readonly Step[] = [];
  let acknowledged = 0;
  for (let round = 0; round <= kills && result.faults.length === 0; round++) {
    const isLast = round === kills;
    const steps = isLast ? [] : drawSteps(round, random);
    const { found, acks, problem } = await run(dir, steps, isLast ? null : drawKill(random));
    const fault = (what: string): void => void result.faults.push(`round ${round}: ${what}`);
    if (problem !== null) fault(problem);
    if (!isLast) result.kills++;
    if (acks.length === 0 && !isLast) result.early++;
    // Killed before everything was read: then it has written nothing, and the next run shall tell.
    if (found === null) {
      if (acks.length > 0 || isLast) fault('it wrote before it had read');
      continue;
    }

    const at = prefixThatGives(found, model, open);
    result.comparisons++;
    if (at < acknowledged) fault(`of ${acknowledged} acknowledged writes ${at < 0 ? 'nothing that could have been is there' : `only ${at} are there`}`);
    result.ahead += Math.max(0, at - acknowledged);
    acks.forEach((ack, i) => {
      if (ack !== `${steps[i]!.value === undefined ? 'del' : 'put'} ${steps[i]!.key}`) fault(`acknowledgement ${i} is for "${ack}"`);
    });
    model = found;
    open = steps;
    acknowledged = acks.length;
    result.acknowledged += acks.length;
  }
  return result;
}

/** The counts in one line. */
export function describeKills({ kills, early, acknowledged, ahead, comparisons, faults }: KillResult): string {
  return `${kills} kills (${early} before the first write), ${acknowledged} acknowledged writes, ${comparisons} states compared, ${ahead} writes ahead of their acknowledgement, ${faults.length} faults`;
}

/** When to kill: so many milliseconds after the program was started, or after its first acknowledgement. */
interface Kill {
  readonly after: 'start' | 'acknowledgement';
  readonly ms: number;
}

function drawKill(random: RandomSource): Kill {
  return random(4) === 0 ? { after: 'start', ms: random(1000) } : { after: 'acknowledgement', ms: random(400) };
}

function drawSteps(round: number, random: RandomSource): Step[] {
  return Array.from({ length: writesPerRun }, (_, i) => {
    const key = keys[random(keys.length)]!;
    if (random(10) === 0) return { line: `del ${key}`, key, value: undefined };
    const value = `${round}.${i}${random(50) === 0 ? 'x'.repeat(random(20_000)) : ''}`;
    return { line: `put ${key} ${value}`, key, value };
  });
}

/** The last number of writes that lead from `model` to `found`; -1 if none does. */
function prefixThatGives(found: ReadonlyMap<string, string>, model: ReadonlyMap<string, string>, writes: readonly Step[]): number {
  const state = new Map(model);
  const different = new Set(keys.filter((key) => state.get(key) !== found.get(key)));
  let last = different.size === 0 ? 0 : -1;
  writes.forEach(({ key, value }, i) => {
    if (found.get(key) === value) different.delete(key);
    else different.add(key);
    if (different.size === 0) last = i + 1;
  });
  return last;
}

interface RunResult {
  /** The store at the start; null if the run did not come so far. */
  readonly found: ReadonlyMap<string, string> | null;
  /** Kind and key of each write that was acknowledged, in order. */
  readonly acks: readonly string[];
  readonly problem: string | null;
}

/** One run of the example. Without a kill it has to come to a good end. */
async function run(dir: string, steps: readonly Step[], kill: Kill | null): Promise<RunResult> {
  const child = startExample(['--data', dir, '--timeout', '20', '--answers']);
  let isKilled = false;
  const strike = (): void => {
    isKilled = true;
    child.kill('SIGKILL');
  };
  const timers = [setTimeout(() => child.kill('SIGKILL'), limitMs)];
  if (kill?.after === 'start') timers.push(setTimeout(strike, kill.ms));
  let stdout = '';
  let stderr = '';
  let hasAnswered = false;
  child.stdout.on('data', (text: string) => {
    stdout += text;
    if (hasAnswered || !text.includes(': ok\n')) return;
    hasAnswered = true;
    if (kill?.after === 'acknowledgement') timers.push(setTimeout(strike, kill.ms));
  });
  child.stderr.on('data', (text: string) => (stderr += text));
  child.stdin.write([...keys.map((key) => `get ${key}\n`), ...steps.map(({ line }) => `${line}\n`)].join(''));
  // A fast machine is through with the writes before the kill, and must not end by itself then.
  if (kill === null) child.stdin.end();
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
  for (const timer of timers) clearTimeout(timer);

  // What was cut off in the middle of a line was not said.
  const lines = stdout.split('\n').slice(0, -1);
  const answers = lines.flatMap((line) => /^(k\d+) (?:= (.*)|is not set)$/.exec(line)?.slice(1) ?? []);
  const found = new Map<string, string>();
  for (let i = 0; i < answers.length; i += 2) if (answers[i + 1] !== undefined) found.set(answers[i]!, answers[i + 1]!);
  let problem: string | null = null;
  if (stderr !== '') problem = `it complained: ${stderr}`;
  else if (!isKilled && (kill !== null || exitCode !== 0)) problem = `it ended by itself, with exit code ${exitCode}`;
  return {
    found: answers.length === 2 * keys.length ? found : null,
    acks: lines.flatMap((line) => /^((?:put|del) k\d+): ok$/.exec(line)?.[1] ?? []),
    problem,
  };
}
