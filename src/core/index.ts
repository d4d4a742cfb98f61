// The public surface of the core, `import … from 'raftstep'`. Re-exports only.

export { RawNode } from './rawNode.js';
export { checkInvariants } from './checkInvariants.js';
export type { Config } from './config.js';
export type { Ready, SoftState } from './ready.js';
export type { AbortedRead, ReadState } from './raft/raft.js';
export { isProposalDrop, StepResult } from './raft/stepResult.js';
export type { Peer } from './bootstrap.js';
export type { BasicStatus, ProgressStatus, Status, StatusJson } from './status.js';

export { isRaftError, RaftError, RaftErrorCode, type RaftErrorDetail } from './errors.js';
export type { Logger } from './logger.js';
export { silentLogger } from './logger.js';
export type { RandomSource } from './random.js';
export type { TraceEvent, TraceLogger } from './trace.js';
export { jsonReplacer, jsonReviver } from './json.js';

export type { Storage } from './storage/storage.js';
export { MemoryStorage } from './storage/memoryStorage.js';

export {
  canonicalNodeId,
  compareNodeIds,
  isLocalThread,
  LocalAppendThread,
  LocalApplyThread,
  noLimit,
  None,
  ReadOnlyOption,
  SnapshotStatus,
  StateType,
  stateTypeName,
  type EntryId,
  type Index,
  type NodeId,
  type Term,
} from './types.js';
export { ProgressState, progressStateName } from './tracker/progress.js';

export { MessageType, messageTypeName, isLocalMsg, isResponseMsg } from './raftpb/messageType.js';
export {
  newMessage,
  type Message,
  type MsgApp,
  type MsgAppResp,
  type MsgHeartbeat,
  type MsgHeartbeatResp,
  type MsgProp,
  type MsgReadIndex,
  type MsgSnap,
  type MsgVote,
  type MsgVoteResp,
} from './raftpb/message.js';
export { entrySize, EntryType, entryTypeName, isConfChangeEntry, newEntry, type Entry } from './raftpb/entry.js';
export {
  confStatesEquivalent,
  emptyHardState,
  emptySnapshot,
  isEmptyHardState,
  isEmptySnapshot,
  newConfState,
  type ConfState,
  type HardState,
  type Snapshot,
  type SnapshotMetadata,
} from './raftpb/state.js';
export {
  confChangesToString,
  ConfChangeTransition,
  ConfChangeType,
  newConfChange,
  newConfChangeV2,
  parseConfChanges,
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeV2,
} from './raftpb/confChange.js';
export { decodeConfChange, encodeConfChange } from './raftpb/confChangeWire.js';

export {
  describeConfState,
  describeEntries,
  describeEntry,
  describeHardState,
  describeMessage,
  describeReady,
  describeSnapshot,
  describeSoftState,
} from './describe.js';
