/**
 * What a user of the package does first: one node that elects itself and commits a proposal. The package test runs it after
 * `import`, after `require` and in a page.
 *
 * @param {typeof import('raftstep')} raftstep the package.
 * @returns {string} who leads, and what was committed.
 */
export function electSingleNode({ EntryType, MemoryStorage, RawNode }) {
  const storage = new MemoryStorage();
  const node = new RawNode({ id: 1, storage });
  let lead = 0;
  const committed = [];

  const work = () => {
    while (node.hasReady()) {
      const rd = node.ready();
      storage.append(rd.entries);
      if (rd.hardState) storage.setHardState(rd.hardState);
      for (const entry of rd.committedEntries) {
        if (entry.type !== EntryType.EntryNormal) node.applyConfChange(entry);
        else if (entry.data.length > 0) committed.push(...entry.data);
      }
      if (rd.softState) lead = rd.softState.lead;
      node.advance(rd);
    }
  };

  node.bootstrap([{ id: 1 }]);
  work();
  node.campaign();
  work();
  node.propose(Uint8Array.of(4, 2));
  work();
  return `lead ${lead}, committed ${committed.join(' ')}`;
}
