import type { Message } from '../core/raftpb/message.js';
import type { AbortedRead, ReadState } from '../core/raft/raft.js';
import type { Index, NodeId } from '../core/types.js';
import type { NodeView } from './checker.js';
import type { FaultKind } from './faultKind.js';
import type { Prng } from './prng.js';
import type { Scheduler } from './scheduler.js';
import type { SimConfig } from './simConfig.js';
import type { SimEvent } from './simEvent.js';
import type { UserMachine } from './userMachine.js';

/** What a node needs of the run it is part of. */
export interface NodeHost {
  readonly config: SimConfig;
  readonly scheduler: Scheduler;
  /** Chance of disks: latencies, and what a power loss leaves. */
  readonly diskRandom: Prng;
  /** Chance of crashes in the middle of a Ready. */
  readonly crashRandom: Prng;
  /** Whether faults may happen at all: in the safety phase. */
  readonly faultsOn: boolean;
  /** Whether a node that has lost its disk comes back, so that nothing else may go wrong. */
  readonly quiet: boolean;
  newMachine(): UserMachine;
  /** First members, for `bootstrap`. */
  readonly firstVoters: readonly NodeId[];
  emit(event: SimEvent): void;
  mark(kind: FaultKind): void;
  /** Hands a message to the network. */
  send(m: Message): void;
  /** A command was carried out on a node. */
  opApplied(node: NodeView, id: number, index: Index, answer: unknown): void;
  /** A node has applied up to some index: reads may be served. */
  appliedTo(node: NodeView): void;
  readState(node: NodeView, read: ReadState): void;
  readAborted(node: NodeView, read: AbortedRead): void;
  /** A node has crashed by itself, in the middle of a Ready; it is to be started again some time. */
  crashed(node: NodeView): void;
  /** A leader has found out that the log of a member went back. */
  logWentBack(leader: NodeView, permitted: boolean): void;
  /** A node has applied its own removal. */
  removed(node: NodeView): void;
}
