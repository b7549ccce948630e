/**
 * Drives one cache machine as a leader would: one entry per call, sequences counted, time given by the test.
 */
import { bootNonce, logIndex, nodeId } from "../../src/base/ids.ts";
import { CacheMachine } from "../../src/cache/cache-machine.ts";
import type { CacheOptions } from "../../src/cache/cache-options.ts";
import type { Change } from "../../src/cache/change.ts";
import type { Command, SessionCommand, SetCommand } from "../../src/cache/command.ts";
import { Fault, type Reply } from "../../src/cache/reply.ts";
import type { SnapshotChunk } from "../../src/cache/snapshot-record.ts";

export const NODE = nodeId("00000000000000aa");
export const BOOT = bootNonce("00000000000000bb");

export class ShardDriver {
  readonly machine: CacheMachine;
  readonly changes: Change[] = [];
  nowMs = 1_000;
  session: number;
  #index = 0;
  #sequence = 0;

  constructor(options: Partial<CacheOptions> = {}) {
    this.machine = new CacheMachine(options);
    this.machine.onChange = (change) => this.changes.push(change);
    this.session = this.open();
  }

  /** Opens one more session and answers its id. */
  open(): number {
    const [id] = this.entry([outside({ type: "open-session", node: NODE, boot: BOOT })]);
    if (typeof id !== "number") throw new Error("a session has a number");
    return id;
  }

  /** Applies one entry as it is. */
  entry(commands: readonly SessionCommand[]): Reply[] {
    this.#index++;
    return this.machine.apply(logIndex(this.#index), this.nowMs, commands);
  }

  /** Applies one command in an entry of its own, acknowledging everything before it. */
  run(command: Command): Reply {
    const sequence = ++this.#sequence;
    const [reply] = this.entry([{ session: this.session, sequence, lowWater: sequence, command }]);
    if (reply === undefined) throw new Error("one command has one reply");
    return reply;
  }

  set(key: string, value: string, options: Partial<SetCommand> = {}): Reply {
    return this.run(setCommand(key, value, options));
  }

  /** The committed value, as a leader reads it now; null when absent or expired. */
  get(key: string): string | null {
    const reply = this.machine.query({ type: "get", key }, null);
    return typeof reply === "string" ? reply : null;
  }

  ttl(key: string): Reply {
    const reply = this.machine.query({ type: "ttl", key }, null);
    if (typeof reply !== "number") throw new Error("a time to live is a number");
    return reply;
  }
}

export function setCommand(key: string, value: string, options: Partial<SetCommand> = {}): SetCommand {
  return {
    type: "set",
    key,
    value,
    ttlMs: 0,
    condition: "always",
    expectedVersion: 0,
    returnOld: false,
    ...options,
  };
}

/** A command that needs no session. */
export function outside(command: Command): SessionCommand {
  return { session: 0, sequence: 0, lowWater: 0, command };
}

/** The code of a fault, for short expectations. */
export function faultOf(reply: Reply | undefined): string {
  return reply instanceof Fault ? reply.code : `no fault: ${String(reply)}`;
}

/** A new machine with the state that `chunks` describe. */
export function restored(
  chunks: readonly SnapshotChunk[],
  options: Partial<CacheOptions> = {},
): CacheMachine {
  const machine = new CacheMachine(options);
  const sink = machine.beginRestore();
  for (const chunk of chunks) sink.write(chunk);
  sink.finish();
  return machine;
}

/** All that is left of a snapshot. */
export function drained(
  source: { next(maxBytes: number): SnapshotChunk | null },
  maxBytes = 1_000,
): SnapshotChunk[] {
  const chunks: SnapshotChunk[] = [];
  for (let chunk = source.next(maxBytes); chunk !== null; chunk = source.next(maxBytes)) chunks.push(chunk);
  return chunks;
}
