/**
 * One buffer for what all clients' sockets receive.
 *
 * A socket of Node.js makes room for 64 KiB each time it reads, keeps as much of it as came, and hands that through a stream. To a request that comes alone this is a
 * tenth of all it costs (docs/decisions/0023). A socket that is made with `onread` reads into a buffer of its owner instead; but a server makes its sockets itself and
 * has no such option. So what it accepts gives its handle to a socket made here. `_handle` and `handle` are no documented interfaces: where Node.js does
 * not have them as expected, the socket stays what it is and is read as a stream.
 */
import { Buffer } from "node:buffer";
import { Socket } from "node:net";

/** As much as Node.js asks the system for at once. */
const BUFFER_BYTES = 64 * 1024;

/** Hears what came. `chunk` is valid during the call only: the next read, of whichever socket, writes over it. */
export type ChunkHandler = (chunk: Buffer) => void;

export class SharedInput {
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** The beginning of the buffer. Requests that look alike are equally long, and see the same view. */
  #view = this.#buffer;

  /**
   * Begins to read `accepted`, a socket of a server with `pauseOnConnect` from which nothing was read. Answers the socket that is to be used from now on; it
   * emits all events but `data`.
   */
  read(accepted: Socket, onChunk: ChunkHandler): Socket {
    const handle = takeHandle(accepted);
    if (handle === null) {
      accepted.on("data", onChunk);
      return accepted.resume();
    }
    const options = {
      handle,
      allowHalfOpen: accepted.allowHalfOpen,
      onread: {
        buffer: this.#buffer,
        callback: (bytes: number) => {
          if (bytes !== this.#view.length) this.#view = this.#buffer.subarray(0, bytes);
          onChunk(this.#view);
          return true;
        },
      },
    };
    return new Socket(options).resume();
  }
}

/** A socket's connection to the event loop, as far as it is looked at here. */
interface Handle {
  readonly useUserBuffer?: unknown;
}

/** Takes the handle out of `socket`, which ends without closing it: its server counts it no more. Null when there is none that could read into a buffer. */
function takeHandle(socket: Socket & { _handle?: Handle | null }): Handle | null {
  const handle = socket._handle;
  if (typeof handle?.useUserBuffer !== "function") return null;
  socket._handle = null;
  socket.destroy();
  return handle;
}
