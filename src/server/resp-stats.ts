/**
 * What the RESP door counts. Plain numbers, added to on the hot path; INFO and the Prometheus page read them.
 */
import { assert } from "../base/assert.ts";
import type { CommandFamily } from "./command-spec.ts";
import type { CommandEntry } from "./command-table.ts";
import { LatencyBuckets } from "./latency-buckets.ts";
import type { Outcome } from "./request.ts";

export const FAMILIES: readonly CommandFamily[] = Object.freeze([
  "read",
  "write",
  "keyspace",
  "connection",
  "server",
]);
export const OUTCOMES: readonly Outcome[] = Object.freeze(["ok", "refused", "failed"]);

/** Counters of one command. */
export interface CommandCounts {
  calls: number;
  totalMs: number;
  refused: number;
  failed: number;
}

/** The door's counters. They only grow, but for {@link RespStats.connectionsOpen} and {@link RespStats.reset}. */
export class RespStats {
  connectionsAccepted = 0;
  connectionsRejected = 0;
  connectionsOpen = 0;
  /** Connections closed for what they sent. */
  protocolErrors = 0;
  /** Connections closed because they did not read their answers. */
  slowReaders = 0;
  unknownCommands = 0;
  bytesRead = 0;
  bytesWritten = 0;
  socketWrites = 0;
  /** By {@link CommandEntry.index}. */
  readonly commands: readonly CommandCounts[];
  readonly #latencies = new Map<CommandFamily, Readonly<Record<Outcome, LatencyBuckets>>>();

  constructor(commandCount: number) {
    this.commands = Array.from({ length: commandCount }, () => ({
      calls: 0,
      totalMs: 0,
      refused: 0,
      failed: 0,
    }));
    for (const family of FAMILIES) {
      this.#latencies.set(family, {
        ok: new LatencyBuckets(),
        refused: new LatencyBuckets(),
        failed: new LatencyBuckets(),
      });
    }
  }

  /** Counts one answered request. */
  record(entry: CommandEntry, outcome: Outcome, ms: number): void {
    this.latency(entry.spec.family, outcome).observe(ms);
    const counts = this.commands[entry.index];
    if (counts === undefined) {
      this.unknownCommands++;
      return;
    }
    counts.calls++;
    counts.totalMs += ms;
    if (outcome === "refused") counts.refused++;
    else if (outcome === "failed") counts.failed++;
  }

  latency(family: CommandFamily, outcome: Outcome): LatencyBuckets {
    const byOutcome = this.#latencies.get(family);
    assert(byOutcome !== undefined, "every family has its histograms", { family });
    return byOutcome[outcome];
  }

  /** All requests answered. */
  get requests(): number {
    let sum = this.unknownCommands;
    for (const { calls } of this.commands) sum += calls;
    return sum;
  }

  /** Answers that were errors. */
  get errors(): number {
    let sum = this.unknownCommands;
    for (const { refused, failed } of this.commands) sum += refused + failed;
    return sum;
  }

  /** CONFIG RESETSTAT: everything but the connections that are open. */
  reset(): void {
    this.connectionsAccepted = 0;
    this.connectionsRejected = 0;
    this.protocolErrors = 0;
    this.slowReaders = 0;
    this.unknownCommands = 0;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.socketWrites = 0;
    for (const counts of this.commands)
      Object.assign(counts, { calls: 0, totalMs: 0, refused: 0, failed: 0 });
    for (const family of FAMILIES) for (const outcome of OUTCOMES) this.latency(family, outcome).reset();
  }
}
