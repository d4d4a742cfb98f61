import { Group } from './group.js';
import { seconds, type Row } from './row.js';

/**
 * A follower that was away comes back and gets all it has missed from the log.
 *
 * A run moves a million entries in all, whatever `entries` is: in a hundred groups of 10,000 side by
 * side, or in one of a million. So both rows work on the same amount of memory in the same order, and
 * what differs between them is the length of the log, and not how much of it a cache holds.
 */
function catchup(entries: number): Row {
  return {
    name: `catchup entries=${entries}`,
    unit: 'entries/s',
    higherIsBetter: true,
    prepare: () => () => {
      const groups = Array.from({ length: 1_000_000 / entries }, () => groupWithLaggard(entries));
      // What the preparation leaves behind would be collected while the clock runs, in one row more than in the other.
      globalThis.gc?.();
      const taken = seconds(() => catchUp(groups));
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
function catchUp(groups: readonly Group[]): void {
  for (let i = 0; i < 2; i++) {
    for (const group of groups) group.leader.node.tick();
    let busy: boolean;
    do {
      for (const group of groups) for (const member of group.members) group.handleReadys(member);
      busy = false;
      for (const group of groups) if (group.deliver()) busy = true;
    } while (busy);
  }
}

export const catchupRows: readonly Row[] = [catchup(10_000), catchup(1_000_000)];
