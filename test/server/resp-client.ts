/**
 * A Redis client for tests: sends bytes as they are, gives replies as bytes or as values.
 */
import { connect, type Socket } from "node:net";

/** A status line. */
export class Status {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An error line. */
export class ErrorReply {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Value = null | number | string | Status | ErrorReply | Value[] | Map<Value, Value>;

export const OK = new Status("OK");

/** Encodes a request as clients do. */
export function encodeRequest(...args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

export class RespTestClient {
  readonly socket: Socket;
  #received = "";
  #pieces: string[] = [];
  #closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#pieces.push(text);
      this.#wake();
    });
    socket.on("error", () => this.#wake());
    socket.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async open(port: number): Promise<RespTestClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RespTestClient(socket);
  }

  write(bytes: string): void {
    this.socket.write(bytes, "latin1");
  }

  /** Sends one request and waits for its reply. */
  async ask(...args: readonly string[]): Promise<Value> {
    this.write(encodeRequest(...args));
    return this.reply();
  }

  /** The next reply as a value. */
  async reply(): Promise<Value> {
    const raw = await this.rawReply();
    return decode(raw, 0)?.value ?? null;
  }

  /** The next reply as bytes. */
  async rawReply(): Promise<string> {
    for (;;) {
      this.#gather();
      const end = decode(this.#received, 0)?.end;
      if (end !== undefined) {
        const raw = this.#received.slice(0, end);
        this.#received = this.#received.slice(end);
        return raw;
      }
      if (this.#closed)
        throw new Error(`closed before a reply, after ${JSON.stringify(this.#received.slice(0, 200))}`);
      await this.#news(expectedBytes(this.#received));
    }
  }

  /** Everything that comes until the other end closes. */
  async untilClosed(): Promise<string> {
    while (!this.#closed) await this.#news(0);
    this.#gather();
    const rest = this.#received;
    this.#received = "";
    return rest;
  }

  get closed(): boolean {
    return this.#closed;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #gather(): void {
    if (this.#pieces.length === 0) return;
    this.#received += this.#pieces.join("");
    this.#pieces = [];
  }

  /** Waits for more input: until `bytes` have come where that is known. */
  async #news(bytes: number): Promise<void> {
    let had = this.#received.length;
    do {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#closed) resolve();
      });
      had = this.#received.length + this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
    } while (!this.#closed && had < bytes);
  }
}

/** How many bytes a bulk string at the start of `text` needs; 0 when that is not what it is. */
function expectedBytes(text: string): number {
  const header = /^[$=](\d+)\r\n/.exec(text.slice(0, 32));
  return header === null ? 0 : header[0].length + Number(header[1]) + 2;
}

function decode(text: string, at: number): { readonly value: Value; readonly end: number } | undefined {
  const line = text.indexOf("\r\n", at);
  if (line < 0) return undefined;
  const rest = text.slice(at + 1, line);
  const next = line + 2;
  const length = Number(rest);
  switch (text[at]) {
    case "+":
      return { value: new Status(rest), end: next };
    case "-":
      return { value: new ErrorReply(rest), end: next };
    case ":":
      return { value: length, end: next };
    case "_":
      return { value: null, end: next };
    case "$":
    case "=": {
      if (length < 0) return { value: null, end: next };
      if (text.length < next + length + 2) return undefined;
      const skip = text[at] === "=" ? 4 : 0;
      return { value: text.slice(next + skip, next + length), end: next + length + 2 };
    }
    case "*":
    case "~":
    case "%": {
      if (length < 0) return { value: null, end: next };
      const isMap = text[at] === "%";
      const values: Value[] = [];
      let end = next;
      for (let left = isMap ? length * 2 : length; left > 0; left--) {
        const item = decode(text, end);
        if (item === undefined) return undefined;
        values.push(item.value);
        end = item.end;
      }
      if (!isMap) return { value: values, end };
      const map = new Map<Value, Value>();
      for (let n = 0; n < values.length; n += 2) map.set(values[n] ?? null, values[n + 1] ?? null);
      return { value: map, end };
    }
    default:
      throw new Error(`not a reply: ${JSON.stringify(text.slice(at, at + 50))}`);
  }
}
