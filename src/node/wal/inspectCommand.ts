import { parseArgs } from 'node:util';
import type { FileSystem } from '../shared/fileSystem.js';
import { nodeFileSystem } from '../shared/nodeFileSystem.js';
import { dumpLog } from './dump.js';
import { LogVerdict, verifyLog, type LogReport } from './inspect.js';

const usage = `Usage: raftstep-wal verify DIR
       raftstep-wal dump DIR [--from INDEX] [--no-data]

Shows what is in the directory of a write-ahead log. Reads only; the owner may be running.

  verify      say whether the log is sound
  dump        print everything that is in it
  --from      leave out entries before INDEX
  --no-data   do not print what is in entries

Exits with 0 if the log is sound or has a torn tail, with 1 if it is damaged, and with 2 if it could not be looked at.`;

/** What a call of the command came to. */
export const ExitCode = { Sound: 0, Damaged: 1, Error: 2 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * The command `raftstep-wal`.
 *
 * @param args what stands behind the name of the program.
 * @param print gets lines for the standard output.
 * @param complain gets lines for the standard error.
 */
export async function inspectCommand(args: readonly string[], print: (line: string) => void, complain: (line: string) => void, fs: FileSystem = nodeFileSystem): Promise<ExitCode> {
  let call: Call;
  try {
    call = readCall(args);
  } catch (error) {
    complain(`${(error as Error).message}\n\n${usage}`);
    return ExitCode.Error;
  }
  if (call.help) {
    print(usage);
    return ExitCode.Sound;
  }
  try {
    if (call.verb === 'verify') return tell(call.dir, await verifyLog(call.dir, { fs }), print);
    const report = await dumpLog(call.dir, print, { ...call, fs });
    print('');
    return tell(call.dir, report, print);
  } catch (error) {
    complain((error as Error).message);
    return ExitCode.Error;
  }
}

interface Call {
  readonly help: boolean;
  readonly verb: string;
  readonly dir: string;
  readonly data: boolean;
  readonly from: number;
}

/** @throws Error with what is wrong with the arguments. */
function readCall(args: readonly string[]): Call {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false }, from: { type: 'string', default: '0' }, 'no-data': { type: 'boolean', default: false } },
  });
  const [verb = '', dir = '', ...more] = positionals;
  const from = Number(values.from);
  const call = { help: values.help, verb, dir, data: !values['no-data'], from };
  if (call.help) return call;
  if (verb !== 'verify' && verb !== 'dump') throw new Error(verb === '' ? 'Say what to do: verify or dump' : `There is no command ${verb}`);
  if (dir === '' || more.length > 0) throw new Error('Name one directory');
  if (values.from === '' || !Number.isSafeInteger(from) || from < 0) throw new Error(`--from ${values.from} is not an index`);
  if (verb === 'verify' && (values['no-data'] || from !== 0)) throw new Error('--from and --no-data belong to dump');
  return call;
}

/** The verdict in words. */
function tell(dir: string, { verdict, contents, torn, damage, inUse }: LogReport, print: (line: string) => void): ExitCode {
  if (contents !== null) {
    const { nodeId, clusterId, segments, batches, firstIndex, lastIndex, hardState } = contents;
    const entries = lastIndex < firstIndex ? 'no entries' : `entries ${firstIndex} to ${lastIndex}`;
    const held = `${segments} ${segments === 1 ? 'segment' : 'segments'}, ${batches} ${batches === 1 ? 'batch' : 'batches'}`;
    print(`${dir}: node ${nodeId} of cluster ${clusterId}, term ${hardState.term}, ${entries}, commit ${hardState.commit}; ${held}`);
  }
  if (inUse) print('in use: it was written to while it was read');
  switch (verdict) {
    case LogVerdict.Sound:
      print('sound');
      return ExitCode.Sound;
    case LogVerdict.TornTail:
      print(`torn tail: ${torn!.bytes} bytes of an interrupted write at ${torn!.file}, byte ${torn!.offset}; nobody was told that it had succeeded, and the next start drops it`);
      print('(If the log is open somewhere, it is a write that is under way.)');
      return ExitCode.Sound;
    case LogVerdict.Damaged:
      print(`damaged: ${damage!.message}`);
      return ExitCode.Damaged;
  }
}
