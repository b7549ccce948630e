/**
 * Replies into bytes a Redis client reads, in RESP2 or RESP3. Output is gathered as binary strings (one code unit per
 * byte): joining short strings costs V8 a pointer each, and the socket flattens and encodes them once per write.
 */

/** The protocol a client speaks; 2 until it says HELLO 3. */
export type RespVersion = 2 | 3;

/** Beyond this, a new string is begun, so that no single string comes near V8's limit of 2^29 code units. */
const PIECE_BYTES_MAX = 1024 * 1024;

/** An append-only list of encoded replies for one connection. */
export class RespWriter {
  /** May change between two replies, never within one. */
  version: RespVersion = 2;
  #pieces: string[] = [];
  #text = "";
  #piecesBytes = 0;

  /** Bytes written since the last {@link RespWriter.take}. */
  get length(): number {
    return this.#piecesBytes + this.#text.length;
  }

  /** A status of one line, such as OK. */
  simple(text: string): void {
    this.#text += `+${text}\r\n`;
  }

  /** An error of one line; it begins with its code, such as ERR. Line ends inside become spaces, as Redis does. */
  error(text: string): void {
    this.#text += `-${text.replace(/[\r\n]/g, " ")}\r\n`;
  }

  integer(value: number | bigint): void {
    this.#text += `:${value}\r\n`;
  }

  /** A string of bytes. */
  bulk(value: string): void {
    if (value.length > PIECE_BYTES_MAX) {
      this.#text += `$${value.length}\r\n`;
      this.#seal();
      this.#pieces.push(value);
      this.#piecesBytes += value.length;
      this.#text = "\r\n";
      return;
    }
    this.#text += `$${value.length}\r\n${value}\r\n`;
    if (this.#text.length > PIECE_BYTES_MAX) this.#seal();
  }

  /** Absence: in RESP2 a string that is not there. */
  null(): void {
    this.#text += this.version === 2 ? "$-1\r\n" : "_\r\n";
  }

  /** Begins an array: `count` replies follow. */
  array(count: number): void {
    this.#text += `*${count}\r\n`;
  }

  /** Begins a map: `count` pairs of replies follow. In RESP2 an array of twice the length. */
  map(count: number): void {
    this.#text += this.version === 2 ? `*${count * 2}\r\n` : `%${count}\r\n`;
  }

  /** Begins a set: `count` replies follow. In RESP2 an array. */
  set(count: number): void {
    this.#text += this.version === 2 ? `*${count}\r\n` : `~${count}\r\n`;
  }

  /** Text for people. In RESP2 a bulk string. */
  verbatim(text: string): void {
    if (this.version === 2) this.bulk(text);
    else this.#text += `=${text.length + 4}\r\ntxt:${text}\r\n`;
  }

  /** Hands over what was written, in order, and starts afresh. Empty when nothing was. */
  take(): string[] {
    this.#seal();
    const taken = this.#pieces;
    this.#pieces = [];
    this.#piecesBytes = 0;
    return taken;
  }

  #seal(): void {
    if (this.#text === "") return;
    this.#pieces.push(this.#text);
    this.#piecesBytes += this.#text.length;
    this.#text = "";
  }
}
