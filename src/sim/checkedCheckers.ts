import type { Checker, ClusterView } from './checker.js';
import { broken } from './checkedMachine.js';
import { isRecord, refuse, shown } from './configRange.js';
import type { SimEvent, SimEventKind } from './simEvent.js';
import { TraceHash } from './traceHash.js';

/**
 * The checks of a user, held to their contract. They see the messages that the nodes are about to get: if one of them
 * changed one, the run would show a fault that no node has.
 */
export class CheckedCheckers implements Checker {
  readonly name = 'own checks';
  readonly kinds: readonly SimEventKind[];
  private readonly byKind: Checker[][] = [];

  /**
   * @param made what a user's factory has made.
   * @throws RaftError `ERR_RAFT_CONFIG_INVALID` if these are no checkers.
   */
  constructor(made: unknown) {
    if (!Array.isArray(made)) refuse(`checkers must return an array, has returned ${shown(made)}`);
    for (const checker of made as readonly unknown[]) {
      if (!isRecord(checker) || !Array.isArray(checker['kinds']) || typeof checker['onEvent'] !== 'function') refuse('a checker must have an array kinds and a method onEvent');
    }
    const checkers = made as readonly Checker[];
    this.kinds = [...new Set(checkers.flatMap(({ kinds }) => kinds))];
    for (const kind of this.kinds) this.byKind[kind] = checkers.filter(({ kinds }) => kinds.includes(kind));
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    const before = fingerprint(event);
    for (const checker of this.byKind[event.kind]!) checker.onEvent(event, view);
    if (fingerprint(event) !== before) throw broken('a check has changed the event that it was shown');
  }
}

function fingerprint(event: SimEvent): number {
  const hash = new TraceHash();
  hash.add(event);
  return hash.word;
}
