import { decodeMessage, encodeMessage, encodeMessageInto } from '../src/codec/index.js';
import { EntryType, MessageType, newEntry, newMessage, RawNode, MemoryStorage, newConfState, type Message } from '../src/core/index.js';
import { ProgressTracker } from '../src/core/tracker/progressTracker.js';
import { restoreConfig } from '../src/core/confchange/restore.js';
import { Group } from './group.js';
import { nanosecondsPerCall, seconds, type Row } from './row.js';

/** A use of the result that no compiler can leave out. */
let sink = 0;

function nanoseconds(name: string, make: () => () => number): Row {
  return {
    name,
    unit: 'ns',
    higherIsBetter: false,
    prepare: (milliseconds) => {
      const work = make();
      return () => nanosecondsPerCall(() => (sink += work()), milliseconds);
    },
  };
}

function append(entries: number): Message {
  const m = newMessage(MessageType.MsgApp, 2);
  m.from = 1;
  m.term = 5;
  m.logTerm = 5;
  m.index = 100_000;
  m.commit = 99_990;
  m.entries = Array.from({ length: entries }, (_, i) => newEntry(EntryType.EntryNormal, new Uint8Array(128).fill(i), 5, 100_001 + i));
  return m;
}

const codecRows = [0, 1, 64].flatMap((entries) => [
  nanoseconds(`codec encode entries=${entries}`, () => {
    const m = append(entries);
    return () => encodeMessage(m).length;
  }),
  nanoseconds(`codec encode entries=${entries} into a buffer`, () => {
    const m = append(entries);
    const buffer = new Uint8Array(1 << 16);
    return () => encodeMessageInto(m, buffer, 0);
  }),
  nanoseconds(`codec decode entries=${entries}`, () => {
    const bytes = encodeMessage(append(entries));
    return () => decodeMessage(bytes).index;
  }),
]);

const commitRows = [3, 5, 7, 101].map((voters) =>
  nanoseconds(`commit index ${voters} voters`, () => {
    const ids = Array.from({ length: voters }, (_, i) => i + 1);
    const tracker = new ProgressTracker(256, Infinity);
    const restored = restoreConfig(tracker, 10, newConfState({ voters: ids }));
    if (typeof restored === 'string') throw new Error(restored);
    tracker.setConfig(restored.config, restored.progress);
    // Acknowledgements in no order, and moving, as they come in.
    let tick = 0;
    tracker.progresses.forEach((progress, i) => progress.maybeUpdate(1000 + ((i * 7919) % 1000)));
    return () => {
      const progress = tracker.progresses[tick++ % voters]!;
      progress.maybeUpdate(progress.match + 3);
      return tracker.committed();
    };
  }),
);

const statusRows = [3, 100].map((members) =>
  nanoseconds(`status ${members} members`, () => {
    const voters = Array.from({ length: members }, (_, i) => i + 1);
    const storage = new MemoryStorage();
    storage.applySnapshot({ data: new Uint8Array(0), metadata: { index: 1, term: 1, confState: newConfState({ voters }) } });
    const node = new RawNode({ id: 1, storage, applied: 1, preVote: false });
    elect(node, storage, voters);
    return () => node.status().progress.size;
  }),
);

function elect(node: RawNode, storage: MemoryStorage, voters: readonly number[]): void {
  node.campaign();
  for (let granted = 2; ; granted++) {
    while (node.hasReady()) {
      const rd = node.ready();
      if (rd.hardState !== null) storage.setHardState(rd.hardState);
      storage.append(rd.entries);
      node.advance(rd);
    }
    if (node.basicStatus().lead === 1) return;
    const vote = newMessage(MessageType.MsgVoteResp, 1);
    vote.from = voters[granted - 1]!;
    vote.term = node.basicStatus().hardState.term;
    node.step(vote);
  }
}

/** Linearizable reads per second, confirmed by a quorum. */
const readIndex: Row = {
  name: 'readindex n=3 batch=64',
  unit: 'reads/s',
  higherIsBetter: true,
  prepare: (milliseconds) => {
    const group = new Group({ nodes: 3 });
    group.elect();
    const batches = Math.max(20, Math.round(milliseconds / 2));
    return () => {
      const before = group.leader.reads;
      const taken = seconds(() => {
        for (let i = 0; i < batches; i++) {
          for (let j = 0; j < 64; j++) group.leader.node.readIndex(new Uint8Array(8));
          group.settle();
        }
      });
      if (group.leader.reads - before !== 64 * batches) throw new Error('a read was not answered');
      return (64 * batches) / taken;
    };
  },
};

export const microRows: readonly Row[] = [...codecRows, ...statusRows, ...commitRows, readIndex];

/** Keeps what the rows computed alive. */
export function consumed(): number {
  return sink;
}
