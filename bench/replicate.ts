import { Group } from './group.js';
import { seconds, type Row } from './row.js';

/** Proposals per second that a group agrees on and applies everywhere. */
function replicate(nodes: number, batch: number, codec: boolean, size: number): Row {
  const codecPart = nodes === 1 ? '' : ` codec=${codec ? 'on' : 'off'}`;
  return {
    name: `replicate n=${nodes} batch=${batch}${codecPart} size=${size}`,
    unit: 'proposals/s',
    higherIsBetter: true,
    prepare: (milliseconds) => {
      const group = new Group({ nodes, codec });
      group.elect();
      const data = new Uint8Array(size).fill(0x78);
      const rounds = (count: number): number =>
        seconds(() => {
          const { node } = group.leader;
          for (let i = 0; i < count; i++) {
            for (let j = 0; j < batch; j++) node.propose(data);
            group.settle();
            group.maybeCompact();
          }
        });
      // Long enough for compactions to be part of every run.
      let count = Math.ceil(8192 / batch);
      // Twice: the first time the code is not compiled yet, and seems to need several times as long.
      for (let i = 0; i < 2; i++) count = Math.max(Math.ceil(8192 / batch), Math.ceil((count * milliseconds) / 1000 / rounds(count)));
      return () => {
        const before = group.leader.applied;
        const taken = rounds(count);
        group.mustHaveApplied(before + count * batch);
        return (count * batch) / taken;
      };
    },
  };
}

/** The whole matrix. A single node sends nothing, so a codec makes no difference to it. */
export const replicateRows: readonly Row[] = [1, 3, 5].flatMap((nodes) =>
  [1, 64].flatMap((batch) =>
    (nodes === 1 ? [false] : [false, true]).flatMap((codec) => [16, 1024].map((size) => replicate(nodes, batch, codec, size))),
  ),
);
