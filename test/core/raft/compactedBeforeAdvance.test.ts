import { expect, test } from '@jest/globals';

import { MemoryStorage, newConfState, newEntry, RawNode, StateType } from '../../../src/core/index.js';

/** D7: the new leader counts its unapplied tail, of which the host has applied and compacted a part that `advance` has not reported yet. */
test('a node becomes leader while its host compacts what it has just applied', () => {
  const storage = new MemoryStorage();
  storage.applySnapshot({ data: new Uint8Array(0), metadata: { index: 1, term: 1, confState: newConfState({ voters: [1] }) } });
  storage.append(Array.from({ length: 3000 }, (_, i) => newEntry(0, new Uint8Array(1024), 1, i + 2)));
  storage.setHardState({ term: 1, vote: 1, commit: 3001 });
  const node = new RawNode({ id: 1, storage });

  node.campaign();
  while (node.hasReady()) {
    const rd = node.ready();
    storage.append(rd.entries);
    if (rd.hardState !== null) storage.setHardState(rd.hardState);
    const last = rd.committedEntries.at(-1)?.index;
    if (last !== undefined) {
      storage.createSnapshot(last, null, new Uint8Array(1));
      storage.compact(last);
    }
    node.advance(rd);
  }

  expect(node.basicStatus().state).toBe(StateType.Leader);
  expect(node.basicStatus().applied).toBe(3002);
});
