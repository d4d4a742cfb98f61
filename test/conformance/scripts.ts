import { readFileSync } from 'node:fs';
import { runScript, type ScriptRun } from '../interaction/runScript.js';
import { lineDiff } from '../support/lineDiff.js';
import { filesOf } from './files.js';
import type { Report } from './report.js';

/** Runs script files of the interaction language, and those in folders. Each file is one case. */
export function runScripts(paths: readonly string[]): Report {
  let passed = 0;
  const failures: string[] = [];
  for (const file of paths.flatMap((path) => filesOf(path, '.txt'))) {
    const failure = runScriptFile(file);
    if (failure === null) passed++;
    else failures.push(failure);
  }
  return { passed, failures };
}

/** What differs first in a script, or null. The commands after it usually differ as a consequence, so they are only counted. */
function runScriptFile(file: string): string | null {
  let run: ScriptRun;
  try {
    run = runScript(readFileSync(file, 'utf8'), file);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (run.commands === 0) return `${file}: there is no command in it`;
  const [first, ...others] = run.mismatches;
  if (first === undefined) return null;
  const rest = others.length === 0 ? '' : `\n(${others.length} more commands of this file differ)`;
  return `${file}:${first.line}: ${first.command}\n${lineDiff(first.expected, first.actual)}${rest}`;
}
