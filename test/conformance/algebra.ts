import { readFileSync } from 'node:fs';
import { endedLine, parseDatadriven, type Directive } from '../support/datadriven.js';
import { lineDiff } from '../support/lineDiff.js';
import { filesOf } from './files.js';
import { mergeReports, type Report } from './report.js';

/**
 * Runs a file whose commands each print something. A command counts as one.
 *
 * @param execute gives the output of one command; what it throws is the failure of that command.
 */
export function runDirectives(text: string, filename: string, execute: (directive: Directive) => string): Report {
  const failures: string[] = [];
  const directives = parseDatadriven(text, filename);
  for (const directive of directives) {
    const failure = judge(directive, execute);
    if (failure !== null) failures.push(`${filename}:${directive.line}: ${directive.raw}\n${failure}`);
  }
  return { passed: directives.length - failures.length, failures };
}

function judge(directive: Directive, execute: (directive: Directive) => string): string | null {
  try {
    const actual = endedLine(execute(directive));
    return actual === directive.expected ? null : lineDiff(directive.expected, actual);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Runs every file of a folder, or the one file at the path, as one report. */
export function runFiles(path: string, run: (text: string, filename: string) => Report): Report {
  return mergeReports(filesOf(path, '.txt').map((file) => run(readFileSync(file, 'utf8'), file)));
}
