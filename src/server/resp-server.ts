/**
 * The Redis door: listens, keeps the list of clients, and closes in an orderly way. What a connection does is in
 * `resp-connection.ts`, what a command does in `commands/`.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { Address } from "../base/address.ts";
import type { Client } from "./client.ts";
import { CommandTable } from "./command-table.ts";
import { listen } from "./listen.ts";
import type { Logger } from "./logger.ts";
import { type ConnectionOwner, RespConnection } from "./resp-connection.ts";
import { type RespLimits, resolveRespLimits } from "./resp-options.ts";
import type { RespServices } from "./resp-services.ts";
import { RespStats } from "./resp-stats.ts";
import { type NodeFacts, ServerSettings } from "./server-settings.ts";
import { SharedInput } from "./shared-input.ts";
import type { AdminDoor, RequestDoor } from "./vocabulary.ts";

export interface RespServerOptions {
  readonly host: string;
  /** 0 binds any free port. */
  readonly port: number;
  readonly door: RequestDoor;
  readonly admin: AdminDoor;
  readonly logger: Logger;
  /** The version of crema, for HELLO's neighbours in INFO. */
  readonly cremaVersion: string;
  /** What the node knows about itself and clients ask of CONFIG. Default: memory only, no limit. */
  readonly facts?: NodeFacts;
  readonly limits?: Partial<RespLimits>;
  /** One deadline for everything a request sets in motion. Default 5,000 ms. */
  readonly requestTimeoutMs?: number;
}

export interface RespServer {
  /** Where it listens, with the real port. */
  readonly address: Address;
  readonly stats: RespStats;
  /**
   * Stops listening. Graceful: stops reading, answers what was read, then closes each connection, for at most
   * `timeoutMs` (default 5,000); else closes at once. Idempotent: later calls wait for the first.
   */
  close(options?: RespCloseOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RespCloseOptions {
  readonly graceful?: boolean;
  readonly timeoutMs?: number;
}

const REQUEST_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** As Redis' tcp-keepalive. */
const KEEP_ALIVE_MS = 300_000;

/** Opens the door. Rejects with `CREMA_ADDRESS_IN_USE` when the port is taken. */
export async function openRespServer(options: RespServerOptions): Promise<RespServer> {
  const door = new RespDoor(options);
  await door.open(options.host, options.port);
  return door;
}

class RespDoor implements RespServer, ConnectionOwner {
  readonly services: RespServices;
  readonly limits: RespLimits;
  readonly logger: Logger;
  readonly stats: RespStats;
  readonly input = new SharedInput();
  readonly #server: Server;
  readonly #clients = new Map<number, Client>();
  readonly #connections = new Set<RespConnection>();
  #toFlush: RespConnection[] = [];
  #address: Address = { host: "", port: 0 };
  #lastClientId = 0;
  #closing: Promise<void> | null = null;
  #onEmpty: () => void = () => {};

  constructor(options: RespServerOptions) {
    const requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    if (!(requestTimeoutMs > 0))
      throw new RangeError(`requestTimeoutMs must be > 0, got ${requestTimeoutMs}`);
    const commands = new CommandTable();
    this.limits = resolveRespLimits(options.limits);
    this.logger = options.logger;
    this.stats = new RespStats(commands.entries.length);
    this.services = {
      door: options.door,
      admin: options.admin,
      commands,
      settings: new ServerSettings(
        options.facts ?? { maxMemoryBytes: 0, durable: false },
        this.limits.clientsMax,
      ),
      stats: this.stats,
      clients: this.#clients,
      requestTimeoutMs,
      cremaVersion: options.cremaVersion,
      port: () => this.#address.port,
    };
    this.#server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    this.#server.on("connection", (socket) => this.#accept(socket));
  }

  get address(): Address {
    return this.#address;
  }

  async open(host: string, port: number): Promise<void> {
    this.#address = await listen(this.#server, { host, port }, "--resp-port");
    this.#server.on("error", (error) => this.logger.error({ error }, "the RESP listener failed"));
  }

  close(options: RespCloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceful ?? true, options.timeoutMs ?? CLOSE_TIMEOUT_MS);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  flushSoon(connection: RespConnection): void {
    if (connection.flushPending) return;
    connection.flushPending = true;
    this.#toFlush.push(connection);
    if (this.#toFlush.length === 1) setImmediate(() => this.#flushAll());
  }

  closed(connection: RespConnection): void {
    this.#connections.delete(connection);
    this.#clients.delete(connection.client.id);
    this.stats.connectionsOpen--;
    if (this.#connections.size === 0) this.#onEmpty();
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.services.settings.maxClients) {
      this.stats.connectionsRejected++;
      socket.on("error", (error) => this.logger.debug({ error }, "a refused RESP connection failed"));
      // What it has sent is read and dropped: left unread, it would make the system reset the connection before the error arrives.
      socket.resume();
      socket.end("-ERR max number of clients reached\r\n");
      socket.destroySoon();
      return;
    }
    this.stats.connectionsAccepted++;
    this.stats.connectionsOpen++;
    const connection = new RespConnection(++this.#lastClientId, socket, this);
    this.#connections.add(connection);
    this.#clients.set(connection.client.id, connection.client);
  }

  #flushAll(): void {
    const connections = this.#toFlush;
    this.#toFlush = [];
    for (const connection of connections) {
      connection.flushPending = false;
      connection.flush();
    }
  }

  async #close(graceful: boolean, timeoutMs: number): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const emptied = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    if (this.#connections.size === 0) this.#onEmpty();
    for (const connection of this.#connections) {
      if (graceful) connection.finish();
      else connection.destroy();
    }
    const deadline = setTimeout(() => this.#destroyAll(), timeoutMs);
    await emptied;
    clearTimeout(deadline);
    await stopped;
  }

  #destroyAll(): void {
    this.logger.warn(
      { clients: this.#connections.size },
      "RESP clients that did not finish in time are closed",
    );
    for (const connection of this.#connections) connection.destroy();
  }
}
