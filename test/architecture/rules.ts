/**
 * The rules of the house, each a function from modules to complaints: an empty list is a pass. They know nothing of our files;
 * the plan is in `storeys.ts`.
 */
import ts from 'typescript';

import { place, type Module } from './sourceTree.js';
import type { Storey, Wing } from './storeys.js';

/** Level of a module in the plan, 0 the lowest, or -1 if it stands nowhere. */
export function storeyOf(name: string, storeys: readonly Storey[]): number {
  const own = storeys.findIndex((storey) => storey.holds.includes(name));
  if (own >= 0) return own;
  let level = -1;
  let longest = 0;
  storeys.forEach((storey, at) => {
    for (const folder of storey.holds) {
      if (!folder.endsWith('/') || !name.startsWith(folder) || folder.length <= longest) continue;
      level = at;
      longest = folder.length;
    }
  });
  return level;
}

/** Inside the wing `folder`, an import goes to the same storey or down, and every module stands on a storey. */
export function upwardImports(modules: readonly Module[], folder: string, storeys: readonly Storey[]): string[] {
  const complaints: string[] = [];
  for (const module of modules) {
    if (!module.name.startsWith(folder)) continue;
    const level = storeyOf(module.name, storeys);
    if (level < 0) {
      complaints.push(`${module.name} stands on no storey`);
      continue;
    }
    for (const { target, own } of module.imports) {
      const other = own ? storeyOf(target, storeys) : -1;
      if (other > level) complaints.push(`${module.name} (${storeys[level]?.name}) imports ${target} (${storeys[other]?.name})`);
    }
  }
  return complaints;
}

/** Wings import only the wings and packages that the plan grants them. */
export function foreignImports(modules: readonly Module[], wings: readonly Wing[]): string[] {
  const complaints: string[] = [];
  for (const module of modules) {
    const wing = wings.find(({ folder }) => module.name.startsWith(folder));
    if (wing === undefined) {
      complaints.push(`${module.name} is in no wing`);
      continue;
    }
    for (const { target, own } of module.imports) {
      const allowed = own
        ? [wing.folder, ...wing.uses].some((folder) => target.startsWith(folder))
        : wing.packages.some((name) => target === name || (name.endsWith(':') && target.startsWith(name)));
      if (!allowed) complaints.push(`${module.name} imports ${target}`);
    }
  }
  return complaints;
}

/** Code that shows the public API imports of `src/` nothing but entry points. */
export function privateImports(modules: readonly Module[], entries: readonly string[]): string[] {
  return modules.flatMap(({ name, imports }) =>
    imports.filter(({ target, own }) => own && target.startsWith('src/') && !entries.includes(target)).map(({ target }) => `${name} imports ${target}`),
  );
}

/** No module reaches itself by imports, types included. Each cycle is reported once, as a path. */
export function importCycles(modules: readonly Module[]): string[] {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const finished = new Set<string>();
  const path: string[] = [];
  const cycles: string[] = [];
  const visit = (name: string): void => {
    if (finished.has(name)) return;
    const seenAt = path.indexOf(name);
    if (seenAt >= 0) {
      cycles.push([...path.slice(seenAt), name].join(' -> '));
      return;
    }
    path.push(name);
    for (const { target } of byName.get(name)?.imports ?? []) visit(target);
    path.pop();
    finished.add(name);
  };
  for (const { name } of modules) visit(name);
  return cycles;
}

/** Every relative import names a module that exists. */
export function brokenImports(modules: readonly Module[]): string[] {
  const names = new Set(modules.map(({ name }) => name));
  return modules.flatMap((module) =>
    module.imports.filter(({ target, own }) => own && !names.has(target)).map(({ target }) => `${module.name} imports ${target}`),
  );
}

/** Every module can be reached from an entry point; what cannot is dead. */
export function unreachable(modules: readonly Module[], entries: readonly string[]): string[] {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const reached = new Set<string>(entries);
  for (const name of reached) {
    for (const { target, own } of byName.get(name)?.imports ?? []) if (own) reached.add(target);
  }
  return modules.filter(({ name }) => !reached.has(name)).map(({ name }) => name);
}

/** No use of a forbidden name as a value, except by the modules that own it. Comments, strings and property names do not count. */
export function forbiddenUses(modules: readonly Module[], names: ReadonlyMap<string, readonly string[]>): string[] {
  return complaintsAt(modules, (node, name) => {
    const used = ts.isIdentifier(node) && !isMemberName(node) ? node.text : memberPath(node);
    const owners = used === undefined ? undefined : names.get(used);
    return owners !== undefined && !owners.includes(name) ? used : undefined;
  });
}

/** Assignments to `.name` only in the modules that own it. Declaring the field with its first value is not an assignment. */
export function foreignWrites(modules: readonly Module[], owned: ReadonlyMap<string, readonly string[]>): string[] {
  return complaintsAt(modules, (node, name) => {
    if (!ts.isBinaryExpression(node) || !ts.isPropertyAccessExpression(node.left)) return undefined;
    if (node.operatorToken.kind < ts.SyntaxKind.FirstAssignment || node.operatorToken.kind > ts.SyntaxKind.LastAssignment) return undefined;
    const owners = owned.get(node.left.name.text);
    return owners !== undefined && !owners.includes(name) ? `${node.left.getText()} =` : undefined;
  });
}

/** `.name.push(...)` and its kin, and `.name[i] =`, only in the modules that own the list. */
export function foreignPushes(modules: readonly Module[], owned: ReadonlyMap<string, readonly string[]>): string[] {
  const adders = new Set(['push', 'unshift', 'splice']);
  return complaintsAt(modules, (node, name) => {
    let list: ts.Expression | undefined;
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && adders.has(node.expression.name.text)) {
      list = node.expression.expression;
    } else if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken && ts.isElementAccessExpression(node.left)) {
      list = node.left.expression;
    }
    if (list === undefined || !ts.isPropertyAccessExpression(list)) return undefined;
    const owners = owned.get(list.name.text);
    return owners !== undefined && !owners.includes(name) ? node.getText() : undefined;
  });
}

/** Files over `max` lines, with their length. */
export function longFiles(modules: readonly Module[], max: number): string[] {
  return modules
    .map(({ name, text }) => ({ name, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0) }))
    .filter(({ lines }) => lines > max)
    .map(({ name, lines }) => `${name}: ${lines} lines`);
}

/** Marks of unfinished work and of checks switched off. */
export function marks(modules: readonly Module[], pattern: RegExp): string[] {
  return modules.flatMap(({ name, text }) =>
    text.split('\n').flatMap((line, at) => (pattern.test(line) ? [`${name}:${at + 1} ${line.trim()}`] : [])),
  );
}

/** Walks every node of every module and collects `place: complaint`. */
function complaintsAt(modules: readonly Module[], check: (node: ts.Node, name: string) => string | undefined): string[] {
  const complaints: string[] = [];
  for (const module of modules) {
    const visit = (node: ts.Node): void => {
      const complaint = check(node, module.name);
      if (complaint !== undefined) complaints.push(`${place(module, node)} ${complaint}`);
      ts.forEachChild(node, visit);
    };
    visit(module.ast);
  }
  return complaints;
}

/** `Math.random` for a member access on a plain name. */
function memberPath(node: ts.Node): string | undefined {
  if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return undefined;
  return `${node.expression.text}.${node.name.text}`;
}

/** True for the `x` of `a.x`, `{ x: 1 }` and of a declared member: a name inside an object, not a variable. */
function isMemberName(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isPropertyAssignment(parent) || ts.isBindingElement(parent)) return (ts.isPropertyAssignment(parent) ? parent.name : parent.propertyName) === node;
  return (ts.isClassElement(parent) || ts.isTypeElement(parent) || ts.isNamedTupleMember(parent)) && parent.name === node;
}
