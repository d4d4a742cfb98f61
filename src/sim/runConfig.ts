import { checkRange, isRange, isRecord, refuse, shown, type RangeTable } from './configRange.js';
import { settle } from './configRules.js';
import { drawConfig } from './drawConfig.js';
import { ranges, type Profile, type SimConfig } from './simConfig.js';

/** What decides the configuration of a run. */
export interface RunChoice {
  /** Any safe integer of 0 or more. */
  readonly seed: number;
  /** Default 2000. */
  readonly steps?: number | undefined;
  /** Default `default`. */
  readonly profile?: Profile | undefined;
  /** Values in place of the drawn ones. */
  readonly config?: Partial<SimConfig> | undefined;
}

/**
 * The configuration of a run: drawn, with what was set in place of it.
 *
 * @throws RaftError `ERR_RAFT_CONFIG_INVALID` that names the option and its range.
 */
export function runConfig({ seed, steps = 2000, profile = 'default', config = {} }: RunChoice): SimConfig {
  const drawn = drawConfig(seed, steps, profile);
  if (!isRecord(config)) refuse(`config must be an object, is ${shown(config)}`);
  const given = withoutUndefined(config);
  checkAll('config', given, ranges);
  return settle(drawn, given as Partial<SimConfig>);
}

function withoutUndefined(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function checkAll(path: string, values: Readonly<Record<string, unknown>>, table: RangeTable): void {
  for (const [name, value] of Object.entries(values)) {
    const full = `${path}.${name}`;
    const entry = Object.hasOwn(table, name) ? table[name] : undefined;
    if (entry === undefined) refuse(`there is no option ${full}`);
    if (isRange(entry)) checkRange(full, value, entry);
    else checkGroup(full, value, entry);
  }
}

/** A group has to be complete: half of one would switch off the other half, or so it might seem. */
function checkGroup(path: string, value: unknown, table: RangeTable): void {
  if (!isRecord(value)) return refuse(`${path} must be an object, is ${shown(value)}`);
  checkAll(path, { ...Object.fromEntries(Object.keys(table).map((name) => [name, undefined])), ...value }, table);
}
