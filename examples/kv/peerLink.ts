import { connect, type Socket } from 'node:net';
import { MessageType, type Message } from 'raftstep';
import { encodeFrames } from './frames.js';

/** Where nodes listen. On one machine the address is the port on loopback. */
export const loopback = '127.0.0.1';

/** Bytes that may wait for a peer that reads too slowly. Raft sends again what is dropped. */
const maxBufferedBytes = 64 * 1024 * 1024;

/** Pause before a peer that could not be reached is dialled again, in milliseconds. */
const redialMs = 100;

/** What a link has to tell. */
export interface PeerLinkEvents {
  /** What was sent last may be lost. */
  unreachable(): void;
  /** A MsgSnap has left, or could not. */
  snapshotSent(delivered: boolean): void;
}

/** The way to one peer: a connection that only sends, dialled when there is something to say. */
export class PeerLink {
  readonly #port: () => number | undefined;
  readonly #events: PeerLinkEvents;
  #socket: Socket | null = null;
  #redialAt = 0;

  /** @param port where the peer listens now; undefined while it is known to be down. */
  constructor(port: () => number | undefined, events: PeerLinkEvents) {
    this.#port = port;
    this.#events = events;
  }

  /** Sends the messages in this order, or drops all of them and says so. */
  send(messages: readonly Message[]): void {
    const hasSnapshot = messages.some((m) => m.type === MessageType.MsgSnap);
    const socket = this.#socket ?? this.#dial();
    if (socket === null || socket.writableLength > maxBufferedBytes) {
      this.#dropped(hasSnapshot);
      return;
    }
    let frames: Uint8Array;
    try {
      frames = encodeFrames(messages);
    } catch {
      // A snapshot beyond the limit of a frame. The peer stays behind, the group goes on.
      this.#dropped(hasSnapshot);
      return;
    }
    if (hasSnapshot) socket.write(frames, (error) => this.#events.snapshotSent(error === null || error === undefined));
    else socket.write(frames);
  }

  /** Closes the connection. */
  close(): void {
    this.#socket?.destroy();
  }

  #dropped(hasSnapshot: boolean): void {
    this.#events.unreachable();
    if (hasSnapshot) this.#events.snapshotSent(false);
  }

  #dial(): Socket | null {
    const port = this.#port();
    if (port === undefined || Date.now() < this.#redialAt) return null;
    // Without `noDelay` a small message would wait for the answer to the one before.
    const socket = connect({ host: loopback, port, noDelay: true });
    this.#socket = socket;
    // An error is always followed by `close`, which handles it.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#socket = null;
      this.#redialAt = Date.now() + redialMs;
      this.#events.unreachable();
    });
    // Nothing comes back on this connection, but reading is how the end of it is noticed.
    socket.resume();
    return socket;
  }
}
