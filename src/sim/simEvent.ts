import type { Entry } from '../core/raftpb/entry.js';
import type { Message } from '../core/raftpb/message.js';
import type { ConfState, HardState, Snapshot } from '../core/raftpb/state.js';
import type { StepResult } from '../core/raft/stepResult.js';
import type { Ready } from '../core/ready.js';
import type { Index, NodeId, StateType, Term } from '../core/types.js';
import type { ClientOp } from './clientOp.js';

/** What can happen in a simulated cluster, as checkers see it. */
export const SimEventKind = {
  /** A node was made from its storage: at the beginning, or after a crash. */
  Started: 0,
  /** A node is gone: killed, or without power. */
  Stopped: 1,
  /** A Ready was taken out of a node; nothing in it is written yet. */
  Ready: 2,
  /** A write reached the page cache: readable, survives a kill, lost at a power loss. */
  Written: 3,
  /** Everything written until now is on the disk. */
  Synced: 4,
  /** A message leaves a node for another one. The sender's durable state is in the view. */
  Send: 5,
  /** A message is about to be stepped. */
  Deliver: 6,
  /** A message was stepped. */
  Stepped: 7,
  /** A node has a new role, term or leader. Emitted at that very moment, in the middle of the call. */
  Role: 8,
  /** A leader moved its commit index. Emitted at that very moment, in the middle of the call. */
  LeaderCommit: 9,
  /** The commit index of a node of any role is higher after a call than before it. */
  Commit: 10,
  /** The state machine has applied one entry, configuration changes included. */
  Applied: 11,
  /** A committed configuration change was handed to `applyConfChange`. Follows the Applied of its entry. */
  ConfigApplied: 12,
  /** A snapshot of the leader has replaced state machine and log. */
  SnapshotInstalled: 13,
  /** A node made a snapshot of its own state machine. */
  SnapshotCreated: 14,
  /** A node discarded its log up to an index. */
  Compacted: 15,
  /** Entries that were written before are replaced by a write. Precedes its Written. */
  Truncated: 16,
  /** A proposal was given to a node, by a client or by an operator. */
  Proposed: 17,
  /** A client started an operation. */
  OpInvoked: 18,
  /** A client knows how its operation ended, or has given up. */
  OpReturned: 19,
  /** A read was given to a node. */
  ReadRequested: 20,
  /** A Ready answered a read. */
  ReadState: 21,
  /** A Ready aborted a read. */
  ReadAborted: 22,
  /** A node ticked. */
  Ticked: 23,
  /** A fault, or an end of one. */
  Fault: 24,
  /** The run enters another phase. */
  Phase: 25,
  /** Regular opportunity for checks that look at the whole cluster: every 100 steps, and once in the audit. */
  Checkpoint: 26,
  /** A leader has found out that the log of a member went back (O12). */
  LogWentBack: 27,
  /** A node was told by its leader that it has lost what it had acknowledged (O12). */
  LossNoted: 28,
  /** An operator has permitted, or forbidden again, that the log of a member goes back once (O13). */
  Permitted: 29,
} as const;
export type SimEventKind = (typeof SimEventKind)[keyof typeof SimEventKind];

/** Phases of a run, in this order. */
export const SimPhase = {
  /** Faults happen; only safety is demanded. */
  Safety: 0,
  /** All faults have ended; a quorum is up and connected, and has to elect, converge and serve in time. */
  Liveness: 1,
  /** Nothing runs any more; the last look at everything. */
  Audit: 2,
} as const;
export type SimPhase = (typeof SimPhase)[keyof typeof SimPhase];

/** What every event says. Events are never changed after they were emitted. */
export interface EventBase {
  /** What happened; tells the kinds of {@link SimEvent} apart. */
  readonly kind: SimEventKind;
  /** Virtual time in microseconds. */
  readonly time: number;
  /** Node it happens on; `None` for what concerns the whole cluster. */
  readonly node: NodeId;
}

/** A node was made from its storage. */
export interface StartedEvent extends EventBase {
  readonly kind: typeof SimEventKind.Started;
  /** 0 for the first start, one more with each restart. */
  readonly incarnation: number;
  /** What the storage held. */
  readonly hardState: HardState;
  /** Last index of the log. */
  readonly lastIndex: Index;
  /** Term of the entry there. */
  readonly lastTerm: Term;
  /** Index that the state machine starts from: of the snapshot, or what a durable machine has applied. */
  readonly applied: Index;
}

/** A node is gone. */
export interface StoppedEvent extends EventBase {
  readonly kind: typeof SimEventKind.Stopped;
  /** Whether writes that were not synced are lost. Then the durable state in the view is all there is. */
  readonly powerLoss: boolean;
  /** Whether even what was synced is gone: the disk was wiped, or replaced by an older copy. Absent: no. */
  readonly dataLoss?: boolean;
}

/** A Ready was taken out of a node. */
export interface ReadyEvent extends EventBase {
  readonly kind: typeof SimEventKind.Ready;
  /** What was handed out. */
  readonly ready: Ready;
  /** Whether an earlier Ready of this incarnation is still being handled; only right with asynchronous writes. */
  readonly pending: boolean;
}

/** A write reached the page cache: one Ready, or one MsgStorageAppend. Atomic. */
export interface WrittenEvent extends EventBase {
  readonly kind: typeof SimEventKind.Written;
  /** Entries that were appended, replacing what was there from the first one on. */
  readonly entries: readonly Entry[];
  /** Hard state that was saved; null for none. */
  readonly hardState: HardState | null;
  /** Snapshot of a leader that replaced the log; null for none. */
  readonly snapshot: Snapshot | null;
}

/** Everything written is on the disk. */
export interface SyncedEvent extends EventBase {
  readonly kind: typeof SimEventKind.Synced;
}

/** A message leaves `node`. */
export interface SendEvent extends EventBase {
  readonly kind: typeof SimEventKind.Send;
  /** The message. */
  readonly message: Message;
}

/** A message is about to be stepped by `node`. */
export interface DeliverEvent extends EventBase {
  readonly kind: typeof SimEventKind.Deliver;
  /** The message. */
  readonly message: Message;
}

/** A message was stepped by `node`. */
export interface SteppedEvent extends EventBase {
  readonly kind: typeof SimEventKind.Stepped;
  /** The message. */
  readonly message: Message;
  /** What the core says became of it. */
  readonly result: StepResult;
  /** Term and vote of the node before the step; those after it are in the view. */
  readonly termBefore: Term;
  /** Vote of the node before the step. */
  readonly voteBefore: NodeId;
}

/** A role was taken on. */
export interface RoleEvent extends EventBase {
  readonly kind: typeof SimEventKind.Role;
  /** The role. */
  readonly state: StateType;
  /** Term of the node. */
  readonly term: Term;
  /** Its vote in that term. */
  readonly vote: NodeId;
  /** Leader it knows, or `None`. */
  readonly lead: NodeId;
}

/** A leader moved its commit index. */
export interface LeaderCommitEvent extends EventBase {
  readonly kind: typeof SimEventKind.LeaderCommit;
  /** Term of the leader. */
  readonly term: Term;
  /** The commit index it has now. */
  readonly commit: Index;
}

/** The commit index of a node has risen. */
export interface CommitEvent extends EventBase {
  readonly kind: typeof SimEventKind.Commit;
  /** Commit index before the call. */
  readonly from: Index;
  /** Commit index after the call. */
  readonly to: Index;
}

/** The state machine applied an entry. */
export interface AppliedEvent extends EventBase {
  readonly kind: typeof SimEventKind.Applied;
  /** The entry. */
  readonly entry: Entry;
  /** Incarnation of the node. */
  readonly incarnation: number;
}

/** A configuration change was applied. */
export interface ConfigAppliedEvent extends EventBase {
  readonly kind: typeof SimEventKind.ConfigApplied;
  /** The entry with the change. */
  readonly entry: Entry;
  /** Configuration now in force; null if the change had no effect. */
  readonly confState: ConfState | null;
}

/** A snapshot replaced state machine and log. */
export interface SnapshotInstalledEvent extends EventBase {
  readonly kind: typeof SimEventKind.SnapshotInstalled;
  /** The snapshot. */
  readonly snapshot: Snapshot;
  /** Hash of the state machine after it was restored. */
  readonly stateHash: number;
}

/** A node made a snapshot of its state machine. */
export interface SnapshotCreatedEvent extends EventBase {
  readonly kind: typeof SimEventKind.SnapshotCreated;
  /** The snapshot. */
  readonly snapshot: Snapshot;
  /** Hash of the state machine. */
  readonly stateHash: number;
}

/** A node discarded its log up to `index`. */
export interface CompactedEvent extends EventBase {
  readonly kind: typeof SimEventKind.Compacted;
  /** Last entry that is gone. */
  readonly index: Index;
}

/** Written entries from `index` to `last` are about to be replaced. */
export interface TruncatedEvent extends EventBase {
  readonly kind: typeof SimEventKind.Truncated;
  /** First entry that is replaced. */
  readonly index: Index;
  /** Last entry that was there. */
  readonly last: Index;
}

/** A proposal was accepted by a node. What was refused is not reported. */
export interface ProposedEvent extends EventBase {
  readonly kind: typeof SimEventKind.Proposed;
  /** The bytes. */
  readonly data: Uint8Array;
  /** Term and index it got on a leader; 0 and 0 on a follower, which has forwarded it. */
  readonly term: Term;
  /** Index it got; see `term`. */
  readonly index: Index;
  /** Whether it is a configuration change. */
  readonly confChange: boolean;
}

/** A client started an operation. `op` changes later, until its OpReturned. */
export interface OpInvokedEvent extends EventBase {
  readonly kind: typeof SimEventKind.OpInvoked;
  /** The operation. */
  readonly op: ClientOp;
}

/** A client operation ended; `op` says how, and does not change any more. */
export interface OpReturnedEvent extends EventBase {
  readonly kind: typeof SimEventKind.OpReturned;
  /** The operation. */
  readonly op: ClientOp;
}

/** A read was given to `node` and accepted. */
export interface ReadRequestedEvent extends EventBase {
  readonly kind: typeof SimEventKind.ReadRequested;
  /** Context given to `readIndex`. */
  readonly requestContext: Uint8Array;
  /** The operation it belongs to. */
  readonly op: ClientOp;
}

/** A read got its index. */
export interface ReadStateEvent extends EventBase {
  readonly kind: typeof SimEventKind.ReadState;
  /** Context that came back. */
  readonly requestContext: Uint8Array;
  /** Index that has to be applied before the read is served. */
  readonly index: Index;
  /** The operation; null if the context is nobody's, which is a violation. */
  readonly op: ClientOp | null;
}

/** A read was aborted. */
export interface ReadAbortedEvent extends EventBase {
  readonly kind: typeof SimEventKind.ReadAborted;
  /** Context that came back. */
  readonly requestContext: Uint8Array;
}

/** A node ticked. */
export interface TickedEvent extends EventBase {
  readonly kind: typeof SimEventKind.Ticked;
}

/** A fault. `node` is the one it is about, or `None`. */
export interface FaultEvent extends EventBase {
  readonly kind: typeof SimEventKind.Fault;
  /** A `FaultKind`. */
  readonly fault: number;
  /** What exactly, for people. */
  readonly detail: string;
}

/** The run enters another phase. */
export interface PhaseEvent extends EventBase {
  readonly kind: typeof SimEventKind.Phase;
  /** The phase that begins. */
  readonly phase: SimPhase;
}

/** Regular opportunity for checks of the whole cluster. */
export interface CheckpointEvent extends EventBase {
  readonly kind: typeof SimEventKind.Checkpoint;
}

/** The log of a member is proven to have gone back; `node` is the leader. Emitted at that very moment, in the middle of the call. */
export interface LogWentBackEvent extends EventBase {
  readonly kind: typeof SimEventKind.LogWentBack;
  /** Whose log it is. */
  readonly member: NodeId;
  /** What it had acknowledged to this leader. */
  readonly match: Index;
  /** Whether it was permitted, so that replication starts over. */
  readonly permitted: boolean;
}

/** A node knows that it has lost what it had acknowledged. Emitted at that very moment, in the middle of the call. */
export interface LossNotedEvent extends EventBase {
  readonly kind: typeof SimEventKind.LossNoted;
  /** What it had acknowledged, as its leader says. */
  readonly lostUpTo: Index;
}

/** An operator calls `allowNextRevert`; `node` is the leader. */
export interface PermittedEvent extends EventBase {
  readonly kind: typeof SimEventKind.Permitted;
  /** Whose log may go back. */
  readonly member: NodeId;
  /** Whether it is permitted; false withdraws that. */
  readonly allow: boolean;
}

/** One event of a run. */
export type SimEvent =
  | StartedEvent
  | StoppedEvent
  | ReadyEvent
  | WrittenEvent
  | SyncedEvent
  | SendEvent
  | DeliverEvent
  | SteppedEvent
  | RoleEvent
  | LeaderCommitEvent
  | CommitEvent
  | AppliedEvent
  | ConfigAppliedEvent
  | SnapshotInstalledEvent
  | SnapshotCreatedEvent
  | CompactedEvent
  | TruncatedEvent
  | ProposedEvent
  | OpInvokedEvent
  | OpReturnedEvent
  | ReadRequestedEvent
  | ReadStateEvent
  | ReadAbortedEvent
  | TickedEvent
  | FaultEvent
  | PhaseEvent
  | CheckpointEvent
  | LogWentBackEvent
  | LossNotedEvent
  | PermittedEvent;
