import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Message, NodeId } from 'raftstep';
import { decodeMessage } from 'raftstep/codec';
import { FrameDecoder } from './frames.js';
import { loopback, PeerLink } from './peerLink.js';

/** Who listens where: the port of every node that is up. Shared by the nodes, as a name service would be. */
export type AddressBook = Map<NodeId, number>;

/** What a transport has to tell its node. */
export interface TransportEvents {
  /** A message has arrived. Nothing is known about it but that it is one. */
  message(m: Message): void;
  /** What was sent to `id` last may be lost. */
  unreachable(id: NodeId): void;
  /** A MsgSnap to `id` has left, or could not. */
  snapshotSent(id: NodeId, delivered: boolean): void;
  /** A connection was closed because what came in is not a stream of messages. */
  refused(reason: string): void;
}

/** Messages of one node over TCP. One connection per direction and pair of nodes, no retries: those are Raft's matter. */
export class TcpTransport {
  readonly #id: NodeId;
  readonly #addresses: AddressBook;
  readonly #events: TransportEvents;
  readonly #server: Server;
  readonly #incoming = new Set<Socket>();
  readonly #links = new Map<NodeId, PeerLink>();

  private constructor(id: NodeId, addresses: AddressBook, events: TransportEvents) {
    this.#id = id;
    this.#addresses = addresses;
    this.#events = events;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /**
   * Listens on a free port of loopback and writes it into the address book.
   *
   * @throws Error of the operating system if it cannot listen.
   */
  static async listen(id: NodeId, addresses: AddressBook, events: TransportEvents): Promise<TcpTransport> {
    const transport = new TcpTransport(id, addresses, events);
    await new Promise<void>((resolve, reject) => {
      transport.#server.once('error', reject);
      transport.#server.listen(0, loopback, resolve);
    });
    addresses.set(id, (transport.#server.address() as AddressInfo).port);
    return transport;
  }

  /** Sends every message to the node it is for, in this order, with one write per peer. */
  send(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    const byPeer = new Map<NodeId, Message[]>();
    for (const m of messages) {
      const list = byPeer.get(m.to);
      if (list === undefined) byPeer.set(m.to, [m]);
      else list.push(m);
    }
    for (const [peer, list] of byPeer) this.#linkTo(peer).send(list);
  }

  /** Closes every connection and stops listening. */
  close(): void {
    this.#addresses.delete(this.#id);
    this.#server.close();
    for (const socket of this.#incoming) socket.destroy();
    for (const link of this.#links.values()) link.close();
  }

  #linkTo(peer: NodeId): PeerLink {
    let link = this.#links.get(peer);
    if (link === undefined) {
      link = new PeerLink(() => this.#addresses.get(peer), {
        unreachable: () => this.#events.unreachable(peer),
        snapshotSent: (delivered) => this.#events.snapshotSent(peer, delivered),
      });
      this.#links.set(peer, link);
    }
    return link;
  }

  #accept(socket: Socket): void {
    const decoder = new FrameDecoder();
    this.#incoming.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#incoming.delete(socket));
    socket.on('data', (chunk) => {
      try {
        decoder.push(chunk, (frame) => this.#events.message(decodeMessage(frame)));
      } catch (error) {
        socket.destroy();
        this.#events.refused(error instanceof Error ? error.message : String(error));
      }
    });
  }
}
