/**
 * Entry point `./codec`: records and messages as protobuf bytes, wire-compatible with etcd's raftpb
 * (`proto/raftpb/raft.proto`), in browsers and in Node.
 *
 * It is written by hand on bytes and does not use protobufjs, whose Reader and Writer were the plan for
 * what is not hot. They would cost more than they save: a uint64 becomes a Long or loses bits, errors
 * have no offset, nothing bounds nesting or counts, results are Buffers that view the input, and all of
 * ConfState, HardState and Snapshot together are 100 lines on the reader that messages need anyway.
 * protobufjs proves this codec in the tests, in both directions, from the schema file.
 */
export {
  decodeConfChange,
  decodeConfChangeV1,
  decodeConfChangeV2,
  encodeConfChange,
} from '../core/raftpb/confChangeWire.js';
export { decodeEntry, encodeEntry } from './entryCodec.js';
export { codecLimits, type DecodeOptions } from './limits.js';
export { decodeMessage, decodeMessageFrom, encodedMessageSize, encodeMessage, encodeMessageInto } from './messageCodec.js';
export {
  decodeConfState,
  decodeHardState,
  decodeSnapshot,
  encodeConfState,
  encodeHardState,
  encodeSnapshot,
} from './stateCodec.js';
