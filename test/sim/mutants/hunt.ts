/**
 * The child process of a hunt: `node hunt.js <planted> <sound> <id>` does runs with the copy of the build in the first
 * folder until something fires, and prints the outcome as JSON. The second folder has the same without the fault.
 */
import { findMutant } from './catalogue.js';
import { hunters, type Hunter, type Outcome } from './hunters.js';
import type { Hunt, Mutant } from './mutant.js';

function nameOf({ invariant, error }: NonNullable<Outcome>): string {
  if (invariant !== 'error') return invariant;
  return error instanceof Error && error.name === 'RaftError' ? 'assertion' : 'crash';
}

async function hunt(folder: string, soundFolder: string, mutant: Mutant): Promise<Hunt> {
  const { id, seeds } = mutant;
  const startedAt = performance.now();
  const done = (fired: string, killed: boolean, runs: number, message: string): Hunt => ({ id, fired, killed, seeds: runs, seconds: (performance.now() - startedAt) / 1000, message });
  const hunter: Hunter = hunters[mutant.hunter ?? 'sim'];
  const run = await hunter.load(folder);
  for (let seed = 0; seed < seeds; seed++) {
    const failure = await run(mutant, seed);
    if (failure === null) continue;
    // The proof that it was the fault: without it the same run passes.
    const sound = await (await hunter.load(soundFolder))(mutant, seed);
    if (sound !== null) return done('build fails', false, seed + 1, `seed ${seed}: ${sound.message}`);
    return done(nameOf(failure), true, seed + 1, `seed ${seed}: ${failure.message}`);
  }
  return done('survived', false, seeds, '');
}

console.log(JSON.stringify(await hunt(process.argv[2]!, process.argv[3]!, findMutant(process.argv[4]!))));
