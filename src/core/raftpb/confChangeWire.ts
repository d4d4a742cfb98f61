import { isRaftError, RaftError, RaftErrorCode } from '../errors.js';
import { emptyBytes, None, type NodeId } from '../types.js';
import {
  asV2,
  ConfChangeTransition,
  ConfChangeType,
  isConfChangeV1,
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeV2,
} from './confChange.js';
import { EntryType, type Entry } from './entry.js';
import { ProtoReader, WireType } from './protoReader.js';
import { nodeIdSize, varintSize } from './varint.js';

/**
 * Data of the entry that carries the change: proto2, as `proto/raftpb/raft.proto` describes it. Types,
 * transitions and node ids are written even when they are zero, like etcd's own entries have them, so
 * that entries have the same size there and here. An empty context and a zero id are left out.
 */
export function encodeConfChange(change: ConfChange | ConfChangeV2): Uint8Array {
  return isConfChangeV1(change) ? encodeV1(change) : encodeV2(change);
}

function encodeV1(change: ConfChange): Uint8Array {
  const idSize = change.id === 0 ? 0 : 1 + nodeIdSize(change.id);
  const writer = new Writer(
    idSize + 2 + varintSize(enumBits(change.type)) + nodeIdSize(change.nodeId) + contextSize(change.context),
  );
  if (change.id !== 0) writer.uint64(1, change.id);
  writer.uint64(2, enumBits(change.type));
  writer.uint64(3, change.nodeId);
  writer.context(4, change.context);
  return writer.bytes;
}

function encodeV2(change: ConfChangeV2): Uint8Array {
  let size = 1 + varintSize(enumBits(change.transition)) + contextSize(change.context);
  for (const single of change.changes) {
    const length = singleSize(single);
    size += 1 + varintSize(length) + length;
  }
  const writer = new Writer(size);
  writer.uint64(1, enumBits(change.transition));
  for (const single of change.changes) {
    writer.length(2, singleSize(single));
    writer.uint64(1, enumBits(single.type));
    writer.uint64(2, single.nodeId);
  }
  writer.context(3, change.context);
  return writer.bytes;
}

function singleSize(single: ConfChangeSingle): number {
  return 2 + varintSize(enumBits(single.type)) + nodeIdSize(single.nodeId);
}

function contextSize(context: Uint8Array): number {
  return context.length === 0 ? 0 : 1 + varintSize(context.length) + context.length;
}

/** Numbers that are no type stay what they are, as far as 32 bits reach. */
function enumBits(value: number): number {
  return value >>> 0;
}

/** Writes fields into bytes of a known size. */
class Writer {
  readonly bytes: Uint8Array;
  private position = 0;

  constructor(size: number) {
    this.bytes = size === 0 ? emptyBytes : new Uint8Array(size);
  }

  uint64(field: number, value: NodeId): void {
    this.bytes[this.position++] = (field << 3) | WireType.Varint;
    this.varint(value);
  }

  length(field: number, length: number): void {
    this.bytes[this.position++] = (field << 3) | WireType.Bytes;
    this.varint(length);
  }

  context(field: number, context: Uint8Array): void {
    if (context.length === 0) return;
    this.length(field, context.length);
    this.bytes.set(context, this.position);
    this.position += context.length;
  }

  private varint(value: NodeId): void {
    let rest = BigInt(value);
    while (rest >= 0x80n) {
      this.bytes[this.position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.position++] = Number(rest);
  }
}

/**
 * The change that an entry of the given type carries; one of the older form is turned into the newer
 * one. Unknown fields are passed over, and numbers that are no type or transition are kept.
 *
 * @throws RaftError `ERR_RAFT_MALFORMED` with the offset if the data is not protobuf,
 *   `ERR_RAFT_ARGUMENT_INVALID` if the type is not one of a configuration change.
 */
export function decodeConfChange(type: EntryType, data: Uint8Array): ConfChangeV2 {
  switch (type) {
    case EntryType.EntryConfChange:
      return asV2(decodeConfChangeV1(data));
    case EntryType.EntryConfChangeV2:
      return decodeConfChangeV2(data);
    default:
      throw new RaftError(RaftErrorCode.ArgumentInvalid, `an entry of type ${type} carries no configuration change`);
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
 * @throws RaftError `ERR_RAFT_MALFORMED` with the offset if the data is not protobuf.
 */
export function decodeConfChangeV1(data: Uint8Array): ConfChange {
  let type: number = ConfChangeType.ConfChangeAddNode;
  let nodeId: NodeId = None;
  let context = emptyBytes;
  let id: NodeId = 0;
  const reader = new ProtoReader(data);
  while (reader.nextField()) {
    if (reader.field === 1 && reader.wireType === WireType.Varint) id = reader.uint64();
    else if (reader.field === 2 && reader.wireType === WireType.Varint) type = reader.enum();
    else if (reader.field === 3 && reader.wireType === WireType.Varint) nodeId = reader.uint64();
    else if (reader.field === 4 && reader.wireType === WireType.Bytes) context = reader.bytesView().slice();
    else reader.skip();
  }
  return { type: type as ConfChangeType, nodeId, context, id };
}

/**
 * A change of the newer form. The context is a copy.
 *
 * @throws RaftError `ERR_RAFT_MALFORMED` with the offset if the data is not protobuf.
 */
export function decodeConfChangeV2(data: Uint8Array): ConfChangeV2 {
  let transition: number = ConfChangeTransition.Auto;
  const changes: ConfChangeSingle[] = [];
  let context = emptyBytes;
  const reader = new ProtoReader(data);
  while (reader.nextField()) {
    if (reader.field === 1 && reader.wireType === WireType.Varint) transition = reader.enum();
    else if (reader.field === 2 && reader.wireType === WireType.Bytes) changes.push(readSingle(reader.message()));
    else if (reader.field === 3 && reader.wireType === WireType.Bytes) context = reader.bytesView().slice();
    else reader.skip();
  }
  return { transition: transition as ConfChangeTransition, changes, context };
}

function readSingle(reader: ProtoReader): ConfChangeSingle {
  let type: number = ConfChangeType.ConfChangeAddNode;
  let nodeId: NodeId = None;
  while (reader.nextField()) {
    if (reader.field === 1 && reader.wireType === WireType.Varint) type = reader.enum();
    else if (reader.field === 2 && reader.wireType === WireType.Varint) nodeId = reader.uint64();
    else reader.skip();
  }
  return { type: type as ConfChangeType, nodeId };
}
