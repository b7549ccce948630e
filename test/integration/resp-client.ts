/**
 * A small pipelined Redis client for tests: it says exactly which requests were answered, and never retries on its own.
 */
import { createConnection, type Socket } from "node:net";

export type RespValue = string | number | null | RespError | readonly RespValue[];

/** An error reply. A value, not thrown: a test decides what it means. */
export class RespError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** The connection ended before the answer came: the request may or may not have been done. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** Where a node answers Redis clients: a port of this machine, or host:port. */
export type RespDoor = number | string;

interface Waiter {
  resolve(value: RespValue): void;
  reject(error: Error): void;
}

export class RespClient {
  readonly door: RespDoor;
  readonly #socket: Socket;
  readonly #waiters: Waiter[] = [];
  readonly #opened: Promise<void>;
  #unread: Buffer = Buffer.alloc(0);
  #outgoing = "";
  #closed = false;

  constructor(door: RespDoor) {
    this.door = door;
    const [host = "", port = ""] = typeof door === "number" ? ["127.0.0.1", String(door)] : door.split(":");
    this.#socket = createConnection({ port: Number(port), host, noDelay: true });
    this.#opened = new Promise((resolve, reject) => {
      this.#socket.once("connect", resolve);
      this.#socket.once("error", reject);
      this.#socket.once("close", () => reject(new ConnectionLost("closed")));
    });
    this.#opened.catch(() => undefined);
    this.#socket.on("data", (chunk) => this.#onData(chunk));
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => this.#onClose());
  }

  static async open(door: RespDoor): Promise<RespClient> {
    const client = new RespClient(door);
    await client.#opened;
    return client;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends one command; all commands of one turn travel in one write. Rejects with {@link ConnectionLost}. */
  send(...parts: readonly string[]): Promise<RespValue> {
    if (this.#closed) return Promise.reject(new ConnectionLost(`${this.door} is closed`));
    if (this.#outgoing === "") queueMicrotask(() => this.#flush());
    this.#outgoing += `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`;
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Like {@link send}, but an error reply is thrown. */
  async ask(...parts: readonly string[]): Promise<RespValue> {
    const value = await this.send(...parts);
    if (value instanceof RespError) throw new Error(value.message);
    return value;
  }

  close(): void {
    this.#socket.destroy();
    this.#onClose();
  }

  #flush(): void {
    this.#socket.write(this.#outgoing);
    this.#outgoing = "";
  }

  #onData(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    let offset = 0;
    for (;;) {
      const parsed = parseReply(this.#unread, offset);
      if (parsed === null) break;
      offset = parsed.end;
      this.#waiters.shift()?.resolve(parsed.value);
    }
    this.#unread = this.#unread.subarray(offset);
  }

  #onClose(): void {
    this.#closed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new ConnectionLost(`${this.door} hung up`));
  }
}

interface Parsed {
  readonly value: RespValue;
  readonly end: number;
}

/** One RESP2 reply of `bytes` from `start`, or null when it is not complete yet. */
export function parseReply(bytes: Buffer, start: number): Parsed | null {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd < 0) return null;
  const line = bytes.toString("latin1", start + 1, lineEnd);
  const end = lineEnd + 2;
  const kind = String.fromCharCode(bytes[start] ?? 0);
  switch (kind) {
    case "+":
      return { value: line, end };
    case "-":
      return { value: new RespError(line), end };
    case ":":
      return { value: Number(line), end };
    case "$": {
      const length = Number(line);
      if (length < 0) return { value: null, end };
      if (bytes.length < end + length + 2) return null;
      return { value: bytes.toString("utf8", end, end + length), end: end + length + 2 };
    }
    case "*": {
      const items: RespValue[] = [];
      let next = end;
      for (let count = Number(line); count > 0; count--) {
        const item = parseReply(bytes, next);
        if (item === null) return null;
        items.push(item.value);
        next = item.end;
      }
      return { value: Number(line) < 0 ? null : items, end: next };
    }
    default:
      throw new Error(`not a RESP2 reply: ${kind}${line}`);
  }
}
