import { SnapshotStatus } from '../../../src/core/types.js';
import { findArgument, type Directive } from '../../support/datadriven.js';
import { nodeAt, ScriptError, toChoice, toInteger, valueOf, word } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

const outcomes = { success: SnapshotStatus.Finish, failure: SnapshotStatus.Failure };

/** `report-snapshot i j status=success/failure`: tells i how sending a snapshot to j ended. */
export function reportSnapshot(env: InteractionEnv, directive: Directive): void {
  const status = findArgument(directive, 'status');
  if (status === undefined) throw new ScriptError('status is missing');
  const peer = toInteger(word(directive, 1));
  nodeAt(env, directive, 0).rawNode.reportSnapshot(peer, toChoice<SnapshotStatus>(valueOf(status), outcomes));
}
