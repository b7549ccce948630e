/**
 * One life of one simulated process: its clock, and the door through which the world reaches it. Whatever runs in the
 * process enters here, so a process that was killed runs nothing any more, and one that is paused (a long garbage
 * collection, SIGSTOP) runs nothing until it is resumed, and then everything that came due meanwhile, in order.
 *
 * Its clocks may be wrong: the monotonic one starts anywhere and may run a little fast or slow, the wall clock may also
 * step either way.
 */
import type { Clock, Timer } from "../host/ports.ts";
import type { ScheduledEvent } from "./event-queue.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Why code of a process runs. The numbers go into the trace. */
export const ENTRY = Object.freeze({
  timer: 1,
  deferred: 2,
  datagram: 3,
  bytes: 4,
  opened: 5,
  closed: 6,
  accepted: 7,
  drained: 8,
  disk: 9,
  client: 10,
});

/** Callbacks that wait for a paused process, at most. What a kernel cannot keep is lost to datagrams only. */
const BACKLOG_DATAGRAMS_MAX = 512;

export interface ProcessClockOptions {
  /** Monotonic reading at virtual time 0. Default 0. */
  readonly originMs?: number;
  /** Monotonic milliseconds per virtual millisecond. Default 1. */
  readonly rate?: number;
  /** Wall clock error at the start. Default 0. */
  readonly wallSkewMs?: number;
}

export class VirtualProcess implements Clock {
  /** Rising over the life of the world; names the process in the trace. */
  readonly number: number;
  /** Added to the wall clock, in milliseconds: skew and jumps. */
  wallSkewMs: number;
  readonly rate: number;
  readonly #world: VirtualClock;
  readonly #originMs: number;
  #state: "running" | "paused" | "halted" = "running";
  #backlog: (() => void)[] = [];
  #backlogDatagrams = 0;
  /** Called when the process goes on after a pause, behind everything that had come due. */
  onResume: () => void = () => {};

  constructor(world: VirtualClock, number: number, options: ProcessClockOptions = {}) {
    this.#world = world;
    this.number = number;
    this.#originMs = options.originMs ?? 0;
    this.rate = options.rate ?? 1;
    this.wallSkewMs = options.wallSkewMs ?? 0;
  }

  nowMs(): number {
    return this.#originMs + this.#world.nowMs() * this.rate;
  }

  wallMs(): number {
    return this.#world.wallMs() + this.wallSkewMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return new ProcessTimer(this, this.#world, Math.max(0, delayMs) / this.rate, callback);
  }

  defer(callback: () => void): void {
    this.#world.defer(() => this.enter(ENTRY.deferred, 0, callback));
  }

  /** Runs `callback` in this process: now, when it is resumed, or never. `detail` goes into the trace. */
  enter(entry: number, detail: number, callback: () => void): void {
    if (this.#state === "halted") return;
    if (this.#state === "paused") {
      if (entry === ENTRY.datagram && ++this.#backlogDatagrams > BACKLOG_DATAGRAMS_MAX) return;
      this.#backlog.push(() => this.enter(entry, detail, callback));
      return;
    }
    this.#world.entered(this, entry, detail);
    callback();
  }

  get running(): boolean {
    return this.#state === "running";
  }

  get paused(): boolean {
    return this.#state === "paused";
  }

  get halted(): boolean {
    return this.#state === "halted";
  }

  /** Nothing of this process runs until {@link resume}. No effect on one that is not running. */
  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  /** Goes on: what came due meanwhile runs in the order in which it came, one event each. */
  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    const backlog = this.#backlog;
    this.#backlog = [];
    this.#backlogDatagrams = 0;
    for (const callback of backlog) this.#world.setTimer(0, callback);
    this.#world.setTimer(0, () => this.onResume());
  }

  /** Stops this process for ever. Idempotent. */
  halt(): void {
    this.#state = "halted";
    this.#backlog = [];
  }
}

/** A timer of a process: cancelled, it does not run even if it is due and waits in the backlog of a pause. */
class ProcessTimer implements Timer {
  readonly #event: ScheduledEvent;
  #cancelled = false;

  constructor(process: VirtualProcess, world: VirtualClock, delayMs: number, callback: () => void) {
    this.#event = world.setTimer(delayMs, () =>
      process.enter(ENTRY.timer, 0, () => {
        if (!this.#cancelled) callback();
      }),
    );
  }

  cancel(): void {
    this.#cancelled = true;
    this.#event.cancel();
  }
}
