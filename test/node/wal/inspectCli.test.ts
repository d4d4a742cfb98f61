import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EntryType, newConfState, newEntry } from '../../../src/core/index.js';
import { inspectCommand } from '../../../src/node/wal/inspectCommand.js';
import { WalStorage } from '../../../src/node/wal/walStorage.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';

const program = 'build/src/node/wal/cli.js';

/** Runs the program as a user would. */
function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** The same without a process of its own. */
async function call(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const lines: string[] = [];
  const complaints: string[] = [];
  const status = await inspectCommand(args, (line) => lines.push(line), (line) => complaints.push(line));
  return { status, stdout: lines.join('\n'), stderr: complaints.join('\n') };
}

/** Names, bytes and times of change of everything in a directory. */
function stateOf(dir: string): unknown {
  const times = ({ mtimeNs, ctimeNs, size, ino, mode }: { mtimeNs: bigint; ctimeNs: bigint; size: bigint; ino: bigint; mode: bigint }): string => [mtimeNs, ctimeNs, size, ino, mode].join(' ');
  const files = readdirSync(dir).sort();
  return { dir: times(statSync(dir, { bigint: true })), files: files.map((name) => [name, times(statSync(join(dir, name), { bigint: true })), readFileSync(join(dir, name)).toString('base64')]) };
}

const entry = (index: number): ReturnType<typeof newEntry> => newEntry(EntryType.EntryNormal, Uint8Array.from({ length: 100 }, () => index & 0xff), 1, index);

const newDirectory = temporaryDirectories(afterAll);

describe('raftstep-wal', () => {
  let sound: string;
  let torn: string;
  let damaged: string;
  const lastSegment = (dir: string): string => join(dir, readdirSync(dir).filter((name) => name.endsWith('.wal')).sort().at(-1)!);

  beforeAll(async () => {
    const dir = newDirectory();
    sound = join(dir, 'sound');
    torn = join(dir, 'torn');
    damaged = join(dir, 'damaged');
    const log = await WalStorage.bootstrap({ dir: sound, nodeId: 1, clusterId: 2, segmentBytes: 4096 });
    for (let index = 1; index <= 20; index++) await log.append({ entries: [entry(index)], hardState: { term: 1, vote: 1, commit: index } });
    await log.createSnapshot(10, newConfState({ voters: [1] }), new Uint8Array(3));
    // As a killed process leaves it.
    cpSync(sound, torn, { recursive: true });
    await log.close();
    cpSync(sound, damaged, { recursive: true });
    const tornFile = lastSegment(torn);
    const bytes = readFileSync(tornFile);
    bytes.fill(1, bytes.length - 512, bytes.length - 412);
    writeFileSync(tornFile, bytes);
    const damagedFile = lastSegment(damaged);
    const other = readFileSync(damagedFile);
    other[600]! ^= 1;
    writeFileSync(damagedFile, other);
  });

  test('verify of a sound log', () => {
    const { status, stdout, stderr } = run('verify', sound);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(`${sound}: node 1 of cluster 2, term 1, entries 1 to 20, commit 20; ${stdout.match(/\d+ segments/)?.[0]}, ${stdout.match(/\d+ batches/)?.[0]}\nsound\n`);
  });

  test('verify of a torn tail: sound enough, and how much will be dropped', () => {
    const { status, stdout } = run('verify', torn);

    expect(status).toBe(0);
    expect(stdout).toMatch(/torn tail: \d+ bytes of an interrupted write at .*\.wal, byte \d+; nobody was told/);
  });

  test('verify of a damaged log: file, place, problem and advice', () => {
    const { status, stdout } = run('verify', damaged);

    expect(status).toBe(1);
    expect(stdout).toContain(`damaged: ${lastSegment(damaged)}, byte 512: a batch is damaged`);
    expect(stdout).toContain('add it again under a new id');
  });

  test('dump prints and ends with the verdict', async () => {
    expect(run('dump', sound)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^log [0-9a-f]{32} of node 1 of cluster 2[^]*entry 20, term 1[^]*\nsound\n$/) as unknown });
    expect(await call('dump', torn)).toMatchObject({ status: 0, stdout: expect.stringContaining('torn tail') as unknown });
    expect(await call('dump', damaged)).toMatchObject({ status: 1, stdout: expect.stringContaining('damaged: ') as unknown });
    expect((await call('dump', sound, '--no-data', '--from', '20')).stdout).toMatch(/entry 20, term 1, EntryNormal, 100 bytes\n/);
  });

  test('a reader that has enough ends it quietly', () => {
    const { status, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" ${program} dump "${sound}" | head -n 1`], { encoding: 'utf8' });

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('help', () => {
    expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('Usage: raftstep-wal verify DIR') as unknown });
  });

  test.each([
    { args: [], problem: 'Say what to do' },
    { args: ['repair', '.'], problem: 'There is no command repair' },
    { args: ['verify'], problem: 'Name one directory' },
    { args: ['verify', 'a', 'b'], problem: 'Name one directory' },
    { args: ['dump', '.', '--form', '1'], problem: "Unknown option '--form'" },
    { args: ['dump', '.', '--from', 'x'], problem: '--from x is not an index' },
    { args: ['dump', '.', '--from='], problem: '--from  is not an index' },
    { args: ['dump', '.', '--from=-1'], problem: '--from -1 is not an index' },
    { args: ['verify', '.', '--no-data'], problem: 'belong to dump' },
  ])('wrong arguments $args: $problem', async ({ args, problem }) => {
    const { status, stdout, stderr } = await call(...args);

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(problem);
    expect(stderr).toContain('Usage: ');
  });

  test('no directory, no log, and a file in place of a directory', async () => {
    const dir = newDirectory();
    const file = join(dir, 'file');
    writeFileSync(file, '');
    mkdirSync(join(dir, 'empty'));

    expect(run('verify', join(dir, 'none'))).toMatchObject({ status: 2, stderr: `there is no directory ${join(dir, 'none')}\n` });
    expect(await call('verify', join(dir, 'empty'))).toMatchObject({ status: 2, stderr: `${join(dir, 'empty')} holds no log` });
    expect(await call('dump', file)).toMatchObject({ status: 2, stderr: expect.stringContaining('ENOTDIR') as unknown });
  });

  test('changes nothing, whatever it finds', async () => {
    const lost = join(newDirectory(), 'lost');
    cpSync(sound, lost, { recursive: true });
    unlinkSync(lastSegment(lost));
    for (const dir of [sound, torn, damaged, lost]) {
      const before = stateOf(dir);
      await call('verify', dir);
      await call('dump', dir);

      expect(stateOf(dir)).toEqual(before);
    }
  });

  test('while the owner writes, rotates, snapshots and compacts: never damaged', async () => {
    const dir = join(newDirectory(), 'busy');
    const log = await WalStorage.bootstrap({ dir, nodeId: 1, clusterId: 2, segmentBytes: 8192, cacheBytes: 0 });
    let done = false;
    const owner = (async () => {
      for (let index = 1; !done; index++) {
        await log.append({ entries: [entry(index)], hardState: { term: 1, vote: 1, commit: index } });
        if (index % 50 === 0) {
          await log.createSnapshot(index, newConfState({ voters: [1] }), new Uint8Array(5000));
          await log.compact(index - 5);
        }
      }
    })();
    const seen: string[] = [];
    // The disk may be busy with others: as long as it takes.
    for (let round = 0; round < 20 || log.lastIndex() < 120; round++) {
      const { status, stdout } = await call(round % 5 === 0 ? 'dump' : 'verify', dir);
      expect(stdout).not.toContain('damaged');
      expect(status).toBe(0);
      seen.push(/commit (\d+); \d+ seg/.exec(stdout)![1]!);
    }
    done = true;
    await owner;

    // What was seen only goes forward, and it did go.
    expect(seen.map(Number)).toEqual([...seen].map(Number).sort((a, b) => a - b));
    expect(new Set(seen).size).toBeGreaterThan(2);
    expect(log.failure).toBeNull();
    await log.close();
  });
});
