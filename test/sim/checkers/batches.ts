/**
 * Entries as a leader makes them, from commands in the open.
 */
import { bootNonce, logIndex } from "../../../src/base/ids.ts";
import type { Command, SessionCommand, SetCommand } from "../../../src/cache/command.ts";
import { ShardMachine } from "../../../src/node/shard-machine.ts";
import type { DataEntry } from "../../../src/raft/entry.ts";
import { BatchBuilder } from "../../../src/wire/batch-builder.ts";
import { ByteWriter } from "../../../src/wire/byte-writer.ts";
import { encodeSessionCommand } from "../../../src/wire/command-codec.ts";
import { data, node } from "./support.ts";

/** An entry of term 2 at `index`. */
export function batch(index: number, stampMs: number, ...commands: SessionCommand[]): DataEntry {
  const builder = new BatchBuilder();
  for (const command of commands) {
    const writer = new ByteWriter();
    encodeSessionCommand(writer, command);
    builder.append(writer.view());
  }
  return data(index, 2, builder.finish(stampMs));
}

export function open(): SessionCommand {
  const command: Command = { type: "open-session", node: node(1), boot: bootNonce("00000000000000b0") };
  return { session: 0, sequence: 0, lowWater: 0, command };
}

/** `command` in session 2, which the entry at index 2 opens. */
export function inSession(sequence: number, lowWater: number, command: Command = set("k")): SessionCommand {
  return { session: 2, sequence, lowWater, command };
}

export function set(key: string, ttlMs = 0): SetCommand {
  return { type: "set", key, value: "v", ttlMs, condition: "always", expectedVersion: 0, returnOld: false };
}

export function removeExpired(key: string, expiresAtMs: number): SessionCommand {
  const command: Command = { type: "remove-expired", items: [{ key, expiresAtMs }] };
  return { session: 0, sequence: 0, lowWater: 0, command };
}

export function machineWith(...entries: DataEntry[]): ShardMachine {
  const machine = new ShardMachine();
  for (const entry of entries) machine.apply(logIndex(entry.index), entry.data);
  return machine;
}
