import { describeMessage } from '../../../src/core/describe.js';
import { copyMessage, type Message } from '../../../src/core/raftpb/message.js';
import { isEmptyHardState, type HardState } from '../../../src/core/raftpb/state.js';
import type { Directive } from '../../support/datadriven.js';
import type { InteractionEnv } from '../interactionEnv.js';
import type { ScriptNode } from '../scriptNode.js';
import { forEachNode } from './processReady.js';

/** `process-append-thread i…` */
export function processAppendThread(env: InteractionEnv, directive: Directive): void {
  forEachNode(env, directive, 'processing append thread', (node) => runAppendThread(env, node));
}

/** Performs the oldest write that the append thread of a node has to do. */
export function runAppendThread(env: InteractionEnv, node: ScriptNode): void {
  const work = node.appendWork.shift();
  if (work === undefined) {
    env.output.print('no append work to perform');
    return;
  }
  performStorageWork(env, work, () => {
    const hardState: HardState = { term: work.term, vote: work.vote, commit: work.commit };
    node.persist(isEmptyHardState(hardState) ? null : hardState, work.snapshot, work.entries);
  });
}

/** Prints a storage message, performs it, then prints and sends its responses. */
export function performStorageWork(env: InteractionEnv, work: Message, perform: () => void): void {
  const request = copyMessage(work);
  request.responses = [];
  env.output.print(`Processing:\n${describeMessage(request)}\n`);
  perform();
  env.output.print('Responses:\n');
  for (const m of work.responses) {
    env.output.print(`${describeMessage(m)}\n`);
    env.inFlight.push(m);
  }
}
