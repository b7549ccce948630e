/**
 * Load on a cluster, with a faithful record of what was acknowledged, what was refused and what is unknown.
 */
import { setTimeout as delay } from "node:timers/promises";
import { ConnectionLost, RespClient, type RespDoor, RespError } from "./resp-client.ts";

/** What became of one request. */
export type Outcome =
  | { readonly type: "acknowledged"; readonly value: unknown }
  /** An error reply that says nothing was done. */
  | { readonly type: "refused"; readonly message: string }
  /** No answer, or an answer that says so: it may have been done. */
  | { readonly type: "unknown"; readonly message: string };

export interface LoadOptions {
  /** RESP doors to work through; worker i begins at door i and moves on when its connection is lost. */
  readonly ports: readonly RespDoor[];
  readonly workers: number;
  /** Requests in flight per worker; each is of another key. */
  readonly depth: number;
  /**
   * Whether a request whose connection was lost is sent again elsewhere, as Redis clients do with what they may repeat.
   * Otherwise it counts as unknown.
   */
  readonly resend: boolean;
}

const RECONNECT_PAUSE_MS = 20;

/**
 * Workers that make one kind of request for as long as the load runs.
 * `next` says which command comes next; `done` is told what became of it.
 */
export abstract class Load {
  acknowledgedCount = 0;
  resentCount = 0;
  readonly refused: string[] = [];
  readonly unknown: string[] = [];
  readonly #options: LoadOptions;
  readonly #workers: Promise<void>[] = [];
  #running = true;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  start(): this {
    for (let worker = 0; worker < this.#options.workers; worker++) this.#workers.push(this.#work(worker));
    return this;
  }

  /** Ends the load; resolves once every worker has its last answers. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#workers);
  }

  /** The next command of `worker` in its lane `lane` (0 .. depth-1). */
  protected abstract next(worker: number, lane: number): readonly string[];
  protected abstract done(worker: number, lane: number, command: readonly string[], outcome: Outcome): void;

  async #work(worker: number): Promise<void> {
    const { ports, depth } = this.#options;
    let turn = worker;
    let client: RespClient | null = null;
    let commands: (readonly string[] | null)[] = Array.from({ length: depth }, () => null);
    while (this.#running || commands.some((command) => command !== null)) {
      if (client === null || client.closed) {
        client = await RespClient.open(ports[turn++ % ports.length] ?? 0).catch(() => null);
        if (client === null) {
          await delay(RECONNECT_PAUSE_MS);
          continue;
        }
      }
      const connection: RespClient = client;
      commands = await Promise.all(
        commands.map((unanswered, lane) => {
          if (unanswered === null && !this.#running) return null;
          return this.#request(connection, unanswered ?? this.next(worker, lane), worker, lane);
        }),
      );
    }
    client?.close();
  }

  /** The command itself when it must be sent again, else null. */
  async #request(
    client: RespClient,
    command: readonly string[],
    worker: number,
    lane: number,
  ): Promise<readonly string[] | null> {
    const outcome = await outcomeOf(client, command);
    if (outcome.type === "unknown" && this.#options.resend && client.closed) {
      this.resentCount++;
      return command;
    }
    if (outcome.type === "acknowledged") this.acknowledgedCount++;
    else this[outcome.type].push(`${command.join(" ")} at ${client.door}: ${outcome.message}`);
    this.done(worker, lane, command, outcome);
    return null;
  }
}

async function outcomeOf(client: RespClient, command: readonly string[]): Promise<Outcome> {
  try {
    const value = await client.send(...command);
    if (!(value instanceof RespError)) return { type: "acknowledged", value };
    return { type: value.message.includes("ambiguous") ? "unknown" : "refused", message: value.message };
  } catch (error) {
    if (error instanceof ConnectionLost) return { type: "unknown", message: error.message };
    throw error;
  }
}

/**
 * Writes that can be checked afterwards. Even lanes write every key once, so that a lost write stays lost; odd lanes
 * write rising numbers to a few keys of their own, so that an old value in place of a newer one shows. After an unknown
 * write a key is given up: its last acknowledged value admits one alternative at most.
 */
export class WriteLoad extends Load {
  /** Key -> last acknowledged value. */
  readonly written = new Map<string, string>();
  /** Key -> value that may have been written after the acknowledged one. */
  readonly alternatives = new Map<string, string>();
  /** Where the keys begin; two loads on one cluster need two. */
  protected readonly prefix: string = "load";
  #sequence = 0;
  readonly #generations = new Map<string, number>();

  protected next(worker: number, lane: number): readonly string[] {
    const sequence = ++this.#sequence;
    const spot = `${worker}:${lane}:${lane % 2 === 0 ? sequence : sequence % KEYS_PER_LANE}`;
    return ["SET", `${this.prefix}:${spot}:${this.#generations.get(spot) ?? 0}`, String(sequence)];
  }

  protected done(_worker: number, _lane: number, command: readonly string[], outcome: Outcome): void {
    const [, key = "", value = ""] = command;
    if (outcome.type === "acknowledged") this.written.set(key, value);
    if (outcome.type !== "unknown") return;
    this.alternatives.set(key, value);
    const [, worker, lane, spot, generation] = key.split(":");
    this.#generations.set(`${worker}:${lane}:${spot}`, Number(generation) + 1);
  }

  /** Reads every key through `door`; the differences from what must be there, empty when all is well. */
  async verify(door: RespDoor): Promise<readonly string[]> {
    const client = await RespClient.open(door);
    const differences: string[] = [];
    const keys = [...this.written.keys()];
    for (let first = 0; first < keys.length; first += READS_AT_ONCE) {
      const some = keys.slice(first, first + READS_AT_ONCE);
      const found = await Promise.all(some.map((key) => client.ask("GET", key)));
      for (const [index, key] of some.entries()) {
        const allowed = [this.written.get(key), this.alternatives.get(key)];
        if (!allowed.some((value) => value !== undefined && value === found[index])) {
          differences.push(`${key}: expected ${this.written.get(key)}, found ${String(found[index])}`);
        }
      }
    }
    client.close();
    return differences;
  }
}

const READS_AT_ONCE = 1_000;
const KEYS_PER_LANE = 8;

/** Increments of a few counters; every acknowledged reply is kept, for no two may be equal. */
export class IncrementLoad extends Load {
  readonly replies = new Map<string, number[]>();
  /** Counter -> increments that may have happened. */
  readonly unknownPerCounter = new Map<string, number>();
  readonly #counters: readonly string[];
  #sequence = 0;

  constructor(options: LoadOptions, counters: readonly string[]) {
    super(options);
    this.#counters = counters;
  }

  protected next(): readonly string[] {
    return ["INCR", this.#counters[this.#sequence++ % this.#counters.length] ?? ""];
  }

  protected done(_worker: number, _lane: number, command: readonly string[], outcome: Outcome): void {
    const counter = command[1] ?? "";
    if (outcome.type === "acknowledged") {
      const replies = this.replies.get(counter) ?? [];
      replies.push(Number(outcome.value));
      this.replies.set(counter, replies);
    } else if (outcome.type === "unknown") {
      this.unknownPerCounter.set(counter, (this.unknownPerCounter.get(counter) ?? 0) + 1);
    }
  }
}
