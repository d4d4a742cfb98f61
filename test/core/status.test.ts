import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../src/core/checkInvariants.js';
import { newConfChange } from '../../src/core/raftpb/confChange.js';
import { encodeConfChange } from '../../src/core/raftpb/confChangeWire.js';
import { EntryType, newEntry } from '../../src/core/raftpb/entry.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import { StepResult } from '../../src/core/raft/stepResult.js';
import { ProgressState } from '../../src/core/tracker/progress.js';
import { StateType } from '../../src/core/types.js';
import { ackAll, bytes, followerWith, leaderWith } from '../support/builders.js';

describe('status', () => {
  test('of a leader: the whole state, configuration and progress', () => {
    const leader = leaderWith({ learners: [4], log: [1, 1] });
    ackAll(leader, 2);

    const status = leader.node.status();

    expect(status).toMatchObject({ id: 1, hardState: { term: 2, vote: 1, commit: 3 }, lead: 1, state: StateType.Leader, applied: 3, lastIndex: 3, leadTransferee: 0 });
    expect(status.config).toEqual({ voters: [1, 2, 3], learners: [4], votersOutgoing: [], learnersNext: [], autoLeave: false });
    expect([...status.progress.keys()]).toEqual([1, 2, 3, 4]);
    expect(status.progress.get(2)).toMatchObject({
      state: ProgressState.Replicate, match: 3, next: 4, pendingSnapshot: 0, recentActive: true, paused: false, inflight: 0, isLearner: false,
    });
    expect(status.progress.get(4)).toMatchObject({ state: ProgressState.Probe, match: 0, paused: true, isLearner: true });
  });

  test('of a follower: no progress, whatever it remembers of a time as leader', () => {
    const follower = followerWith();

    expect(follower.node.status().progress.size).toBe(0);
    expect(follower.node.basicStatus()).toMatchObject({ lead: 2, state: StateType.Follower });
  });

  test('is a copy: it does not follow the node', () => {
    const leader = leaderWith();
    const before = leader.node.status();
    const text = JSON.stringify(before);

    ackAll(leader, 2, 3);
    leader.node.propose(bytes('x'));
    leader.node.transferLeader(2);

    expect(JSON.stringify(before)).toBe(text);
    expect(JSON.stringify(leader.node.status())).not.toBe(text);
    expect(leader.node.status().leadTransferee).toBe(2);
  });

  test('is a copy: what the host does to it does not reach the node, nor another node', () => {
    const { node } = leaderWith({ voters: [1, 20, 3] });
    const entry = { ...newEntry(EntryType.EntryConfChange, encodeConfChange(newConfChange({ nodeId: 4 })), 1, 2) };

    for (const config of [node.status().config, node.applyConfChange(entry)!]) {
      for (const ids of [config.voters, config.learners, config.votersOutgoing, config.learnersNext] as number[][]) {
        ids.reverse();
        ids.push(77);
      }
    }
    (node.status().refused as Map<StepResult, number>).set(StepResult.BadTerm, 7);

    expect(node.status().config).toEqual(newConfState({ voters: [1, 3, 4, 20] }));
    checkInvariants(node);
    expect(followerWith().node.status()).toMatchObject({ config: newConfState({ voters: [1, 2, 3] }), refused: new Map() });
  });

  test('withProgress visits the members in ascending order', () => {
    const leader = leaderWith({ voters: [1, 2n ** 64n - 5n, 3], learners: [2] });
    const visited: unknown[] = [];

    leader.node.withProgress((id, progress) => visited.push([id, progress.isLearner]));

    expect(visited).toEqual([[1, false], [2, true], [3, false], [2n ** 64n - 5n, false]]);
  });
});
