import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { filesOf } from './files.js';
import { runQuorumFile } from './quorum.js';

const folder = '../shared/conformance/quorum';

if (!existsSync(folder)) {
  test.skip(`no ${folder} here: the conformance files of quorums are not run`, () => undefined);
} else {
  describe('quorums answer like etcd raft', () => {
    test.each(filesOf(folder, '.txt'))('%s', (file) => {
      const { passed, failures } = runQuorumFile(readFileSync(file, 'utf8'), file);

      expect(failures.join('\n\n')).toBe('');
      expect(passed).toBeGreaterThan(0);
    });
  });
}

describe('runQuorumFile', () => {
  test('counts right and wrong answers and shows the difference', () => {
    const text = 'committed cfg=(1) idx=(12)\n----\n     idx\n>     12    (id=1)\n12\n\nvote cfg=(1) votes=(n)\n----\nVoteWon\n';

    const { passed, failures } = runQuorumFile(text, 'file.txt');

    expect(passed).toBe(1);
    expect(failures).toEqual(['file.txt:7: vote cfg=(1) votes=(n)\n- VoteWon\n+ VoteLost']);
  });

  test.each([
    { command: 'committed cfg=(1,2) idx=(12)', why: 'one index for two voters' },
    { command: 'vote cfg=(1) votes=(x)', why: 'a vote is y, n or _' },
    { command: 'elect cfg=(1)', why: 'no such command' },
  ])('fails $command: $why', ({ command }) => {
    const { passed, failures } = runQuorumFile(`${command}\n----\n12\n`, 'file.txt');

    expect(passed).toBe(0);
    expect(failures).toHaveLength(1);
  });
});
