import { describeMessage } from '../../../src/core/describe.js';
import { newMessage } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `send-snapshot i j`: queues a MsgSnap with the newest state of i. */
export function sendSnapshot(env: InteractionEnv, directive: Directive): void {
  const from = nodeAt(env, directive, 0);
  const m = newMessage(MessageType.MsgSnap, nodeAt(env, directive, 1).id);
  m.from = from.id;
  m.term = internalRaft(from.rawNode).term;
  m.snapshot = from.storage.newest;
  env.inFlight.push(m);
  env.output.print(describeMessage(m));
}
