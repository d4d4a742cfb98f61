import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach } from '@jest/globals';

/**
 * Makes directories on the real disk that are removed after each test of the file that calls this.
 *
 * @param when `afterAll` for directories that the tests share.
 */
export function temporaryDirectories(when: (run: () => void) => void = afterEach): () => string {
  const made: string[] = [];
  when(() => {
    for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
  });
  return () => {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'raftstep-test-')));
    made.push(dir);
    return dir;
  };
}
