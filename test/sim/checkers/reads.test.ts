import { emptyBytes, ReadOnlyOption } from '../../../src/core/types.js';
import type { ClientOp } from '../../../src/sim/clientOp.js';
import { SimEventKind } from '../../../src/sim/simEvent.js';
import type { FakeCluster } from './fakeCluster.js';
import { tellStories } from './violations.js';

function request(c: FakeCluster, op: ClientOp): void {
  c.emit({ kind: SimEventKind.ReadRequested, time: 0, node: op.node, requestContext: emptyBytes, op });
}

function answer(c: FakeCluster, op: ClientOp | null, index: number): void {
  c.emit({ kind: SimEventKind.ReadState, time: 0, node: 2, requestContext: emptyBytes, index, op });
}

/** A read at node 2, after 3 was committed; 4 is committed before the answer. */
function read(c: FakeCluster, index: number): void {
  const op = c.invoke(2, false);
  request(c, op);
  c.append(1);
  c.replicate(1, 2, 4);
  c.commit(1, 4);
  answer(c, op, index);
}

tellStories('reads', ['I15'], [
  { breaks: null, why: 'a read is answered with what was committed when it asked', happens: (c) => read(c, 3) },
  { breaks: null, why: 'a read is answered with what was committed since', happens: (c) => read(c, 4) },
  {
    breaks: null,
    why: 'a read that asks twice may get the answer to its first question',
    happens: (c) => {
      const op = c.invoke(2, false);
      request(c, op);
      c.append(1);
      c.replicate(1, 2, 4);
      c.commit(1, 4);
      request(c, op);
      answer(c, op, 3);
    },
  },
  { breaks: 'I15', why: 'a read is answered with less than was committed (M35)', happens: (c) => read(c, 2) },
  { breaks: 'I15', why: 'an answer to nobody', happens: (c) => answer(c, null, 3) },
  { breaks: 'I15', why: 'an answer to an operation that never asked', happens: (c) => answer(c, c.invoke(2, false), 3) },
  { breaks: 'I15', why: 'a stale lease read, although clocks keep to what leases tolerate', happens: (c) => { c.settings.readOnlyOption = ReadOnlyOption.LeaseBased; c.settings.leasesHold = true; read(c, 2); } },
  { breaks: null, why: 'a stale lease read, with clocks beyond what leases tolerate', happens: (c) => { c.settings.readOnlyOption = ReadOnlyOption.LeaseBased; read(c, 2); } },
]);
