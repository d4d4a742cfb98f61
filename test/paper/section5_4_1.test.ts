import { describe, expect, test } from '@jest/globals';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { StateType } from '../../src/core/types.js';
import { ackAll, leaderWith, message, nodeWith } from '../support/builders.js';
import { Network } from '../support/network.js';

const { MsgApp, MsgVote, MsgVoteResp } = MessageType;

describe('Raft §5.4.1, election restriction', () => {
  test.each([
    { log: [], index: 0, logTerm: 0, why: 'an empty log' },
    { log: [1, 1, 3], index: 3, logTerm: 3, why: 'the last entry' },
  ])('a vote request describes the log of the candidate: $why', ({ log, index, logTerm }) => {
    const node = nodeWith({ log, term: 4 });
    node.node.campaign();

    const requests = node.settle();

    expect(requests).toMatchObject([
      { type: MsgVote, to: 2, term: 5, index, logTerm },
      { type: MsgVote, to: 3, term: 5, index, logTerm },
    ]);
  });

  describe('V9: a voter refuses its vote if its own log is more up to date', () => {
    test.each([
      { log: [], index: 0, logTerm: 0, reject: false, why: 'both are empty' },
      { log: [1], index: 0, logTerm: 0, reject: true, why: 'the candidate has nothing' },
      { log: [], index: 1, logTerm: 1, reject: false, why: 'the voter has nothing' },
      { log: [1, 2], index: 2, logTerm: 2, reject: false, why: 'same last term, same length' },
      { log: [1, 2], index: 3, logTerm: 2, reject: false, why: 'same last term, the candidate is longer' },
      { log: [1, 2, 2], index: 2, logTerm: 2, reject: true, why: 'same last term, the voter is longer' },
      { log: [1, 2, 2], index: 1, logTerm: 3, reject: false, why: 'a later last term wins over length' },
      { log: [3], index: 9, logTerm: 2, reject: true, why: 'an earlier last term loses in spite of length' },
      { log: [1, 1, 3], index: 3, logTerm: 2, reject: true, why: 'same length, an earlier last term' },
      { log: [1, 1, 2], index: 3, logTerm: 3, reject: false, why: 'same length, a later last term' },
    ])('log $log, the candidate ends with $logTerm/$index: $why', ({ log, index, logTerm, reject }) => {
      const node = nodeWith({ log, term: 4 });

      const answers = node.receive(message(MsgVote, { term: 5, index, logTerm }));

      expect(answers).toMatchObject([{ type: MsgVoteResp, to: 2, term: 5, reject }]);
      expect(node.vote).toBe(reject ? 0 : 2);
    });
  });

  test('a refused candidate still raises the term of the voter', () => {
    const node = nodeWith({ log: [2], term: 2 });

    node.receive(message(MsgVote, { term: 7, index: 1, logTerm: 1 }));

    expect(node.term).toBe(7);
  });

  test.each([
    { logs: [[1], [1, 2], [1, 2]], why: 'its log is shorter' },
    { logs: [[1, 1, 1, 1], [1, 2], [1, 2]], why: 'its log is longer, but of an earlier term' },
  ])('a candidate without every committed entry cannot win: $why', ({ logs }) => {
    const voters = [1, 2, 3];
    const network = new Network(voters.map((id, i) => nodeWith({ id, voters, log: logs[i]!, term: 2 })));

    const won = network.campaign(1);

    expect(won).toBe(false);
    expect(network.campaign(2)).toBe(true);
    expect(network.node(1).logTerms).toEqual([1, 2, 4]);
  });

  test('a new leader has every committed entry from the moment of its election', () => {
    const network = Network.of(5);
    network.campaign(1);
    network.cut(4, 5);
    network.propose(1, 'committed');
    network.heal();
    network.isolate(1);

    const stale = network.campaign(4);
    const fresh = network.campaign(2);

    expect(stale).toBe(false);
    expect(fresh).toBe(true);
    expect(network.nodes.slice(1).map((node) => node.logTerms)).toEqual([2, 3, 4, 5].map(() => [1, 1, 3]));
  });

  test('entries flow from leaders to followers alone: an answer never brings any', () => {
    const leader = leaderWith({ log: [1], term: 2 });

    ackAll(leader, 2, 3);
    leader.receive(message(MsgVoteResp, { term: 2, index: 9, logTerm: 2 }));

    expect(leader.logTerms).toEqual([1, 2]);
    expect(leader.state).toBe(StateType.Leader);
  });

  test('nobody but a candidate with the newer log can gather a majority: every other candidate loses', () => {
    const logs = [[1], [1, 1], [1, 2, 2], [1, 2], [1, 1, 1]];
    const voters = [1, 2, 3, 4, 5];

    const winners = voters.filter((candidate) => {
      const network = new Network(voters.map((id, i) => nodeWith({ id, voters, log: logs[i]!, term: 2 })));
      network.drop((m) => m.type === MsgApp);
      return network.campaign(candidate);
    });

    // In ascending order of logs: 1, 2, 5, 4, 3. A majority of five is no more up to date than each of the last three.
    expect(winners).toEqual([3, 4, 5]);
  });
});
