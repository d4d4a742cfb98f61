import { isRaftError, RaftError, RaftErrorCode } from '../errors.js';
import { emptyBytes, None, type NodeId } from '../types.js';
import {
  asV2,
  ConfChangeTransition,
  ConfChangeType,
  isConfChange,
  isConfChangeV1,
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeV2,
} from './confChange.js';
import { EntryType, type Entry } from './entry.js';
import { ProtoReader, WireType } from './protoReader.js';

/**
 * Data of the entry that carries the change: proto2, as `proto/raftpb/raft.proto` describes it. Types,
 * transitions and node ids are written even when they are zero, like etcd's own entries have them, so
 * that entries have the same size there and here. An empty context and a zero id are left out.
 *
 * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` if it is not a configuration change, or an id in it not a uint64 in canonical form.
 */
export function encodeConfChange(change: ConfChange | ConfChangeV2): Uint8Array {
  if (!isConfChange(change)) throw new RaftError(RaftErrorCode.ArgumentInvalid, 'no configuration change');
  return isConfChangeV1(change) ? encodeV1(change) : encodeV2(change);
}

function encodeV1(change: ConfChange): Uint8Array {
  const bytes: number[] = [];
  if (change.id !== 0) writeUint64(bytes, 1, change.id);
  writeUint64(bytes, 2, enumBits(change.type));
  writeUint64(bytes, 3, change.nodeId);
  writeContext(bytes, 4, change.context);
  return Uint8Array.from(bytes);
}

function encodeV2(change: ConfChangeV2): Uint8Array {
  const bytes: number[] = [];
  writeUint64(bytes, 1, enumBits(change.transition));
  for (const single of change.changes) {
    const fields: number[] = [];
    writeUint64(fields, 1, enumBits(single.type));
    writeUint64(fields, 2, single.nodeId);
    writeBytes(bytes, 2, fields);
  }
  writeContext(bytes, 3, change.context);
  return Uint8Array.from(bytes);
}

/** Numbers that are no type stay what they are, as far as 32 bits reach. */
function enumBits(value: number): number {
  return value >>> 0;
}

function writeUint64(bytes: number[], field: number, value: NodeId): void {
  bytes.push((field << 3) | WireType.Varint);
  writeVarint(bytes, value);
}

function writeContext(bytes: number[], field: number, context: Uint8Array): void {
  if (context.length > 0) writeBytes(bytes, field, context);
}

function writeBytes(bytes: number[], field: number, value: ArrayLike<number>): void {
  bytes.push((field << 3) | WireType.Bytes);
  writeVarint(bytes, value.length);
  for (let i = 0; i < value.length; i++) bytes.push(value[i]!);
}

function writeVarint(bytes: number[], value: NodeId): void {
  let rest = BigInt(value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
}

/**
 * The change that an entry of the given type carries; one of the older form is turned into the newer
 * one. Unknown fields are passed over, and numbers that are no type or transition are kept.
 *
 * @throws RaftError `ERR_RAFT_MALFORMED` with the offset if the data is not protobuf,
 *   `ERR_RAFT_ARGUMENT_INVALID` if the type is not one of a configuration change, or the data are not bytes.
 */
export function decodeConfChange(type: EntryType, data: Uint8Array): ConfChangeV2 {
  switch (type) {
    case EntryType.EntryConfChange:
      return asV2(decodeConfChangeV1(data));
    case EntryType.EntryConfChangeV2:
      return decodeConfChangeV2(data);
    default:
      throw new RaftError(RaftErrorCode.ArgumentInvalid, `no configuration change: type ${type}`);
  }
}

/** The change that the entry carries, or null if it carries none or its data is malformed. */
export function tryDecodeConfChange(entry: Entry): ConfChangeV2 | null {
  if (entry.type === EntryType.EntryNormal) return null;
  try {
    return decodeConfChange(entry.type, entry.data);
  } catch (error) {
    if (isRaftError(error, RaftErrorCode.Malformed) || isRaftError(error, RaftErrorCode.ArgumentInvalid)) return null;
    throw error;
  }
}

/**
 * A change of the older form. The context is a copy.
 *
 * @throws RaftError `ERR_RAFT_MALFORMED` with the offset if the data is not protobuf, `ERR_RAFT_ARGUMENT_INVALID` if it is not bytes.
 */
export function decodeConfChangeV1(data: Uint8Array): ConfChange {
  let type: number = ConfChangeType.ConfChangeAddNode;
  let nodeId: NodeId = None;
  let context = emptyBytes;
  let id: NodeId = 0;
  const reader = new ProtoReader(data);
  while (reader.nextField()) {
    if (reader.isAt(1, WireType.Varint)) id = reader.uint64();
    else if (reader.isAt(2, WireType.Varint)) type = reader.enum();
    else if (reader.isAt(3, WireType.Varint)) nodeId = reader.uint64();
    else if (reader.isAt(4, WireType.Bytes)) context = new Uint8Array(reader.bytesView());
    else reader.skip();
  }
  return { type: type as ConfChangeType, nodeId, context, id };
}

/**
 * A change of the newer form. The context is a copy.
 *
 * @throws RaftError `ERR_RAFT_MALFORMED` with the offset if the data is not protobuf, `ERR_RAFT_ARGUMENT_INVALID` if it is not bytes.
 */
export function decodeConfChangeV2(data: Uint8Array): ConfChangeV2 {
  let transition: number = ConfChangeTransition.Auto;
  const changes: ConfChangeSingle[] = [];
  let context = emptyBytes;
  const reader = new ProtoReader(data);
  while (reader.nextField()) {
    if (reader.isAt(1, WireType.Varint)) transition = reader.enum();
    else if (reader.isAt(2, WireType.Bytes)) changes.push(readSingle(reader.message()));
    else if (reader.isAt(3, WireType.Bytes)) context = new Uint8Array(reader.bytesView());
    else reader.skip();
  }
  return { transition: transition as ConfChangeTransition, changes, context };
}

function readSingle(reader: ProtoReader): ConfChangeSingle {
  let type: number = ConfChangeType.ConfChangeAddNode;
  let nodeId: NodeId = None;
  while (reader.nextField()) {
    if (reader.isAt(1, WireType.Varint)) type = reader.enum();
    else if (reader.isAt(2, WireType.Varint)) nodeId = reader.uint64();
    else reader.skip();
  }
  return { type: type as ConfChangeType, nodeId };
}
