import { describe, expect, test } from '@jest/globals';
import { newConfChange } from '../../src/core/raftpb/confChange.js';
import { EntryType, newEntry } from '../../src/core/raftpb/entry.js';
import { MessageType, messageTypeName } from '../../src/core/raftpb/messageType.js';
import type { Message } from '../../src/core/raftpb/message.js';
import type { TraceEvent } from '../../src/core/trace.js';
import { stateTypeName } from '../../src/core/types.js';
import { ackAll, bytes, leaderWith, message, nodeWith } from '../support/builders.js';
import { RawGroup } from '../support/rawGroup.js';

/** Collects events as short texts. */
function recorder(): { readonly seen: string[]; readonly trace: { trace(event: TraceEvent): void } } {
  const seen: string[] = [];
  return { seen, trace: { trace: (event) => void seen.push(textOf(event)) } };
}

function textOf(event: TraceEvent): string {
  switch (event.kind) {
    case 'start':
      return `start ${event.id} term ${event.hardState.term} last ${event.lastIndex} voters ${event.confState.voters.join(' ')}`;
    case 'role':
      return `${stateTypeName(event.state)} term ${event.term} vote ${event.vote} lead ${event.lead}`;
    case 'send':
      return `send ${nameOf(event.message)} to ${event.message.to}`;
    case 'receive':
      return `receive ${nameOf(event.message)} from ${event.message.from}`;
    case 'refuse':
      return `refuse ${event.reason}`;
    case 'append':
      return `append ${event.term} up to ${event.lastIndex}`;
    case 'commit':
      return `commit ${event.commit}`;
    case 'config':
      return `config ${event.confState.voters.join(' ')}`;
    case 'confChangeIgnored':
      return `ignored ${event.index}: ${event.reason}`;
    case 'readAborted':
      return `aborted ${String.fromCharCode(...event.requestContext)}`;
    default:
      return event.kind;
  }
}

function nameOf(m: Message): string {
  return messageTypeName(m.type);
}

describe('the trace tells every step of the protocol, in its order', () => {
  test('from the start to the first commit', () => {
    const { seen, trace } = recorder();
    const leader = leaderWith({ trace, log: [1] });
    ackAll(leader, 2);

    expect(seen).toEqual([
      'config 1 2 3',
      'StateFollower term 1 vote 0 lead 0',
      'start 1 term 1 last 1 voters 1 2 3',
      'receive MsgHup from 0',
      'StateCandidate term 2 vote 1 lead 0',
      'send MsgVoteResp to 1',
      'send MsgVote to 2',
      'send MsgVote to 3',
      'receive MsgVoteResp from 1',
      'receive MsgVoteResp from 2',
      'append 2 up to 2',
      'send MsgAppResp to 1',
      'StateLeader term 2 vote 1 lead 1',
      'send MsgApp to 2',
      'send MsgApp to 3',
      'receive MsgAppResp from 1',
      'receive MsgVoteResp from 3',
      'receive MsgAppResp from 2',
      'commit 2',
      'send MsgApp to 2',
    ]);
  });

  test('changes without effect, refusals, aborted reads', () => {
    const { seen, trace } = recorder();
    const leader = leaderWith({ trace });
    leader.node.readIndex(bytes('mine'));
    seen.length = 0;
    leader.node.applyConfChange(newEntry(EntryType.EntryConfChange, bytes('?'), 1, 9));
    leader.node.step(message(MessageType.MsgVote, { to: 7, term: 2 }));
    leader.node.step(message(MessageType.MsgHeartbeat, { term: 2 }));

    expect(seen).toEqual([
      'ignored 9: does not decode',
      'refuse notForMe',
      'receive MsgHeartbeat from 2',
      'aborted mine',
      'StateFollower term 2 vote 0 lead 2',
      'send MsgHeartbeatResp to 2',
    ]);
  });

  test('a change that takes effect, and one that does not', () => {
    const { seen, trace } = recorder();
    const leader = leaderWith({ trace, disableConfChangeValidation: true });
    leader.node.proposeConfChange(newConfChange({ nodeId: 4 }));
    leader.node.proposeConfChange(newConfChange({ type: 7 as 0, nodeId: 4 }));
    ackAll(leader, 2, 3);

    expect(seen.filter((line) => /^(config|ignored)/.test(line))).toEqual(['config 1 2 3', 'config 1 2 3 4', 'ignored 3: unexpected conf type 7']);
  });

  test('answers of the storage threads too', () => {
    const { seen, trace } = recorder();
    const hosted = new RawGroup(1, { trace, asyncStorageWrites: true }).get(1);
    hosted.node.campaign();
    hosted.handleReadys();

    expect(seen.filter((line) => line.startsWith('receive MsgStorage'))).toEqual([
      'receive MsgStorageAppendResp from 18446744073709551615',
      'receive MsgStorageApplyResp from 18446744073709551614',
    ]);
  });
});

describe('what is not a message at all', () => {
  test('is traced as it came, and logged in no more than its reason', () => {
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    const { seen, trace } = recorder();
    const { node } = nodeWith({ trace, logger: { debugEnabled: true, debug: log, info: log, warning: log, error: log } });
    lines.length = 0;

    node.step(null as unknown as Message);

    expect(seen.at(-1)).toBe('refuse malformed');
    expect(lines).toEqual(['1 refuses a message: malformed']);
  });
});
