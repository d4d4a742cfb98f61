import { RaftError, RaftErrorCode } from '../errors.js';
import { canonicalNodeId, emptyBytes, isBytes, isCanonicalNodeId, None, type NodeId } from '../types.js';

/** What happens to one node. The numbers are those of etcd's raftpb; only they go over the wire. */
export const ConfChangeType = {
  /** Adds a voter, or promotes a learner. */
  ConfChangeAddNode: 0,
  /** Removes a voter or a learner. */
  ConfChangeRemoveNode: 1,
  /** Changes nothing in the group; carries a context to all members. */
  ConfChangeUpdateNode: 2,
  /** Adds a learner, or demotes a voter (dissertation §4.2.1). */
  ConfChangeAddLearnerNode: 3,
} as const;
export type ConfChangeType = (typeof ConfChangeType)[keyof typeof ConfChangeType];

/** How a change gets from the old configuration to the new one. */
export const ConfChangeTransition = {
  /** A single change at once, several through a joint configuration that the leader leaves by itself. */
  Auto: 0,
  /** Through a joint configuration that the leader leaves by itself (dissertation §4.3). */
  JointImplicit: 1,
  /** Through a joint configuration that lasts until an empty change is proposed. */
  JointExplicit: 2,
} as const;
export type ConfChangeTransition = (typeof ConfChangeTransition)[keyof typeof ConfChangeTransition];

/** One step of a configuration change. */
export interface ConfChangeSingle {
  /** A {@link ConfChangeType}. Bytes from elsewhere may hold another number, which the changer refuses. */
  readonly type: ConfChangeType;
  /** The node it is about; 0 turns the step into a no-op. */
  readonly nodeId: NodeId;
}

/** A configuration change of one node: the older form, held by entries of type EntryConfChange. */
export interface ConfChange {
  /** A {@link ConfChangeType}. */
  readonly type: ConfChangeType;
  /** The node it is about. */
  readonly nodeId: NodeId;
  /** Opaque to the core. */
  readonly context: Uint8Array;
  /** A uint64 of the application's own, opaque to the core; 0 if it has none. */
  readonly id: NodeId;
}

/** A configuration change of any number of nodes, held by entries of type EntryConfChangeV2. */
export interface ConfChangeV2 {
  /** A {@link ConfChangeTransition}. Bytes from elsewhere may hold another number, which the changer refuses. */
  readonly transition: ConfChangeTransition;
  /** In the order in which they take effect. Empty with transition Auto: leave the joint configuration. */
  readonly changes: readonly ConfChangeSingle[];
  /** Opaque to the core. */
  readonly context: Uint8Array;
}

/**
 * A change of one node; what is not given is zero or empty, so that the type defaults to adding a voter.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if an id is not a uint64.
 */
export function newConfChange(fields: Partial<ConfChange> = {}): ConfChange {
  return {
    type: fields.type ?? ConfChangeType.ConfChangeAddNode,
    nodeId: canonicalNodeId(fields.nodeId ?? None),
    context: fields.context ?? emptyBytes,
    id: canonicalNodeId(fields.id ?? 0),
  };
}

/**
 * A change of any number of nodes; what is not given is zero or empty. Without any field it leaves a
 * joint configuration.
 *
 * @throws RaftError `ERR_RAFT_OUT_OF_RANGE` if an id is not a uint64.
 */
export function newConfChangeV2(fields: Partial<ConfChangeV2> = {}): ConfChangeV2 {
  const changes = fields.changes ?? [];
  return {
    transition: fields.transition ?? ConfChangeTransition.Auto,
    changes: changes.map(({ type, nodeId }) => ({ type, nodeId: canonicalNodeId(nodeId) })),
    context: fields.context ?? emptyBytes,
  };
}

/** Whether a value can be encoded as a configuration change. What it asks for is another question. */
export function isConfChange(change: ConfChange | ConfChangeV2): boolean {
  if (!isBytes(change?.context)) return false;
  if (isConfChangeV1(change)) return isSingle(change) && isCanonicalNodeId(change.id);
  const changes: unknown = change.changes;
  // `every` passes over holes, and `includes` stops at the first one, however many there are.
  return isInt32(change.transition) && Array.isArray(changes) && !changes.includes(undefined) && changes.every(isSingle);
}

function isSingle(single: ConfChangeSingle): boolean {
  return isInt32(single?.type) && isCanonicalNodeId(single.nodeId);
}

/** Numbers that are no type are refused later, by the changer, with a reason. */
function isInt32(value: number): boolean {
  return typeof value === 'number' && (value | 0) === value;
}

/** Whether the change has the older form. */
export function isConfChangeV1(change: ConfChange | ConfChangeV2): change is ConfChange {
  return 'nodeId' in change;
}

/** The same change in the newer form; a V2 change itself. The id of a V1 change is lost. */
export function asV2(change: ConfChange | ConfChangeV2): ConfChangeV2 {
  if (!isConfChangeV1(change)) return change;
  return {
    transition: ConfChangeTransition.Auto,
    changes: [{ type: change.type, nodeId: change.nodeId }],
    context: change.context,
  };
}

/** Whether `transition` is one of {@link ConfChangeTransition}. */
export function isConfChangeTransition(transition: number): transition is ConfChangeTransition {
  return Number.isInteger(transition) && transition >= 0 && transition <= 2;
}

/**
 * Whether the change goes through a joint configuration, and whether the leader then leaves it by
 * itself; null if it does not. Several changes always do: whether they could be made at once depends
 * on the configuration they meet.
 */
export function enterJoint(change: ConfChangeV2): { readonly autoLeave: boolean } | null {
  if (change.transition === ConfChangeTransition.Auto && change.changes.length <= 1) return null;
  return {
    autoLeave:
      change.transition === ConfChangeTransition.Auto || change.transition === ConfChangeTransition.JointImplicit,
  };
}

/** Whether the change leaves a joint configuration: it is empty except perhaps for the context. */
export function leaveJoint(change: ConfChangeV2): boolean {
  return change.transition === ConfChangeTransition.Auto && change.changes.length === 0;
}

// Letter of each type, at the position of its number.
const typeLetters = 'vrul';

/** Changes as text, such as `v1 l2 r3 u4`: voter, learner, remove, update. A type that is none reads `unknown`. */
export function confChangesToString(changes: readonly ConfChangeSingle[]): string {
  return changes.map(({ type, nodeId }) => `${typeLetters[type] ?? 'unknown'}${nodeId}`).join(' ');
}

/**
 * Reads what {@link confChangesToString} writes; the empty text holds no changes.
 *
 * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` for a word that is no change.
 */
export function parseConfChanges(text: string): ConfChangeSingle[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return words.map(parseConfChange);
}

function parseConfChange(word: string): ConfChangeSingle {
  const type = typeLetters.indexOf(word.charAt(0));
  const digits = word.slice(1);
  if (type < 0 || !/^[0-9]{1,20}$/.test(digits)) throw notAChange(word);
  const id = BigInt(digits);
  if (id > 0xffff_ffff_ffff_ffffn) throw notAChange(word);
  return { type: type as ConfChangeType, nodeId: canonicalNodeId(id) };
}

function notAChange(word: string): RaftError {
  return new RaftError(
    RaftErrorCode.ArgumentInvalid,
    `"${word}" is not a configuration change: expected v, l, r or u and a node id, such as v4`,
  );
}
