/** Writes 4096 bytes at 100 into a new file, as far as the limit on the length of files allows, and prints what it was told. */
import { nodeFileSystem } from '../../../../src/node/shared/nodeFileSystem.js';

const [path = ''] = process.argv.slice(2);
const file = await nodeFileSystem.create(path);
const source = new Uint8Array(4096).fill(1);
const first = await file.write(source, 100);
const error = await file.write(source.subarray(first), 100 + first).then(
  () => 'none',
  (reason: NodeJS.ErrnoException) => reason.code,
);
console.log(JSON.stringify({ first, error, size: await file.size() }));
await file.close();
