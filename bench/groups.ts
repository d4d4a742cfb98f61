import { Group } from './group.js';
import { seconds, type Row } from './row.js';

/** Many idle groups in one process: ticks and heartbeats. */
const ticks: Row = {
  name: 'ticks groups=5000',
  unit: 'node-ticks/s',
  higherIsBetter: true,
  prepare: () => {
    const groups = Array.from({ length: 5000 }, () => new Group({ nodes: 3 }));
    for (const group of groups) group.elect();
    const rounds = 20;
    return () => {
      const taken = seconds(() => {
        for (let round = 0; round < rounds; round++) {
          for (const group of groups) {
            for (const member of group.members) member.node.tick();
            group.settle();
          }
        }
      });
      return (rounds * groups.length * 3) / taken;
    };
  },
};

/** Heap of a voter that has nothing to do. */
const idleMemory: Row = {
  name: 'idle memory',
  unit: 'bytes/RawNode',
  higherIsBetter: false,
  prepare: () => {
    const collect = globalThis.gc;
    if (collect === undefined) throw new Error('idle memory needs node --expose-gc');
    return () => {
      collect();
      const before = process.memoryUsage().heapUsed;
      const groups: Group[] = [];
      for (let i = 0; i < 10_000; i++) {
        const group = new Group({ nodes: 3 });
        group.elect();
        groups.push(group);
      }
      collect();
      const bytes = process.memoryUsage().heapUsed - before;
      return bytes / (groups.length * 3);
    };
  },
};

export const groupRows: readonly Row[] = [ticks, idleMemory];
