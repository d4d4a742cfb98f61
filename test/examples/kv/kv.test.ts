import { describe, expect, jest, test } from '@jest/globals';

import { announceSeed, seededRandom } from '../../support/seededRandom.js';
import { finalStates, puts, runExample } from './runExample.js';

// Real nodes, sockets and elections, and the machine may be busy.
jest.setTimeout(60_000);

describe('the key-value store, run from a file', () => {
  test('applies 2,000 puts exactly once on all three nodes', async () => {
    const { exitCode, stdout, stderr } = await runExample(puts(2000));

    expect(stderr).toBe('');
    expect(stdout).toContain('writes     2,000 acknowledged, 0 lost, 0 duplicated, 0 in doubt');
    const states = finalStates(stdout);
    expect(states).toHaveLength(3);
    expect(states[0]).toMatch(/^2000 /);
    expect(new Set(states).size).toBe(1);
    expect(exitCode).toBe(0);
  });

  test('E2: is ready at once, because the first node campaigns', async () => {
    const { stdout } = await runExample([]);

    // After a timeout any node might be the first; with luck one time in three it is this one.
    expect(stdout).toMatch(/^node 1 leads in term 2/);
  });

  test('goes on when the leader is killed, and brings it back by a snapshot', async () => {
    const { exitCode, stdout, stderr } = await runExample([...puts(3000), 'kill leader', ...puts(12_000, 3000), 'start 1', 'get key14999']);

    expect(stderr).toBe('');
    expect(stdout).toContain('node 1 is down');
    expect(stdout).toMatch(/node [23] leads in term/);
    expect(stdout).toContain('node 1 took over a snapshot');
    expect(stdout).toContain('node 1 has caught up');
    expect(stdout).toContain('key14999 = value14999');
    expect(stdout).toContain('writes     15,000 acknowledged, 0 lost, 0 duplicated, 0 in doubt');
    const states = finalStates(stdout);
    expect(states[0]).toMatch(/^15000 /);
    expect(new Set(states)).toEqual(new Set([states[0]]));
    expect(exitCode).toBe(0);
  });

  test('brings a node that missed little back by the log', async () => {
    const { exitCode, stdout } = await runExample([...puts(100), 'kill 3', ...puts(100, 100), 'status', 'start 3']);

    expect(stdout).toContain('node 3 has caught up');
    expect(stdout).not.toContain('snapshot');
    expect(new Set(finalStates(stdout)).size).toBe(1);
    expect(exitCode).toBe(0);
  });

  test('does what the commands say, in their order', async () => {
    const { exitCode, stdout } = await runExample([
      ...['get a', 'put a 1', 'get a', 'put a 2', 'put a 3', 'get a', 'get b', 'del a', 'get a', 'del a'],
      ...['put b  hello  world ', 'get b', 'put a ä€😀', 'get a', '# a comment', '', 'quit', 'bogus'],
    ]);

    expect(stdout.match(/^[ab] .*$/gm)).toEqual([
      'a is not set',
      'a = 1',
      'a = 3',
      'b is not set',
      'a is not set',
      'b = hello  world',
      'a = ä€😀',
    ]);
    expect(exitCode).toBe(0);
  });

  test('names bad lines by their number, skips them, and says so with exit code 2', async () => {
    const { exitCode, stdout, stderr } = await runExample([
      ...['put a 1', 'bogus', 'put a', '', 'get', 'kill 9', 'kill 3', 'kill 3', 'start 1', 'start 3'],
      ...['kill', 'status now', `put a ${'x'.repeat(100_000)}`, 'get a'],
    ]);

    expect(stderr.trimEnd().split('\n')).toEqual([
      'line 2: unknown command "bogus"; help lists them',
      'line 3: put takes a key and a value',
      'line 5: get takes one key',
      'line 6: there is no node 9, only 1, 2, 3',
      'line 8: node 3 is down already',
      'line 9: node 1 is up already',
      'line 11: kill takes the number of a node, or leader',
      'line 12: status takes no arguments',
      'line 13: the line has more than 66624 characters',
      'problem: bad lines, skipped: 9',
    ]);
    expect(stdout).toContain('a = 1\n');
    expect(exitCode).toBe(2);
  });

  test('gives up a write that gets no answer, and goes on when there is a quorum again', async () => {
    const { exitCode, stdout, stderr } = await runExample(['put a 1', 'kill 1', 'kill leader', 'put a 2', 'get a', 'start 1', 'put b 3', 'get b'], { timeout: 1 });

    expect(stderr).toContain('line 4: put a: no answer within 1 s (1 of 3 nodes up, 2 are needed)\n');
    expect(stderr).toContain('line 5: get a: not sent, since nobody leads (1 of 3 nodes up, 2 are needed)\n');
    expect(stdout).toContain('b = 3\n');
    expect(stdout).toContain('writes     2 acknowledged, 0 lost, 0 duplicated, 1 in doubt');
    expect(exitCode).toBe(1);
  });

  test('says why it cannot tell how the run ended without a quorum', async () => {
    const { exitCode, stderr } = await runExample(['put a 1', 'kill leader', 'kill leader', 'kill leader'], { timeout: 1 });

    expect(stderr).toContain('line 4: kill leader: nobody leads\n');
    expect(stderr).toContain('problem: the nodes cannot be compared: 1 of 3 are up, 2 are needed\n');
    expect(exitCode).toBe(1);
  });

  test('ends with a summary at the end of an empty input, and at Ctrl-C', async () => {
    const empty = await runExample([]);
    const interrupted = await runExample(['put a 1', 'get a'], {
      onOutput: (stdout, child) => {
        if (stdout.endsWith('a = 1\n')) child.kill('SIGINT');
      },
    });

    expect(empty.stdout).toContain('all 3 nodes that are up have the same state\n');
    expect(empty.exitCode).toBe(0);
    expect(interrupted.stdout).toContain('writes     1 acknowledged, 0 lost');
    expect(interrupted.exitCode).toBe(130);
  });

  /**
   * Goal: whatever happens to single nodes, every write is applied once, and reads see the last one.
   * Method: random commands with kills and starts that leave two nodes up. The example compares its nodes with the
   * journal of its client itself; the values read are compared with a model here.
   */
  test('keeps every promise while nodes come and go', async () => {
    const random = seededRandom(announceSeed('examples/kv'));
    const model = new Map<string, string>();
    const lines: string[] = [];
    const expected: string[] = [];
    let down = 0;
    for (let i = 0; i < 6000; i++) {
      const key = `k${random(50)}`;
      const dice = random(1000);
      if (dice < 4 && down === 0) lines.push(`kill ${(down = 1 + random(3))}`);
      else if (dice < 8 && down !== 0) {
        lines.push(`start ${down}`);
        down = 0;
      } else if (dice < 50) {
        lines.push(`get ${key}`);
        expected.push(model.has(key) ? `${key} = ${model.get(key)}` : `${key} is not set`);
      } else if (dice < 200) {
        lines.push(`del ${key}`);
        model.delete(key);
      } else {
        lines.push(`put ${key} ${i}`);
        model.set(key, String(i));
      }
    }

    const { exitCode, stdout, stderr } = await runExample(lines);

    expect(stderr).toBe('');
    expect(stdout.match(/^k\d+ .*$/gm)).toEqual(expected);
    expect(new Set(finalStates(stdout).filter((state) => state !== 'down')).size).toBe(1);
    expect(exitCode).toBe(0);
  });
});
