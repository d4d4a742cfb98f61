/** What running conformance data of one kind gave. */
export interface Report {
  /** Cases that gave what they should. */
  readonly passed: number;
  /** One text for each case that did not: where it stands, what was expected, what came. */
  readonly failures: readonly string[];
}

/** Several reports as one. */
export function mergeReports(reports: readonly Report[]): Report {
  return {
    passed: reports.reduce((sum, report) => sum + report.passed, 0),
    failures: reports.flatMap((report) => report.failures),
  };
}
