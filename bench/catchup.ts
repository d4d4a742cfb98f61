import { Group } from './group.js';
import { seconds, type Row } from './row.js';

/**
 * A follower that was away comes back and gets all it has missed from the log.
 *
 * A run moves a million entries in all, whatever `entries` is: a hundred groups of 10,000, or one of a
 * million. So both rows start with entries that no cache holds, and show how the cost per entry grows
 * with the length of the log, and not how large the processor's cache is.
 */
function catchup(entries: number): Row {
  return {
    name: `catchup entries=${entries}`,
    unit: 'entries/s',
    higherIsBetter: true,
    prepare: () => () => {
      const groups = Array.from({ length: 1_000_000 / entries }, () => groupWithLaggard(entries));
      const taken = seconds(() => groups.forEach(catchUp));
      for (const group of groups) group.mustHaveApplied(group.leader.applied);
      return 1_000_000 / taken;
    },
  };
}

/** A group of three in which node 3 has heard nothing of `entries` committed entries. */
function groupWithLaggard(entries: number): Group {
  const group = new Group({ nodes: 3 });
  group.elect();
  const data = new Uint8Array(64).fill(0x78);
  const [leader, follower, away] = group.members;
  for (let proposed = 0; proposed < entries; proposed += 1000) {
    for (let i = 0; i < 1000; i++) leader!.node.propose(data);
    do {
      group.handleReadys(leader!);
      group.handleReadys(follower!);
    } while (group.deliverExcept(away!.id));
  }
  leader!.node.reportUnreachable(away!.id);
  return group;
}

/** A heartbeat finds the follower, a probe finds the end of its log, and the rest flows. A second heartbeat tells the last commit index. */
function catchUp(group: Group): void {
  for (let i = 0; i < 2; i++) {
    group.leader.node.tick();
    group.settle();
  }
}

export const catchupRows: readonly Row[] = [catchup(10_000), catchup(1_000_000)];
