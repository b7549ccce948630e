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
import type { Clock } from "../host/ports.ts";
import { EventQueue, type ScheduledEvent } from "./event-queue.ts";
import { type ProcessClockOptions, VirtualProcess } from "./virtual-process.ts";

/** Layers of promise continuations that run between two events. */
const MICROTASK_HOPS_DEFAULT = 12;
/** Callbacks in one instant before the world is declared stuck in a loop that time cannot leave. */
const CALLBACKS_PER_INSTANT_MAX = 1_000_000;
/** 2025-01-01T00:00:00Z. */
const WALL_ORIGIN_MS_DEFAULT = 1_735_689_600_000;

/** How a {@link VirtualClock} starts. */
export interface VirtualClockOptions {
  /** Wall-clock milliseconds since 1970 at virtual time 0. Default: the start of 2025. */
  readonly wallOriginMs?: number;
  /** Default 12. */
  readonly microtaskHops?: number;
}

/**
 * One queue of events for a whole world. It is a {@link Clock} itself; processes get clocks of their own from
 * {@link VirtualClock.process}. An exception thrown by a callback ends the run and reaches whoever called it.
 */
export class VirtualClock implements Clock {
  readonly #queue = new EventQueue();
  readonly #wallOriginMs: number;
  readonly #microtaskHops: number;
  #nowMs = 0;
  #deferred: (() => void)[] = [];
  #running = false;
  #processes = 0;
  /** Callbacks run since the beginning. */
  events = 0;
  /** Code of `process` is about to run, and why. */
  onEntered: ((process: VirtualProcess, entry: number, detail: number) => void) | null = null;
  /** One callback has run, and so has everything that it woke. */
  onSettled: (() => void) | null = null;

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

  setTimer(delayMs: number, callback: () => void): ScheduledEvent {
    return this.#queue.add(this.#nowMs + Math.max(0, delayMs), callback);
  }

  /** Runs `callback` once every event due at this very instant has run. */
  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** A process of this world, with clocks of its own. */
  process(options: ProcessClockOptions = {}): VirtualProcess {
    return new VirtualProcess(this, ++this.#processes, options);
  }

  /** Told by a process that its code runs now. */
  entered(process: VirtualProcess, entry: number, detail: number): void {
    this.onEntered?.(process, entry, detail);
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
        this.events++;
        this.onSettled?.();
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
