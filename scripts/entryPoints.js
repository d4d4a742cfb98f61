import { readFileSync } from 'node:fs';

/**
 * @typedef {object} EntryPoint One way into the package.
 * @property {string} subpath Key of the exports map: `.`, `./codec`, ...
 * @property {string} name Name of the bundle in dist/: `index`, `codec`, ...
 * @property {string} source Source file, from the project root.
 * @property {string} built The same file after `tsc -b`, from the project root.
 */

/**
 * The entry points of the package. The exports map of package.json is the only list: a new wing, say
 * `./wal`, is added there as `{ "types": "./dist/types/node/wal/index.d.ts", "default": "./dist/wal.js" }`,
 * and the bundle, the API test and the package test follow.
 *
 * @param {string} root the project root.
 * @returns {EntryPoint[]}
 */
export function entryPoints(root) {
  /** @type {{ exports: Record<string, string | { types: string, default: string }> }} */
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  const found = [];
  for (const [subpath, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string') continue; // ./package.json
    const module = /^\.\/dist\/types\/(.+)\.d\.ts$/.exec(target.types)?.[1];
    const name = /^\.\/dist\/(.+)\.js$/.exec(target.default)?.[1];
    if (module === undefined || name === undefined) throw new Error(`package.json: exports["${subpath}"] has an unexpected form`);
    found.push({ subpath, name, source: `src/${module}.ts`, built: `build/src/${module}.js` });
  }
  return found;
}

/**
 * The programs of the package, from `bin` of package.json: `./dist/node/wal/cli.js` is `src/node/wal/cli.ts`.
 *
 * @param {string} root the project root.
 * @returns {{ command: string, name: string, source: string, built: string }[]}
 */
export function programs(root) {
  /** @type {{ bin: Record<string, string> }} */
  const { bin } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  return Object.entries(bin).map(([command, target]) => {
    const name = /^\.\/dist\/(.+)\.js$/.exec(target)?.[1];
    if (name === undefined) throw new Error(`package.json: bin["${command}"] has an unexpected form`);
    return { command, name, source: `src/${name}.ts`, built: `build/src/${name}.js` };
  });
}
