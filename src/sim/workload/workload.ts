/**
 * The clients of a run, and what they share: the keys, the history, and the values that were ever written.
 */
import type { Random } from "../../base/random.ts";
import type { Eviction } from "../checkers/evictions.ts";
import type { Fleet, FleetLife } from "../fleet.ts";
import type { Life } from "../life.ts";
import { Client, type KeyPlan, type TimeoutRange } from "./client.ts";
import { History } from "./history.ts";

/** The mean pause of a client between an answer and its next question. */
const THINK_MS = { min: 60, max: 500 };
const REGISTERS = { min: 4, max: 24 };
const COUNTERS = { min: 1, max: 6 };
const TIMEOUT_MS = { min: 500, max: 4_000 };

/** How the clients of a run behave. */
export interface WorkloadOptions {
  /** How long they wait for an answer. Default 500 .. 4,000 ms: some give up before an election is over. */
  readonly timeoutMs?: TimeoutRange;
  /** Whose node they use. Default: everybody's. */
  readonly mayAsk?: (life: FleetLife) => boolean;
}

export class Workload {
  readonly history = new History();
  readonly keys: KeyPlan;
  readonly #clients: Client[] = [];
  readonly #written = new Set<string>();
  #values = 0;

  constructor(
    fleet: Fleet,
    clients: number,
    random: Random,
    onUncommitted: (key: string, value: string, life: FleetLife) => void,
    options: WorkloadOptions = {},
  ) {
    this.keys = {
      registers: names("r", random.nextBetween(REGISTERS.min, REGISTERS.max)),
      counters: names("c", random.nextBetween(COUNTERS.min, COUNTERS.max)),
    };
    const world = {
      fleet,
      history: this.history,
      keys: this.keys,
      thinkMs: random.nextBetween(THINK_MS.min, THINK_MS.max),
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      mayAsk: options.mayAsk ?? (() => true),
      freshValue: () => this.freshValue(),
      wasWritten: (_: string, value: string) => this.#written.has(value),
      foundUncommitted: onUncommitted,
    };
    for (let client = 1; client <= clients; client++)
      this.#clients.push(new Client(`client-${client}`, world, random.fork()));
  }

  /** `v1`, `v2`, ...: each is written at most by one operation. */
  freshValue(): string {
    const value = `v${++this.#values}`;
    this.#written.add(value);
    return value;
  }

  start(): void {
    for (const client of this.#clients) client.start();
  }

  /** No new questions; those under way end by their deadlines. */
  stop(): void {
    for (const client of this.#clients) client.stop();
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#clients.every((client) => client.idle);
  }

  /** Some client waits for an answer from the node of `life`. */
  isAsking(life: FleetLife): boolean {
    return this.#clients.some((client) => client.isAsking(life));
  }

  /** A leader has chosen a key for removal. It belongs to the history of that key, if clients ask for it at all. */
  evicted(eviction: Eviction): void {
    const { registers, counters } = this.keys;
    if (registers.includes(eviction.key) || counters.includes(eviction.key)) this.history.evicted(eviction);
  }

  lifeEnded(life: Life): void {
    for (const client of this.#clients) client.lifeEnded(life);
  }
}

function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${at + 1}`);
}
