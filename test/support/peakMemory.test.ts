import { expect, test } from '@jest/globals';

import { peakMemory } from './peakMemory.js';
import { runNode } from './runProgram.js';

const mib = 1 << 20;
const source = new URL('./peakMemory.js', import.meta.url).href;

test('what the process that started this one has is not counted', () => {
  const held = Buffer.alloc(256 * mib, 1);
  const peak = Number(runNode(['--input-type=module', '-e', `import { peakMemory } from '${source}'; console.log(peakMemory())`], '.'));

  expect(peakMemory()).toBeGreaterThan(held.length);
  expect(peak).toBeGreaterThan(16 * mib);
  expect(peak).toBeLessThan(held.length);
});

test('memory that was given back is', () => {
  const source256 = `import { peakMemory } from '${source}'; Buffer.alloc(${256 * mib}, 1); console.log(peakMemory())`;

  expect(Number(runNode(['--input-type=module', '-e', source256], '.'))).toBeGreaterThan(256 * mib);
});
