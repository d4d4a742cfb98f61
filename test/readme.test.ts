import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import ts from 'typescript';

import { runNode } from './support/runProgram.js';
import { codeBlocks, commandProblem, localLinks, programs } from './readme/markdown.js';

// Other programs do the work here, and the machine may be busy.
jest.setTimeout(60_000);

const { scripts, bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string>; bin: Record<string, string> };

/** What a user reads, with its parts. */
const documents = ['README.md', 'docs/wal.md', 'docs/reverted-follower.md', 'docs/sim.md'].map((file) => {
  const text = readFileSync(file, 'utf8');
  const blocks = codeBlocks(text);
  return { file, text, blocks, code: programs(blocks, ['ts', 'js']) };
});

test('README.md opens with the two commands', () => {
  const shell = documents[0]!.blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);

  expect(shell.join('')).toContain('npm ci && npm start\n');
  expect(shell.join('')).toContain('npm ci && npm test\n');
});

describe.each(documents)('$file', ({ file, text: markdown, blocks }) => {
  test('names the language of every block', () => {
    const unknown = blocks.filter(({ language }) => !['ts', 'js', 'sh', 'json', 'proto', 'text'].includes(language));

    expect(unknown.map(({ line, language }) => `line ${line}: "${language}"`)).toEqual([]);
  });

  test('its commands exist', () => {
    const problems = blocks
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text, line }) => text.split('\n').map((command, at) => ({ at: line + 1 + at, problem: commandProblem(command, Object.keys(scripts), existsSync, Object.keys(bin)) })))
      .filter(({ problem }) => problem !== '');

    expect(problems).toEqual([]);
  });

  test('its links to files lead somewhere', () => {
    expect(localLinks(markdown).filter((target) => !existsSync(join(dirname(file), target)))).toEqual([]);
  });
});

/** The blocks as a user would have them: in a project of their own that depends on the built package. */
describe.each(documents.filter(({ code }) => code.length > 0))('the code of $file', ({ code }) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'raftstep-readme-'));
    if (!existsSync('dist/index.js')) throw new Error('dist/ is missing: run `npm run bundle` first');
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(resolve('.'), join(folder, 'node_modules/raftstep'), 'junction');
    symlinkSync(resolve('node_modules/@types'), join(folder, 'node_modules/@types'), 'junction');
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    for (const { line, text } of code) writeFileSync(join(folder, `line${line}.ts`), text);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('compiles under the strict options of the project', () => {
    expect(compile(code.map(({ line }) => join(folder, `line${line}.ts`)))).toEqual([]);
  });

  test('runs', () => {
    for (const { line } of code) runNode(['--enable-source-maps', `line${line}.js`], folder);
  });
});

/** Compiles beside the sources with the options of the root tsconfig.json and returns the complaints. */
function compile(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile.bind(ts.sys)) as { config: { compilerOptions: object } };
  const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, composite: false, declaration: false, declarationMap: false, types: ['node'] }, '.');
  const program = ts.createProgram({ rootNames: files, options });
  const complaints = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  return complaints.map(({ file, start = 0, messageText }) => {
    const at = file === undefined ? '' : `line ${file.getLineAndCharacterOfPosition(start).line + 1}: `;
    return at + ts.flattenDiagnosticMessageText(messageText, '\n');
  });
}

describe('the reader of Markdown', () => {
  const markdown = 'a\n```ts\none\n```\nb\n```sh\nls\n```\n```ts continued\ntwo\n```\n```ts\nthree\n```\n';

  test('finds blocks and joins continued ones, each on its own lines', () => {
    expect(programs(codeBlocks(markdown), ['ts'])).toEqual([
      { line: 2, text: '\n\none\n\n\n\n\n\n\ntwo\n' },
      { line: 12, text: `${'\n'.repeat(12)}three\n` },
    ]);
    expect(() => codeBlocks('```ts\n')).toThrow('line 1: the block is never closed');
  });

  test('finds links to files and leaves out those to the web and to headings', () => {
    expect(localLinks('[a](src/a.md#x) [b](https://example.org/) [c](#d) [e](e.ts)')).toEqual(['src/a.md', 'e.ts']);
  });

  test.each([
    { line: 'npm ci && npm test', problem: '', why: 'both exist' },
    { line: 'SEED=17 npm test -- simulation # replays', problem: '', why: 'a variable before, arguments and a comment behind' },
    { line: 'npm run --silent lint -- x', problem: '', why: 'options of npm come before the script' },
    { line: 'npm run gone', problem: 'package.json has no script gone', why: 'no such script' },
    { line: 'npm start < commands.txt', problem: 'package.json has no script start', why: 'npm start is a script too' },
    { line: 'npm ci && yarn build', problem: 'unknown program yarn', why: 'the second of two' },
    { line: 'npm publish', problem: 'unknown npm command publish', why: 'not ours to do' },
    { line: 'node a.js x', problem: '', why: 'the file is there' },
    { line: 'node b.js', problem: 'there is no b.js', why: 'the file is not there' },
    { line: 'npx tool x && npx other', problem: 'the package has no program other', why: 'only programs of the package itself' },
    { line: '', problem: '', why: 'nothing' },
  ])('judges "$line": $why', ({ line, problem }) => {
    expect(commandProblem(line, ['test', 'lint'], (path) => path === 'a.js', ['tool'])).toBe(problem);
  });
});
