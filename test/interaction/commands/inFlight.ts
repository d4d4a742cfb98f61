import { describeMessage } from '../../../src/core/describe.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `in-flight`: the messages that were sent and not delivered. */
export function inFlight(env: InteractionEnv): void {
  for (const m of env.inFlight) env.output.print(`${describeMessage(m)}\n`);
  if (env.inFlight.length === 0) env.output.print('no messages\n');
}
