/**
 * Bytes for one socket, gathered during a turn and handed over in one write at its end.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";

const FIRST_BYTES = 16 * 1024;

export class TurnWriter {
  readonly #socket: Socket;
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;
  #due = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Room for `bytes` more, which the caller fills at once: where it is. */
  reserve(bytes: number): { readonly buffer: Buffer; readonly at: number } {
    const at = this.#length;
    if (at + bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(at + bytes, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#length = at + bytes;
    if (!this.#due) {
      this.#due = true;
      setImmediate(() => this.#flush());
    }
    return { buffer: this.#buffer, at };
  }

  text(text: string): void {
    const { buffer, at } = this.reserve(text.length);
    buffer.write(text, at, text.length, "latin1");
  }

  #flush(): void {
    this.#due = false;
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    this.#buffer.copy(bytes, 0, 0, this.#length);
    this.#length = 0;
    this.#socket.write(bytes);
  }
}
