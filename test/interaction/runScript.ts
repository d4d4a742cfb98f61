import { endedLine, parseDatadriven, renderDatadriven } from '../support/datadriven.js';
import { execute } from './execute.js';
import { InteractionEnv } from './interactionEnv.js';

/** A command that printed something else than the script expects. */
export interface Mismatch {
  /** Line of the command in the script, from 1. */
  readonly line: number;
  /** The command line. */
  readonly command: string;
  readonly expected: string;
  readonly actual: string;
}

/** Outcome of a script. */
export interface ScriptRun {
  readonly mismatches: readonly Mismatch[];
  /** The script with what was printed in place of what was expected. */
  readonly rewritten: string;
  /** Commands that were carried out. */
  readonly commands: number;
}

/**
 * Runs a script of the interaction language on a cluster of its own.
 *
 * @param afterEach is called after every command, to look at the nodes.
 * @throws Error that names file, line and command if the script makes no sense or a node throws.
 */
export function runScript(text: string, filename: string, afterEach?: (env: InteractionEnv) => void): ScriptRun {
  const directives = parseDatadriven(text, filename);
  const env = new InteractionEnv();
  const mismatches: Mismatch[] = [];
  const outputs: string[] = [];
  for (const directive of directives) {
    let output: string;
    try {
      output = endedLine(execute(env, directive));
      afterEach?.(env);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${filename}:${directive.line}: ${directive.raw}: ${reason}`, { cause: error });
    }
    outputs.push(output);
    if (output !== directive.expected) {
      mismatches.push({ line: directive.line, command: directive.raw, expected: directive.expected, actual: output });
    }
  }
  const rewritten = mismatches.length === 0 ? text : renderDatadriven(text, directives, outputs);
  return { mismatches, rewritten, commands: directives.length };
}
