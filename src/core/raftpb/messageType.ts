/** Kinds of messages. The numbers are those of etcd's raftpb and go over the wire. */
export const MessageType = {
  /** Local: start an election. */
  MsgHup: 0,
  /** Local, leader: send heartbeats. */
  MsgBeat: 1,
  /** Proposes entries; a follower forwards it to its leader. */
  MsgProp: 2,
  /** AppendEntries RPC (Raft §5.3). */
  MsgApp: 3,
  /** Answer to MsgApp and MsgSnap. */
  MsgAppResp: 4,
  /** RequestVote RPC (Raft §5.2). */
  MsgVote: 5,
  /** Answer to MsgVote. */
  MsgVoteResp: 6,
  /** InstallSnapshot RPC (Raft §7). */
  MsgSnap: 7,
  /** Heartbeat of the leader; carries the commit index and the read sequence. */
  MsgHeartbeat: 8,
  /** Answer to MsgHeartbeat. */
  MsgHeartbeatResp: 9,
  /** Local, leader: a peer could not be reached. */
  MsgUnreachable: 10,
  /** Local, leader: how sending a snapshot ended. */
  MsgSnapStatus: 11,
  /** Local, leader: step down unless a quorum was heard (dissertation §6.2). */
  MsgCheckQuorum: 12,
  /** Asks the leader to hand over to `from` (dissertation §3.10). */
  MsgTransferLeader: 13,
  /** Leader to its successor: campaign now. */
  MsgTimeoutNow: 14,
  /** Asks for an index at which a linearizable read may be served (dissertation §6.4). */
  MsgReadIndex: 15,
  /** Answer to MsgReadIndex. */
  MsgReadIndexResp: 16,
  /** Pre-vote request (dissertation §9.6). */
  MsgPreVote: 17,
  /** Answer to MsgPreVote. */
  MsgPreVoteResp: 18,
  /** To the local append thread: make entries, hard state and snapshot durable. */
  MsgStorageAppend: 19,
  /** From the local append thread. */
  MsgStorageAppendResp: 20,
  /** To the local apply thread: apply committed entries. */
  MsgStorageApply: 21,
  /** From the local apply thread. */
  MsgStorageApplyResp: 22,
  /** Local: forget the leader, so that others may be elected at once. */
  MsgForgetLeader: 23,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Every type's number with its name: a list that forgets one, or has it at the wrong place, does not compile. */
type NamesByNumber = { readonly [Name in keyof typeof MessageType as (typeof MessageType)[Name]]: Name };

// Written out, and not read from the object above: as long as nothing enumerates that, minifiers put its numbers in
// the place of every mention.
const names = [
  'MsgHup',
  'MsgBeat',
  'MsgProp',
  'MsgApp',
  'MsgAppResp',
  'MsgVote',
  'MsgVoteResp',
  'MsgSnap',
  'MsgHeartbeat',
  'MsgHeartbeatResp',
  'MsgUnreachable',
  'MsgSnapStatus',
  'MsgCheckQuorum',
  'MsgTransferLeader',
  'MsgTimeoutNow',
  'MsgReadIndex',
  'MsgReadIndexResp',
  'MsgPreVote',
  'MsgPreVoteResp',
  'MsgStorageAppend',
  'MsgStorageAppendResp',
  'MsgStorageApply',
  'MsgStorageApplyResp',
  'MsgForgetLeader',
] as const satisfies NamesByNumber;

/** Name of a type, such as `MsgApp`; for a number that is no type, the number itself. */
export function messageTypeName(type: number): string {
  return names[type] ?? String(type);
}

/** Whether `type` is one of {@link MessageType}. */
export function isMessageType(type: number): type is MessageType {
  return typeof type === 'number' && names[type] !== undefined;
}

/** Whether only this process may produce the type: calls of the host, timers, storage threads. */
export function isLocalMsg(type: MessageType): boolean {
  switch (type) {
    case MessageType.MsgHup:
    case MessageType.MsgBeat:
    case MessageType.MsgUnreachable:
    case MessageType.MsgSnapStatus:
    case MessageType.MsgCheckQuorum:
    case MessageType.MsgStorageAppend:
    case MessageType.MsgStorageAppendResp:
    case MessageType.MsgStorageApply:
    case MessageType.MsgStorageApplyResp:
    case MessageType.MsgForgetLeader:
      return true;
    default:
      return false;
  }
}

/** Whether the type answers a request, and so means something only from a member of the group. */
export function isResponseMsg(type: MessageType): boolean {
  switch (type) {
    case MessageType.MsgAppResp:
    case MessageType.MsgVoteResp:
    case MessageType.MsgHeartbeatResp:
    case MessageType.MsgUnreachable:
    case MessageType.MsgReadIndexResp:
    case MessageType.MsgPreVoteResp:
    case MessageType.MsgStorageAppendResp:
    case MessageType.MsgStorageApplyResp:
      return true;
    default:
      return false;
  }
}
