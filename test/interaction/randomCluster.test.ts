import { describe, expect, test } from '@jest/globals';
import { parseDatadriven } from '../support/datadriven.js';
import { announceSeed, seededRandom } from '../support/seededRandom.js';
import { ClusterSafety } from './clusterSafety.js';
import { execute } from './execute.js';
import { InteractionEnv } from './interactionEnv.js';
import { RandomScript, type RandomCommand } from './randomScript.js';

const scripts = 300;
const commands = 120;

/** Runs one script of invented commands. Returns the highest index that was applied. */
function runRandomScript(seed: number): number {
  const env = new InteractionEnv();
  const script = new RandomScript(env, seededRandom(seed));
  const safety = new ClusterSafety();
  let text = '';
  const run = ({ line, input }: RandomCommand): void => {
    const directive = `${line}\n${input === '' ? '' : `${input}\n`}----\n\n`;
    text += directive;
    execute(env, parseDatadriven(directive, `seed ${seed}`)[0]!);
    safety.check(env);
  };
  try {
    script.first().forEach(run);
    for (let i = 0; i < commands; i++) run(script.next());
    run({ line: 'stabilize', input: '' });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\nThe script so far, from SEED=${seed}:\n\n${text}`, { cause: error });
  }
  return Math.max(...env.nodes.map((node) => node.storage.newest.metadata.index));
}

describe('clusters under random commands', () => {
  test(`nothing throws, one leader in each term, the same state at each index (${scripts} scripts)`, () => {
    const seed = announceSeed('randomCluster');
    let applied = 0;
    for (let i = 0; i < scripts; i++) applied += runRandomScript(seed + i);

    // The scripts are worth something only if the groups get somewhere.
    expect(applied / scripts).toBeGreaterThan(10);
  });
});
