import type { ChildProcess } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, jest, test } from '@jest/globals';

import { announceSeed } from '../../support/seededRandom.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { describeKills, killRounds } from './killRounds.js';
import { finalStates, puts, runExample } from './runExample.js';

// Real nodes, disks, sockets and elections, and the machine may be busy.
jest.setTimeout(60_000);

const newDirectory = temporaryDirectories();

describe('the key-value store with --data', () => {
  test('goes on from where it was, snapshots included', async () => {
    const data = join(newDirectory(), 'a', 'b');
    const first = await runExample(puts(5000), { args: ['--data', data] });
    const second = await runExample(['get key0', 'put key0 new', 'get key0', 'get key4999'], { args: ['--data', data] });

    expect(first.stderr).toBe('');
    expect(first.stdout).toContain(`the logs are in ${data}/node-1, ${data}/node-2, ${data}/node-3\n`);
    expect(first.stdout).toContain('writes     5,000 acknowledged, 0 lost, 0 duplicated, 0 in doubt');
    expect(second.stderr).toBe('');
    expect(second.stdout).toContain('5,000 keys are there from before\n');
    expect(second.stdout.match(/^key.*$/gm)).toEqual(['key0 = value0', 'key0 = new', 'key4999 = value4999']);
    expect(second.stdout).toContain('writes     1 acknowledged, 0 lost, 0 duplicated, 0 in doubt');
    const states = finalStates(second.stdout);
    expect(states[0]).toMatch(/^5001 /);
    expect(new Set(states).size).toBe(1);
    expect(second.exitCode).toBe(0);
  });

  test('brings a node back from its own log', async () => {
    const data = newDirectory();
    const lines = [...puts(500), 'kill leader', ...puts(6000, 500), 'start 1', 'get key6499', 'kill 1', 'start 1', ...puts(10)];
    const { exitCode, stdout, stderr } = await runExample(lines, { args: ['--data', data] });

    expect(stderr).toBe('');
    expect(stdout).toContain('node 1 took over a snapshot');
    expect(stdout).toContain('key6499 = value6499\n');
    expect(stdout).toContain('writes     6,510 acknowledged, 0 lost, 0 duplicated, 0 in doubt');
    expect(new Set(finalStates(stdout)).size).toBe(1);
    expect(exitCode).toBe(0);
  });

  test('does not start without the log of a member', async () => {
    const data = newDirectory();
    await runExample([], { args: ['--data', data] });
    rmSync(join(data, 'node-2'), { recursive: true });
    const { exitCode, stdout, stderr } = await runExample(['put a 1'], { args: ['--data', data] });

    expect(stdout).toBe('');
    expect(stderr).toMatch(/^failed: there is no log in .*node-2, and there has been one\. .* Put it back, or begin with an empty directory\n$/);
    expect(exitCode).toBe(1);
  });

  test('started twice at the same moment, runs once, and says why not twice', async () => {
    const data = join(newDirectory(), 'new');
    let winner: ChildProcess | undefined;
    const onOutput = (_soFar: string, child: ChildProcess): void => void (winner = child);
    const runs = [1, 2].map(() => runExample(['put a 1'], { args: ['--data', data], onOutput }));

    const loser = await Promise.race(runs);
    expect(loser).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `failed: ${data} is in use by another process of this machine, or another thread of this one. Stop that one first, or choose another directory.\n`,
    });
    expect(readdirSync(data).filter((name) => name.endsWith('.tmp') && name !== `cluster.${winner?.pid}.tmp`)).toEqual([]);
    while (winner === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    winner.stdin?.end();

    const exitCodes = (await Promise.all(runs)).map(({ exitCode }) => exitCode);
    expect(exitCodes.sort()).toEqual([0, 1]);
    expect(readdirSync(data).sort()).toEqual(['cluster', 'node-1', 'node-2', 'node-3']);
  });

  test('stops a node whose log has ended, says why, and goes on without it', async () => {
    const data = newDirectory();
    const long = 'x'.repeat(60_000);
    let isTaken = false;
    let isDone = false;
    const { exitCode, stdout, stderr } = await runExample(['put a 1', 'get a'], {
      args: ['--data', data],
      onOutput: (soFar, child) => {
        if (!isTaken && soFar.endsWith('a = 1\n')) {
          isTaken = true;
          // What a second owner would leave. It is noticed when the log goes on in a new segment.
          writeFileSync(join(data, 'node-3', 'LOCK'), 'f'.repeat(32));
          for (let i = 0; i < 100; i++) child.stdin.write(`put b ${long}${i}\n`);
          child.stdin.write('get c\n');
        } else if (isTaken && !isDone && soFar.includes('node 3 stopped') && soFar.includes('c is not set\n')) {
          isDone = true;
          child.stdin.end('start 3\nput a 2\nget a\n');
        }
      },
    });

    expect(stdout).toMatch(/^node 3 stopped after an error: .*node-3.*$/m);
    expect(stdout).toContain('a = 2\n');
    expect(stdout).toContain('writes     102 acknowledged, 0 lost, 0 duplicated, 0 in doubt');
    const states = finalStates(stdout);
    expect(states[0]).toMatch(/^102 /);
    expect(new Set(states).size).toBe(1);
    expect(stderr).toBe('problem: a node stopped after an error\n');
    expect(exitCode).toBe(1);
  });

  /**
   * Goal: SIGKILL of all nodes at once loses nothing that was acknowledged.
   * Method: see `killRounds.ts`; the seed fixes the writes and the times of the kills, not how far the program is then.
   */
  test('A19: loses nothing that was acknowledged when all three nodes are killed, 4 times', async () => {
    const result = await killRounds(newDirectory(), 4, announceSeed('examples/kv/data'));
    console.log(describeKills(result));

    expect(result.faults).toEqual([]);
    expect(result.kills).toBe(4);
    expect(result.comparisons).toBeGreaterThan(0);
  });
});
