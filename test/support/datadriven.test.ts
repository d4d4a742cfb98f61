import { describe, expect, test } from '@jest/globals';
import { endedLine, findArgument, parseDatadriven, renderDatadriven, trailingText } from './datadriven.js';

function only(text: string) {
  const directives = parseDatadriven(text, 'file.txt');
  expect(directives).toHaveLength(1);
  return directives[0]!;
}

describe('parseDatadriven', () => {
  test('reads command, arguments, input, output and line', () => {
    const text = '# Says why.\n\nadd 3 voters=(1,2, 3) index=10\nfirst\n\nsecond\n----\nok\nfine\n';

    const directive = only(text);

    expect(directive).toMatchObject({
      cmd: 'add',
      args: [
        { key: '3', values: [] },
        { key: 'voters', values: ['1', '2', '3'] },
        { key: 'index', values: ['10'] },
      ],
      input: 'first\n\nsecond\n',
      expected: 'ok\nfine\n',
      line: 3,
      raw: 'add 3 voters=(1,2, 3) index=10',
    });
  });

  test.each([
    { command: 'a k=()', values: [], why: 'no values' },
    { command: 'a k=( )', values: [], why: 'only a space' },
    { command: 'a k=v', values: ['v'], why: 'one value without brackets' },
    { command: 'a k=(v)', values: ['v'], why: 'one value in brackets' },
    { command: 'a k=( v , w )', values: ['v', 'w'], why: 'spaces around values do not count' },
    { command: 'a k=', values: [''], why: 'an empty value' },
    { command: 'a x=1   k=(_,y)', values: ['_', 'y'], why: 'several spaces between arguments' },
  ])('reads the values of "$command": $why', ({ command, values }) => {
    expect(findArgument(only(`${command}\n----\n`), 'k')).toEqual({ key: 'k', values });
  });

  test.each([
    { text: 'a\n----\n', expected: '', why: 'nothing after the separator' },
    { text: 'a\n----\n\n', expected: '', why: 'an empty line ends the output at once' },
    { text: 'a\n----\nok', expected: 'ok\n', why: 'the last line of the file has no line feed' },
    { text: 'a\n----\n# no comment\n', expected: '# no comment\n', why: 'outputs are taken as they are' },
    { text: 'a\n----\n----\none\n\ntwo\n----\n----\n', expected: 'one\n\ntwo\n', why: 'a fence holds empty lines' },
    { text: 'a\n----\n----\n----\n\n----\n----\n', expected: '----\n\n', why: 'a lone separator inside of the fence' },
    { text: 'a\n----\nok\n----\n', expected: 'ok\n----\n', why: 'a separator after the first line is output' },
  ])('reads the output "$expected": $why', ({ text, expected }) => {
    expect(only(text).expected).toBe(expected);
  });

  test('reads all directives, also without an empty line between a fence and the next one', () => {
    const text = 'a\n----\n----\n\n----\n----\nb\n----\nok\n\n\n# c\nd\n----\n';

    expect(parseDatadriven(text, 'file.txt').map(({ cmd, line }) => `${cmd}${line}`)).toEqual(['a1', 'b7', 'd13']);
  });

  test.each([
    { text: 'a\ninput\n', message: 'file.txt:1: no ---- after "a"' },
    { text: '\na\n----\n----\nopen\n----\n', message: 'file.txt:2: the output fence is not closed' },
  ])('refuses "$text"', ({ text, message }) => {
    expect(() => parseDatadriven(text, 'file.txt')).toThrow(message);
  });
});

describe('trailingText', () => {
  test.each([
    { raw: 'propose 1 some text', skip: 1, text: 'some text' },
    { raw: 'propose 1  a=b  (c', skip: 1, text: 'a=b  (c' },
    { raw: 'propose 1', skip: 1, text: '' },
    { raw: 'propose 1 ', skip: 1, text: '' },
    { raw: 'propose', skip: 1, text: '' },
    { raw: 'say hello', skip: 0, text: 'hello' },
  ])('"$raw" ends with "$text" after $skip words', ({ raw, skip, text }) => {
    expect(trailingText(only(`${raw}\n----\n`), skip)).toBe(text);
  });
});

describe('renderDatadriven', () => {
  const text = '# one\n\na 1\n----\nok\n\n\n\n# two\nb\ninput\n----\n----\nx\n\ny\n----\n----\n# three\nc\n----';

  function rendered(...outputs: string[]): string {
    return renderDatadriven(text, parseDatadriven(text, 'file.txt'), outputs);
  }

  test('the same outputs give the same bytes', () => {
    expect(rendered('ok', 'x\n\ny\n', '')).toBe(text);
  });

  test('other outputs replace only themselves', () => {
    expect(rendered('fine\n', 'z', 'w')).toBe(
      '# one\n\na 1\n----\nfine\n\n\n\n# two\nb\ninput\n----\nz\n\n# three\nc\n----\nw\n',
    );
  });

  test.each([
    { output: 'one\n\ntwo\n', why: 'an empty line inside' },
    { output: '\none\n', why: 'an empty line first' },
    { output: '', why: 'nothing' },
    { output: 'one\n----\n', why: 'a separator last' },
  ])('what is written is read again: $why', ({ output }) => {
    const again = rendered(output, output, output);

    expect(parseDatadriven(again, 'file.txt').map(({ expected }) => expected)).toEqual([output, output, output]);
  });

  test.each([{ output: '----\n' }, { output: 'one\n\n----\n----\n' }])('refuses "$output"', ({ output }) => {
    expect(() => rendered('ok', output, '')).toThrow('no fence can hold');
  });

  test('refuses a wrong number of outputs', () => {
    expect(() => rendered('ok')).toThrow('1 outputs for 3 directives');
  });
});

test.each([
  { text: '', ended: '' },
  { text: 'a', ended: 'a\n' },
  { text: 'a\n', ended: 'a\n' },
])('endedLine("$text")', ({ text, ended }) => {
  expect(endedLine(text)).toBe(ended);
});
