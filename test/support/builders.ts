import { StepResult } from '../../src/core/raft/stepResult.js';
import { EntryType, newEntry, type Entry } from '../../src/core/raftpb/entry.js';
import { newMessage, type Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState, type ConfState } from '../../src/core/raftpb/state.js';
import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import { emptyBytes, None, type Index, type NodeId, type Term } from '../../src/core/types.js';
import { entriesFrom } from './logBuilders.js';
import { TestNode, type TestConfig } from './testNode.js';

/** What a test says about a node; see {@link nodeWith} for the rest. */
export interface NodeFields extends Partial<TestConfig> {
  /** Default 1, 2 and 3. */
  readonly voters?: readonly NodeId[];
  readonly learners?: readonly NodeId[];
  /** The whole configuration, in place of `voters` and `learners`. */
  readonly confState?: ConfState;
  /** Saved term. Default: that of the last entry. */
  readonly term?: Term;
  /** Saved vote. Default none. */
  readonly vote?: NodeId;
  /** Saved commit index. Default 0. */
  readonly commit?: Index;
  /** Terms of the entries 1, 2, … in the log. Default none. */
  readonly log?: readonly Term[];
}

/**
 * A follower, started from a storage as described. By default it is node 1 of three, its election timeout is
 * always ten ticks, and pre-vote and check-quorum are off, as in the paper's basic algorithm.
 */
export function nodeWith(fields: NodeFields = {}): TestNode {
  const { voters = [1, 2, 3], learners = [], confState, term, vote = None, commit = 0, log = [], ...config } = fields;
  const storage = config.storage ?? storageWith(confState ?? newConfState({ voters, learners }), log);
  if (config.storage === undefined) storage.setHardState({ term: term ?? log.at(-1) ?? 0, vote, commit });
  const node = new TestNode({ id: 1, preVote: false, checkQuorum: false, random: () => 0, ...config, storage });
  // What is committed already is applied before the test begins.
  node.settle();
  return node;
}

/** A storage with the given members and log. */
export function storageWith(confState: ConfState, log: readonly Term[] = []): MemoryStorage {
  const storage = new MemoryStorage();
  storage.applySnapshot({ data: emptyBytes, metadata: { confState, index: 0, term: 0 } });
  storage.append(entries(...log));
  return storage;
}

/** A candidate of `term` (default 1) that nobody has answered yet. */
export function candidateWith(fields: NodeFields = {}): TestNode {
  const { term = (fields.log?.at(-1) ?? 0) + 1 } = fields;
  const node = nodeWith({ ...fields, term: term - 1 });
  // With leases a node that was restarted first keeps quiet for an election timeout; by then it campaigns by itself.
  if (node.node.campaign() === StepResult.LeaseBased) node.tick(fields.electionTick ?? 10);
  node.settle();
  return node;
}

/**
 * A leader of `term`, elected by all voters of all halves. Its log is `log` and the empty entry of its term, which
 * nobody has acknowledged yet; what it sent until now is gone.
 */
export function leaderWith(fields: NodeFields = {}): TestNode {
  const node = candidateWith(fields);
  const { voters, votersOutgoing } = node.node.status().config;
  for (const id of new Set([...voters, ...votersOutgoing])) {
    if (id !== node.id) node.receive(message(MessageType.MsgVoteResp, { from: id, to: node.id, term: node.term }));
  }
  return node;
}

/** A follower of `lead` (default 2) in `term`, which it has heard just now. */
export function followerWith(fields: NodeFields & { readonly lead?: NodeId } = {}): TestNode {
  const { lead = 2, ...rest } = fields;
  const node = nodeWith({ ...rest, term: rest.term ?? Math.max(rest.log?.at(-1) ?? 0, 1) });
  node.receive(message(MessageType.MsgHeartbeat, { from: lead, to: node.id, term: node.term }));
  return node;
}

/** The entries 1, 2, … with the given terms. */
export function entries(...terms: readonly Term[]): Entry[] {
  return entriesFrom(1, terms);
}

/** A message from node 2 to node 1, unless `fields` say otherwise. */
export function message(type: MessageType, fields: Partial<Omit<Message, 'type'>> = {}): Message {
  return Object.assign(newMessage(type, 1), { from: 2 }, fields);
}

/** A proposal or a read of `data`: one entry without term and index. */
export function request(type: typeof MessageType.MsgProp | typeof MessageType.MsgReadIndex, data: string, fields: Partial<Message> = {}): Message {
  return message(type, { entries: [newEntry(EntryType.EntryNormal, bytes(data))], ...fields });
}

/** Acknowledgement by `from` of everything up to `index`. */
export function ack(from: NodeId, term: Term, index: Index, to: NodeId = 1): Message {
  return message(MessageType.MsgAppResp, { from, to, term, index });
}

/** The nodes `from` acknowledge the whole log of a leader. Returns what it sends then. */
export function ackAll(leader: TestNode, ...from: readonly NodeId[]): Message[] {
  return leader.receive(...from.map((id) => ack(id, leader.term, leader.lastIndex, leader.id)));
}

/** The messages of one type. */
export function ofType(messages: readonly Message[], type: MessageType): Message[] {
  return messages.filter((m) => m.type === type);
}

/** Text as bytes. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Data of the entries as texts, without those that have none. */
export function texts(list: readonly Entry[]): string[] {
  return list.filter((entry) => entry.type === EntryType.EntryNormal && entry.data.length > 0).map((entry) => new TextDecoder().decode(entry.data));
}
