import { isProfile, profiles, type Profile, type SimConfig } from '../../src/sim/index.js';
import { runConfig } from '../../src/sim/runConfig.js';

/** What the command line of the simulator asks for. */
export interface SimCommand {
  readonly seeds: number;
  readonly from: number;
  readonly steps: number;
  readonly profile: Profile;
  /** Processes to share the seeds. */
  readonly jobs: number;
  /** Values in place of the drawn ones. */
  readonly config: Partial<SimConfig>;
  /** Whether a failing run is made smaller. Not in full mode. */
  readonly shrink: boolean;
  /** Full mode: the real write-ahead log on simulated disks. */
  readonly full: boolean;
}

/** How to call it. */
export const usage = `npm run --silent sim -- --seeds N [--from S] [--steps K] [--profile NAME] [--jobs J] [--config JSON] [--no-shrink] [--full]
  profiles: ${profiles.join(', ')}
  --full: the real write-ahead log below each node, on a simulated disk`;

/**
 * Reads the arguments.
 *
 * @throws Error that says what is wrong with them.
 */
export function parseCommand(args: readonly string[]): SimCommand {
  const command = { seeds: 100, from: 0, steps: 2000, profile: 'default' as Profile, jobs: 1, config: {} as Partial<SimConfig>, shrink: true, full: false };
  for (let i = 0; i < args.length; i++) {
    const name = args[i]!;
    if (name === '--no-shrink') {
      command.shrink = false;
      continue;
    }
    if (name === '--full') {
      command.full = true;
      continue;
    }
    const value = args[++i];
    if (value === undefined) throw new Error(`${name} needs a value`);
    switch (name) {
      case '--seeds':
      case '--from':
      case '--steps':
      case '--jobs':
        command[name.slice(2) as 'seeds' | 'from' | 'steps' | 'jobs'] = count(name, value);
        break;
      case '--profile':
        if (!isProfile(value)) throw new Error(`no profile ${value}`);
        command.profile = value;
        break;
      case '--config':
        command.config = parseConfig(value);
        break;
      default:
        throw new Error(`unknown option ${name}`);
    }
  }
  const { seeds, from, steps, profile, config, jobs } = command;
  if (seeds < 1) throw new Error('--seeds must be 1 or more');
  // The last seed as well as the first one.
  for (const seed of [from, seeds - 1 + from]) runConfig({ seed, steps, profile, config });
  return { ...command, jobs: Math.min(jobs, seeds) };
}

/** JSON has no Infinity, and writes null in its place. */
function parseConfig(text: string): Partial<SimConfig> {
  try {
    return JSON.parse(text, (_key, part: unknown) => (part === null ? Infinity : part)) as Partial<SimConfig>;
  } catch (error) {
    throw new Error(`--config must be JSON, is ${text}`, { cause: error });
  }
}

function count(name: string, value: string): number {
  if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(Number(value))) throw new Error(`${name} must be a number, is ${value}`);
  return Number(value);
}

/** The command that repeats one run. */
export function replayCommand(seed: number, steps: number, profile: Profile, config: Partial<SimConfig>, full = false): string {
  const extra = Object.keys(config).length === 0 ? '' : ` --config '${JSON.stringify(config)}'`;
  return `npm run --silent sim -- --seeds 1 --from ${seed} --steps ${steps} --profile ${profile}${extra}${full ? ' --full' : ''}`;
}
