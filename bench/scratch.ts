import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of its own on the disk, which is removed when the process ends. */
export function scratchDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'raftstep-bench-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
