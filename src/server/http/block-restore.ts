/**
 * Puts the entries of one block back through the door that all writes take, so many at a time.
 *
 * Safe to repeat: a SET of the same value twice is one SET, and with `skip` the second finds the first. So whatever the
 * cluster answers in a hurry (busy, an election, a timeout that may have been applied) is simply tried again.
 */
import { CremaError } from "../../base/errors.ts";
import type { BackupEntry } from "../../wire/backup-codec.ts";
import { Fault, NO_TTL, type Reply, type RequestDoor } from "../vocabulary.ts";
import { HttpFailure } from "./http-failure.ts";

/** Writes of one block without an answer, and the bytes of their keys and values. */
const IN_FLIGHT_MAX = 512;
const IN_FLIGHT_BYTES_MAX = 4 * 1024 * 1024;
const RETRY_MS = 50;

export interface PutBackOptions {
  /** What becomes of a key that is there already. */
  readonly existing: "skip" | "overwrite";
  /** How much of the times to live has passed since they were taken. */
  readonly elapsedMs: number;
  /** Of one write. */
  readonly requestTimeoutMs: number;
  /** When to stop trying again, on `performance.now()`. */
  readonly deadlineMs: number;
}

export interface PutBackResult {
  readonly written: number;
  /** Were there already. */
  readonly skipped: number;
  /** Their time to live is over. */
  readonly expired: number;
}

/**
 * Rejects with the cluster's failure once it lasts until the deadline, and with 507 `CLUSTER_FULL` when a shard takes no
 * more keys. What was written until then stays.
 */
export function putBack(
  door: RequestDoor,
  entries: readonly BackupEntry[],
  options: PutBackOptions,
): Promise<PutBackResult> {
  return new Promise((resolve, reject) => new BlockRestore(door, entries, options, resolve, reject).pump());
}

class BlockRestore {
  readonly #door: RequestDoor;
  readonly #entries: readonly BackupEntry[];
  readonly #options: PutBackOptions;
  readonly #resolve: (result: PutBackResult) => void;
  readonly #reject: (error: Error) => void;
  #next = 0;
  /** Sent, or waiting to be sent again. */
  #inFlight = 0;
  #inFlightBytes = 0;
  #pumping = false;
  #over = false;
  #written = 0;
  #skipped = 0;
  #expired = 0;

  constructor(
    door: RequestDoor,
    entries: readonly BackupEntry[],
    options: PutBackOptions,
    resolve: (result: PutBackResult) => void,
    reject: (error: Error) => void,
  ) {
    this.#door = door;
    this.#entries = entries;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Sends what may be sent. An answer may come within the call, so this does not call itself. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#over && this.#mayBegin()) this.#begin(this.#entries[this.#next++] as BackupEntry);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#pumping = false;
    }
    if (this.#over || this.#inFlight > 0) return;
    this.#over = true;
    this.#resolve({ written: this.#written, skipped: this.#skipped, expired: this.#expired });
  }

  #mayBegin(): boolean {
    if (this.#next === this.#entries.length) return false;
    return this.#inFlight < IN_FLIGHT_MAX && this.#inFlightBytes < IN_FLIGHT_BYTES_MAX;
  }

  #begin(entry: BackupEntry): void {
    const { remainingMs } = entry;
    const ttlMs = remainingMs === null ? NO_TTL : remainingMs - this.#options.elapsedMs;
    if (remainingMs !== null && ttlMs < 1) {
      this.#expired++;
      return;
    }
    this.#inFlight++;
    this.#inFlightBytes += entry.key.length + entry.value.length;
    this.#send(entry, ttlMs);
  }

  #send(entry: BackupEntry, ttlMs: number): void {
    const { key, value } = entry;
    const condition = this.#options.existing === "skip" ? "if-absent" : "always";
    this.#door.write(
      this.#door.shardOf(key),
      { type: "set", key, value, ttlMs, condition, expectedVersion: 0, returnOld: false },
      this.#options.requestTimeoutMs,
      { reply: (reply) => this.#answered(entry, reply), fail: (error) => this.#failed(entry, ttlMs, error) },
    );
  }

  #answered({ key, value }: BackupEntry, reply: Reply): void {
    this.#inFlight--;
    this.#inFlightBytes -= key.length + value.length;
    if (reply instanceof Fault) {
      this.#fail(refusal(reply));
      return;
    }
    if (reply === null) this.#skipped++;
    else this.#written++;
    this.pump();
  }

  #failed(entry: BackupEntry, ttlMs: number, error: CremaError): void {
    if (this.#over) return;
    const passing = error.retryable || error.ambiguous;
    if (!passing || performance.now() >= this.#options.deadlineMs) {
      this.#fail(error);
      return;
    }
    setTimeout(() => this.#sendAgain(entry, ttlMs), error.retryAfterMs ?? RETRY_MS);
  }

  #sendAgain(entry: BackupEntry, ttlMs: number): void {
    if (this.#over) return;
    try {
      this.#send(entry, ttlMs);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#reject(error);
  }
}

function refusal(fault: Fault): Error {
  if (fault.code === "shard-full") {
    return new HttpFailure(507, "CLUSTER_FULL", "a shard of the cluster holds as many keys as it can");
  }
  return new CremaError("CREMA_INTERNAL", `a key could not be put back: ${fault.code}`);
}
