/** A thread that claims a directory, and gives it back when told to. Answers 'claimed', 'released' or the code of the error. */
import { parentPort, workerData } from 'node:worker_threads';

import { lockOf, type LockKind } from '../lockKinds.js';

const { kind, dir } = workerData as { kind: LockKind; dir: string };

try {
  const release = await lockOf(kind).claim(dir);
  parentPort?.on('message', () => {
    void release().then(() => parentPort?.postMessage('released'));
  });
  parentPort?.postMessage('claimed');
} catch (error) {
  parentPort?.postMessage((error as { code?: string }).code);
}
