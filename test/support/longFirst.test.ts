import { existsSync } from 'node:fs';

import { expect, test } from '@jest/globals';

import LongFirst, { longSuites, type Suites } from './longFirst.js';

test('the long suites are there', () => {
  expect(longSuites.filter((suite) => !existsSync(`build/${suite}`))).toEqual([]);
});

test('they come first, in their order', async () => {
  const context = { config: { id: 'none', cacheDirectory: 'none' }, hasteFS: { getSize: () => 1 } };
  const [first, second] = longSuites.map((suite) => `/project/build/${suite}`);
  const other = '/project/build/test/other.test.js';
  const suites = [other, second, first].map((path) => ({ path, context })) as unknown as Suites;

  const sorted = await new LongFirst({ contexts: [] } as unknown as ConstructorParameters<typeof LongFirst>[0]).sort(suites);

  expect(sorted.map(({ path }) => path)).toEqual([first, second, other]);
});
