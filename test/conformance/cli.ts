import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runConfChangeFolder } from './confchange.js';
import { runQuorumFolder } from './quorum.js';
import { mergeReports, type Report } from './report.js';
import { runScripts } from './scripts.js';

const usage = `usage: npm run --silent conformance -- [PATH…] [--codec FILE.tsv] [--quorum DIR] [--confchange DIR]

  PATH              script files of the interaction language, or folders of them; a file counts as one
  --codec FILE      messages in hex; a line counts as one
  --quorum DIR      algebra of quorums; a command counts as one
  --confchange DIR  algebra of configuration changes; a command counts as one

Prints every failure, then "N passed, N failed". The exit code is 0 if something was run and nothing failed.`;

function readArguments(): { paths: string[]; codec: string[]; quorum: string[]; confchange: string[] } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      codec: { type: 'string', multiple: true, default: [] },
      quorum: { type: 'string', multiple: true, default: [] },
      confchange: { type: 'string', multiple: true, default: [] },
    },
  });
  return { paths: positionals, codec: values.codec, quorum: values.quorum, confchange: values.confchange };
}

// The codec is loaded only where it is asked for: scripts do not need it.
async function runCodec(files: readonly string[]): Promise<Report[]> {
  if (files.length === 0) return [];
  const { runCodecFile } = await import('./codec.js');
  return files.map((file) => runCodecFile(file));
}

async function main(): Promise<void> {
  const { paths, codec, quorum, confchange } = readArguments();
  const given = [...paths, ...codec, ...quorum, ...confchange];
  if (given.length === 0) throw new Error(usage);
  const missing = given.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(missing.map((path) => `${path}: no such file or folder`).join('\n'));
  const reports: Report[] = [
    runScripts(paths),
    ...(await runCodec(codec)),
    ...quorum.map((folder) => runQuorumFolder(folder)),
    ...confchange.map((folder) => runConfChangeFolder(folder)),
  ];
  const { passed, failures } = mergeReports(reports);
  for (const failure of failures) console.log(`${failure}\n`);
  console.log(`${passed} passed, ${failures.length} failed`);
  if (failures.length > 0 || passed === 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  // What cannot be run at all counts as a failure, so that the last line always says how it went.
  console.log(error instanceof Error ? error.message : String(error));
  console.log('0 passed, 1 failed');
  process.exitCode = 2;
}
