/**
 * build/src -> dist: one ES module per entry point and program with shared chunks, and the declaration files of `tsc` as they are
 * (dist/types lies as deep as build/src, so their maps still lead to src/, which is shipped too).
 */
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { entryPoints, programs } from './scripts/entryPoints.js';

/** Hands rollup the maps of `tsc`, so that the maps in dist/ lead to the TypeScript sources. */
const sourceMaps = {
  name: 'source-maps',
  /** @param {string} id */
  load(id) {
    if (!existsSync(`${id}.map`)) return null;
    return { code: readFileSync(id, 'utf8'), map: JSON.parse(readFileSync(`${id}.map`, 'utf8')) };
  },
};

const declarations = {
  name: 'declarations',
  // Right before writing, so that a build that fails leaves the last one in place.
  generateBundle() {
    rmSync('dist', { recursive: true, force: true });
  },
  writeBundle() {
    cpSync('build/src', 'dist/types', {
      recursive: true,
      filter: (path) => !/\.(?:js|js\.map|tsbuildinfo)$/.test(path),
    });
  },
};

export default {
  input: Object.fromEntries([...entryPoints('.'), ...programs('.')].map((entry) => [entry.name, entry.built])),
  output: { dir: 'dist', format: 'es', sourcemap: true, chunkFileNames: 'chunks/[name].js' },
  // What is not ours stays an import.
  external: /^[^./]/,
  plugins: [sourceMaps, declarations],
};
