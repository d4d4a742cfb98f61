import { newEntry } from '../../src/core/raftpb/entry.js';
import { newMessage, type Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';

/** A message in which every field is set, which none of the core has. Its 15 fields stand on the wire. */
export const fullMessage: Message = Object.assign(newMessage(MessageType.MsgStorageAppend, 2), {
  from: (1n << 63n) + 5n,
  term: 300,
  logTerm: 299,
  index: 1_000_000,
  entries: [newEntry(0, new Uint8Array(100).fill(0x61), 300, 1_000_001), newEntry(2, Uint8Array.of(8, 1), 300, 1_000_002)],
  commit: 999_999,
  snapshot: {
    data: Uint8Array.of(1, 2, 3),
    metadata: { confState: newConfState({ voters: [1, 2, 300], learners: [4] }), index: 7, term: 2 },
  },
  reject: true,
  rejectHint: 12,
  context: Uint8Array.of(1, 2, 3, 4),
  vote: 3,
  responses: [Object.assign(newMessage(MessageType.MsgAppResp, 1), { term: 300, index: 5 })],
});
