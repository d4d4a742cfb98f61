/**
 * What goes wrong in a run, and what is done on purpose to make it hard. The simulator counts the runs in
 * which each of them really happened: a test that believes in a fault that never occurs proves nothing.
 */
export const FaultKind = {
  // -- Network
  /** A message is lost by chance. */
  Loss: 0,
  /** A message arrives twice. */
  Duplicate: 1,
  /** A message overtakes an older one on the same link. */
  Reorder: 2,
  /** A message from long ago arrives again. */
  Replay: 3,
  /** A link holds its messages back for a while. */
  Clog: 4,
  /** A link has more messages on their way than fit, and drops some. */
  Overflow: 5,
  /** One node is cut off from all others. */
  Isolate: 6,
  /** The nodes are cut into two parts. */
  Halves: 7,
  /** Every link is cut or not by chance. */
  UniformPartition: 8,
  /** A node can send and not receive, or the other way round. */
  OneWay: 9,
  /** Two nodes cannot talk to each other, and everyone else can to both. */
  PartialPartition: 10,
  /** A partition comes and goes every few ticks. */
  Flapping: 11,
  /** Messages on their way are lost when a link is cut. */
  InFlightLost: 12,

  // -- Processes
  /** A process ends; what it wrote stays in the page cache. */
  Kill: 13,
  /** A machine ends; what was not synced is lost. */
  PowerLoss: 14,
  /** A power loss took at least one write with it. */
  WriteLost: 15,
  /** A power loss kept a part of the writes that were not synced. */
  WriteKept: 16,
  /** All nodes end at once. */
  CrashAll: 17,
  /** Crash after a Ready was taken and before anything is written. */
  CrashBeforeWrite: 18,
  /** Crash after the write and before its sync. */
  CrashBeforeSync: 19,
  /** Crash after the sync and before anything is sent. */
  CrashBeforeSend: 20,
  /** Crash after some of the messages were sent. */
  CrashWhileSending: 21,
  /** Crash after some of the entries were applied. */
  CrashWhileApplying: 22,
  /** Crash after everything and before `advance`, or before the apply thread answers. */
  CrashBeforeAdvance: 23,
  /** Crash of a node that has just been started. */
  CrashInRecovery: 24,
  /** A process stands still, and its messages wait. */
  Pause: 25,
  /** The ticks of a pause come all at once. */
  TickBurst: 26,
  /** The ticks of a pause never come. */
  TicksMissed: 27,

  // -- Disks and clocks
  /** The disk of a node is slow for a while. */
  SlowDisk: 28,
  /** The disk of a node does nothing for a while. */
  DiskStall: 29,
  /** Two clocks differ by more than a tenth. */
  ClockSkew: 30,
  /** The storage has no snapshot to give yet. */
  SnapshotUnavailable: 31,

  // -- Membership
  /** A change of one member is proposed. */
  SimpleChange: 32,
  /** A joint change that is left by itself, with the transition left to the core. */
  JointAuto: 33,
  /** A joint change that is left by itself. */
  JointImplicit: 34,
  /** A joint change that has to be left by a proposal. */
  JointExplicit: 35,
  /** A joint configuration is left by a proposal. */
  LeaveJoint: 36,
  /** A learner joins. */
  AddLearner: 37,
  /** A learner becomes a voter. */
  Promote: 38,
  /** A voter becomes a learner. */
  Demote: 39,
  /** A member is removed. */
  Remove: 40,
  /** A removed node comes back under its old id, with its old data. */
  ReaddSameId: 41,
  /** A new node joins under a new id. */
  AddNewId: 42,
  /** A change is proposed while another one is under way. */
  ConcurrentChange: 43,
  /** A change is proposed that can never be carried out. */
  ImpossibleChange: 44,
  /** A node stops because it has applied its own removal. */
  Retire: 45,

  // -- Operators
  /** A node is told to campaign, for no good reason. */
  Campaign: 46,
  /** A transfer to a member that is up to date. */
  TransferUpToDate: 47,
  /** A transfer to a member that lags behind. */
  TransferLagging: 48,
  /** A transfer to a member that is down. */
  TransferDead: 49,
  /** A transfer to a learner. */
  TransferLearner: 50,
  /** A transfer to a node that is no member. */
  TransferStranger: 51,
  /** A transfer to the leader itself. */
  TransferSelf: 52,
  /** A node is told to forget its leader. */
  ForgetLeader: 53,
  /** A snapshot is made and the log discarded up to its last applied entry. */
  CompactAll: 54,
  /** A reachable peer is reported as unreachable. */
  FalseUnreachable: 55,
  /** The outcome of a snapshot is reported wrongly. */
  FalseSnapshotReport: 56,
  /** The outcome of a snapshot is not reported until all faults end. */
  NoSnapshotReport: 57,

  // -- Clients
  /** A client gives up waiting, and does not know. */
  Timeout: 58,
  /** No client does anything for a while. */
  QuietWindow: 59,
  /** All clients hurry for a while. */
  Burst: 60,
  /** A proposal is dropped because too much is not applied yet. */
  OverLimit: 61,
  /** A payload is larger than a message should be. */
  Oversize: 62,

  // -- Rare states, which are worth as much as faults
  /** A node installs a snapshot. */
  SnapshotInstalled: 63,
  /** A snapshot arrives in the middle of a joint configuration. */
  SnapshotInJoint: 64,
  /** Written entries are replaced by those of another leader. */
  Truncation: 65,
  /** A read is answered to a node that does not lead. */
  FollowerRead: 66,
  /** A read is aborted with its leadership. */
  ReadAborted: 67,
  /** A leader steps down because it does not hear a quorum, or hears of a higher term. */
  LeaderDeposed: 68,
  /** A message arrives at a later incarnation of its receiver than the one it was sent to. */
  LateDelivery: 69,

  // -- Disks that forget; only in the profiles made for them
  /** A disk is wiped while its node is down. */
  Wipe: 70,
  /** A disk goes back to what was on it some time ago. */
  RollBack: 71,
  /** A leader finds out that a log went back, without permission: the member is quarantined. */
  Quarantine: 72,
  /** A leader finds out that a log went back, and it was permitted: replication starts over. */
  StartOver: 73,
  /** A node learns from its leader that it has lost what it had acknowledged. */
  LossNoted: 74,
} as const;
export type FaultKind = (typeof FaultKind)[keyof typeof FaultKind];

/** Kinds that happen only where disks forget. */
export const diskLossFaults: readonly FaultKind[] = [FaultKind.Wipe, FaultKind.RollBack, FaultKind.Quarantine, FaultKind.StartOver, FaultKind.LossNoted];

/** How many kinds there are. */
export const faultKinds = Object.keys(FaultKind).length;

/** Name of a kind, such as `PowerLoss`. */
export function faultName(kind: number): string {
  return names[kind] ?? String(kind);
}

const names: readonly string[] = (Object.keys(FaultKind) as (keyof typeof FaultKind)[]).sort((a, b) => FaultKind[a] - FaultKind[b]);
