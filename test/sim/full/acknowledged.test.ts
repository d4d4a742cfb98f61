import { describe, expect, test } from '@jest/globals';

import { newEntry, EntryType, type Entry } from '../../../src/core/raftpb/entry.js';
import { newConfState, type Snapshot } from '../../../src/core/raftpb/state.js';
import { MemoryStorage } from '../../../src/core/storage/memoryStorage.js';
import { Violation } from '../../../src/sim/index.js';
import { carryOut, newWrite, type SimWrite } from '../../../src/sim/simStorage.js';
import { Acknowledged } from './acknowledged.js';

function entry(index: number, term: number, text = `${index}/${term}`): Entry {
  return newEntry(EntryType.EntryNormal, new TextEncoder().encode(text), term, index);
}

function snapshot(index: number, term: number, text = 'state'): Snapshot {
  return { data: new TextEncoder().encode(text), metadata: { index, term, confState: newConfState({ voters: [1, 2, 3] }) } };
}

const vote = newWrite({ hardState: { term: 1, vote: 2, commit: 0 } });
const first = newWrite({ entries: [entry(1, 1), entry(2, 1)] });
const second = newWrite({ entries: [entry(3, 1)], hardState: { term: 1, vote: 2, commit: 2 } });
const conflict = newWrite({ entries: [entry(3, 2)], hardState: { term: 2, vote: 0, commit: 2 } });

function disk(...writes: SimWrite[]): MemoryStorage {
  const storage = new MemoryStorage();
  for (const write of writes) carryOut(storage, write);
  return storage;
}

/** Two writes are acknowledged, two more under way. */
function owner(): Acknowledged {
  const acknowledged = new Acknowledged();
  acknowledged.begin(vote)();
  acknowledged.begin(first)();
  acknowledged.begin(second);
  acknowledged.begin(conflict);
  return acknowledged;
}

describe('I24: what a restart may find', () => {
  test.each([
    { found: disk(vote, first), recovery: { found: 0, gone: 2 }, why: 'what was acknowledged' },
    { found: disk(vote, first, second), recovery: { found: 1, gone: 1 }, why: 'one write more' },
    { found: disk(vote, first, second, conflict), recovery: { found: 2, gone: 0 }, why: 'everything' },
  ])('$why', ({ found, recovery }) => {
    const acknowledged = owner();

    expect(acknowledged.restart('node 1', found)).toEqual(recovery);
    expect(acknowledged.durable.lastIndex).toBe(found.lastIndex());
    // From now on it counts as acknowledged.
    expect(acknowledged.restart('node 1', found)).toEqual({ found: 0, gone: 0 });
  });

  test.each([
    { found: disk(vote), why: 'an acknowledged write is gone' },
    { found: disk(first), why: 'an acknowledged vote is gone' },
    { found: disk(vote, first, newWrite({ hardState: conflict.hardState })), why: 'a part of a write, without the write before it' },
    { found: disk(vote, first, newWrite({ entries: second.entries })), why: 'the entries of a write, and not its hard state' },
    { found: disk(vote, first, newWrite({ hardState: second.hardState })), why: 'the hard state of a write, and not its entries' },
    { found: disk(vote, first, second, newWrite({ hardState: { term: 2, vote: 2, commit: 2 } })), why: 'the term of one write with the vote of another' },
    { found: disk(vote, newWrite({ entries: [entry(1, 1), entry(2, 1, 'other')] })), why: 'other bytes' },
    { found: disk(vote, first, newWrite({ created: snapshot(1, 1) })), why: 'a snapshot that nobody made' },
  ])('not: $why', ({ found }) => {
    expect(() => owner().restart('node 1', found)).toThrow(Violation);
  });

  test('a snapshot under way is there, or not', () => {
    const created = snapshot(2, 1);
    const begun = (): Acknowledged => {
      const acknowledged = owner();
      acknowledged.beginSnapshot(created);
      return acknowledged;
    };

    expect(begun().restart('node 1', disk(vote, first))).toEqual({ found: 0, gone: 2 });
    expect(begun().restart('node 1', disk(vote, first, newWrite({ created }), second))).toEqual({ found: 1, gone: 1 });
    expect(() => begun().restart('node 1', disk(vote, first, newWrite({ created: snapshot(2, 1, 'damaged') })))).toThrow(Violation);
  });

  test('an acknowledged snapshot must be there, and what was compacted after it is gone', () => {
    const created = snapshot(2, 1);
    const acknowledged = owner();
    acknowledged.beginSnapshot(created);
    acknowledged.endSnapshot(created, false);

    expect(() => acknowledged.copy().restart('node 1', disk(vote, first))).toThrow(Violation);
    acknowledged.begin(newWrite({ compact: 2 }));
    expect(acknowledged.copy().restart('node 1', disk(vote, first, newWrite({ created }), second, conflict, newWrite({ compact: 2 })))).toEqual({ found: 3, gone: 0 });
    expect(() => acknowledged.restart('node 1', disk(vote, first, newWrite({ created }), newWrite({ compact: 2 })))).toThrow(Violation);
  });

  test('a snapshot of a leader replaces the log, or has not come yet', () => {
    const install = newWrite({ snapshot: snapshot(9, 3), hardState: { term: 3, vote: 0, commit: 9 } });
    const begun = (): Acknowledged => {
      const acknowledged = owner();
      acknowledged.begin(install);
      return acknowledged;
    };

    expect(begun().restart('node 1', disk(vote, first, second, conflict))).toEqual({ found: 2, gone: 1 });
    expect(begun().restart('node 1', disk(vote, first, second, conflict, install))).toEqual({ found: 3, gone: 0 });
    expect(() => begun().restart('node 1', disk(vote, first, second, conflict, newWrite({ hardState: install.hardState })))).toThrow(Violation);
  });
});
