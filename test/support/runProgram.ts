import { execFileSync } from 'node:child_process';

/** A program that runs longer is ended, in milliseconds. */
const usualLimitMs = 60_000;

/** Runs a script with this Node in `cwd` and returns what it printed. Throws with its whole output if it fails. */
export function runNode(args: readonly string[], cwd: string, limitMs = usualLimitMs): string {
  return runProgram(process.execPath, args, cwd, limitMs);
}

/** Runs any program to its end, without input, and returns what it printed. Throws with its whole output if it fails. */
export function runProgram(program: string, args: readonly string[], cwd: string, limitMs = usualLimitMs): string {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26, timeout: limitMs });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
