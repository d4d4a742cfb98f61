import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';
import type { ScriptNode } from '../scriptNode.js';

/** `tick-election i`: an election timeout passes. */
export function tickElection(env: InteractionEnv, directive: Directive): void {
  const node = nodeAt(env, directive, 0);
  tick(node, node.config.electionTick);
}

/** `tick-heartbeat i`: a heartbeat interval passes. */
export function tickHeartbeat(env: InteractionEnv, directive: Directive): void {
  const node = nodeAt(env, directive, 0);
  tick(node, node.config.heartbeatTick);
}

function tick(node: ScriptNode, ticks: number): void {
  for (let i = 0; i < ticks; i++) node.rawNode.tick();
}
