import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

/** A directory of its own on the disk, which is removed when the process ends. */
export function scratchDirectory(): string {
  if (made.length === 0) process.on('exit', () => made.forEach((dir) => rmSync(dir, { recursive: true, force: true })));
  const dir = mkdtempSync(join(tmpdir(), 'raftstep-bench-'));
  made.push(dir);
  return dir;
}
