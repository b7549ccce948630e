/**
 * The part of an HTTP/2 client that unary gRPC calls need, over a plain socket: `node:http2` costs several times as much per call,
 * and what the load takes of the machine the servers lack. A call is a HEADERS and a DATA frame; it succeeded when its stream ends
 * and a message came before, which gRPC sends with status OK only.
 * @see RFC 9113 §6, RFC 7541 Appendix A
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { GRPC_PREFIX_BYTES } from "./etcd-messages.ts";

const FRAME = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
const END_STREAM = 0x1;
const ACK = 0x1;
const END_HEADERS = 0x4;
const FRAME_HEADER_BYTES = 9;
const WINDOW_BYTES_INITIAL = 65_535;
const WINDOW_BYTES_MAX = 2 ** 31 - 1;
/** The receive window is opened again whenever so much was read. */
const WINDOW_BYTES_STEP = 2 ** 24;

/** Hears the end of a call: where its message lies in `bytes`. `end` is 0 when none came, and the call failed. */
export type OnAnswer = (bytes: Uint8Array, start: number, end: number) => void;

interface Call {
  readonly onAnswer: OnAnswer;
  /** A view that lives as long as the call; null before it has come. */
  message: Uint8Array | null;
}

export class Http2Connection {
  readonly #socket: Socket;
  readonly #headers: Buffer;
  readonly #calls = new Map<number, Call>();
  readonly #onFailed: (error: Error) => void;
  #nextStream = 1;
  #outgoing: Buffer[] = [];
  #flushing = false;
  #unread: Buffer = Buffer.alloc(0);
  /** Bytes of DATA that the server takes from us now. */
  #sendWindow = WINDOW_BYTES_INITIAL;
  #receivedSinceUpdate = 0;

  /** Calls of `path` may be made at once. `onFailed`: the connection is of no use any more. */
  constructor(port: number, path: string, onFailed: (error: Error) => void) {
    this.#onFailed = onFailed;
    this.#headers = requestHeaders(`127.0.0.1:${port}`, path);
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.on("data", (chunk) => this.#onData(chunk));
    this.#socket.on("error", onFailed);
    this.#socket.on("close", () => onFailed(new Error(`port ${port} hung up`)));
    this.#outgoing.push(
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      settingsFrame(),
      windowUpdate(WINDOW_BYTES_MAX - WINDOW_BYTES_INITIAL),
    );
  }

  /** `message` with gRPC's prefix. */
  call(message: Buffer, onAnswer: OnAnswer): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#sendWindow -= message.length;
    if (this.#sendWindow < 0) throw new Error("more calls under way than the server's window takes");
    this.#calls.set(stream, { onAnswer, message: null });
    this.#send(frameHeader(this.#headers.length, FRAME.headers, END_HEADERS, stream), this.#headers);
    this.#send(frameHeader(message.length, FRAME.data, END_STREAM, stream), message);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Everything of one turn leaves in one write. */
  #send(...parts: readonly Buffer[]): void {
    this.#outgoing.push(...parts);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#socket.write(Buffer.concat(this.#outgoing));
      this.#outgoing = [];
    });
  }

  #onData(chunk: Buffer): void {
    const bytes = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    let at = 0;
    try {
      while (bytes.length - at >= FRAME_HEADER_BYTES) {
        const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
        if (end > bytes.length) break;
        this.#onFrame(bytes, at, end);
        at = end;
      }
    } catch (error) {
      this.#onFailed(error as Error);
      this.close();
      return;
    }
    this.#unread = bytes.subarray(at);
  }

  #onFrame(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3] as number;
    const flags = bytes[at + 4] as number;
    const stream = bytes.readUInt32BE(at + 5);
    const start = at + FRAME_HEADER_BYTES;
    switch (type) {
      case FRAME.data:
        this.#onMessage(stream, bytes.subarray(start, end));
        if (flags & END_STREAM) this.#onEnd(stream);
        return;
      case FRAME.headers:
        if (flags & END_STREAM) this.#onEnd(stream);
        return;
      case FRAME.settings:
        if (!(flags & ACK)) this.#send(frameHeader(0, FRAME.settings, ACK, 0));
        return;
      case FRAME.ping:
        if (!(flags & ACK))
          this.#send(frameHeader(8, FRAME.ping, ACK, 0), Buffer.from(bytes.subarray(start, end)));
        return;
      case FRAME.windowUpdate:
        if (stream === 0) this.#sendWindow += bytes.readUInt32BE(start);
        return;
      case FRAME.resetStream:
        throw new Error(`the server reset a call, HTTP/2 error ${bytes.readUInt32BE(start)}`);
      case FRAME.goAway:
        throw new Error(`the server ends the connection: ${bytes.toString("latin1", start + 8, end)}`);
      default:
    }
  }

  #onMessage(stream: number, data: Uint8Array): void {
    const call = this.#calls.get(stream);
    if (call === undefined) throw new Error(`data for stream ${stream}, which has no call`);
    call.message = call.message === null ? data : Buffer.concat([call.message, data]);
    this.#receivedSinceUpdate += data.length;
    if (this.#receivedSinceUpdate < WINDOW_BYTES_STEP) return;
    this.#send(windowUpdate(this.#receivedSinceUpdate));
    this.#receivedSinceUpdate = 0;
  }

  #onEnd(stream: number): void {
    const call = this.#calls.get(stream);
    if (call === undefined) throw new Error(`the end of stream ${stream}, which has no call`);
    this.#calls.delete(stream);
    const { message, onAnswer } = call;
    if (message === null) onAnswer(this.#unread, 0, 0);
    else onAnswer(message, GRPC_PREFIX_BYTES, message.length);
  }
}

/** HPACK without Huffman coding and without the dynamic table: static names by index, everything else as it is. */
function requestHeaders(authority: string, path: string): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat([
    Buffer.from([0x83, 0x86]), // :method POST, :scheme http
    Buffer.from([0x04]), // :path
    text(path),
    Buffer.from([0x01]), // :authority
    text(authority),
    Buffer.from([0x0f, 0x10]), // content-type, index 31
    text("application/grpc"),
    Buffer.from([0x00]),
    text("te"),
    text("trailers"),
  ]);
}

function frameHeader(length: number, type: number, flags: number, stream: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header.writeUIntBE(length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return header;
}

/** No dynamic table for what the server sends, no pushes, and as much at once as there can be. */
function settingsFrame(): Buffer {
  const values = [
    [0x1, 0],
    [0x2, 0],
    [0x4, WINDOW_BYTES_MAX],
  ] as const;
  const body = Buffer.alloc(values.length * 6);
  for (const [at, [id, value]] of values.entries()) {
    body.writeUInt16BE(id, at * 6);
    body.writeUInt32BE(value, at * 6 + 2);
  }
  return Buffer.concat([frameHeader(body.length, FRAME.settings, 0, 0), body]);
}

/** Of the whole connection. */
function windowUpdate(bytes: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(bytes);
  return Buffer.concat([frameHeader(4, FRAME.windowUpdate, 0, 0), body]);
}
