import { once } from 'node:events';
import { connect } from 'node:net';

import { describe, expect, test } from '@jest/globals';

import { encodeFrames } from '../../../examples/kv/frames.js';
import { TcpTransport, type AddressBook, type TransportEvents } from '../../../examples/kv/transport.js';
import { MessageType, newConfState, newMessage, type Message, type NodeId } from '../../../src/core/index.js';

/** A transport that notes what it has to tell, and a promise of the first thing. */
async function listen(id: NodeId, addresses: AddressBook): Promise<{ transport: TcpTransport; told: () => Promise<string> }> {
  const lines: string[] = [];
  let wake: () => void = () => undefined;
  const note = (line: string): void => {
    lines.push(line);
    wake();
  };
  const events: TransportEvents = {
    message: (m) => note(`message of ${m.from} in term ${m.term}`),
    unreachable: (peer) => note(`unreachable ${peer}`),
    snapshotSent: (peer, delivered) => note(`snapshot to ${peer} ${delivered ? 'sent' : 'not sent'}`),
    refused: (reason) => note(`refused: ${reason}`),
  };
  const told = async (): Promise<string> => {
    while (lines.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return lines.shift()!;
  };
  return { transport: await TcpTransport.listen(id, addresses, events), told };
}

function heartbeat(to: NodeId, from: NodeId): Message {
  const m = newMessage(MessageType.MsgHeartbeat, to);
  m.from = from;
  m.term = 5;
  return m;
}

function snapshot(to: NodeId, from: NodeId): Message {
  const m = newMessage(MessageType.MsgSnap, to);
  m.from = from;
  m.term = 6;
  m.snapshot = { data: new Uint8Array(1_000_000), metadata: { index: 3, term: 2, confState: newConfState({ voters: [1, 2] }) } };
  return m;
}

describe('the transport', () => {
  test('carries messages, says that a snapshot has left, and that a peer is gone', async () => {
    const addresses: AddressBook = new Map();
    const one = await listen(1, addresses);
    const two = await listen(2, addresses);

    one.transport.send([heartbeat(2, 1), snapshot(2, 1)]);
    expect(await two.told()).toBe('message of 1 in term 5');
    expect(await two.told()).toBe('message of 1 in term 6');
    expect(await one.told()).toBe('snapshot to 2 sent');

    two.transport.close();
    expect(await one.told()).toBe('unreachable 2');
    one.transport.send([heartbeat(2, 1), snapshot(2, 1)]);
    expect(await one.told()).toBe('unreachable 2');
    expect(await one.told()).toBe('snapshot to 2 not sent');
    one.transport.close();
  });

  test.each([
    { bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'), reason: /^refused: a frame of 1195725856 bytes/, why: 'another protocol' },
    { bytes: Buffer.of(0, 0, 0, 2, 0xff, 0xff), reason: /^refused: malformed protobuf at byte 0/, why: 'a frame without a message' },
  ])('closes a connection that does not speak its language: $why', async ({ bytes, reason }) => {
    const addresses: AddressBook = new Map();
    const { transport, told } = await listen(1, addresses);
    const stranger = connect(addresses.get(1)!, '127.0.0.1').resume();
    stranger.on('error', () => undefined);

    stranger.write(encodeFrames([heartbeat(1, 9)]));
    stranger.write(bytes);

    expect(await told()).toBe('message of 9 in term 5');
    expect(await told()).toMatch(reason);
    await once(stranger, 'close');
    transport.close();
  });
});
