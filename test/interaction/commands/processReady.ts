import { describeReady } from '../../../src/core/describe.js';
import type { Ready } from '../../../src/core/ready.js';
import { LocalAppendThread, LocalApplyThread } from '../../../src/core/types.js';
import type { Directive } from '../../support/datadriven.js';
import { nodesOf } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';
import type { ScriptNode } from '../scriptNode.js';

/** `process-ready i…` */
export function processReady(env: InteractionEnv, directive: Directive): void {
  forEachNode(env, directive, 'handling Ready', (node) => handleReady(env, node));
}

/** Takes a Ready of the node, prints it and does what it asks for. */
export function handleReady(env: InteractionEnv, node: ScriptNode): void {
  const ready = node.rawNode.ready();
  env.output.print(describeReady(ready));
  performReady(env, node, ready);
}

/** Does what a Ready asks for: here, or by giving it to the two threads. */
export function performReady(env: InteractionEnv, node: ScriptNode, ready: Ready): void {
  if (!node.config.asyncStorageWrites) {
    node.persist(ready.hardState, ready.snapshot, ready.entries);
    node.apply(ready.committedEntries);
  }
  for (const m of ready.messages) {
    if (m.to === LocalAppendThread) node.appendWork.push(m);
    else if (m.to === LocalApplyThread) node.applyWork.push(m);
    else env.inFlight.push(m);
  }
  if (!node.config.asyncStorageWrites) node.rawNode.advance(ready);
}

/** Does something for every node that the command names; with several, each under a head line. */
export function forEachNode(
  env: InteractionEnv,
  directive: Directive,
  doing: string,
  action: (node: ScriptNode) => void,
): void {
  const nodes = nodesOf(env, directive);
  if (nodes.length === 1) {
    action(nodes[0]!);
    return;
  }
  for (const node of nodes) {
    env.output.print(`> ${node.id} ${doing}\n`);
    env.output.indented(() => action(node));
  }
}
