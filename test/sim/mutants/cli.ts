/**
 * Hunts mutants: `npm run --silent sim:mutants -- [--only ID]... [--quick] [--jobs N]`. Prints a table, and ends
 * with status 1 unless an invariant has killed every one of them, 2 for a wrong call.
 */
import { findMutant, mutants, notHunted } from './catalogue.js';
import { describeHunt, huntAll, tableHead } from './huntAll.js';
import type { Mutant } from './mutant.js';

function parse(args: readonly string[]): { chosen: readonly Mutant[]; jobs: number } {
  const only: Mutant[] = [];
  let quick = false;
  let jobs = 2;
  for (let i = 0; i < args.length; i++) {
    switch (args[i]) {
      case '--only':
        only.push(findMutant(args[++i] ?? ''));
        break;
      case '--quick':
        quick = true;
        break;
      case '--jobs':
        jobs = Number(args[++i]);
        if (!Number.isInteger(jobs) || jobs < 1) throw new Error('--jobs needs a number above 0');
        break;
      default:
        throw new Error(`unknown option ${args[i]}`);
    }
  }
  return { chosen: only.length > 0 ? only : mutants.filter((mutant) => !quick || mutant.quick === true), jobs };
}

let command;
try {
  command = parse(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(2);
}
const startedAt = performance.now();
console.log(tableHead);
const hunts = await huntAll(command.chosen, command.jobs, (hunt, mutant) => {
  console.log(describeHunt(hunt, mutant));
  if (!hunt.killed || command.chosen.length === 1) console.log(`       ${hunt.message}`);
});
if (command.chosen.length === mutants.length) for (const { id, because } of notHunted) console.log(`${id.padEnd(6)} not hunted: ${because}`);
const alive = hunts.filter(({ killed }) => !killed);
console.log(`${hunts.length - alive.length} of ${hunts.length} mutants killed, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
if (alive.length > 0) process.exitCode = 1;
