// Jest's sandbox makes every look-up of a global slow.
const { floor, imul } = Math;
const Bytes = Uint8Array;

/** What a disk writes as one: bytes of one sector, at a multiple of this, share their fate when the power fails. */
export const sectorSize = 512;

/** The bytes of a sector, in a buffer that never changes. Shared by all contents that have them. */
export class Sector {
  readonly buffer: Uint8Array;
  /** Where in the buffer they begin. */
  readonly offset: number;
  private hashed = false;
  private first = 0;
  private second = 0;

  constructor(buffer: Uint8Array, offset: number) {
    this.buffer = buffer;
    this.offset = offset;
  }

  /** Two halves of a hash of the bytes. */
  get hashA(): number {
    if (!this.hashed) this.hash();
    return this.first;
  }

  get hashB(): number {
    if (!this.hashed) this.hash();
    return this.second;
  }

  private hash(): void {
    const { buffer } = this;
    let a = 0x811c9dc5;
    let b = 0x9747b28c;
    for (let i = this.offset, end = i + sectorSize; i < end; i += 4) {
      const word = buffer[i]! | (buffer[i + 1]! << 8) | (buffer[i + 2]! << 16) | (buffer[i + 3]! << 24);
      a = imul(a ^ word, 0x01000193) ^ (a >>> 15);
      b = imul((b << 13) ^ (b >>> 19) ^ word, 0x5bd1e995);
    }
    this.first = a;
    this.second = b;
    this.hashed = true;
  }
}

/** The sector of nothing but zeros: what was never written, and most of a file that was made ahead. */
export const zeroSector = new Sector(new Bytes(sectorSize), 0);

/** Whether a range is all zeros. */
export function isZero(buffer: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (buffer[i] !== 0) return false;
  return true;
}

/** A copy. Not `slice`, which gives a view if the bytes are a Buffer. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Bytes(bytes.length);
  copy.set(bytes);
  return copy;
}

/** The part of a write that lies in one sector of the file. */
export interface Piece {
  /** Where in the file. */
  readonly position: number;
  readonly length: number;
  /** The bytes are at `offset` of this, which never changes. */
  readonly buffer: Uint8Array;
  readonly offset: number;
  /** The sector, if the piece is a whole one. */
  readonly whole: Sector | null;
}

/** Cuts a write at the borders of the sectors. `bytes` must never change afterwards. */
export function piecesOf(bytes: Uint8Array, position: number): Piece[] {
  const pieces: Piece[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const length = Math.min(sectorSize - ((position + offset) % sectorSize), bytes.length - offset);
    const whole = length < sectorSize ? null : isZero(bytes, offset, offset + length) ? zeroSector : new Sector(bytes, offset);
    pieces.push({ position: position + offset, length, buffer: bytes, offset, whole });
    offset += length;
  }
  return pieces;
}

/** The bytes of a file at one moment. Never changes, so that disks can share it. */
export class Content {
  static readonly empty = new Content([], 0);
  /** As many as the length needs; behind the length there are zeros. */
  readonly sectors: readonly Sector[];
  readonly length: number;
  private hashed = false;
  private first = 0;
  private second = 0;

  constructor(sectors: readonly Sector[], length: number) {
    this.sectors = sectors;
    this.length = length;
  }

  static of(bytes: Uint8Array): Content {
    const edit = new ContentEdit(Content.empty);
    for (const piece of piecesOf(copyOf(bytes), 0)) edit.put(piece);
    return edit.finish(bytes.length);
  }

  /** Two halves of a hash of bytes and length. */
  get hashA(): number {
    if (!this.hashed) this.hash();
    return this.first;
  }

  get hashB(): number {
    if (!this.hashed) this.hash();
    return this.second;
  }

  /** All of it, as a copy. */
  bytes(): Uint8Array {
    const bytes = new Bytes(this.length);
    this.read(bytes, 0);
    return bytes;
  }

  /** Copies from `position` on into `target`, as much as there is. Returns the number of bytes. */
  read(target: Uint8Array, position: number): number {
    const { sectors } = this;
    const count = Math.min(target.length, this.length - position);
    for (let done = 0; done < count; ) {
      const within = (position + done) % sectorSize;
      let next = floor((position + done) / sectorSize);
      const sector = sectors[next++]!;
      let run = sectorSize - within;
      // Neighbours come from one write as a rule, and are copied at once.
      if (sector === zeroSector) {
        for (; run < count - done && sectors[next] === sector; next++) run += sectorSize;
        run = Math.min(run, count - done);
        target.fill(0, done, done + run);
      } else {
        const start = sector.offset + within;
        for (; run < count - done && sectors[next]!.buffer === sector.buffer && sectors[next]!.offset === start + run; next++) run += sectorSize;
        run = Math.min(run, count - done);
        target.set(sector.buffer.subarray(start, start + run), done);
      }
      done += run;
    }
    return Math.max(count, 0);
  }

  private hash(): void {
    let a = this.length | 0;
    let b = imul(this.length, 0x9e3779b1);
    for (const sector of this.sectors) {
      a = imul(a ^ sector.hashA, 0x01000193) ^ (a >>> 13);
      b = imul((b << 7) ^ (b >>> 25) ^ sector.hashB, 0x5bd1e995);
    }
    this.first = a;
    this.second = b;
    this.hashed = true;
  }
}

/** Makes a content from another one. Call {@link finish} once, at the end. */
export class ContentEdit {
  private readonly sectors: Sector[];

  constructor(base: Content) {
    this.sectors = base.sectors.slice();
  }

  /** Writes a piece. */
  put(piece: Piece): void {
    if (piece.whole !== null) this.set(floor(piece.position / sectorSize), piece.whole);
    else this.open(piece).set(piece.buffer.subarray(piece.offset, piece.offset + piece.length), piece.position % sectorSize);
  }

  /** Writes zeros where the piece would have gone. */
  zero(piece: Piece): void {
    const start = piece.position % sectorSize;
    this.open(piece).fill(0, start, start + piece.length);
  }

  /** Writes something else where the piece would have gone: no byte is the old one, the new one or zero. */
  garble(piece: Piece, seed: number): void {
    const target = this.open(piece);
    const start = piece.position % sectorSize;
    let state = imul(seed ^ piece.position, 0x9e3779b1) | 1;
    for (let i = 0; i < piece.length; i++) {
      state = imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
      const before = target[start + i]!;
      const written = piece.buffer[piece.offset + i]!;
      let byte = (state >>> 24) & 0xff;
      while (byte === before || byte === written || byte === 0) byte = (byte + 1) & 0xff;
      target[start + i] = byte;
    }
  }

  /** The content, cut or extended with zeros to a length. */
  finish(length: number): Content {
    const { sectors } = this;
    const count = Math.ceil(length / sectorSize);
    if (count > 0) this.reach(count - 1);
    sectors.length = count;
    const used = length % sectorSize;
    if (used !== 0) {
      const last = sectors[count - 1]!;
      if (!isZero(last.buffer, last.offset + used, last.offset + sectorSize)) this.openAt(count - 1).fill(0, used);
    }
    return new Content(sectors, length);
  }

  /** A copy of the sector of a piece, to be changed. */
  private open(piece: Piece): Uint8Array {
    return this.openAt(floor(piece.position / sectorSize));
  }

  private openAt(index: number): Uint8Array {
    this.reach(index);
    const { buffer, offset } = this.sectors[index]!;
    const copy = copyOf(buffer.subarray(offset, offset + sectorSize));
    this.sectors[index] = new Sector(copy, 0);
    return copy;
  }

  private set(index: number, sector: Sector): void {
    this.reach(index);
    this.sectors[index] = sector;
  }

  private reach(index: number): void {
    const { sectors } = this;
    while (sectors.length <= index) sectors.push(zeroSector);
  }
}
