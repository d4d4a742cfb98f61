/** One argument of a command line: `key=value`, `key=(a, b)`, or a bare word, which is a key without values. */
export interface Argument {
  readonly key: string;
  /** Values without spaces around them; `key=()` has none, like a bare word. */
  readonly values: readonly string[];
}

/** One command of a script, with what it reads and what it should print. */
export interface Directive {
  readonly cmd: string;
  /** In the order of the command line. */
  readonly args: readonly Argument[];
  /** Lines between the command and `----`, each ended by a line feed; empty if there are none. */
  readonly input: string;
  /** Lines after `----`, each ended by a line feed and without fences; empty if there are none. */
  readonly expected: string;
  /** Number of the command line, from 1. */
  readonly line: number;
  /** The command line as written. */
  readonly raw: string;
  /** Where `----` and its line feed end in the text. */
  readonly outputStart: number;
  /** Where the output ends in the text, fences included; the empty line after it is not part of it. */
  readonly outputEnd: number;
}

const separator = '----';

/**
 * The directives of a script in the order of the file. `#` at the start of a line makes it a comment,
 * but only between directives: inputs and outputs are taken as they are.
 *
 * @param filename stands in front of errors.
 * @throws Error if a command has no `----` or a fence is not closed.
 */
export function parseDatadriven(text: string, filename: string): Directive[] {
  return new ScriptParser(text, filename).parse();
}

/**
 * The script with other expectations. Everything else, and every expectation that stays the same,
 * is kept byte for byte.
 *
 * @param directives what {@link parseDatadriven} made of the same text.
 * @param outputs one output for each directive; a missing line feed at its end is added.
 * @throws Error if an output needs a fence and has a line `----` in it.
 */
export function renderDatadriven(text: string, directives: readonly Directive[], outputs: readonly string[]): string {
  if (directives.length !== outputs.length) {
    throw new Error(`${outputs.length} outputs for ${directives.length} directives`);
  }
  let rendered = '';
  let copied = 0;
  directives.forEach((directive, i) => {
    const output = endedLine(outputs[i]!);
    if (output === directive.expected) return;
    rendered += text.slice(copied, directive.outputStart);
    if (!rendered.endsWith('\n')) rendered += '\n';
    rendered += written(output, text.slice(directive.outputEnd));
    copied = directive.outputEnd;
  });
  return rendered + text.slice(copied);
}

/** The text with a line feed at its end; the empty text stays empty. Outputs are compared in this form. */
export function endedLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/**
 * The command line after its name and `skip` further words, as written: the free text that some
 * commands end with. Empty if there is none.
 */
export function trailingText(directive: Directive, skip: number): string {
  const match = new RegExp(`^\\s*(?:\\S+(?:\\s+|$)){${skip + 1}}`).exec(directive.raw);
  return match === null ? '' : directive.raw.slice(match[0].length).trimEnd();
}

/** The argument of that name, or undefined. Given twice, the first one. */
export function findArgument(directive: Directive, key: string): Argument | undefined {
  return directive.args.find((arg) => arg.key === key);
}

/** An output as it stands in a script, before what follows it there. */
function written(output: string, rest: string): string {
  const lines = output.split('\n').slice(0, -1);
  // Without a fence an empty line would end the output, and a separator at its start would open one.
  if (lines.includes('') || lines[0] === separator) {
    if (lines.includes(separator)) throw new Error(`no fence can hold a line ${separator}:\n${output}`);
    return `${separator}\n${output}${separator}\n${separator}\n`;
  }
  // After a fence the next command may follow at once, after other outputs not.
  return rest === '' || rest.startsWith('\n') ? output : `${output}\n`;
}

class ScriptParser {
  private readonly text: string;
  private readonly filename: string;
  private offset = 0;
  private line = 0;

  constructor(text: string, filename: string) {
    this.text = text;
    this.filename = filename;
  }

  parse(): Directive[] {
    const directives: Directive[] = [];
    for (let line = this.nextLine(); line !== null; line = this.nextLine()) {
      if (line.trim() === '' || line.startsWith('#')) continue;
      directives.push(this.parseDirective(line));
    }
    return directives;
  }

  private parseDirective(raw: string): Directive {
    const line = this.line;
    const [cmd = '', ...args] = splitWords(raw);
    const input = this.parseInput(raw, line);
    const outputStart = this.offset;
    const expected = this.parseExpected(line);
    return {
      cmd,
      args: args.map(parseArgument),
      input,
      expected: expected.text,
      line,
      raw,
      outputStart,
      outputEnd: expected.end,
    };
  }

  private parseInput(raw: string, directiveLine: number): string {
    let input = '';
    for (;;) {
      const line = this.nextLine();
      if (line === null) throw new Error(`${this.filename}:${directiveLine}: no ${separator} after "${raw}"`);
      if (line === separator) return input;
      input += `${line}\n`;
    }
  }

  private parseExpected(directiveLine: number): { text: string; end: number } {
    let end = this.offset;
    let line = this.nextLine();
    if (line === separator) return this.parseFenced(directiveLine);
    let text = '';
    while (line !== null && line !== '') {
      text += `${line}\n`;
      end = this.offset;
      line = this.nextLine();
    }
    return { text, end };
  }

  private parseFenced(directiveLine: number): { text: string; end: number } {
    let text = '';
    let previousWasFence = false;
    for (;;) {
      const line = this.nextLine();
      if (line === null) throw new Error(`${this.filename}:${directiveLine}: the output fence is not closed`);
      if (line === separator && previousWasFence) return { text, end: this.offset };
      // A single separator inside of the fence belongs to the output.
      if (previousWasFence) text += `${separator}\n`;
      previousWasFence = line === separator;
      if (!previousWasFence) text += `${line}\n`;
    }
  }

  private nextLine(): string | null {
    if (this.offset >= this.text.length) return null;
    const feed = this.text.indexOf('\n', this.offset);
    const end = feed < 0 ? this.text.length : feed;
    const line = this.text.slice(this.offset, end);
    this.offset = feed < 0 ? end : feed + 1;
    this.line++;
    return line;
  }
}

/** Words of a command line; a `key=(…)` is one word even with spaces inside. */
function splitWords(line: string): string[] {
  return line.match(/[^\s=()]+=\([^()]*\)|\S+/g) ?? [];
}

function parseArgument(word: string): Argument {
  const equals = word.indexOf('=');
  if (equals <= 0) return { key: word, values: [] };
  const key = word.slice(0, equals);
  const value = word.slice(equals + 1);
  if (!value.startsWith('(') || !value.endsWith(')')) return { key, values: [value] };
  const inner = value.slice(1, -1).trim();
  return { key, values: inner === '' ? [] : inner.split(',').map((item) => item.trim()) };
}
