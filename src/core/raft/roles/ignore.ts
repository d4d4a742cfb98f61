import type { MessageType } from '../../raftpb/messageType.js';
import { StepResult } from '../stepResult.js';

/** What no role gets to see: handled in `step` or by their entry points, for every role. */
type HandledElsewhere =
  | typeof MessageType.MsgHup
  | typeof MessageType.MsgBeat
  | typeof MessageType.MsgCheckQuorum
  | typeof MessageType.MsgVote
  | typeof MessageType.MsgPreVote
  | typeof MessageType.MsgStorageAppend
  | typeof MessageType.MsgStorageAppendResp
  | typeof MessageType.MsgStorageApply
  | typeof MessageType.MsgStorageApplyResp;

/**
 * Ends the switch of a role: messages of these types mean nothing to it.
 *
 * @param _type for the compiler: a type that is neither routed by the role, nor in its list, nor handled elsewhere does not compile.
 */
export function ignore<Ignored extends MessageType>(_type: Ignored | HandledElsewhere): StepResult {
  return StepResult.Ok;
}
