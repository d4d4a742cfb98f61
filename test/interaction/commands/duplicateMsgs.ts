import type { Directive } from '../../support/datadriven.js';
import { toInteger, word } from '../commandArguments.js';
import { staysInside, type InteractionEnv } from '../interactionEnv.js';

/** `duplicate-msgs i`: every in-flight message to i that came from another node is sent once more. */
export function duplicateMsgs(env: InteractionEnv, directive: Directive): void {
  const id = toInteger(word(directive, 0));
  const copies = env.inFlight.filter((m) => m.to === id && !staysInside(m));
  // Nobody changes a message that was sent, so both copies can be one object.
  env.inFlight = [...env.inFlight, ...copies];
  env.output.print(`duplicated ${copies.length} messages\n`);
}
