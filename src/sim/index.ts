// The public surface of the simulator, `import … from 'raftstep/sim'`. Re-exports only.

export { simulate, type SimFailure, type SimOptions, type SimResult } from './simulate.js';
export type { Recovery } from './liveness.js';
export { shrink, type Shrunk } from './shrink.js';
export { drawConfig } from './drawConfig.js';
export { isProfile, profiles, type DiskLossPlan, type FaultWeights, type Profile, type RevertPermission, type SimConfig } from './simConfig.js';
export { diskLossFaults, FaultKind, faultName } from './faultKind.js';

export type { UserMachine, Workload, WorkloadRequest } from './userMachine.js';
export { Prng } from './prng.js';
export { KvKind, KvMachine, KvWorkload, type KvAnswer, type KvCommand } from './kv.js';
export { OpOutcome, type ClientOp } from './clientOp.js';

export { Violation, type Checker, type ClusterView, type DurableView, type NodeView, type ViewSettings } from './checker.js';
export { allCheckers, DetectionChecker, type CheckerOptions, type StableLeadership } from './checkers/index.js';
export { describeEvent } from './describeEvent.js';
export {
  SimEventKind,
  SimPhase,
  type AppliedEvent,
  type CheckpointEvent,
  type CommitEvent,
  type CompactedEvent,
  type ConfigAppliedEvent,
  type DeliverEvent,
  type EventBase,
  type FaultEvent,
  type LeaderCommitEvent,
  type LogWentBackEvent,
  type LossNotedEvent,
  type OpInvokedEvent,
  type OpReturnedEvent,
  type PermittedEvent,
  type PhaseEvent,
  type ProposedEvent,
  type ReadAbortedEvent,
  type ReadRequestedEvent,
  type ReadStateEvent,
  type ReadyEvent,
  type RoleEvent,
  type SendEvent,
  type SimEvent,
  type SnapshotCreatedEvent,
  type SnapshotInstalledEvent,
  type StartedEvent,
  type SteppedEvent,
  type StoppedEvent,
  type SyncedEvent,
  type TickedEvent,
  type TruncatedEvent,
  type WrittenEvent,
} from './simEvent.js';
