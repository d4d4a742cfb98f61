import { describeProgresses } from '../../../src/core/describe.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { StateType } from '../../../src/core/types.js';
import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `status i`: what a leader knows of each peer; on others nothing. */
export function status(env: InteractionEnv, directive: Directive): void {
  const raft = internalRaft(nodeAt(env, directive, 0).rawNode);
  if (raft.state !== StateType.Leader) return;
  env.output.print(describeProgresses(raft.tracker));
}
