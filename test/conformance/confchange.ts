import { describeProgresses } from '../../src/core/describe.js';
import { Changer, type Changed } from '../../src/core/confchange/changer.js';
import { parseConfChanges } from '../../src/core/raftpb/confChange.js';
import { ProgressTracker } from '../../src/core/tracker/progressTracker.js';
import { noLimit } from '../../src/core/types.js';
import { findArgument, type Directive } from '../support/datadriven.js';
import { runDirectives, runFiles } from './algebra.js';
import type { Report } from './report.js';

/** Runs the files of the algebra of configuration changes in a folder. */
export function runConfChangeFolder(path: string): Report {
  return runFiles(path, runConfChangeFile);
}

/** Runs one file of `simple`, `enter-joint` and `leave-joint` commands, which all change one group. */
export function runConfChangeFile(text: string, filename: string): Report {
  const tracker = new ProgressTracker(10, noLimit);
  // Grows with each command, refused or not, so that `next` shows when a member was added.
  let lastIndex = 0;
  return runDirectives(text, filename, (directive) => {
    const changed = execute(new Changer(tracker, lastIndex++), directive);
    if (typeof changed === 'string') return changed;
    tracker.setConfig(changed.config, changed.progress);
    return `${tracker.config}\n${describeProgresses(tracker)}`;
  });
}

function execute(changer: Changer, directive: Directive): Changed | string {
  const changes = parseConfChanges(directive.input);
  switch (directive.cmd) {
    case 'simple':
      return changer.simple(changes);
    case 'enter-joint':
      return changer.enterJoint(findArgument(directive, 'autoleave')?.values[0] === 'true', changes);
    case 'leave-joint':
      return changes.length > 0 ? 'this command takes no input' : changer.leaveJoint();
    default:
      return 'unknown command';
  }
}
