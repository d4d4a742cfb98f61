/**
 * Removes from build/ what has no source any more. `tsc -b` never deletes, so without this a renamed test would go on
 * running, and a deleted module could still be imported.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';

const compiled = /(?:\.d\.ts|\.js)(?:\.map)?$/;

if (existsSync('build')) {
  for (const file of readdirSync('build', { recursive: true, encoding: 'utf8' })) {
    if (!compiled.test(file)) continue;
    const source = file.replace(compiled, '');
    if (!existsSync(`${source}.ts`) && !existsSync(`${source}.js`)) rmSync(`build/${file}`);
  }
}
