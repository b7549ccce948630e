/**
 * The sockets of an HTTP listener and whether each has a request running. Closing a listener leaves its idle sockets
 * open, and Node.js does not count a socket that never carried a request as idle: browsers open such in advance.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Knows when a socket may be closed without cutting an answer off. */
export class HttpConnections {
  /** Requests running on each open socket. */
  readonly #running = new Map<Socket, number>();
  #closing = false;

  constructor(server: Server) {
    server.on("connection", (socket: Socket) => {
      if (this.#closing) {
        socket.destroy();
        return;
      }
      this.#running.set(socket, 0);
      socket.on("close", () => this.#running.delete(socket));
    });
    server.on("request", ({ socket }, response) => {
      this.#add(socket, 1);
      response.on("close", () => this.#add(socket, -1));
    });
  }

  /** Closes every socket without a request now, and the others when their answer is sent. */
  closeWhenIdle(): void {
    this.#closing = true;
    for (const [socket, running] of this.#running) if (running === 0) socket.destroy();
  }

  /** Closes every socket now. */
  destroyAll(): void {
    for (const socket of this.#running.keys()) socket.destroy();
  }

  #add(socket: Socket, change: 1 | -1): void {
    const running = this.#running.get(socket);
    if (running === undefined) return;
    this.#running.set(socket, running + change);
    if (this.#closing && running + change === 0) socket.destroySoon();
  }
}
