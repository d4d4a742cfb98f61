import { describeReady, emptyReadyText } from '../../../src/core/describe.js';
import type { Message } from '../../../src/core/raftpb/message.js';
import { findArgument, type Directive } from '../../support/datadriven.js';
import { nodesOf, valueOf } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';
import type { ScriptNode } from '../scriptNode.js';
import { isQuietLevel } from './logLevel.js';
import { runAppendThread } from './processAppendThread.js';
import { runApplyThread } from './processApplyThread.js';
import { performReady } from './processReady.js';

// Far more than any healthy cluster needs to come to rest.
const maxRounds = 10_000;

/** `stabilize [i…] [log-level=none]` */
export function stabilize(env: InteractionEnv, directive: Directive): void {
  const listed = nodesOf(env, directive);
  const nodes = listed.length === 0 ? env.nodes : listed;
  const level = findArgument(directive, 'log-level');
  const wasQuiet = env.output.quiet;
  if (level !== undefined) env.output.quiet = isQuietLevel(valueOf(level));
  try {
    let rounds = 0;
    while (runRound(env, nodes)) {
      if (++rounds > maxRounds) throw new Error(`the nodes have not come to rest after ${maxRounds} rounds`);
    }
  } finally {
    env.output.quiet = wasQuiet;
  }
}

/** Lets every node do each kind of work once. Returns false if there was none. */
function runRound(env: InteractionEnv, nodes: readonly ScriptNode[]): boolean {
  let worked = false;
  for (const node of nodes) worked = takeReady(env, node) || worked;
  for (const node of nodes) worked = receiveMessages(env, node) || worked;
  for (const node of nodes) worked = runThread(env, node, 'append', node.appendWork, runAppendThread) || worked;
  for (const node of nodes) worked = runThread(env, node, 'apply', node.applyWork, runApplyThread) || worked;
  return worked;
}

function takeReady(env: InteractionEnv, node: ScriptNode): boolean {
  if (!node.rawNode.hasReady()) return false;
  const ready = node.rawNode.ready();
  const text = describeReady(ready);
  performReady(env, node, ready);
  // A Ready of nothing but aborted reads does not show in scripts.
  if (text === emptyReadyText) return true;
  env.output.print(`> ${node.id} handling Ready\n`);
  env.output.indented(() => env.output.print(text));
  return true;
}

function receiveMessages(env: InteractionEnv, node: ScriptNode): boolean {
  const messages = env.takeMessages(node.id, null, true);
  if (messages.length === 0) return false;
  env.output.print(`> ${node.id} receiving messages\n`);
  env.output.indented(() => {
    for (const m of messages) env.deliver(m);
  });
  return true;
}

function runThread(
  env: InteractionEnv,
  node: ScriptNode,
  name: string,
  work: readonly Message[],
  runOnce: (env: InteractionEnv, node: ScriptNode) => void,
): boolean {
  if (work.length === 0) return false;
  env.output.print(`> ${node.id} processing ${name} thread\n`);
  while (work.length > 0) env.output.indented(() => runOnce(env, node));
  return true;
}
