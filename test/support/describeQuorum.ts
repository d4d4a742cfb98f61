import type { AckedIndexer } from '../../src/core/quorum/quorum.js';
import type { NodeId } from '../../src/core/types.js';

/** The acknowledged indexes as a picture: a row for each voter, its bar as long as the number of voters behind it. */
export function describeQuorum(ids: readonly NodeId[], acked: AckedIndexer): string {
  if (ids.length === 0) return '<empty majority quorum>';
  const indexes = ids.map((id) => acked.ackedIndex(id));
  let text = `${' '.repeat(ids.length)}    idx\n`;
  ids.forEach((id, i) => {
    const index = Math.max(indexes[i]!, 0);
    const behind = indexes.filter((other) => Math.max(other, 0) < index).length;
    const bar = indexes[i]! < 0 ? '?'.padEnd(ids.length + 1) : `${'x'.repeat(behind)}>`.padEnd(ids.length + 1);
    text += `${bar} ${String(index).padStart(5)}    (id=${id.toString(16)})\n`;
  });
  return text;
}
