import { describe, expect, test } from '@jest/globals';
import {
  describeConfChange,
  describeConfState,
  describeEntries,
  describeEntry,
  describeHardState,
  describeMessage,
  describeReady,
  describeSnapshot,
  describeSoftState,
} from '../../src/core/describe.js';
import {
  ConfChangeTransition,
  ConfChangeType,
  newConfChange,
  newConfChangeV2,
  parseConfChanges,
} from '../../src/core/raftpb/confChange.js';
import { encodeConfChange } from '../../src/core/raftpb/confChangeWire.js';
import { EntryType, newEntry, type Entry } from '../../src/core/raftpb/entry.js';
import { newMessage, type Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState, type Snapshot } from '../../src/core/raftpb/state.js';
import type { Ready } from '../../src/core/ready.js';
import { LocalAppendThread, LocalApplyThread, StateType } from '../../src/core/types.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const normal = (term: number, index: number, text: string): Entry => newEntry(EntryType.EntryNormal, bytes(text), term, index);

const snapshot: Snapshot = {
  data: bytes('state'),
  metadata: { confState: newConfState({ voters: [1, 2, 3], learners: [4] }), index: 5, term: 1 },
};
const snapshotText = 'Index:5 Term:1 ConfState:Voters:[1 2 3] VotersOutgoing:[] Learners:[4] LearnersNext:[] AutoLeave:false';

function message(type: MessageType, fields: Partial<Message>): Message {
  return { ...newMessage(type, 2), from: 1, ...fields };
}

describe('describeMessage', () => {
  test.each<{ why: string; m: Message; text: string }>([
    {
      why: 'zero fields are left out, but for term and log position',
      m: newMessage(MessageType.MsgHup, 0),
      text: 'None->None MsgHup Term:0 Log:0/0',
    },
    {
      why: 'one entry stands on the line',
      m: message(MessageType.MsgApp, { term: 1, logTerm: 1, index: 3, commit: 3, entries: [normal(1, 4, 'foo')] }),
      text: '1->2 MsgApp Term:1 Log:1/3 Commit:3 Entries:[1/4 EntryNormal "foo"]',
    },
    {
      why: 'several entries stand on a line each',
      m: message(MessageType.MsgApp, { term: 1, entries: [normal(1, 1, 'a'), normal(1, 2, '')] }),
      text: '1->2 MsgApp Term:1 Log:0/0 Entries:[\n  1/1 EntryNormal "a"\n  1/2 EntryNormal ""\n]',
    },
    {
      why: 'a rejection shows its hint, even if it is 0',
      m: message(MessageType.MsgAppResp, { term: 2, logTerm: 1, index: 9, reject: true }),
      text: '1->2 MsgAppResp Term:2 Log:1/9 Rejected (Hint: 0)',
    },
    {
      why: 'targets are in hex, the vote is in decimal, and 64 bits are exact',
      m: message(MessageType.MsgVote, { to: 255, from: 2n ** 63n + 1n, vote: 255 }),
      text: '8000000000000001->ff MsgVote Term:0 Log:0/0 Vote:255',
    },
    {
      why: 'a snapshot has a line of its own',
      m: message(MessageType.MsgSnap, { term: 1, snapshot }),
      text: `1->2 MsgSnap Term:1 Log:0/0\n  Snapshot: ${snapshotText}`,
    },
    {
      why: 'local threads have names, and responses are indented with all that is in them',
      m: message(MessageType.MsgStorageAppend, {
        to: LocalAppendThread,
        responses: [
          message(MessageType.MsgAppResp, { to: 1, entries: [normal(1, 1, 'a'), normal(1, 2, 'b')] }),
          message(MessageType.MsgStorageApplyResp, { to: 1, from: LocalApplyThread, snapshot }),
        ],
      }),
      text: [
        '1->AppendThread MsgStorageAppend Term:0 Log:0/0 Responses:[',
        '  1->1 MsgAppResp Term:0 Log:0/0 Entries:[',
        '    1/1 EntryNormal "a"',
        '    1/2 EntryNormal "b"',
        '  ]',
        '  ApplyThread->1 MsgStorageApplyResp Term:0 Log:0/0',
        `    Snapshot: ${snapshotText}`,
        ']',
      ].join('\n'),
    },
    {
      why: 'the context is not shown',
      m: message(MessageType.MsgHeartbeat, { term: 1, context: bytes('ctx') }),
      text: '1->2 MsgHeartbeat Term:1 Log:0/0',
    },
  ])('$why', ({ m, text }) => {
    expect(describeMessage(m)).toBe(text);
  });

  test('a formatter of the application shows the data', () => {
    const m = message(MessageType.MsgApp, { entries: [normal(1, 4, 'foo')] });
    expect(describeMessage(m, (data) => `<${data.length} bytes>`)).toBe('1->2 MsgApp Term:0 Log:0/0 Entries:[1/4 EntryNormal <3 bytes>]');
  });
});

describe('describeEntry', () => {
  const v2 = encodeConfChange(newConfChangeV2({ changes: parseConfChanges('v1 l2 r3 u4') }));
  const v1 = encodeConfChange(newConfChange({ type: ConfChangeType.ConfChangeAddLearnerNode, nodeId: 7 }));

  test.each<{ why: string; entry: Entry; text: string }>([
    { why: 'data is quoted', entry: normal(3, 8, 'a\nb'), text: '3/8 EntryNormal "a\\nb"' },
    { why: 'a change is in its short form', entry: newEntry(EntryType.EntryConfChangeV2, v2, 1, 2), text: '1/2 EntryConfChangeV2 v1 l2 r3 u4' },
    { why: 'a v1 change is too', entry: newEntry(EntryType.EntryConfChange, v1, 1, 2), text: '1/2 EntryConfChange l7' },
    { why: 'leaving a joint configuration has no changes', entry: newEntry(EntryType.EntryConfChangeV2, new Uint8Array(0), 1, 2), text: '1/2 EntryConfChangeV2' },
    { why: 'bytes that are no change say so', entry: newEntry(EntryType.EntryConfChangeV2, Uint8Array.of(0xff), 1, 2), text: '1/2 EntryConfChangeV2 proto: cannot parse invalid wire-format data' },
  ])('$why', ({ entry, text }) => {
    expect(describeEntry(entry)).toBe(text);
  });

  test('entries end by a line feed each', () => {
    expect(describeEntries([normal(1, 1, 'a'), normal(1, 2, 'b')])).toBe('1/1 EntryNormal "a"\n1/2 EntryNormal "b"\n');
    expect(describeEntries([])).toBe('');
  });
});

describe('states', () => {
  test('a vote for nobody is left out of a hard state', () => {
    expect(describeHardState({ term: 3, vote: 0, commit: 4 })).toBe('Term:3 Commit:4');
    expect(describeHardState({ term: 3, vote: 10, commit: 4 })).toBe('Term:3 Vote:10 Commit:4');
  });

  test('soft state, snapshot and configuration', () => {
    expect(describeSoftState({ lead: 10, state: StateType.PreCandidate })).toBe('Lead:10 State:StatePreCandidate');
    expect(describeSnapshot(snapshot)).toBe(snapshotText);
    expect(describeConfState(newConfState({ voters: [1], votersOutgoing: [2, 2n ** 64n - 3n], learnersNext: [3], autoLeave: true }))).toBe(
      'Voters:[1] VotersOutgoing:[2 18446744073709551613] Learners:[] LearnersNext:[3] AutoLeave:true',
    );
  });

  test('a configuration change names its transition, its changes and its context', () => {
    const changes = parseConfChanges('v1 r2');
    expect(describeConfChange(newConfChangeV2({ transition: ConfChangeTransition.JointExplicit, changes, context: bytes('x') }))).toBe(
      'transition:JointExplicit changes:{ConfChangeAddNode 1} changes:{ConfChangeRemoveNode 2} context:"x"',
    );
    expect(describeConfChange(newConfChange({ type: ConfChangeType.ConfChangeUpdateNode, nodeId: 3 }))).toBe(
      'transition:Auto changes:{ConfChangeUpdateNode 3}',
    );
  });
});

describe('describeReady', () => {
  const empty: Ready = {
    softState: null,
    hardState: null,
    readStates: [],
    abortedReads: [],
    entries: [],
    snapshot: null,
    committedEntries: [],
    messages: [],
    mustSync: false,
  };

  test('nothing to do is said so', () => {
    expect(describeReady(empty)).toBe('<empty Ready>');
  });

  test('the parts that are there follow each other in a fixed order', () => {
    const ready: Ready = {
      ...empty,
      softState: { lead: 1, state: StateType.Leader },
      hardState: { term: 1, vote: 1, commit: 4 },
      readStates: [
        { index: 5, requestContext: bytes('ctx') },
        { index: 6, requestContext: new Uint8Array(0) },
      ],
      entries: [normal(1, 4, 'foo')],
      snapshot,
      committedEntries: [normal(1, 3, 'bar')],
      messages: [message(MessageType.MsgHeartbeat, { term: 1 })],
      mustSync: true,
    };
    expect(describeReady(ready)).toBe(
      [
        'Ready MustSync=true:',
        'Lead:1 State:StateLeader',
        'HardState Term:1 Vote:1 Commit:4',
        'ReadStates [{5 [99 116 120]} {6 []}]',
        'Entries:',
        '1/4 EntryNormal "foo"',
        `Snapshot ${snapshotText}`,
        'CommittedEntries:',
        '1/3 EntryNormal "bar"',
        'Messages:',
        '1->2 MsgHeartbeat Term:1 Log:0/0',
        '',
      ].join('\n'),
    );
  });
});
