/**
 * Time for simulated worlds: it moves only when a test or the simulator lets it, and jumps from event to event.
 *
 * Between two events the microtasks that the first one woke have to run, because some code above uses promises. No port
 * tells when the microtask queue is empty, so after every callback the clock awaits an already resolved promise a fixed
 * number of times (`microtaskHops`): each await lets one layer of continuations run. A chain of promises deeper than
 * that goes on during the next event; that is still the same in every run. What waits for the real event loop
 * (sockets, files, real timers) never makes progress here and must not be used under this clock.
 */
import { assert } from "../base/assert.ts";
import type { Clock, Timer } from "../host/ports.ts";
import { EventQueue } from "./event-queue.ts";

/** Layers of promise continuations that run between two events. */
const MICROTASK_HOPS_DEFAULT = 24;
/** Callbacks in one instant before the world is declared stuck in a loop that time cannot leave. */
const CALLBACKS_PER_INSTANT_MAX = 1_000_000;
/** 2025-01-01T00:00:00Z. */
const WALL_ORIGIN_MS_DEFAULT = 1_735_689_600_000;

/** How a {@link VirtualClock} starts. */
export interface VirtualClockOptions {
  /** Wall-clock milliseconds since 1970 at virtual time 0. Default: the start of 2025. */
  readonly wallOriginMs?: number;
  /** Default 24. */
  readonly microtaskHops?: number;
}

/**
 * One queue of events for a whole world. It is a {@link Clock} itself; nodes get clocks of their own from
 * {@link VirtualClock.clockFor}. An exception thrown by a callback ends the run and reaches whoever called it.
 */
export class VirtualClock implements Clock {
  readonly #queue = new EventQueue();
  readonly #wallOriginMs: number;
  readonly #microtaskHops: number;
  #nowMs = 0;
  #deferred: (() => void)[] = [];
  #running = false;

  constructor(options: VirtualClockOptions = {}) {
    this.#wallOriginMs = options.wallOriginMs ?? WALL_ORIGIN_MS_DEFAULT;
    this.#microtaskHops = options.microtaskHops ?? MICROTASK_HOPS_DEFAULT;
  }

  /** Milliseconds since the beginning of this world. */
  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOriginMs + this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#queue.add(this.#nowMs + Math.max(0, delayMs), callback);
  }

  /** Runs `callback` once every event due at this very instant has run. */
  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** A clock for one process: it can be halted as a whole, and its wall clock can be wrong. */
  clockFor(): NodeClock {
    return new NodeClock(this);
  }

  /** Timers that are set and neither due nor cancelled. */
  get pendingTimers(): number {
    return this.#queue.size;
  }

  /** Lets `durationMs` pass, both ends included. */
  async runFor(durationMs: number): Promise<void> {
    await this.#run(this.#nowMs + durationMs, null);
  }

  /**
   * Lets time pass until `predicate` holds, asking it before the first and after every event.
   * False when `limitMs` have passed and it still does not hold.
   */
  async runUntil(predicate: () => boolean, limitMs: number): Promise<boolean> {
    return this.#run(this.#nowMs + limitMs, predicate);
  }

  async #run(endMs: number, predicate: (() => boolean) | null): Promise<boolean> {
    assert(!this.#running, "a virtual clock is run by one caller at a time");
    this.#running = true;
    try {
      await this.#settle();
      let callbacks = 0;
      let instantMs = this.#nowMs;
      while (predicate === null || !predicate()) {
        const callback = this.#next(endMs);
        if (callback === null) return predicate?.() ?? true;
        if (this.#nowMs !== instantMs) callbacks = 0;
        instantMs = this.#nowMs;
        assert(++callbacks <= CALLBACKS_PER_INSTANT_MAX, "virtual time goes on", { nowMs: instantMs });
        callback();
        await this.#settle();
      }
      return true;
    } finally {
      this.#running = false;
    }
  }

  /** The next callback up to `endMs`, time moved to it; null, time moved to the end, when there is none. */
  #next(endMs: number): (() => void) | null {
    const dueMs = this.#queue.nextAtMs();
    if (dueMs > this.#nowMs) {
      const deferred = this.#deferred.shift();
      if (deferred !== undefined) return deferred;
    }
    const event = dueMs > endMs ? undefined : this.#queue.take();
    this.#nowMs = event === undefined ? Math.max(endMs, this.#nowMs) : Math.max(event.atMs, this.#nowMs);
    return event === undefined ? null : event.run;
  }

  async #settle(): Promise<void> {
    for (let hop = 0; hop < this.#microtaskHops; hop++) await null;
  }
}

/**
 * The clock of one simulated process. After {@link NodeClock.halt} nothing that was set on it runs any more, as nothing
 * runs in a process that was killed; a restarted process gets a new one.
 */
export class NodeClock implements Clock {
  readonly #world: VirtualClock;
  #halted = false;
  /** Added to the wall clock, in milliseconds: skew, drift and jumps. The monotonic clock is never wrong. */
  wallSkewMs = 0;

  constructor(world: VirtualClock) {
    this.#world = world;
  }

  nowMs(): number {
    return this.#world.nowMs();
  }

  wallMs(): number {
    return this.#world.wallMs() + this.wallSkewMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#world.setTimer(delayMs, () => {
      if (!this.#halted) callback();
    });
  }

  defer(callback: () => void): void {
    this.#world.defer(() => {
      if (!this.#halted) callback();
    });
  }

  /** Stops this process's time for ever. Idempotent. */
  halt(): void {
    this.#halted = true;
  }

  get halted(): boolean {
    return this.#halted;
  }
}
