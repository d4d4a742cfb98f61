import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { runConfChangeFile } from './confchange.js';
import { filesOf } from './files.js';

const folder = '../shared/conformance/confchange';

if (!existsSync(folder)) {
  test.skip(`no ${folder} here: the conformance files of configuration changes are not run`, () => undefined);
} else {
  describe('configuration changes answer like etcd raft', () => {
    test.each(filesOf(folder, '.txt'))('%s', (file) => {
      const { passed, failures } = runConfChangeFile(readFileSync(file, 'utf8'), file);

      expect(failures.join('\n\n')).toBe('');
      expect(passed).toBeGreaterThan(0);
    });
  });
}

describe('runConfChangeFile', () => {
  test('keeps the group from command to command and shows the difference of a wrong answer', () => {
    const text = 'simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=1\n\nsimple\nr1\n----\nvoters=()\n';

    const { passed, failures } = runConfChangeFile(text, 'file.txt');

    expect(passed).toBe(1);
    expect(failures).toEqual(['file.txt:7: simple\n- voters=()\n+ removed all voters']);
  });

  test.each([
    { text: 'leave-joint\nv1\n----\nok\n', actual: 'this command takes no input' },
    { text: 'join\n----\nok\n', actual: 'unknown command' },
    { text: 'simple\nx1\n----\nok\n', actual: '"x1" is not a configuration change' },
  ])('fails with "$actual"', ({ text, actual }) => {
    const { failures } = runConfChangeFile(text, 'file.txt');

    expect(failures).toEqual([expect.stringContaining(actual)]);
  });
});
