/** A fenced block of a Markdown file. */
export interface CodeBlock {
  /** First word behind the fence: `ts`, `sh`, ... */
  readonly language: string;
  /** True for ` ```ts continued `: the block goes on where the block of that language before it ended. */
  readonly continued: boolean;
  /** Line of the opening fence, 1 the first. */
  readonly line: number;
  readonly text: string;
}

/** Fenced blocks in order. Throws if one is never closed. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { info: string; line: number; text: string[] } | undefined;
  markdown.split('\n').forEach((content, at) => {
    const fence = /^```(.*)$/.exec(content);
    if (fence === null) open?.text.push(content);
    else if (open === undefined) open = { info: fence[1]?.trim() ?? '', line: at + 1, text: [] };
    else {
      const [language = '', ...flags] = open.info.split(/\s+/);
      blocks.push({ language, continued: flags.includes('continued'), line: open.line, text: `${open.text.join('\n')}\n` });
      open = undefined;
    }
  });
  if (open !== undefined) throw new Error(`line ${open.line}: the block is never closed`);
  return blocks;
}

/**
 * Whole programs: each block of `languages` is one, and a continued block joins the one before it. Every block's text stands on the
 * lines it has in the file, so that errors name them.
 */
export function programs(blocks: readonly CodeBlock[], languages: readonly string[]): { readonly line: number; readonly text: string }[] {
  const found: { line: number; text: string }[] = [];
  for (const { language, continued, line, text } of blocks) {
    if (!languages.includes(language)) continue;
    const last = found.at(-1);
    if (continued && last !== undefined) last.text += '\n'.repeat(Math.max(0, line + 1 - last.text.split('\n').length)) + text;
    else found.push({ line, text: '\n'.repeat(line) + text });
  }
  return found;
}

/** Targets of the links that lead to a file of the project, without their fragments. */
export function localLinks(markdown: string): string[] {
  return [...markdown.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, target = '']) => target);
}

/**
 * What is wrong with one line of a shell block; empty if it is a command that a reader can run.
 *
 * @param binaries programs of the package itself.
 */
export function commandProblem(line: string, scripts: readonly string[], fileExists: (path: string) => boolean, binaries: readonly string[] = []): string {
  for (const command of line.replace(/(?:^|\s)#.*$/, '').split(/&&|\||;/)) {
    const words = command.trim().split(/\s+/).filter((word) => word !== '' && !/^[A-Z_]+=/.test(word));
    const [program, ...args] = words;
    if (program === undefined || program === 'cd' || program === 'git' || program === 'printf' || program === 'echo') continue;
    const problem = commandProblemOf(program, args, { scripts, fileExists, binaries });
    if (problem !== '') return problem;
  }
  return '';
}

interface Known {
  readonly scripts: readonly string[];
  readonly fileExists: (path: string) => boolean;
  readonly binaries: readonly string[];
}

function commandProblemOf(program: string, args: readonly string[], { scripts, fileExists, binaries }: Known): string {
  switch (program) {
    case 'npm':
      return npmProblem(args, scripts);
    case 'npx':
      return binaries.includes(args[0] ?? '') ? '' : `the package has no program ${args[0] ?? ''}`;
    case 'node':
      return nodeProblem(args, fileExists);
    default:
      return `unknown program ${program}`;
  }
}

function npmProblem(args: readonly string[], scripts: readonly string[]): string {
  const [verb = '', ...rest] = args.filter((arg) => !arg.startsWith('--'));
  if (['ci', 'install', 'pack'].includes(verb)) return '';
  const script = verb === 'run' ? (rest[0] ?? '') : verb;
  if (verb !== 'run' && verb !== 'test' && verb !== 'start') return `unknown npm command ${verb}`;
  return scripts.includes(script) ? '' : `package.json has no script ${script}`;
}

function nodeProblem(args: readonly string[], fileExists: (path: string) => boolean): string {
  const file = args.find((arg) => !arg.startsWith('-'));
  return file === undefined || fileExists(file) ? '' : `there is no ${file}`;
}
