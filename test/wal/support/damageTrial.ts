import { WalError, WalErrorCode, WalStorage } from '../../../src/node/wal/index.js';
import { copyOfDisk, corpusOptions, markedOn, type CorpusLog } from './corpusLogs.js';
import { diskEnvironment, outcomeOf, settled } from './diskEnvironment.js';
import { entryAt } from './faultDrive.js';
import { contentOf } from './logModel.js';
import type { SimDisk } from './simDisk.js';

/** What became of damage: refused, batches above the mark dropped, or nothing. */
export type DamageOutcome = 'refused' | 'dropped' | 'identical';

/** Where a refusal has to have found the damage: in which file, and no further behind. */
export interface Place {
  /** As a SimDisk lists it, without a slash at the beginning. */
  readonly path: string;
  readonly atMost: number;
}

interface Expected {
  readonly named?: Place;
  /** Whether the damage may have put back a mark. */
  readonly setBack?: boolean;
}

/** Opens damaged copies of a log and holds what comes of it against what the log was. */
export class DamageTrial {
  readonly log: CorpusLog;
  /** How often each outcome was. */
  readonly counts = { refused: 0, dropped: 0, identical: 0 };
  /** What must not be. */
  readonly wrong: string[] = [];
  /** What was read the last time that a log was opened. */
  lastContent = '';
  private disk: SimDisk;
  private tried = 0;

  constructor(log: CorpusLog) {
    this.log = log;
    this.disk = copyOfDisk(log.disk);
  }

  /**
   * Damages a copy of the disk and opens it.
   *
   * @param what for the message if something is wrong.
   */
  async damage(what: string, change: (disk: SimDisk) => void, { named, setBack }: Expected = {}): Promise<DamageOutcome | 'wrong'> {
    change(this.disk);
    const outcome = await this.judge(what, named, setBack);
    if (outcome !== 'wrong') this.counts[outcome]++;
    // A refused one was left as it was, but for the damage.
    this.disk = copyOfDisk(this.log.disk);
    return outcome;
  }

  /** As {@link damage}, of the bytes of one file, which is repaired afterwards if the log was refused. */
  async damageBytes(what: string, path: string, change: (bytes: Uint8Array) => Uint8Array | void, named?: Place): Promise<DamageOutcome | 'wrong'> {
    const bytes = this.disk.readFile(path);
    const changed = change(bytes) ?? bytes;
    this.disk.writeFile(path, changed);
    const outcome = await this.judge(what, named);
    if (outcome !== 'wrong') this.counts[outcome]++;
    if (outcome === 'refused') this.disk.writeFile(path, this.log.disk.readFile(path));
    else this.disk = copyOfDisk(this.log.disk);
    return outcome;
  }

  toString(): string {
    const { refused, dropped, identical } = this.counts;
    return `${this.log.name}: ${refused + dropped + identical} cases, ${refused} refused, ${dropped} dropped batches above the mark, ${identical} identical`;
  }

  private async judge(what: string, named?: Place, setBack = false): Promise<DamageOutcome | 'wrong'> {
    const { disk, log } = this;
    // A mark that was set back together with the log is one that never was: nobody can tell.
    const marked = setBack ? markedOn(disk) : log.marked;
    const bad = (problem: string): 'wrong' => {
      this.wrong.push(`${log.name}, ${what}: ${problem}`);
      return 'wrong';
    };
    try {
      const before = disk.hash();
      const env = diskEnvironment(disk.fs, 5);
      const outcome = await outcomeOf(WalStorage.open(corpusOptions, env));
      if ('error' in outcome) {
        const { error } = outcome;
        if (!(error instanceof WalError) || error.code !== WalErrorCode.Corrupt) return bad(`refused with ${String(error)}`);
        if (error.file === undefined || error.offset === undefined || !error.message.includes(error.file) || error.advice === undefined) return bad(`the refusal does not say where: ${error.message}`);
        if (named !== undefined && (error.file !== `/${named.path}` || error.offset > named.atMost)) return bad(`found at ${error.file}, byte ${error.offset}`);
        if (disk.hash() !== before) return bad('the refused open has changed something');
        if (env.lock.held.size > 0) return bad('the directory is still claimed');
        return 'refused';
      }
      const opened = outcome.value;
      const content = await settled(contentOf(opened));
      this.lastContent = content;
      const place = log.states.map((state) => state.content).lastIndexOf(content);
      if (place < 0) return bad(`it is another log now:\n${content}`);
      const isWhole = place === log.states.length - 1;
      if (!isWhole && log.states[place + 1]!.seq <= marked) return bad(`it is the log as of batch ${log.states[place]!.seq}, and batch ${marked} was marked`);
      // What was accepted has to work. Not each time: they are many.
      if (this.tried++ % 16 === 0) {
        await settled(opened.append({ entries: [entryAt(opened.lastIndex() + 1, 9)], hardState: { term: 9, vote: 1, commit: opened.initialState().hardState.commit } }));
        const after = await settled(contentOf(opened));
        await settled(opened.close());
        const again = await settled(WalStorage.open(corpusOptions, diskEnvironment(disk.fs, 6)));
        if ((await settled(contentOf(again))) !== after) return bad('what was written after it is lost');
        await settled(again.close());
      }
      return isWhole ? 'identical' : 'dropped';
    } catch (error) {
      return bad(`${(error as Error).stack}`);
    }
  }
}
