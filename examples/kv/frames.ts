import type { Message } from 'raftstep';
import { encodedMessageSize, encodeMessageInto } from 'raftstep/codec';

/**
 * How messages travel on a TCP stream, which knows bytes and no borders between them: each message is
 * a frame, its length as four bytes (big-endian) and then the message as protobuf.
 */

/** Bytes of the length in front of every frame. */
export const frameHeaderBytes = 4;

/** Longest frame that is sent or accepted, in bytes without the header. A snapshot must fit into one. */
export const maxFrameBytes = 256 * 1024 * 1024;

/** The stream is not what it should be. There is no way to find the next frame, so the connection must be closed. */
export class FrameError extends Error {}

/**
 * All messages in one piece of bytes, so that a turn costs one write per peer.
 *
 * @throws FrameError if one of them is too long for a frame.
 */
export function encodeFrames(messages: readonly Message[]): Uint8Array {
  const sizes = messages.map(encodedMessageSize);
  const tooLong = sizes.find((size) => size > maxFrameBytes);
  if (tooLong !== undefined) throw new FrameError(`a message of ${tooLong} bytes does not fit into a frame`);

  const bytes = Buffer.allocUnsafe(sizes.reduce((total, size) => total + frameHeaderBytes + size, 0));
  let at = 0;
  messages.forEach((m, i) => {
    bytes.writeUInt32BE(sizes[i]!, at);
    at = encodeMessageInto(m, bytes, at + frameHeaderBytes, sizes[i]!);
  });
  return bytes;
}

/**
 * Cuts a stream into frames, however it was chopped on its way.
 *
 * A length claims memory only as its bytes arrive, so a hostile one costs its sender as much as us.
 */
export class FrameDecoder {
  readonly #maxBytes: number;
  /** What has arrived of a frame that is not complete. */
  #parts: Uint8Array[] = [];
  #buffered = 0;
  /** Bytes without which nothing more can be told about the frame. */
  #needed = frameHeaderBytes;

  /** @param maxBytes longest frame accepted, without its header. */
  constructor(maxBytes: number = maxFrameBytes) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes in the next piece of the stream, and hands out every frame that it completes, without the
   * header. A frame is a view of the stream: it is valid until `onFrame` returns.
   *
   * @throws FrameError at a length of 0 or above the limit, and whatever `onFrame` throws. The decoder is of no use then.
   */
  push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    this.#parts.push(chunk);
    this.#buffered += chunk.length;
    // Joined only when it leads to something: a long frame that arrives in many pieces is copied once.
    if (this.#buffered < this.#needed) return;

    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#buffered);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    this.#needed = frameHeaderBytes;
    while (bytes.length - at >= frameHeaderBytes) {
      const length = view.getUint32(at);
      if (length === 0 || length > this.#maxBytes) throw new FrameError(`a frame of ${length} bytes; allowed are 1 to ${this.#maxBytes}`);
      if (bytes.length - at - frameHeaderBytes < length) {
        this.#needed = frameHeaderBytes + length;
        break;
      }
      at += frameHeaderBytes + length;
      onFrame(bytes.subarray(at - length, at));
    }
    this.#buffered = bytes.length - at;
    this.#parts = this.#buffered > 0 ? [bytes.subarray(at)] : [];
  }
}
