import { durabilityMutants } from './durability.js';
import { electionMutants } from './elections.js';
import { membershipMutants } from './membership.js';
import type { Mutant, NotHunted } from './mutant.js';
import { readMutants } from './reads.js';
import { replicationMutants } from './replication.js';
import { reversionMutants } from './reversions.js';
import { snapshotMutants } from './snapshots.js';
import { walMutants } from './wal.js';

/** Every mutant, in the order in which they are hunted. */
export const mutants: readonly Mutant[] = [...durabilityMutants, ...electionMutants, ...replicationMutants, ...snapshotMutants, ...membershipMutants, ...readMutants, ...walMutants, ...reversionMutants];

/** Mutants of the catalogue that the simulator does not kill: why, and what holds the line instead. */
export const notHunted: readonly NotHunted[] = [
  {
    id: 'M33',
    because:
      'a change proposed before an entry of the own term is committed. A configuration takes effect when its entry is applied, so after it is committed; ' +
      'the entry is of the term of the leader that appended it, and an entry of an own term commits everything before it (Raft 5.4.2). So no configuration is ever in force ' +
      'whose leader has not committed in its own term. What guards the tail that a new leader takes over is undone by M33a.',
  },
  {
    id: 'M10b',
    because:
      'an answer of the disk counts for an entry that was replaced and put back (ABA): only the check of the term of the write is gone, not that of the entry (M10, M10a). ' +
      'It takes three leaders within one write, the third of them elected by nodes that the second did not reach; in 5000 seeds made for it the entry was replaced often and never put back. ' +
      'The script async_aba_race plays the schedule, and fails with this fault planted.',
  },
];

/** @throws Error if there is no such mutant. */
export function findMutant(id: string): Mutant {
  const found = mutants.find((mutant) => mutant.id === id);
  if (found === undefined) throw new Error(`no mutant ${id}; there are ${mutants.map((mutant) => mutant.id).join(' ')}`);
  return found;
}
