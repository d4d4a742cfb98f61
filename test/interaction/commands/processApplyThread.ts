import type { Directive } from '../../support/datadriven.js';
import type { InteractionEnv } from '../interactionEnv.js';
import type { ScriptNode } from '../scriptNode.js';
import { performStorageWork } from './processAppendThread.js';
import { forEachNode } from './processReady.js';

/** `process-apply-thread i…` */
export function processApplyThread(env: InteractionEnv, directive: Directive): void {
  forEachNode(env, directive, 'processing apply thread', (node) => runApplyThread(env, node));
}

/** Applies the oldest batch that the apply thread of a node has to do. */
export function runApplyThread(env: InteractionEnv, node: ScriptNode): void {
  const work = node.applyWork.shift();
  if (work === undefined) {
    env.output.print('no apply work to perform');
    return;
  }
  performStorageWork(env, work, () => node.apply(work.entries));
}
