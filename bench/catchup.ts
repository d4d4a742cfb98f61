import { Group } from './group.js';
import { seconds, type Row } from './row.js';

/** A follower that was away comes back and gets all it has missed from the log. */
function catchup(entries: number): Row {
  return {
    name: `catchup entries=${entries}`,
    unit: 'entries/s',
    higherIsBetter: true,
    prepare: () => () => {
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
      // The leader has given up on it long ago; a heartbeat finds it again.
      leader!.node.reportUnreachable(away!.id);
      const taken = seconds(() => {
        leader!.node.tick();
        group.settle();
        // The probe is answered, and the log flows; the last commit index follows.
        leader!.node.tick();
        group.settle();
      });
      group.mustHaveApplied(leader!.applied);
      return entries / taken;
    },
  };
}

export const catchupRows: readonly Row[] = [catchup(10_000), catchup(1_000_000)];
