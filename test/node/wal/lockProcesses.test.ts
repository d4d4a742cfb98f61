import { spawn, type ChildProcess } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { afterEach, describe, expect, test } from '@jest/globals';

import { abstractName } from '../../../src/node/wal/kernelClaim.js';
import { claimDirectory } from '../../../src/node/wal/socketFileClaim.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { lockKinds, lockOf, type LockKind } from './lockKinds.js';

const newDirectory = temporaryDirectories();
const programPath = (name: string): string => fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url));
const refusedByAnother: unknown = expect.objectContaining({ code: 'ERR_WAL_LOCKED', message: expect.stringMatching('another process') });

/** What a test has started and not ended. */
const running = new Set<ChildProcess>();
afterEach(async () => {
  await Promise.all([...running].map(killNow));
});

/** What `lockHolder` prints. */
interface HolderAnswer {
  readonly claimed: boolean;
  readonly code?: string;
  readonly message?: string;
  readonly child?: number;
}

/** Another process that claims a directory, and what came of it. */
async function startHolder(kind: LockKind, dir: string, then: 'stay' | 'leave' | 'exit' | 'parent'): Promise<{ holder: ChildProcess; answer: HolderAnswer }> {
  const holder = spawn(process.execPath, [programPath('lockHolder'), kind, dir, then], { stdio: ['ignore', 'pipe', 'inherit'] });
  track(holder);
  const [line] = (await once(createInterface(holder.stdout), 'line')) as [string];
  return { holder, answer: JSON.parse(line) as HolderAnswer };
}

/** What the name of the abstract socket is made of. */
function identityOf(dir: string): string {
  const { dev, ino } = statSync(dir, { bigint: true });
  return `${dev}-${ino}`;
}

function track(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/** SIGKILL. Resolves when the process is gone, and the first claim afterwards has to succeed. */
async function killNow(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe.each(lockKinds.map((kind) => ({ kind })))('the lock between processes ($kind)', ({ kind }) => {
  const lock = lockOf(kind);

  test('K, A22: two processes, in both directions', async () => {
    const dir = newDirectory();
    const { holder, answer } = await startHolder(kind, dir, 'stay');
    expect(answer.claimed).toBe(true);

    await expect(lock.claim(dir)).rejects.toEqual(refusedByAnother);
    expect((await startHolder(kind, dir, 'stay')).answer).toEqual(refusedByAnother);
    await killNow(holder);

    const release = await lock.claim(dir);
    expect((await startHolder(kind, dir, 'stay')).answer).toEqual(refusedByAnother);
    await release();
    expect((await startHolder(kind, dir, 'stay')).answer.claimed).toBe(true);
  });

  test('A22: SIGKILL frees it at once, five times', async () => {
    const dir = newDirectory();

    for (let i = 0; i < 5; i++) {
      const { holder, answer } = await startHolder(kind, dir, 'stay');
      expect(answer.claimed).toBe(true);
      await expect(lock.claim(dir)).rejects.toEqual(refusedByAnother);
      await killNow(holder);

      // Not tried twice: who has seen the process end finds the directory free.
      await (await lock.claim(dir))();
    }
  });

  test('A22: also if a child of the owner lives on', async () => {
    const dir = newDirectory();
    const { holder, answer } = await startHolder(kind, dir, 'parent');
    const child = answer.child ?? 0;
    try {
      await killNow(holder);
      expect(process.kill(child, 0)).toBe(true);

      await (await lock.claim(dir))();
    } finally {
      process.kill(child, 'SIGKILL');
    }
  });

  test('the claim does not keep a process alive, and ends with it though it was not given back', async () => {
    const dir = newDirectory();

    for (const then of ['leave', 'exit'] as const) {
      const { holder, answer } = await startHolder(kind, dir, then);
      expect(answer.claimed).toBe(true);
      if (holder.exitCode === null) await once(holder, 'exit');
      expect(holder.exitCode).toBe(0);
      await (await lock.claim(dir))();
    }
  });

  test('who connects to the socket does not keep the owner alive', async () => {
    const dir = newDirectory();
    const { holder } = await startHolder(kind, dir, 'leave');
    const visitors: Socket[] = [];
    for (let i = 0; i < 1000 && holder.exitCode === null && holder.signalCode === null; i++) {
      const path = kind === 'system' ? abstractName(identityOf(dir)) : join(dir, claimDirectory, '1');
      visitors.push(connect(path).on('error', () => {}).resume());
      await sleep(1);
    }

    expect(holder.exitCode).toBe(0);
    for (const visitor of visitors) visitor.destroy();
  });

  test('threads of one process', async () => {
    const dir = newDirectory();
    const startThread = async (): Promise<{ thread: Worker; answer: unknown }> => {
      const thread = new Worker(programPath('lockThread'), { workerData: { kind, dir } });
      return { thread, answer: (await once(thread, 'message'))[0] as unknown };
    };

    const first = await startThread();
    const second = await startThread();
    expect([first.answer, second.answer]).toEqual(['claimed', 'ERR_WAL_LOCKED']);
    await expect(lock.claim(dir)).rejects.toEqual(refusedByAnother);

    first.thread.postMessage('release');
    expect((await once(first.thread, 'message'))[0]).toBe('released');
    const third = await startThread();
    expect(third.answer).toBe('claimed');

    // A thread that is ended from outside gives nothing back either.
    await third.thread.terminate();
    await (await lock.claim(dir))();
    await Promise.all([first.thread.terminate(), second.thread.terminate()]);
  });

  test('A22: workers of cluster', async () => {
    expect((await startWorkers(kind, newDirectory())).sort()).toEqual(['ERR_WAL_LOCKED', 'ERR_WAL_LOCKED', 'got']);
  });
});

test('workers of cluster share what they listen on, unless it is exclusive: each of them would get the lock', async () => {
  expect(await startWorkers('socket', `raftstep-test-${process.pid}`)).toEqual(['got', 'got', 'got']);
});

/** Three workers that try to get the same thing at once, and what each of them got. */
async function startWorkers(kind: LockKind | 'socket', what: string): Promise<unknown[]> {
  cluster.setupPrimary({ exec: programPath('clusterWorker'), args: [kind, what], execArgv: [] });
  const workers = [1, 2, 3].map(() => cluster.fork().process);
  workers.forEach(track);
  const answers = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as unknown));
  await Promise.all(workers.map(killNow));
  return answers;
}
