import { newConfState } from '../../../src/core/raftpb/state.js';
import { WalStorage } from '../../../src/node/wal/walStorage.js';
import type { Workload } from './crashImages.js';
import { diskEnvironment, type DiskEnvironment } from './diskEnvironment.js';
import { carryOut, entriesFrom, snapshotAt, WalModel, type Step } from './walModel.js';

/** The smallest segments there are, so that few writes fill one. */
export const walOptions = { dir: '/wal', nodeId: 1, clusterId: 9, segmentBytes: 4096, cacheBytes: 0 } as const;

/** What happens besides calls. */
export type Event = Step | { readonly kind: 'reopen' } | { readonly kind: 'close' } | { readonly kind: 'tick'; readonly ms: number };

/** A run of the log. */
export interface Scenario {
  readonly name: string;
  /** Events of one group are begun together; the next group waits for all of them. */
  readonly groups: readonly (readonly Event[])[];
}

/** The number of steps that were promised: 0 is the new log itself. */
export type Ack = number;

/** What the log must say after each step; the first is a new log. */
export function statesOf(scenario: Scenario): string[] {
  const model = new WalModel();
  const states = [model.describe()];
  for (const event of scenario.groups.flat()) {
    if (!isStep(event)) continue;
    model.apply(event);
    states.push(model.describe());
  }
  return states;
}

/** Runs a scenario on a disk: begins with a new log, and ends in the middle of whatever is under way. */
export function workloadOf(scenario: Scenario, make = (fs: DiskEnvironment['fs']): DiskEnvironment => diskEnvironment(fs)): Workload<Ack> {
  return async (fs, note) => {
    const env = make(fs);
    let log = await WalStorage.bootstrap(walOptions, env);
    note(0);
    let number = 0;
    for (const group of scenario.groups) {
      const pending: Promise<void>[] = [];
      for (const event of group) {
        if (!isStep(event)) {
          await Promise.all(pending);
          if (event.kind === 'tick') env.clock.advance(event.ms);
          else await log.close();
          if (event.kind === 'reopen') log = await WalStorage.open(walOptions, env);
          continue;
        }
        const step = ++number;
        const promised = carryOut(log, event);
        pending.push(promised.then(() => (event.kind === 'append' && event.sync === false ? undefined : note(step))));
      }
      await Promise.all(pending);
    }
  };
}

function isStep(event: Event): event is Step {
  return event.kind === 'append' || event.kind === 'snapshot' || event.kind === 'compact';
}

const append = (first: number, count: number, term: number, bytes?: number): Step => ({ kind: 'append', entries: entriesFrom(first, count, term, bytes) });
const vote = (term: number, candidate: number, commit = 0): Step => ({ kind: 'append', hardState: { term, vote: candidate, commit } });
const one = (events: readonly Event[]): Event[][] => events.map((event) => [event]);
const snapshot = (index: number): Step => ({ kind: 'snapshot', index, confState: newConfState({ voters: [1, 2] }), data: new Uint8Array(60).fill(index) });

/** Runs that between them do everything that a log can do. */
export const scenarios: readonly Scenario[] = [
  { name: 'create', groups: [] },
  { name: 'appends', groups: one([vote(1, 1), ...Array.from({ length: 12 }, (_, i) => append(i + 1, 1, 1))]) },
  {
    name: 'conflicts within a segment and across one and two',
    groups: one([append(1, 3, 1, 300), append(3, 2, 2, 300), append(5, 4, 2, 300), append(4, 2, 3, 300), append(6, 9, 3, 300), append(6, 1, 4, 20), append(2, 3, 5, 300)]),
  },
  { name: 'rotation', groups: one(Array.from({ length: 9 }, (_, i) => append(i + 1, 1, 1, 700))) },
  { name: 'elections', groups: one([vote(1, 2), append(1, 2, 1), vote(2, 0), vote(2, 3), append(2, 2, 2), vote(5, 1), { kind: 'append', entries: entriesFrom(4, 1, 5), hardState: { term: 6, vote: 2, commit: 3 } }]) },
  {
    name: 'marks in the background',
    groups: [[append(1, 1, 1)], [{ kind: 'tick', ms: 1000 }, append(2, 1, 1)], [append(3, 1, 1)], [{ kind: 'tick', ms: 1000 }], [append(4, 1, 1), append(5, 1, 1)], [{ kind: 'tick', ms: 5000 }, append(6, 1, 1)]],
  },
  {
    name: 'snapshots of the own state, compaction',
    groups: one([append(1, 4, 1, 400), vote(1, 1, 4), snapshot(3), { kind: 'compact', index: 2 }, append(5, 6, 1, 600), vote(2, 0, 9), snapshot(9), { kind: 'compact', index: 9 }, append(11, 3, 2, 500), append(14, 1, 2)]),
  },
  {
    name: 'snapshots of a leader',
    groups: one([
      append(1, 3, 1, 500),
      { kind: 'append', snapshot: snapshotAt(2, 1) },
      append(3, 5, 2, 600),
      { kind: 'append', snapshot: snapshotAt(20, 3), entries: entriesFrom(21, 2, 3), hardState: { term: 3, vote: 0, commit: 20 } },
      append(22, 4, 4, 700),
    ]),
  },
  {
    name: 'calls at the same time',
    groups: [
      [vote(1, 1), append(1, 1, 1), append(2, 2, 1), append(3, 1, 2), { kind: 'append', hardState: { term: 2, vote: 0, commit: 2 }, sync: false }],
      [append(4, 1, 2, 900), append(5, 1, 2, 900), append(6, 1, 2, 900), append(5, 3, 3, 900)],
      [{ kind: 'append', hardState: { term: 3, vote: 0, commit: 6 }, sync: false }, append(8, 1, 3), snapshot(5)],
      [{ kind: 'compact', index: 5 }, append(9, 2, 3)],
    ],
  },
  {
    name: 'metadata',
    groups: one([{ kind: 'append', metadata: new Uint8Array([1, 2, 3]) }, append(1, 3, 1, 700), append(4, 3, 1, 700), { kind: 'append', metadata: new Uint8Array(70).fill(4), entries: entriesFrom(7, 1, 2) }, append(8, 4, 2, 700)]),
  },
  {
    name: 'closing and opening',
    groups: [[append(1, 3, 1)], [{ kind: 'reopen' }], [append(3, 2, 2), vote(2, 1, 3)], [{ kind: 'reopen' }], [{ kind: 'reopen' }, append(5, 3, 3, 900)], [append(6, 1, 4), { kind: 'close' }]],
  },
];
