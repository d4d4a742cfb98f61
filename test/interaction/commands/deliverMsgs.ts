import { describeMessage } from '../../../src/core/describe.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import type { NodeId } from '../../../src/core/types.js';
import type { Directive } from '../../support/datadriven.js';
import { ScriptError, toChoice, toInteger, valueOf } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

interface Recipient {
  readonly id: NodeId;
  readonly drop: boolean;
}

/** `deliver-msgs i… [drop=(j,…)] [type=MsgX]` */
export function deliverMsgs(env: InteractionEnv, directive: Directive): void {
  const recipients: Recipient[] = [];
  let type: MessageType | null = null;
  for (const arg of directive.args) {
    if (arg.key === 'drop') {
      for (const id of arg.values) recipients.push({ id: toInteger(id), drop: true });
    } else if (arg.key === 'type') {
      type = toChoice<MessageType>(valueOf(arg), MessageType);
    } else {
      recipients.push({ id: toInteger(arg.key), drop: false });
    }
  }
  const dropped = recipients.filter((recipient) => recipient.drop).map((recipient) => recipient.id);
  if (recipients.some((recipient) => !recipient.drop && dropped.includes(recipient.id))) {
    throw new ScriptError(`"${directive.raw}" both delivers and drops messages to one node`);
  }
  let handled = 0;
  for (const recipient of recipients) handled += deliverTo(env, recipient, type);
  if (handled === 0) env.output.print('no messages\n');
}

function deliverTo(env: InteractionEnv, { id, drop }: Recipient, type: MessageType | null): number {
  const messages = env.takeMessages(id, type, !drop);
  for (const m of messages) {
    // A node that does not exist yet can have messages dropped.
    if (drop) env.output.print(`dropped: ${describeMessage(m)}\n`);
    else env.deliver(m);
  }
  return messages.length;
}
