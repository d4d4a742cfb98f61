import { describe, expect, test } from '@jest/globals';
import type { Logger } from '../../src/core/logger.js';
import { silentLogger } from '../../src/core/logger.js';
import { newConfChange } from '../../src/core/raftpb/confChange.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { emptyBytes, SnapshotStatus } from '../../src/core/types.js';
import { ackAll, bytes, followerWith, leaderWith, message } from '../support/builders.js';
import type { TestNode } from '../support/testNode.js';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgPreVote, MsgSnap, MsgVote } = MessageType;

/** Collects lines by level. */
function collector(debugEnabled: boolean): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const at = (level: string) => (line: string): void => void lines.push(`${level} ${line}`);
  return { lines, logger: { debugEnabled, debug: at('debug'), info: at('info'), warning: at('warning'), error: at('error') } };
}

/** A leader that everything happens to that is worth a line. */
function eventfulLife(logger: Logger): void {
  const leader = leaderWith({ logger, log: [1, 1], voters: [1, 2, 3], learners: [10], checkQuorum: true, maxUncommittedEntriesSize: 5 });
  ackAll(leader, 2);
  leader.settle();
  leader.receive(message(MsgAppResp, { from: 3, term: 2, index: 2, reject: true, rejectHint: 1, logTerm: 1 }));
  leader.compact();
  leader.receive(message(MsgHeartbeatResp, { from: 3, term: 2 }));
  leader.node.reportSnapshot(3, SnapshotStatus.Failure);
  leader.node.reportUnreachable(2);
  leader.node.proposeConfChange(newConfChange({ nodeId: 10 }));
  leader.node.transferLeader(2);
  dropped(leader);
  leader.receive(message(MsgVote, { to: 9, term: 3 }), message(MsgApp, { term: 1, index: 1, logTerm: 1 }), message(MsgPreVote, { from: 3, term: 2 }));
  leader.tick(40);
  leader.receive(message(MsgHeartbeat, { from: 3, term: 9 }));
  leader.node.campaign();
}

function dropped(leader: TestNode): void {
  expect(() => leader.node.propose(bytes('x'))).toThrow();
}

/** A follower whose leader and whose candidates are not what they should be. */
function troubledFollower(logger: Logger): void {
  const follower = followerWith({ logger, log: [1, 1, 1], commit: 1, term: 2 });
  const snapshot = (voters: number[], index = 9, term = 2) => ({ data: emptyBytes, metadata: { index, term, confState: newConfState({ voters }) } });
  follower.receive(
    message(MsgApp, { term: 2, index: 7, logTerm: 2 }),
    message(MsgVote, { from: 3, term: 2 }),
    message(MsgVote, { from: 3, term: 1 }),
    message(MsgSnap, { term: 2, snapshot: snapshot([2, 3]) }),
    message(MsgSnap, { term: 2, snapshot: snapshot([1, 2, 3]) }),
    message(MsgSnap, { term: 2, snapshot: snapshot([1, 2, 3], 20, 1) }),
    message(MsgHeartbeat, { term: 2, commit: 50 }),
  );
  follower.tick(30);
}

describe('what a node writes about itself', () => {
  test('debug lines only if they are wanted: building them costs more than the test', () => {
    const quiet = collector(false);
    eventfulLife(quiet.logger);
    troubledFollower(quiet.logger);

    expect(quiet.lines.filter((line) => line.startsWith('debug'))).toEqual([]);
    expect(quiet.lines.length).toBeGreaterThan(5);
  });

  test.each([
    { life: eventfulLife, line: /info 1 is leader in term 2/, why: 'a role' },
    { life: eventfulLife, line: /debug 1 backs 3 off to 2/, why: 'a rejection' },
    { life: eventfulLife, line: /debug 1 sends the snapshot at 2\/3 to 3/, why: 'a snapshot' },
    { life: eventfulLife, line: /debug 1: the snapshot for 3 failed/, why: 'its end' },
    { life: eventfulLife, line: /info 1 hands term 2 over to 2/, why: 'a transfer' },
    { life: eventfulLife, line: /debug 1 drops a proposal in term 2: transferring/, why: 'a dropped proposal' },
    { life: eventfulLife, line: /debug 1 refuses a message: notForMe/, why: 'a message that is refused' },
    { life: eventfulLife, line: /debug 1 refuses MsgPreVote of 3 in term 2/, why: 'a vote that is refused' },
    { life: eventfulLife, line: /warning 1 hears no quorum in term 2 and steps down/, why: 'a lost quorum' },
    { life: eventfulLife, line: /debug 1 in term \d+ hears of term 9 from 3/, why: 'a later term' },
    { life: eventfulLife, line: /info 1 is candidate in term 10/, why: 'a campaign' },
    { life: troubledFollower, line: /debug 1 has no entry 2\/7 of 2/, why: 'an append that does not fit' },
    { life: troubledFollower, line: /debug 1 in term 2 ignores MsgVote of term 1 from 3/, why: 'a message of an old term' },
    { life: troubledFollower, line: /warning 1 ignores the snapshot at 2\/9: it is not a member/, why: 'a snapshot for others' },
    { life: troubledFollower, line: /info 1 restores the snapshot at 2\/9/, why: 'a snapshot' },
    { life: troubledFollower, line: /error 1 ignores the snapshot at 1\/20/, why: 'a snapshot that contradicts the log' },
    { life: troubledFollower, line: /error 1 has acknowledged up to 50, but its log ends at 9/, why: 'a lost log' },
    { life: troubledFollower, line: /debug 1 does not campaign in term 2: logLost/, why: 'a campaign that is not to be' },
  ])('$why: $line', ({ life, line }) => {
    const { lines, logger } = collector(true);

    life(logger);

    expect(lines.some((text) => line.test(text)) ? 'found' : lines.join('\n')).toBe('found');
  });

  test('ids are in hex, as in descriptions of messages', () => {
    const { lines, logger } = collector(true);
    leaderWith({ logger, id: 0xabc, voters: [0xabc] });

    expect(lines.at(-1)).toContain('abc');
  });

  test('the default says nothing', () => {
    expect(silentLogger.debugEnabled).toBe(false);
    for (const say of [silentLogger.debug, silentLogger.info, silentLogger.warning, silentLogger.error]) expect(say('x')).toBeUndefined();
  });
});
