import type { Message } from './raftpb/message.js';
import type { ConfState, HardState } from './raftpb/state.js';
import type { Index, NodeId, StateType, Term } from './types.js';

/** One step of the protocol, for tools: simulators, checkers of a TLA+ specification, visualizers. */
export type TraceEvent =
  /** The node starts from its storage. */
  | { readonly kind: 'start'; readonly id: NodeId; readonly hardState: HardState; readonly lastIndex: Index; readonly confState: ConfState }
  /** A role was taken on. `vote` is the vote of this node in `term`. */
  | { readonly kind: 'role'; readonly id: NodeId; readonly state: StateType; readonly term: Term; readonly vote: NodeId; readonly lead: NodeId }
  /** A message was put into the outbox; it leaves with a later Ready. */
  | { readonly kind: 'send'; readonly id: NodeId; readonly message: Message }
  /** A message was accepted by the wall and is about to be handled. */
  | { readonly kind: 'receive'; readonly id: NodeId; readonly message: Message }
  /** A message was refused and changed nothing. */
  | { readonly kind: 'refuse'; readonly id: NodeId; readonly message: Message; readonly reason: string }
  /** A leader appended entries of its own, up to `lastIndex`. */
  | { readonly kind: 'append'; readonly id: NodeId; readonly term: Term; readonly lastIndex: Index }
  /** The leader moved the commit index. */
  | { readonly kind: 'commit'; readonly id: NodeId; readonly term: Term; readonly commit: Index }
  /** Another configuration took effect. */
  | { readonly kind: 'config'; readonly id: NodeId; readonly confState: ConfState }
  /** A committed configuration change had no effect (D8, D14). */
  | { readonly kind: 'confChangeIgnored'; readonly id: NodeId; readonly index: Index; readonly reason: string }
  /** The log of a follower is proven to have gone back from `match` to `lastIndex` (O12). */
  | { readonly kind: 'logWentBack'; readonly id: NodeId; readonly member: NodeId; readonly match: Index; readonly lastIndex: Index; readonly permitted: boolean }
  /** This node has lost entries up to `lostUpTo` that it had acknowledged, says its leader (O12). */
  | { readonly kind: 'lossNoted'; readonly id: NodeId; readonly lostUpTo: Index; readonly lastIndex: Index }
  /** A read died with its leader (D6). */
  | { readonly kind: 'readAborted'; readonly id: NodeId; readonly requestContext: Uint8Array };

/** Receives every {@link TraceEvent} while it happens. It must not call the node and must not throw. */
export interface TraceLogger {
  /** Called once per step, in order. */
  trace(event: TraceEvent): void;
}
