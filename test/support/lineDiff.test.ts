import { describe, expect, test } from '@jest/globals';
import { lineDiff } from './lineDiff.js';

describe('lineDiff', () => {
  test.each<{ why: string; expected: string; actual: string; diff: string[] }>([
    { why: 'equal texts show nothing but that there is something', expected: 'a\nb\n', actual: 'a\nb\n', diff: ['  …'] },
    { why: 'a changed line stands between its neighbours', expected: 'a\nb\nc\n', actual: 'a\nx\nc\n', diff: ['  a', '- b', '+ x', '  c'] },
    { why: 'only three equal lines are shown on each side', expected: '1\n2\n3\n4\nb\n5\n6\n7\n8\n', actual: '1\n2\n3\n4\n5\n6\n7\n8\n', diff: ['  …', '  2', '  3', '  4', '- b', '  5', '  6', '  7', '  …'] },
    { why: 'differences that are far apart are shown apart', expected: 'a\n1\n2\n3\n4\n5\n6\n7\nb\n', actual: 'x\n1\n2\n3\n4\n5\n6\n7\ny\n', diff: ['- a', '+ x', '  1', '  2', '  3', '  …', '  5', '  6', '  7', '- b', '+ y'] },
    { why: 'lines that moved keep as many in place as possible', expected: 'a\nb\nc\nd\n', actual: 'b\nc\na\nd\n', diff: ['- a', '  b', '  c', '+ a', '  d'] },
    { why: 'an empty text has no lines', expected: '', actual: 'ok\n', diff: ['+ ok'] },
  ])('$why', ({ expected, actual, diff }) => {
    expect(lineDiff(expected, actual).split('\n')).toEqual(diff);
  });
});
