/**
 * One client of a bare node: its requests, of fixed lengths, and the replies in the order of the requests.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { GET_BYTES, PARTS, SET_BYTES } from "./bare-records.ts";
import { TurnWriter } from "./turn-writer.ts";

/** A request that has been heard. */
export interface Asked {
  readonly door: BareDoor;
  /** null: not answered yet. */
  reply: string | null;
}

export class BareDoor {
  readonly #writer: TurnWriter;
  readonly #onRequest: (asked: Asked, bytes: Buffer, at: number, isSet: boolean) => void;
  #asked: Asked[] = [];
  #answered = 0;
  #rest: Buffer | null = null;

  constructor(socket: Socket, onRequest: (asked: Asked, bytes: Buffer, at: number, isSet: boolean) => void) {
    this.#writer = new TurnWriter(socket);
    this.#onRequest = onRequest;
    socket.on("data", (chunk) => this.#hear(chunk));
  }

  answer(asked: Asked, reply: string): void {
    asked.reply = reply;
    let next = this.#asked[this.#answered];
    while (next !== undefined && next.reply !== null) {
      this.#writer.text(next.reply);
      next = this.#asked[++this.#answered];
    }
    if (this.#answered === this.#asked.length) {
      this.#asked = [];
      this.#answered = 0;
    }
  }

  #hear(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= GET_BYTES) {
      const parts = bytes[at + 1];
      if (parts !== PARTS.set && parts !== PARTS.get)
        throw new Error("a bare node knows GET and SET, nothing else");
      const isSet = parts === PARTS.set;
      const length = isSet ? SET_BYTES : GET_BYTES;
      if (bytes.length - at < length) break;
      const asked: Asked = { door: this, reply: null };
      this.#asked.push(asked);
      this.#onRequest(asked, bytes, at, isSet);
      at += length;
    }
    this.#rest = at === bytes.length ? null : bytes.subarray(at);
  }
}
