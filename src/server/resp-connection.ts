/**
 * One client's socket: bytes to requests, answers to bytes, and no more of either than the limits allow. Reading stops
 * while too much is pending or the client does not read its answers; answers of one turn leave in one write.
 *
 * Nothing a client sends makes anything here throw: what cannot be understood is answered, counted and closed.
 */
import type { Socket } from "node:net";
import { CremaError } from "../base/errors.ts";
import { KEY_BYTES_MAX } from "../base/limits.ts";
import { RespRequestParser } from "../wire/resp/resp-request-parser.ts";
import { type RespVersion, RespWriter } from "../wire/resp/resp-writer.ts";
import { Client, type ClientConnection } from "./client.ts";
import { forEachKey } from "./command-spec.ts";
import { keyTooLong } from "./error-text.ts";
import type { Logger } from "./logger.ts";
import { Request } from "./request.ts";
import { type RequestHandler, RequestQueue } from "./request-queue.ts";
import type { RespLimits } from "./resp-options.ts";
import type { RespServices } from "./resp-services.ts";
import type { SharedInput } from "./shared-input.ts";
import { PROTOCOL_ERROR, UNKNOWN_COMMAND } from "./stand-in-commands.ts";
import { arityAllows } from "./subcommands.ts";

/** How long a client may keep its side open after this one has closed. */
const LINGER_MS = 1_000;

/** What the server does for its connections. */
export interface ConnectionOwner {
  readonly services: RespServices;
  readonly limits: RespLimits;
  readonly logger: Logger;
  /** Reads the sockets of all connections. */
  readonly input: SharedInput;
  /** Calls {@link RespConnection.flush} at the end of this turn of the event loop. */
  flushSoon(connection: RespConnection): void;
  closed(connection: RespConnection): void;
}

/** A connection of the RESP door. Lives until its socket closes. */
export class RespConnection implements RequestHandler, ClientConnection {
  readonly client: Client;
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** Waiting for its flush; the owner's own mark. */
  flushPending = false;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #parser: RespRequestParser;
  readonly #queue: RequestQueue;
  readonly #writer = new RespWriter();
  #pendingBytes = 0;
  #arrivedMs = 0;
  #reading = true;
  /** No more requests are taken; the socket ends once everything taken is answered. */
  #finishing = false;
  #dead = false;
  #linger: NodeJS.Timeout | null = null;

  /** `accepted`: a socket from which nothing was read yet. */
  constructor(id: number, accepted: Socket, owner: ConnectionOwner) {
    this.#owner = owner;
    const socket = owner.input.read(accepted, (chunk) => this.#onData(chunk));
    this.#socket = socket;
    this.remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    this.localAddress = `${socket.localAddress}:${socket.localPort}`;
    this.client = new Client(id, owner.services, this);
    this.#parser = new RespRequestParser((args) => this.#take(args), owner.limits);
    this.#queue = new RequestQueue(this, owner.limits);
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.finish());
    socket.on("error", (error) =>
      this.#owner.logger.debug({ client: id, error }, "a RESP connection failed"),
    );
    socket.on("close", () => this.#onClose());
  }

  get outputFull(): boolean {
    return this.#writer.length + this.#socket.writableLength > this.#owner.limits.outputHighWaterBytes;
  }

  setVersion(version: RespVersion): void {
    this.#writer.version = version;
  }

  closeAfterReplies(): void {
    this.#queue.dropWaiting();
    this.finish();
  }

  /** Takes no more requests, answers those it has, then closes. Idempotent. */
  finish(): void {
    if (this.#finishing) return;
    this.#finishing = true;
    this.#owner.flushSoon(this);
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  start(request: Request): void {
    const { client } = this;
    const { spec } = request.entry;
    client.lastCommand = spec.name;
    if (client.replyMode !== "on") {
      request.silent = true;
      if (client.replyMode === "skip-next") client.replyMode = "on";
    }
    try {
      if (!arityAllows(spec.arity, request.args.length)) request.refuseArity();
      else if (spec.firstKey === 0 || this.#keysFit(request)) spec.run(request);
    } catch (error) {
      request.fail(error instanceof CremaError ? error : this.#internal(spec.name, error));
    }
  }

  deliver(request: Request): void {
    const { stats } = this.#owner.services;
    this.#pendingBytes -= request.argumentBytes;
    if (request.entry !== PROTOCOL_ERROR) {
      stats.record(request.entry, request.outcome, performance.now() - request.startedMs);
    }
    if (this.#dead) return;
    this.#owner.flushSoon(this);
    if (request.silent) return;
    if (request.errorText !== null) {
      this.#writer.error(request.errorText);
      return;
    }
    try {
      request.form(this.#writer, request.value);
    } catch (error) {
      // Half a reply may be written: nothing that follows could be understood.
      const command = request.entry.spec.name;
      this.#owner.logger.error({ client: this.client.id, command, error }, "a reply could not be written");
      this.destroy();
    }
  }

  overflow(): void {
    if (this.#dead) return;
    this.#owner.services.stats.slowReaders++;
    this.#owner.logger.warn(
      {
        client: this.client.id,
        address: this.remoteAddress,
        outputBytesMax: this.#owner.limits.outputBytesMax,
      },
      "a client that does not read its answers is closed",
    );
    this.destroy();
  }

  /** Writes what has gathered, in one write; ends the connection when that was the last of it. */
  flush(): void {
    if (this.#dead) return;
    const pieces = this.#writer.take();
    if (pieces.length > 0) {
      const { stats } = this.#owner.services;
      stats.socketWrites++;
      if (pieces.length > 1) this.#socket.cork();
      for (const piece of pieces) {
        stats.bytesWritten += piece.length;
        this.#socket.write(piece, "latin1");
      }
      if (pieces.length > 1) this.#socket.uncork();
    }
    if (!this.outputFull) this.#queue.advance();
    this.#regulate();
    if (this.#finishing && this.#queue.size === 0 && this.#writer.length === 0) this.#end();
  }

  /** Says goodbye. What the client still sends is read and dropped for a while, so that it gets to read its answers. */
  #end(): void {
    if (this.#linger !== null) return;
    this.#socket.end();
    this.#linger = setTimeout(() => this.destroy(), LINGER_MS);
  }

  #onData(chunk: Buffer): void {
    const { services } = this.#owner;
    services.stats.bytesRead += chunk.length;
    if (this.#finishing) return;
    this.#arrivedMs = performance.now();
    this.client.lastRequestAtMs = services.door.wallMs();
    const error = this.#parser.push(chunk);
    if (error !== null && !this.#finishing) this.#rejectProtocol(error);
    this.#regulate();
  }

  #onDrain(): void {
    this.#queue.advance();
    this.#owner.flushSoon(this);
  }

  #onClose(): void {
    this.#dead = true;
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#queue.dropWaiting();
    this.#owner.closed(this);
  }

  /** One request from the parser. */
  #take(args: string[]): void {
    if (this.#finishing) return;
    const name = args[0] as string;
    const entry = this.#owner.services.commands.find(name);
    if (entry === undefined && isHttp(name)) {
      // A browser was lured into speaking to this port: close before it gets to the lines that look like requests.
      this.#owner.services.stats.protocolErrors++;
      this.#owner.logger.warn({ address: this.remoteAddress }, "an HTTP request on the RESP port is closed");
      this.#finishing = true;
      this.destroy();
      return;
    }
    this.#push(new Request(this.client, entry ?? UNKNOWN_COMMAND, args, this.#arrivedMs, this.#queue));
  }

  #push(request: Request): void {
    this.#pendingBytes += request.argumentBytes;
    this.#queue.push(request);
  }

  /** The error takes its turn behind the answers of the requests before it; then the connection ends. */
  #rejectProtocol(error: string): void {
    this.#owner.services.stats.protocolErrors++;
    this.#owner.logger.debug(
      { client: this.client.id, address: this.remoteAddress, error },
      "protocol error",
    );
    this.#push(new Request(this.client, PROTOCOL_ERROR, [error], this.#arrivedMs, this.#queue));
    this.finish();
  }

  #internal(command: string, cause: unknown): CremaError {
    this.#owner.logger.error({ client: this.client.id, command, error: cause }, "a command failed");
    return new CremaError("CREMA_INTERNAL", "internal error, see the log of the node", { cause });
  }

  /** Whether every key of `request` has a legal length; refuses it otherwise. */
  #keysFit(request: Request): boolean {
    const { spec } = request.entry;
    if (spec.lastKey === 1) return keyFits(request, request.arg(1));
    let fits = true;
    forEachKey(spec, request.args, (key) => {
      fits &&= keyFits(request, key);
    });
    return fits;
  }

  #regulate(): void {
    const { limits } = this.#owner;
    const wanted =
      this.#queue.size < limits.pendingRequestsMax &&
      this.#pendingBytes < limits.pendingBytesMax &&
      !this.outputFull;
    if (wanted === this.#reading || this.#dead) return;
    this.#reading = wanted;
    if (wanted) this.#socket.resume();
    else this.#socket.pause();
  }
}

function keyFits(request: Request, key: string): boolean {
  if (key.length >= 1 && key.length <= KEY_BYTES_MAX) return true;
  request.refuse(keyTooLong(key.length, KEY_BYTES_MAX));
  return false;
}

/** The first words of an HTTP request that a browser can be made to send. */
function isHttp(name: string): boolean {
  const word = name.toLowerCase();
  return word === "post" || word === "host:";
}
