/**
 * A worker of `cluster` that tries to get something for itself, and has it until it is killed: a directory, or
 * the bare name of a socket as one would listen on it without knowing of `cluster`. Sends 'got' or the code of the error.
 */
import { createServer } from 'node:net';

import { lockOf, type LockKind } from '../lockKinds.js';

const [kind = '', what = ''] = process.argv.slice(2);
const answer = (text: string | undefined): void => void process.send?.(text);

if (kind === 'socket') {
  createServer()
    .on('error', (error: NodeJS.ErrnoException) => answer(error.code))
    .listen({ path: `\0${what}` }, () => answer('got'));
} else {
  lockOf(kind as LockKind)
    .claim(what)
    .then(
      () => answer('got'),
      (error: { code?: string }) => answer(error.code),
    );
}
process.on('disconnect', () => process.exit());
