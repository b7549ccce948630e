/**
 * `/events`: every event of the node as one line of JSON, as it happens, to any number of readers up to a limit. A
 * reader that falls behind is cut off: it would otherwise hold what it does not read in this process' memory.
 */
import type { ServerResponse } from "node:http";
import type { Logger } from "../logger.ts";
import type { AdminDoor } from "../vocabulary.ts";

/** Readers at once. */
export const EVENT_STREAMS_MAX = 64;
/** Bytes one reader may be behind. */
const BEHIND_BYTES_MAX = 1024 * 1024;

/** The open streams of `/events`. */
export class EventStreams {
  readonly #admin: AdminDoor;
  readonly #logger: Logger;
  readonly #heartbeatMs: number;
  readonly #open = new Set<ServerResponse>();
  #stopListening: (() => void) | null = null;
  #heartbeat: NodeJS.Timeout | null = null;

  /** Every `heartbeatMs` each reader gets a line, so that both ends notice a dead connection. */
  constructor(admin: AdminDoor, logger: Logger, heartbeatMs: number) {
    this.#admin = admin;
    this.#logger = logger;
    this.#heartbeatMs = heartbeatMs;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes `response` over until its reader or this node goes. The first line is a heartbeat. */
  add(response: ServerResponse): void {
    response.writeHead(200, {
      "content-type": "application/x-ndjson; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    this.#open.add(response);
    response.on("close", () => this.#remove(response));
    response.on("error", (error) => this.#logger.debug({ error }, "an event stream failed"));
    this.#stopListening ??= this.#admin.onEvent((event) => this.#broadcast(event));
    this.#heartbeat ??= setInterval(() => this.#broadcast(heartbeat()), this.#heartbeatMs);
    response.write(lineOf(heartbeat()));
  }

  /** Ends all streams. */
  close(): void {
    for (const response of this.#open) response.end();
    this.#stop();
  }

  #broadcast(event: object): void {
    const line = lineOf(event);
    for (const response of this.#open) {
      if (response.writableLength + line.length > BEHIND_BYTES_MAX) {
        this.#logger.warn(
          { behindBytes: response.writableLength },
          "an event stream that is not read is closed",
        );
        response.destroy();
      } else {
        response.write(line);
      }
    }
  }

  #remove(response: ServerResponse): void {
    this.#open.delete(response);
    if (this.#open.size === 0) this.#stop();
  }

  #stop(): void {
    this.#stopListening?.();
    this.#stopListening = null;
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#heartbeat = null;
  }
}

function heartbeat(): object {
  return { type: "heartbeat", wallMs: Date.now() };
}

function lineOf(event: object): string {
  return `${JSON.stringify(event)}\n`;
}
