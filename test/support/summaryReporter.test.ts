import { expect, test } from '@jest/globals';

import { summaryLine } from './summaryReporter.js';

const clean = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, numRuntimeErrorTestSuites: 0, wasInterrupted: false };

test.each([
  { result: clean, line: '3 passed, 0 failed', why: 'all well' },
  { result: { ...clean, numFailedTests: 2 }, line: '3 passed, 2 failed', why: 'failed tests' },
  { result: { ...clean, numRuntimeErrorTestSuites: 1 }, line: '3 passed, 1 failed', why: 'a file that could not be loaded' },
  { result: { ...clean, wasInterrupted: true }, line: '3 passed, 1 failed', why: 'an interrupted run is no pass' },
  { result: { ...clean, numPendingTests: 1, numTodoTests: 1 }, line: '3 passed, 0 failed, 2 skipped', why: 'skipped tests are shown' },
])('$line: $why', ({ result, line }) => {
  expect(summaryLine(result)).toBe(line);
});
