import type { Directive } from '../../support/datadriven.js';
import { nodeAt, toInteger, word } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `report-unreachable i j`: tells i that j could not be reached. */
export function reportUnreachable(env: InteractionEnv, directive: Directive): void {
  nodeAt(env, directive, 0).rawNode.reportUnreachable(toInteger(word(directive, 1)));
}
