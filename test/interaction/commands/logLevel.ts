import type { Directive } from '../../support/datadriven.js';
import { word } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `log-level none` silences all output but refusals, any other level ends that. */
export function logLevel(env: InteractionEnv, directive: Directive): void {
  env.output.quiet = isQuietLevel(word(directive, 0));
}

/** Whether a level means silence. */
export function isQuietLevel(level: string): boolean {
  return level.toLowerCase() === 'none';
}
