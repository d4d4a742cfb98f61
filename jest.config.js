/**
 * Jest runs the output of `tsc -b`, so what is tested is what ships. Test data stays in `test/` and is found from
 * the working directory.
 *
 * `LONG=1` runs the long suites (`*.long.test.ts`) instead of the usual ones.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const long = process.env.LONG === '1';

/** Modules of the core that hold types alone: no test can load them, and they have no line to cover. */
function typeOnlyModules() {
  if (!existsSync('build/src/core')) return [];
  return readdirSync('build/src/core', { recursive: true })
    .filter((file) => file.endsWith('.js') && readFileSync(`build/src/core/${file}`, 'utf8').startsWith('export {};'))
    .map((file) => `src/core/${file}`);
}

export default {
  rootDir: 'build',
  // All of build/, so that coverage also counts the files that no test loads.
  roots: ['<rootDir>'],
  testMatch: [long ? '**/*.long.test.js' : '**/*.test.js'],
  testPathIgnorePatterns: long ? [] : ['\\.long\\.test\\.js$'],
  transform: {},
  // The default leaves one core out, which on two cores is half of the machine.
  maxWorkers: '100%',
  testEnvironment: '<rootDir>/test/support/plainEnvironment.js',
  testSequencer: '<rootDir>/test/support/longFirst.js',
  // The usual 5 s are soon over where others have the processor and the disk, and real syncs wait for them.
  testTimeout: 30_000,
  // Node keeps the modules of every suite, about 4 MB for each, and takes longer than the usual half second to give all back.
  workerGracefulExitTimeout: 10_000,
  reporters: ['default', '<rootDir>/test/support/summaryReporter.js'],
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/core/**/*.js', ...typeOnlyModules().map((file) => `!${file}`)],
  coverageDirectory: '../coverage',
  coverageReporters: ['text', 'text-summary'],
  coverageThreshold: { global: { lines: 95, branches: 90 } },
};
