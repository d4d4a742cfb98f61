import { newEntry, type Entry, type EntryType } from '../../src/core/raftpb/entry.js';
import { newMessage, type Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { emptyConfState, emptySnapshot, type ConfState, type HardState, type Snapshot } from '../../src/core/raftpb/state.js';
import type { RandomSource } from '../../src/core/random.js';
import { canonicalNodeId, emptyBytes, type NodeId } from '../../src/core/types.js';

/**
 * Records of all shapes for tests of the codec: every field zero or not, numbers of every length on the
 * wire, byte strings that are absent, empty, small, pooled and large.
 */

const messageTypeCount = Object.keys(MessageType).length;

/** A bit more often small than large, with the highest value among them. */
export function randomNumber(random: RandomSource): number {
  switch (random(8)) {
    case 0:
      return 0;
    case 1:
      return Number.MAX_SAFE_INTEGER - random(2);
    case 2:
      return random(2 ** 21) * 2 ** 32 + random(2 ** 32);
    case 3:
      return 2 ** random(53) - random(2);
    default:
      return random(1000);
  }
}

/** Any uint64 in canonical form. */
export function randomId(random: RandomSource): NodeId {
  if (random(3) > 0) return randomNumber(random);
  const any = (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  return canonicalNodeId(random(4) > 0 ? any : (1n << 64n) - 1n - BigInt(random(3)));
}

/** Absent (`emptyBytes`), empty, or of a length around the limits at which the codec changes its ways. */
export function randomBytes(random: RandomSource): Uint8Array {
  const kind = random(10);
  if (kind < 3) return emptyBytes;
  if (kind === 3) return new Uint8Array(0);
  const length = kind === 4 && random(20) === 0 ? random(20_000) : kind < 7 ? random(300) : random(24);
  const bytes = new Uint8Array(length);
  // One draw for each byte would take most of the time of these tests.
  const step = 1 + random(255);
  for (let i = 0, next = random(256); i < length; i++, next += step) bytes[i] = next;
  return bytes;
}

/** Any entry of a known type. */
export function randomEntry(random: RandomSource): Entry {
  return newEntry(random(3) as EntryType, randomBytes(random), randomNumber(random), randomNumber(random));
}

function randomIds(random: RandomSource): NodeId[] {
  return Array.from({ length: random(4) }, () => randomId(random));
}

/** Any configuration, also ones that mean nothing; sometimes the absent one. */
export function randomConfState(random: RandomSource): ConfState {
  if (random(8) === 0) return emptyConfState;
  return {
    voters: randomIds(random),
    learners: randomIds(random),
    votersOutgoing: randomIds(random),
    learnersNext: randomIds(random),
    autoLeave: random(2) === 0,
  };
}

/** Any snapshot; sometimes without metadata. */
export function randomSnapshot(random: RandomSource): Snapshot {
  const data = randomBytes(random);
  if (random(8) === 0) return { data, metadata: emptySnapshot.metadata };
  const confState = randomConfState(random);
  return { data, metadata: { confState, index: randomNumber(random), term: randomNumber(random) } };
}

/** Any hard state. */
export function randomHardState(random: RandomSource): HardState {
  return { term: randomNumber(random), vote: randomId(random), commit: randomNumber(random) };
}

function randomList<T>(random: RandomSource, bound: number, make: (random: RandomSource) => T): readonly T[] {
  return Array.from({ length: random(2) === 0 ? 0 : random(bound) }, () => make(random));
}

/**
 * Any message of a known type.
 *
 * @param depth how many levels of responses it may have.
 */
export function randomMessage(random: RandomSource, depth = 2): Message {
  const m = newMessage(random(messageTypeCount) as MessageType, randomId(random));
  m.from = randomId(random);
  m.term = randomNumber(random);
  m.logTerm = randomNumber(random);
  m.index = randomNumber(random);
  m.entries = randomList(random, random(60) === 0 ? 100 : 4, randomEntry);
  m.commit = randomNumber(random);
  m.snapshot = random(4) === 0 ? randomSnapshot(random) : null;
  m.reject = random(3) === 0;
  m.rejectHint = randomNumber(random);
  m.context = randomBytes(random);
  m.vote = random(2) === 0 ? 0 : randomId(random);
  if (depth > 0) m.responses = randomList(random, 3, (source) => randomMessage(source, depth - 1));
  return m;
}
