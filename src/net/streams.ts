/**
 * Peer connections over TCP: the `Streams` port on `node:net`. Small frames leave at once (no Nagle), a call of `write`
 * is one write of the socket, and every connection it opened ends with it.
 */
import { createServer, isIP, connect as netConnect, type Server, type Socket } from "node:net";
import { type Address, formatAddress } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import type { Connection, Streams } from "../host/ports.ts";

export interface StreamsOptions {
  /** Interface to listen on. */
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Incoming connections at a time; further ones are closed at once. Default 8,192. */
  readonly connectionLimit?: number;
  /** The listening socket reported an error, as when the process runs out of descriptors. It goes on listening. */
  readonly onListenError?: (error: Error) => void;
}

const CONNECTION_LIMIT_DEFAULT = 8_192;
/** The kernel probes a connection that was idle for so long; the links above ping far more often. */
const KEEP_ALIVE_DELAY_MS = 30_000;
/** How long `close` lets connections send what they hold. */
const CLOSE_GRACE_MS = 250;
/** Connections the kernel queues before they are accepted. */
const BACKLOG = 511;

/**
 * Listens and resolves once bound. Rejects with `CREMA_ADDRESS_IN_USE` when the port is taken, or
 * `CREMA_ADDRESS_UNAVAILABLE` when the host is no address of this machine. Connections that arrive before
 * `onConnection` is set are closed.
 */
export async function openStreams(options: StreamsOptions): Promise<Streams> {
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS });
  server.maxConnections = options.connectionLimit ?? CONNECTION_LIMIT_DEFAULT;
  await listen(server, options);
  return new TcpStreams(server, options);
}

class TcpStreams implements Streams {
  readonly local: Address;
  readonly #server: Server;
  readonly #connections = new Set<TcpConnection>();
  #closing: Promise<void> | null = null;
  onConnection: (connection: Connection) => void = (connection) => connection.destroy();

  constructor(server: Server, options: StreamsOptions) {
    const bound = server.address();
    if (bound === null || typeof bound === "string")
      throw new TypeError("a TCP server has an address and a port");
    this.local = { host: isIP(options.host) === 0 ? bound.address : options.host, port: bound.port };
    this.#server = server;
    server.on("connection", (socket) => this.onConnection(this.#adopt(socket, remoteOf(socket))));
    server.on("error", (error) => options.onListenError?.(error));
  }

  connect(to: Address, timeoutMs: number): Connection {
    const socket = netConnect({
      host: to.host,
      port: to.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
    });
    const connection = this.#adopt(socket, to);
    connection.dialling(timeoutMs);
    if (this.#closing !== null) connection.destroy();
    return connection;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const left = new Promise<void>((resolve) => {
      this.#onLastGone = resolve;
    });
    for (const connection of this.#connections) connection.end();
    const grace = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, CLOSE_GRACE_MS);
    if (this.#connections.size > 0) await left;
    clearTimeout(grace);
    await closed;
  }

  #onLastGone: () => void = () => {};

  #adopt(socket: Socket, remote: Address): TcpConnection {
    const connection = new TcpConnection(socket, remote, () => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#onLastGone();
    });
    this.#connections.add(connection);
    return connection;
  }
}

class TcpConnection implements Connection {
  readonly remote: Address;
  readonly #socket: Socket;
  #error: Error | null = null;
  #dialTimer: NodeJS.Timeout | null = null;
  onOpen: () => void = () => {};
  onData: (bytes: Uint8Array) => void = () => {};
  onDrain: () => void = () => {};
  onClose: (error: Error | null) => void = () => {};
  /** One function for all writes, not one each. */
  readonly #written = (): void => {
    if (this.#socket.writableLength === 0 && this.#socket.writable) this.onDrain();
  };

  constructor(socket: Socket, remote: Address, onGone: () => void) {
    this.#socket = socket;
    this.remote = remote;
    socket.on("data", (bytes) => this.onData(bytes));
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.on("close", () => {
      this.#stopDialTimer();
      onGone();
      this.onClose(this.#error);
    });
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  dialling(timeoutMs: number): void {
    this.#dialTimer = setTimeout(() => {
      this.#socket.destroy(
        new Error(`connect ETIMEDOUT ${formatAddress(this.remote)} after ${timeoutMs} ms`),
      );
    }, timeoutMs);
    this.#socket.once("connect", () => {
      this.#stopDialTimer();
      if (isLoopedBack(this.#socket)) {
        this.#socket.destroy(new Error(`connect ECONNREFUSED ${formatAddress(this.remote)}`));
      } else this.onOpen();
    });
  }

  /** Mostly the kernel takes everything at once, and Node.js is done with it then. */
  write(bytes: Uint8Array): boolean {
    if (!this.#socket.writable) return false;
    this.#socket.write(bytes, this.#written);
    return this.#socket.writableLength === 0;
  }

  end(): void {
    if (this.#socket.connecting) this.#socket.destroy();
    else this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #stopDialTimer(): void {
    if (this.#dialTimer !== null) clearTimeout(this.#dialTimer);
    this.#dialTimer = null;
  }
}

/** The kernel can connect a dial to a free port of this machine with itself, when it picks that very port for it. */
function isLoopedBack(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}

/** A socket that was reset before it could be looked at has no address any more. */
function remoteOf(socket: Socket): Address {
  return { host: socket.remoteAddress ?? "0.0.0.0", port: socket.remotePort ?? 0 };
}

function listen(server: Server, options: StreamsOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      server.close();
      reject(listenError(options, error));
    };
    server.once("error", failed);
    server.listen({ host: options.host, port: options.port, backlog: BACKLOG, exclusive: true }, () => {
      server.off("error", failed);
      resolve();
    });
  });
}

function listenError(options: StreamsOptions, cause: NodeJS.ErrnoException): CremaError {
  const address = formatAddress(options);
  if (cause.code === "EADDRINUSE") {
    return new CremaError(
      "CREMA_ADDRESS_IN_USE",
      `TCP ${address} is in use by another process: stop it, or choose another port with --port`,
      { cause },
    );
  }
  return new CremaError(
    "CREMA_ADDRESS_UNAVAILABLE",
    `cannot bind TCP ${address} (${cause.code ?? cause.message}): check --host and --port`,
    { cause },
  );
}
