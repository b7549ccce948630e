/**
 * Messages between two bare nodes on one connection: `u32 length | u8 type | body`, length of the body alone. All of a turn leave together.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { TurnWriter } from "./turn-writer.ts";

const HEADER_BYTES = 5;

/** Hears a message; its body is `bytes` from `at` to `end`, during the call. */
export type OnMessage = (type: number, bytes: Buffer, at: number, end: number) => void;

export class BareLink {
  readonly #writer: TurnWriter;
  #rest: Buffer | null = null;

  constructor(socket: Socket, onMessage: OnMessage) {
    this.#writer = new TurnWriter(socket);
    socket.on("data", (chunk) => this.#hear(chunk, onMessage));
  }

  /** A message whose body the caller fills at once: where it is. */
  message(type: number, bodyBytes: number): { readonly buffer: Buffer; readonly at: number } {
    const { buffer, at } = this.#writer.reserve(HEADER_BYTES + bodyBytes);
    buffer.writeUInt32BE(bodyBytes, at);
    buffer[at + 4] = type;
    return { buffer, at: at + HEADER_BYTES };
  }

  #hear(chunk: Buffer, onMessage: OnMessage): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      onMessage(bytes[at + 4] as number, bytes, at + HEADER_BYTES, end);
      at = end;
    }
    this.#rest = at === bytes.length ? null : bytes.subarray(at);
  }
}
