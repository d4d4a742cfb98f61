import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../../src/core/checkInvariants.js';
import { describeMessage, describeProgress } from '../../../src/core/describe.js';
import { EntryType, newEntry } from '../../../src/core/raftpb/entry.js';
import type { Message } from '../../../src/core/raftpb/message.js';
import { MessageType, messageTypeName } from '../../../src/core/raftpb/messageType.js';
import { newConfState } from '../../../src/core/raftpb/state.js';
import type { Raft } from '../../../src/core/raft/raft.js';
import { internalRaft } from '../../../src/core/rawNode.js';
import { emptyBytes, stateTypeName } from '../../../src/core/types.js';
import { ackAll, bytes, candidateWith, followerWith, leaderWith, message, nodeWith } from '../../support/builders.js';
import type { TestNode } from '../../support/testNode.js';

// What every role does with every type of message, in a lower, equal and higher term. The golden file is for reading:
// each line of it is a decision of the protocol. REWRITE=1 writes it anew; read the diff line by line then.
const goldenFile = 'test/core/raft/routing.golden.txt';

const term = 5;
const log = { log: [1, 4, 4], commit: 2 } as const;

const roles: readonly { readonly role: string; readonly make: () => TestNode }[] = [
  { role: 'follower of 2', make: () => afterTheLease(followerWith({ ...log, term, checkQuorum: true, preVote: true })) },
  { role: 'follower of 2, which it has just heard', make: () => followerWith({ ...log, term, checkQuorum: true, preVote: true }) },
  { role: 'follower of nobody', make: () => nodeWith({ ...log, term }) },
  { role: 'learner that follows 2', make: () => afterTheLease(followerWith({ ...log, term, voters: [2, 3], learners: [1] })) },
  { role: 'removed node that follows 2', make: () => afterTheLease(followerWith({ ...log, term, voters: [2, 3] })) },
  { role: 'pre-candidate', make: preCandidate },
  { role: 'candidate', make: () => candidateWith({ ...log, term }) },
  { role: 'leader', make: leader },
];

function afterTheLease(node: TestNode): TestNode {
  // Up to the last tick before it would campaign.
  node.node.tick();
  internalRaft(node.node).electionElapsed = 10;
  return node;
}

function preCandidate(): TestNode {
  const node = nodeWith({ ...log, term, preVote: true });
  node.node.campaign();
  node.settle();
  return node;
}

function leader(): TestNode {
  const node = leaderWith({ ...log, term });
  ackAll(node, 2);
  return node;
}

/** A message of this type that makes sense for its kind. */
function sample(type: MessageType, ofTerm: number): Message {
  const m = message(type, { term: ofTerm });
  switch (type) {
    case MessageType.MsgProp:
    case MessageType.MsgReadIndex:
    case MessageType.MsgReadIndexResp:
      m.entries = [newEntry(EntryType.EntryNormal, bytes('data'))];
      break;
    case MessageType.MsgApp:
      m.index = 3;
      m.logTerm = 4;
      m.commit = 4;
      m.entries = [newEntry(EntryType.EntryNormal, bytes('data'), 4, 4)];
      break;
    case MessageType.MsgAppResp:
      m.index = 3;
      break;
    case MessageType.MsgVote:
    case MessageType.MsgPreVote:
      m.index = 9;
      m.logTerm = 4;
      break;
    case MessageType.MsgSnap:
      m.snapshot = { data: emptyBytes, metadata: { index: 7, term: 4, confState: newConfState({ voters: [1, 2, 3] }) } };
      break;
    case MessageType.MsgHeartbeat:
      m.commit = 3;
      m.context = bytes('context');
      break;
    default:
  }
  return m;
}

/** The state that a message may change, as text. */
function look(raft: Raft): Record<string, string> {
  const of2 = raft.tracker.get(2);
  return {
    role: stateTypeName(raft.state).slice('State'.length),
    term: String(raft.term),
    vote: String(raft.vote),
    lead: String(raft.lead),
    commit: String(raft.log.committed),
    last: `${raft.log.lastTerm()}/${raft.log.lastIndex()}`,
    electionElapsed: String(raft.electionElapsed),
    transferee: String(raft.leadTransferee),
    readStates: String(raft.readStates.length),
    reads: String(raft.pendingReads.length + raft.readOnly.waiting.length),
    of2: of2 === undefined ? 'unknown' : describeProgress(of2),
  };
}

/** What becomes of one message. */
function outcome(make: () => TestNode, m: Message): string {
  const { node } = make();
  const raft = internalRaft(node);
  const before = look(raft);
  const parts: string[] = [node.step(Object.assign({ ...m }, { to: raft.id }))];
  const after = look(raft);
  const changes = Object.keys(before).filter((key) => before[key] !== after[key]);
  // Whoever leaves leadership or a term starts the progress of all members anew; only the leader looks at it.
  const shown = changes.filter((key) => key !== 'of2' || after['role'] === 'Leader');
  if (shown.length > 0) parts.push(shown.map((key) => `${key} ${before[key]} -> ${after[key]}`).join(', '));
  for (const sent of raft.msgs) parts.push(`sends ${describeMessage(sent)}`);
  for (const sent of raft.msgsAfterAppend) parts.push(`sends when durable ${describeMessage(sent)}`);
  checkInvariants(node);
  return parts.map((part) => part.replaceAll(/\n\s*/g, ' ')).join('\n             ');
}

function matrix(): string {
  let text = '';
  for (const { role, make } of roles) {
    text += `${role}\n`;
    for (const type of Object.values(MessageType)) {
      const outcomes = { lower: outcome(make, sample(type, term - 1)), equal: outcome(make, sample(type, term)), higher: outcome(make, sample(type, term + 1)) };
      const name = messageTypeName(type);
      if (outcomes.lower === outcomes.equal && outcomes.equal === outcomes.higher) {
        text += `  ${name}, any term: ${outcomes.equal}\n`;
        continue;
      }
      text += `  ${name}\n`;
      for (const [relation, result] of Object.entries(outcomes)) text += `    ${relation.padEnd(8)} ${result}\n`;
    }
    text += '\n';
  }
  return text;
}

describe('S1: role x type x term', () => {
  test('does what the golden file says', () => {
    const text = matrix();

    if (process.env['REWRITE'] === '1') writeFileSync(goldenFile, text);
    expect(text).toBe(readFileSync(goldenFile, 'utf8'));
  });

  test('local types never come in over the network, whatever the role and the term', () => {
    const lines = readFileSync(goldenFile, 'utf8').split('\n');
    const refused = lines.filter((line) => line.includes('any term: localMessage'));

    expect(refused.length).toBe(roles.length * 10);
  });
});
