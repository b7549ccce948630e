/**
 * An HTTP answer as the end of a stream: takes bytes as fast as its reader does, and gives up on one that has gone or has
 * stopped reading, because a snapshot is held for it.
 */
import type { ServerResponse } from "node:http";
import { CremaError } from "../../base/errors.ts";
import type { BackupSink } from "../vocabulary.ts";

/** A reader that takes nothing for so long is cut off. */
export const READER_STALL_MS = 30_000;

export class ResponseSink implements BackupSink {
  readonly #response: ServerResponse;
  readonly #stallMs: number;
  /** Writes that wait for the reader. */
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #stallTimer: NodeJS.Timeout | null = null;
  #gone = false;

  /** `onGone` is called when the reader leaves before {@link end}. */
  constructor(response: ServerResponse, onGone: () => void, stallMs = READER_STALL_MS) {
    this.#response = response;
    this.#stallMs = stallMs;
    response.on("drain", () => this.#settle(null));
    response.on("error", () => response.destroy());
    response.on("close", () => {
      if (response.writableFinished) return;
      this.#gone = true;
      this.#settle(readerGone());
      onGone();
    });
  }

  /** Whether the status line was sent. */
  get begun(): boolean {
    return this.#response.headersSent;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#gone) throw readerGone();
    if (!this.begun) {
      this.#response.writeHead(200, {
        "content-type": "application/octet-stream",
        "cache-control": "no-store",
      });
    }
    if (this.#response.write(Buffer.from(chunk))) return;
    this.#stallTimer ??= setTimeout(() => this.#response.destroy(), this.#stallMs);
    return new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject }));
  }

  /** Sends `last` and ends the answer. */
  end(last: Uint8Array): void {
    if (!this.#gone) this.#response.end(last);
  }

  #settle(error: Error | null): void {
    if (this.#stallTimer !== null) clearTimeout(this.#stallTimer);
    this.#stallTimer = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { resolve, reject } of waiting) {
      if (error === null) resolve();
      else reject(error);
    }
  }
}

function readerGone(): CremaError {
  return new CremaError("CREMA_ABORTED", "the reader of the stream has gone");
}
