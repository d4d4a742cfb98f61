import { writeFileSync } from 'node:fs';

/** The part of jest's aggregated result that this reporter reads. */
interface RunResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly wasInterrupted: boolean;
}

/**
 * The closing line of a test run, `N passed, N failed`, with `, N skipped` behind it when there are any.
 *
 * A suite that could not even be loaded, and a run that was interrupted, count as one failure each: their tests
 * never ran, so jest's own count of failed tests does not hold them.
 */
export function summaryLine(result: RunResult): string {
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites + (result.wasInterrupted ? 1 : 0);
  const skipped = result.numPendingTests + result.numTodoTests;
  return `${result.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Jest reporter: writes the closing line to the file named by `TEST_SUMMARY`; without that variable it does nothing. */
export default class SummaryReporter {
  onRunComplete(_contexts: unknown, result: RunResult): void {
    const file = process.env['TEST_SUMMARY'];
    if (file !== undefined && file !== '') writeFileSync(file, `${summaryLine(result)}\n`);
  }
}
