/**
 * One client: connected to one node at a time, it asks one thing after the other, thinks in between, and writes down
 * what it was told. When its node dies it never learns what became of its last question, and goes to another node.
 */

import { CremaError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import type { CacheApi } from "../../node/cache-api.ts";
import type { Fleet, FleetLife } from "../fleet.ts";
import type { Life } from "../life.ts";
import type { ClientInput, OperationResult } from "../linearizability/operation.ts";
import { ENTRY } from "../virtual-process.ts";
import type { History } from "./history.ts";

/** What the clients of a run share. */
export interface ClientWorld {
  readonly fleet: Fleet;
  readonly history: History;
  readonly keys: KeyPlan;
  /** The mean pause between an answer and the next question. */
  readonly thinkMs: number;
  /** How long a client waits for an answer: drawn from there for every question. */
  readonly timeoutMs: TimeoutRange;
  /** Whether clients may (go on to) use the node of `life`. */
  mayAsk(life: FleetLife): boolean;
  /** A value that nobody else writes. */
  freshValue(): string;
  /** A local read saw `value`: whether anybody ever wrote it. */
  wasWritten(key: string, value: string): boolean;
  foundUncommitted(key: string, value: string, life: FleetLife): void;
}

export interface KeyPlan {
  /** Read, written, compared, removed, and made to expire. */
  readonly registers: readonly string[];
  /** Incremented and read. */
  readonly counters: readonly string[];
}

export interface TimeoutRange {
  readonly min: number;
  readonly max: number;
}

const LOCAL_TIMEOUT_MS = 500;
const TTL_MIN_MS = 200;
const TTL_MAX_MS = 6_000;
/** Longest wait of a client that finds nobody to talk to. */
const LONELY_MS = 250;

export class Client {
  readonly name: string;
  readonly #world: ClientWorld;
  readonly #random: Random;
  /** The last version this client has seen of each key. */
  readonly #versions = new Map<string, number>();
  #life: FleetLife | null = null;
  #operation = 0;
  #stopped = false;

  constructor(name: string, world: ClientWorld, random: Random) {
    this.name = name;
    this.#world = world;
    this.#random = random;
  }

  start(): void {
    this.#think(this.#world.thinkMs);
  }

  /** Asks nothing new. */
  stop(): void {
    this.#stopped = true;
  }

  get idle(): boolean {
    return this.#operation === 0;
  }

  /** Waits for an answer from the node of `life`. */
  isAsking(life: FleetLife): boolean {
    return this.#life === life && !this.idle;
  }

  /** The process at the other end is gone. */
  lifeEnded(life: Life): void {
    if (this.#life !== life) return;
    this.#life = null;
    if (this.#operation === 0) return;
    this.#world.history.abandoned(this.#operation);
    this.#done();
  }

  #think(meanMs: number): void {
    const pauseMs = -Math.log(1 - this.#random.nextFloat()) * meanMs;
    this.#world.fleet.clock.setTimer(Math.min(pauseMs, meanMs * 8), () => this.#ask());
  }

  #ask(): void {
    if (this.#stopped) return;
    const life = this.#chooseLife();
    if (life === null) {
      this.#think(LONELY_MS);
      return;
    }
    const { registers, counters } = this.#world.keys;
    const onCounter = this.#random.nextBelow(registers.length + counters.length) >= registers.length;
    const keys = onCounter ? counters : registers;
    const key = keys[this.#random.nextBelow(keys.length)] as string;
    if (this.#random.nextBelow(10) === 0) this.#readLocally(life, key, onCounter);
    else this.#operate(life, key, onCounter ? this.#drawOnCounter() : this.#drawOnRegister(key));
  }

  /** Stays with its node, mostly. */
  #chooseLife(): FleetLife | null {
    const moves = this.#random.nextBelow(20) === 0;
    if (this.#life !== null && !moves && this.#world.mayAsk(this.#life)) return this.#life;
    const lives = this.#world.fleet.lives.filter((life) => this.#world.mayAsk(life));
    this.#life = lives[this.#random.nextBelow(Math.max(1, lives.length))] ?? null;
    return this.#life;
  }

  #operate(life: FleetLife, key: string, input: ClientInput): void {
    const { fleet, history } = this.#world;
    const timeoutMs = this.#random.nextBetween(this.#world.timeoutMs.min, this.#world.timeoutMs.max);
    const id = history.invoked(this.name, life.name, key, input, fleet.nowMs);
    this.#operation = id;
    if (fleet.trace.watched) this.#say(`asks ${life.name}: ${JSON.stringify({ key, ...input })} (#${id})`);
    // A client's question lies in the socket while the process is paused.
    life.process.enter(ENTRY.client, id, () => {
      perform(life.node.cache, key, input, timeoutMs).then(
        (result) => {
          if (this.#operation !== id) return;
          this.#remember(key, result);
          history.returned(id, result, fleet.nowMs);
          if (fleet.trace.watched) this.#say(`is told ${JSON.stringify(result)} (#${id})`);
          this.#done();
        },
        (error: unknown) => {
          if (this.#operation !== id) return;
          history.threw(id, error);
          if (fleet.trace.watched) this.#say(`is refused: ${String(error)} (#${id})`);
          this.#done();
        },
      );
    });
  }

  /** Such a read may be stale, so it is no part of the history; but it never shows what nobody wrote. */
  #readLocally(life: FleetLife, key: string, onCounter: boolean): void {
    const read = async (): Promise<void> => {
      try {
        const value = await life.node.cache.get(key, { timeoutMs: LOCAL_TIMEOUT_MS });
        if (value !== null && !onCounter && !this.#world.wasWritten(key, value))
          this.#world.foundUncommitted(key, value, life);
      } catch (error) {
        if (!(error instanceof CremaError)) throw error;
      }
    };
    life.process.enter(ENTRY.client, 0, () => void read());
    this.#think(this.#world.thinkMs);
  }

  #done(): void {
    this.#operation = 0;
    this.#think(this.#world.thinkMs);
  }

  #remember(key: string, result: OperationResult): void {
    if (typeof result === "object" && result !== null) this.#versions.set(key, result.version);
  }

  #drawOnCounter(): ClientInput {
    if (this.#random.nextBelow(3) === 0) return { type: "get" };
    return { type: "increment", by: 1 };
  }

  #drawOnRegister(key: string): ClientInput {
    const dice = this.#random.nextBelow(100);
    if (dice < 25) return { type: "get" };
    if (dice < 35) return { type: "get-versioned" };
    if (dice < 60) return this.#drawPut(null, "always");
    if (dice < 70) return this.#drawPut(this.#random.nextBetween(TTL_MIN_MS, TTL_MAX_MS), "always");
    if (dice < 75) return this.#drawPut(null, dice < 73 ? "if-absent" : "if-present");
    if (dice < 87) {
      const expectedVersion = this.#versions.get(key) ?? 0;
      return { type: "cas", expectedVersion, value: this.#world.freshValue() };
    }
    if (dice < 95) return { type: "delete" };
    return { type: "expire", ttlMs: this.#random.nextBetween(TTL_MIN_MS, TTL_MAX_MS) };
  }

  #drawPut(ttlMs: number | null, condition: "always" | "if-absent" | "if-present"): ClientInput {
    return { type: "put", value: this.#world.freshValue(), ttlMs, condition };
  }

  #say(text: string): void {
    this.#world.fleet.trace.say(this.#world.fleet.nowMs, this.name, text);
  }
}

/** The operation through the door that programs use. */
async function perform(
  cache: CacheApi,
  key: string,
  input: ClientInput,
  timeoutMs: number,
): Promise<OperationResult> {
  const options = { timeoutMs };
  switch (input.type) {
    case "get":
      return cache.consistentGet(key, options);
    case "get-versioned": {
      const found = await cache.getVersioned(key, options);
      return found === null ? null : { value: found.value, version: found.version };
    }
    case "put": {
      const { value, ttlMs, condition } = input;
      const put = await cache.put(key, value, {
        ...options,
        ...(ttlMs === null ? {} : { ttlMs }),
        ifAbsent: condition === "if-absent",
        ifPresent: condition === "if-present",
      });
      return put === null ? null : put.version;
    }
    case "cas": {
      const put = await cache.cas(key, input.expectedVersion, input.value, options);
      return put === null ? null : put.version;
    }
    case "delete":
      return cache.delete(key, options);
    case "increment":
      return Number(await cache.increment(key, input.by, options));
    case "expire":
      return cache.expire(key, input.ttlMs, options);
  }
}
