import { describe, expect, test } from '@jest/globals';
import { restoreConfig, validateConfState } from '../../../src/core/confchange/restore.js';
import { newConfState, type ConfState } from '../../../src/core/raftpb/state.js';
import { ProgressTracker } from '../../../src/core/tracker/progressTracker.js';
import { LocalAppendThread, LocalApplyThread, noLimit, type NodeId } from '../../../src/core/types.js';

const big = 2n ** 63n;

const legal: readonly { state: Partial<ConfState>; why: string }[] = [
  { state: { voters: [1] }, why: 'one voter' },
  { state: { voters: [3, 1, 2], learners: [9, 4] }, why: 'in any order' },
  { state: { voters: [1, 2, 3], votersOutgoing: [1, 2, 4, 6], learners: [5], learnersNext: [4] }, why: 'joint with a demotion' },
  { state: { voters: [1], votersOutgoing: [1], autoLeave: true }, why: 'both halves the same' },
  { state: { voters: [1], votersOutgoing: [2] }, why: 'halves without overlap' },
  { state: { voters: [big, 1], votersOutgoing: [big + 1n], learnersNext: [big + 1n] }, why: 'ids above 2^53' },
];

const illegal: readonly { state: Partial<ConfState>; refusal: string }[] = [
  { state: { learners: [1] }, refusal: 'no voters' },
  { state: { votersOutgoing: [1] }, refusal: 'no voters' },
  { state: { autoLeave: true }, refusal: 'no voters' },
  { state: { voters: [1, 0] }, refusal: 'id 0 among the voters' },
  { state: { voters: [1], learners: [0] }, refusal: 'id 0 among the learners' },
  { state: { voters: [1], votersOutgoing: [0] }, refusal: 'id 0 among the outgoing voters' },
  { state: { voters: [1], votersOutgoing: [2], learnersNext: [0] }, refusal: 'id 0 among the future learners' },
  { state: { voters: [LocalAppendThread] }, refusal: 'reserved id 18446744073709551615 among the voters' },
  { state: { voters: [1], learners: [LocalApplyThread] }, refusal: 'reserved id 18446744073709551614 among the learners' },
  { state: { voters: [1, 2, 1] }, refusal: '1 is twice among the voters' },
  { state: { voters: [1], learners: [big, big] }, refusal: '9223372036854775808 is twice among the learners' },
  { state: { voters: [1, 2], learners: [2] }, refusal: '2 is a learner and a voter' },
  { state: { voters: [1], votersOutgoing: [1, 2], learners: [2] }, refusal: '2 is a learner and a voter' },
  { state: { voters: [1], learnersNext: [1] }, refusal: '1 is to become a learner, but is no outgoing voter' },
  { state: { voters: [1], learners: [2], votersOutgoing: [1], learnersNext: [2] }, refusal: '2 is to become a learner, but is no outgoing voter' },
  { state: { voters: [1], votersOutgoing: [1], learnersNext: [1] }, refusal: '1 is to become a learner, but is an incoming voter' },
  { state: { voters: [1], autoLeave: true }, refusal: 'autoleave without a joint configuration' },
];

describe('validateConfState', () => {
  test.each(legal)('accepts $state: $why', ({ state }) => {
    expect(validateConfState(newConfState(state))).toBeNull();
  });

  test.each(illegal)('D9: refuses $state: $refusal', ({ state, refusal }) => {
    expect(validateConfState(newConfState(state))).toBe(refusal);
  });

  test('refuses the configuration without members, which no snapshot has', () => {
    expect(validateConfState(newConfState())).toBe('no voters');
  });

  test('D9: a hostile number of ids does not take hostile time', () => {
    const count = 50_000;
    const ids = (first: number): NodeId[] => Array.from({ length: count }, (_, i) => first + i);
    const state = newConfState({ voters: ids(1), votersOutgoing: ids(count + 1), learners: ids(2 * count + 1), learnersNext: ids(count + 1) });
    const started = performance.now();

    expect(validateConfState(state)).toBeNull();

    // A quadratic check would need many minutes.
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('restoreConfig', () => {
  test.each(legal)('$state comes back as it was: $why', ({ state }) => {
    const tracker = new ProgressTracker(4, noLimit);

    const changed = restoreConfig(tracker, 12, newConfState(state));

    if (typeof changed === 'string') throw new Error(changed);
    const sorted = (ids: readonly NodeId[] = []) => [...ids].sort((a, b) => (a < b ? -1 : 1));
    expect(changed.config.toConfState()).toEqual({
      voters: sorted(state.voters),
      learners: sorted(state.learners),
      votersOutgoing: sorted(state.votersOutgoing),
      learnersNext: sorted(state.learnersNext),
      autoLeave: state.autoLeave ?? false,
    });
    for (const [id, progress] of changed.progress) {
      expect(progress).toMatchObject({ match: 0, next: 12, recentActive: true, isLearner: changed.config.learners.includes(id) });
    }
  });

  test.each(illegal)('refuses $state: $refusal', ({ state, refusal }) => {
    expect(restoreConfig(new ProgressTracker(4, noLimit), 12, newConfState(state))).toBe(refusal);
  });

  test('a storage without members gives a node that belongs to no group', () => {
    const changed = restoreConfig(new ProgressTracker(4, noLimit), 0, newConfState());

    if (typeof changed === 'string') throw new Error(changed);
    expect(changed.config.toConfState()).toEqual(newConfState());
    expect(changed.progress.size).toBe(0);
  });
});
