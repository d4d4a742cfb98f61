import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

import ts from 'typescript';

/** One source file, as the rules see it. */
export interface Module {
  /** Path from src/ without its ending: `core/raft/step`. */
  readonly name: string;
  readonly text: string;
  readonly ast: ts.SourceFile;
  /** What it imports and re-exports, types included: modules of ours by name, packages as they are written. */
  readonly imports: readonly Import[];
}

export interface Import {
  readonly target: string;
  /** True for a module of ours, false for a package. */
  readonly own: boolean;
}

/** Parses one file. `name` is the path from src/ without its ending. */
export function parseModule(name: string, text: string): Module {
  const ast = ts.createSourceFile(`${name}.ts`, text, ts.ScriptTarget.ES2022, true);
  const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => {
    if (!fileName.startsWith('.')) return { target: fileName, own: false };
    return { target: posix.join(posix.dirname(name), fileName).replace(/\.js$/, ''), own: true };
  });
  return { name, text, ast, imports };
}

/** Every `.ts` file under `folder`, sorted by name. Names are paths from `folder`, with `prefix` before them. */
export function readModules(folder: string, prefix = ''): Module[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .sort()
    .map((path) => parseModule(prefix + path.slice(0, -'.ts'.length), readFileSync(`${folder}/${path}`, 'utf8')));
}

/** Place of a node for a person: `core/raft/step:17`. */
export function place(module: Module, node: ts.Node): string {
  return `${module.name}:${module.ast.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}
