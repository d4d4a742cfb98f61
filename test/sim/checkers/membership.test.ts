import { describe, expect, test } from '@jest/globals';
import { ConfChangeTransition, newConfChangeV2, parseConfChanges } from '../../../src/core/raftpb/confChange.js';
import { encodeConfChange } from '../../../src/core/raftpb/confChangeWire.js';
import { EntryType, type Entry } from '../../../src/core/raftpb/entry.js';
import { confStatesEquivalent, newConfState, type ConfState } from '../../../src/core/raftpb/state.js';
import { Changer } from '../../../src/core/confchange/changer.js';
import { restoreConfig } from '../../../src/core/confchange/restore.js';
import { ProgressTracker } from '../../../src/core/tracker/progressTracker.js';
import { StateType } from '../../../src/core/types.js';
import { changedConfig } from '../../../src/sim/checkers/membershipModel.js';
import { SimEventKind } from '../../../src/sim/simEvent.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';
import type { FakeCluster } from './fakeCluster.js';
import { tellStories } from './violations.js';

function change(text: string, transition: ConfChangeTransition = ConfChangeTransition.Auto): Uint8Array {
  return encodeConfChange(newConfChangeV2({ transition, changes: parseConfChanges(text) }));
}

/** The change is committed at index 4 and reaches the state machines of nodes 1 and 2, with these outcomes. */
function changeConfig(c: FakeCluster, text: string, outcomes: readonly (ConfState | null)[]): Entry {
  const entry = c.append(1, change(text), EntryType.EntryConfChangeV2);
  c.replicate(1, 2, entry.index);
  c.commit(1, entry.index);
  c.persist(1);
  c.follow(2, entry.index);
  outcomes.forEach((confState, i) => {
    c.apply(i + 1, entry.index);
    c.emit({ kind: SimEventKind.ConfigApplied, time: 0, node: i + 1, entry, confState });
  });
  return entry;
}

const four = newConfState({ voters: [1, 2, 3, 4] });
const learner = newConfState({ voters: [1, 2, 3], learners: [4] });

tellStories('membership', ['I21'], [
  { breaks: null, why: 'a voter is added, on both nodes alike', happens: (c) => void changeConfig(c, 'v4', [four, four]) },
  { breaks: null, why: 'a change that cannot be carried out has no effect on either', happens: (c) => void changeConfig(c, 'r1 r2 r3', [null, null]) },
  { breaks: null, why: 'a change has no effect where a snapshot was faster (D14)', happens: (c) => { c.at(2).record.restoredConfIndex = 4; changeConfig(c, 'v4', [four, null]); } },
  { breaks: 'I21', why: 'a change has different effects on two nodes', happens: (c) => void changeConfig(c, 'v4', [four, learner]) },
  { breaks: 'I21', why: 'a change has no effect on one of them', happens: (c) => void changeConfig(c, 'v4', [four, null]) },
  { breaks: 'I21', why: 'a change has an effect only on the second one', happens: (c) => void changeConfig(c, 'r1 r2 r3', [null, four]) },
  { breaks: 'I21', why: 'a change has another effect than the rules say', happens: (c) => void changeConfig(c, 'l4', [four, four]) },
  { breaks: 'I21', why: 'a change that cannot be carried out has an effect (D8)', happens: (c) => void changeConfig(c, 'r1 r2 r3', [newConfState(), newConfState()]) },
  { breaks: 'I21', why: 'a leader appends a change while one is not applied (D1)', happens: (c) => { c.append(1, change('v4'), EntryType.EntryConfChangeV2); c.append(1, change('v5'), EntryType.EntryConfChangeV2); } },
  { breaks: 'I21', why: 'a node campaigns that is no voter', happens: (c) => { const node = c.at(3); Object.assign(node.raft.tracker, { config: c.at(1).raft.tracker.config }); Object.assign(node.raft.tracker.config.voters, { ids: [1, 2] }); c.role(3, StateType.PreCandidate, 2, 1); } },
]);

describe('the model of configuration changes', () => {
  test('agrees with the core on random changes', () => {
    const random = seededRandom(announceSeed('sim/checkers/membership'));
    let config = newConfState({ voters: [1, 2, 3] });
    let effects = 0;
    for (let i = 0; i < 2000; i++) {
      const count = random(4);
      const text = Array.from({ length: count }, () => `${'vlru'[random(4)]!}${1 + random(6)}`).join(' ');
      const transition = random(3) as ConfChangeTransition;
      const v2 = newConfChangeV2({ transition, changes: parseConfChanges(text) });
      const tracker = new ProgressTracker(4, Infinity);
      const restored = restoreConfig(tracker, 5, config);
      if (typeof restored === 'string') throw new Error(restored);
      tracker.setConfig(restored.config, restored.progress);
      const core = new Changer(tracker, 5).apply(v2);
      const model = changedConfig(config, v2);

      if (typeof core === 'string') expect({ i, text, model }).toEqual({ i, text, model: null });
      else {
        expect({ i, text, same: model !== null && confStatesEquivalent(model, core.config.toConfState()) }).toEqual({ i, text, same: true });
        config = core.config.toConfState();
        effects++;
      }
    }
    expect(effects).toBeGreaterThan(100);
  });
});
