import { resolve } from 'node:path';

import ts from 'typescript';

/** One exported name of an entry point. */
export interface ApiExport {
  readonly name: string;
  /** `class`, `function`, `const`, `interface` or `type`. A constant with a type of the same name is a `const`. */
  readonly kind: string;
  /** True if the name exists at run time. */
  readonly isValue: boolean;
  /** Public members of a class, interface or constant object, sorted. */
  readonly members: readonly string[];
  /** Names (the export itself, or `Export.member`) that have no doc comment. */
  readonly undocumented: readonly string[];
}

/** What the declaration files say about each entry point, sorted by name. */
export function readApi(entryFiles: readonly string[]): ApiExport[][] {
  const program = ts.createProgram({
    rootNames: entryFiles.map((file) => resolve(file)),
    options: {
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts'],
      types: [],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      noEmit: true,
    },
  });
  const checker = program.getTypeChecker();
  return entryFiles.map((file) => {
    const source = program.getSourceFile(resolve(file));
    const symbol = source && checker.getSymbolAtLocation(source);
    if (symbol === undefined) throw new Error(`${file} is missing or no module`);
    return checker
      .getExportsOfModule(symbol)
      .map((exported) => describeExport(exported, checker))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  });
}

function describeExport(exported: ts.Symbol, checker: ts.TypeChecker): ApiExport {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const members = membersOf(symbol, checker);
  const bare = [...members].filter(([, documented]) => !documented).map(([member]) => `${exported.name}.${member}`);
  return {
    name: exported.name,
    kind: kindOf(symbol),
    // `export type { X }` takes away the run-time half of a class.
    isValue: (symbol.flags & ts.SymbolFlags.Value) !== 0 && !isTypeOnly(exported),
    members: [...members.keys()].sort(),
    undocumented: isDocumented(symbol, checker) ? bare : [exported.name, ...bare],
  };
}

function kindOf({ flags }: ts.Symbol): string {
  if (flags & ts.SymbolFlags.Class) return 'class';
  if (flags & ts.SymbolFlags.Function) return 'function';
  if (flags & ts.SymbolFlags.Variable) return 'const';
  return flags & ts.SymbolFlags.Interface ? 'interface' : 'type';
}

function isTypeOnly(exported: ts.Symbol): boolean {
  return exported.declarations?.some((declaration) => ts.isTypeOnlyImportOrExportDeclaration(declaration)) ?? false;
}

/**
 * Members written in the declarations of `symbol`, by name, and whether they have a doc comment: fields, methods, accessors, static
 * ones, and a constructor that takes something. The comment may stand on the interface that a class implements. The values of an
 * enumeration may speak for themselves.
 */
function membersOf(symbol: ts.Symbol, checker: ts.TypeChecker): Map<string, boolean> {
  const members = new Map<string, boolean>();
  for (const node of (symbol.declarations ?? []).flatMap(memberNodes)) {
    if (ts.isConstructorDeclaration(node)) {
      if (node.parameters.length > 0) members.set('constructor', ts.getJSDocCommentsAndTags(node).some(({ comment }) => hasWords(ts.getTextOfJSDocComment(comment))));
    } else if (node.name !== undefined) {
      const member = checker.getSymbolAtLocation(node.name);
      members.set(node.name.getText(), ts.isVariableDeclaration(node.parent.parent) || (member !== undefined && isDocumented(member, checker)));
    }
  }
  return members;
}

function memberNodes(declaration: ts.Declaration): readonly (ts.ClassElement | ts.TypeElement)[] {
  if (ts.isClassDeclaration(declaration)) return declaration.members.filter(isPublic);
  if (ts.isInterfaceDeclaration(declaration)) return declaration.members;
  const written = ts.isTypeAliasDeclaration(declaration) || ts.isVariableDeclaration(declaration) ? declaration.type : undefined;
  return written && ts.isTypeLiteralNode(written) ? written.members : [];
}

function isPublic(member: ts.ClassElement): boolean {
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return false;
  return (ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) === 0;
}

function isDocumented(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  return hasWords(ts.displayPartsToString(symbol.getDocumentationComment(checker)));
}

function hasWords(comment: string | undefined): boolean {
  return /\w/.test(comment ?? '');
}

/** One line per export, for the golden file. */
export function apiText(entry: string, exports: readonly ApiExport[]): string {
  const lines = exports.map(({ kind, name, isValue, members }) => {
    const only = kind === 'class' && !isValue ? ' (type only)' : '';
    return `${kind} ${name}${only}${members.length > 0 ? ` { ${members.join(', ')} }` : ''}\n`;
  });
  return `# ${entry}\n${lines.join('')}`;
}
