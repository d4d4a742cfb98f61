/**
 * What became of a message or of a call. `ok` means that it was handled, which includes being
 * ignored as stale; everything else names why it was refused, and nothing was changed. (A message that
 * carries a higher term than ours, and gets past the wall, has told us that term all the same.)
 */
export const StepResult = {
  Ok: 'ok',

  // Proposals, reads, transfers and campaigns (D12).
  /** No leader is known in this term. */
  NoLeader: 'noLeader',
  /** This node follows, and `disableProposalForwarding` is set. */
  ForwardingDisabled: 'forwardingDisabled',
  /** Leadership is being handed over; proposals wait until it is decided. */
  Transferring: 'transferring',
  /** The node is not a voter of the active configuration, or not a member of it at all. */
  NotVoter: 'notVoter',
  /** The unapplied entries of the leader would exceed `maxUncommittedEntriesSize`. */
  OverLimit: 'overLimit',
  /** A configuration change is in the log and not applied yet. */
  ConfChangePending: 'confChangePending',
  /** The configuration is joint, and the change does not leave it. */
  Joint: 'joint',
  /** The configuration is not joint, and the change would leave it. */
  NotJoint: 'notJoint',
  /** The change cannot be carried out on the active configuration, such as removing the last voter. */
  Invalid: 'invalid',
  /** No term or no index is left that could be counted exactly. Not reached but with a hostile peer. */
  Exhausted: 'exhausted',
  /** A snapshot is not applied yet. */
  SnapshotPending: 'snapshotPending',
  /** The log of the node has lost entries that it acknowledged, and has not caught up yet (O12). */
  LogLost: 'logLost',
  /** The node leads already. */
  AlreadyLeader: 'alreadyLeader',
  /** The node does not lead. */
  NotLeader: 'notLeader',
  /** A lease must not be broken by forgetting the leader. */
  LeaseBased: 'leaseBased',

  // The wall in front of step (semantics section 5).
  /** A local message came from outside. */
  LocalMessage: 'localMessage',
  /** An answer came from a node that is not in the configuration. */
  PeerNotFound: 'peerNotFound',
  /** Not a message at all: a field is missing or of another type. */
  Malformed: 'malformed',
  /** The number is not a type of message. */
  UnknownType: 'unknownType',
  /** The message is for another node. */
  NotForMe: 'notForMe',
  /** `from` is nobody, this node itself or a local thread. */
  BadSender: 'badSender',
  /** A term, index or commit is not an integer in [0, 2^53-2]. */
  BadNumber: 'badNumber',
  /** The term is 0 or more than 2^32 ahead of ours. */
  BadTerm: 'badTerm',
  /** Entries have gaps, wrong terms or types, or do not fit what comes before them. */
  BadEntries: 'badEntries',
  /** An acknowledgement is beyond our log. */
  BadIndex: 'badIndex',
  /** A snapshot is missing, contradicts its message or has an impossible configuration. */
  BadSnapshot: 'badSnapshot',
  /** A proposal or a read without what it needs, or a configuration change that does not decode. */
  BadProposal: 'badProposal',
  /** MsgTimeoutNow from a node that is neither the leader nor a member. */
  NotEntitled: 'notEntitled',
} as const;
export type StepResult = (typeof StepResult)[keyof typeof StepResult];

/** Whether a proposal with this result was dropped for a reason that may pass, and not for being malformed. */
export function isProposalDrop(result: StepResult): boolean {
  switch (result) {
    case StepResult.NoLeader:
    case StepResult.ForwardingDisabled:
    case StepResult.Transferring:
    case StepResult.NotVoter:
    case StepResult.OverLimit:
    case StepResult.ConfChangePending:
    case StepResult.Joint:
    case StepResult.NotJoint:
    case StepResult.Invalid:
    case StepResult.Exhausted:
      return true;
    default:
      return false;
  }
}
