import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { filesOf } from '../conformance/files.js';
import { parseDatadriven } from '../support/datadriven.js';

const scripts = filesOf('test/interaction/testdata', '.txt').map((file) => ({
  name: basename(file),
  file,
  text: readFileSync(file, 'utf8'),
}));

/** Requirements that a script has to show. D10 and D11 are about what scripts cannot say. */
const requirements =
  'D1 D2 D3 D4 D5 D6 D7 D8 D9 D12 D13 D14 E1 E2 E3 E4 E5 E6 E7 E8 E9 E10 E11 E12 E13'.split(' ');

/** The comment lines of a script. No output starts with `#`, since terms, names and indented lines do not. */
function prose(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .join('\n');
}

/** The comment lines that the script begins with. */
function header(text: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  return lines.slice(0, end).join('\n');
}

describe('prose of the own scripts', () => {
  test.each(scripts)('$name begins with a sentence about what it shows', ({ text }) => {
    expect(header(text)).toMatch(/^# .{20,}/);
    expect(header(text)).toMatch(/[.:]$/);
  });

  test.each(scripts)('$name prints something', ({ file, text }) => {
    const outputs = parseDatadriven(text, file).map(({ expected }) => expected);
    expect(outputs.some((output) => output !== 'ok\n')).toBe(true);
  });

  test.each(requirements)('%s is named in a script', (id) => {
    const naming = scripts.filter(({ text }) => new RegExp(`\\b${id}\\b`).test(prose(text)));
    expect(naming.map(({ name }) => name)).not.toEqual([]);
  });
});

describe('the table of scripts in test/README.md', () => {
  const section = readFileSync('test/README.md', 'utf8').split('\n## Scripts\n')[1] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` \| .+ \| (.*)\|$/gm)].map(([, name, ids]) => ({ name: `${name}.txt`, ids }));

  test('has a row for every script, in order, and for nothing else', () => {
    expect(rows.map(({ name }) => name)).toEqual(scripts.map(({ name }) => name));
  });

  test('gives only ids that the prose of the script names', () => {
    const unnamed: string[] = [];
    for (const { name, ids } of rows) {
      const words = prose(scripts.find((script) => script.name === name)?.text ?? '').split(/\W+/);
      for (const id of ids?.match(/\w+/g) ?? []) if (!words.includes(id)) unnamed.push(`${name}: ${id}`);
    }
    expect(unnamed).toEqual([]);
  });
});
