/**
 * What a lane hands to the shard it leads, when the shard's refusal of others makes their clients ask for more within the call.
 */
import { expect, test } from "vitest";
import { bootNonce, nodeId, type ShardId, shardId } from "../../src/base/ids.ts";
import type { Command } from "../../src/cache/command.ts";
import { PendingRequest } from "../../src/node/pending-request.ts";
import { type LaneSurroundings, ShardLane } from "../../src/node/shard-lane.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { decodeSessionCommand } from "../../src/wire/command-codec.ts";

function keyOf(bytes: Uint8Array): string {
  const { command } = decodeSessionCommand(new ByteReader(bytes));
  return command.type === "persist" ? command.key : command.type;
}

test("a command stays what it is while another one is asked within its proposal", () => {
  const proposed: string[] = [];
  let within: (() => void) | null = null;
  const shards = {
    group: () => ({ isLeader: true }),
    propose: (_shard: ShardId, command: Uint8Array, sink: PendingRequest) => {
      if (keyOf(command) === "open-session") {
        sink.applied(1);
        return;
      }
      const ask = within;
      within = null;
      ask?.();
      proposed.push(keyOf(command));
    },
  };
  const surroundings = {
    self: nodeId("00000000000000aa"),
    boot: bootNonce("00000000000000bb"),
    shards,
    finish: () => {},
    counters: { retries: 0, busy: 0, sessionsOpened: 0 },
  } as unknown as LaneSurroundings;
  const lanes = [0, 1].map((shard) => new ShardLane(shardId(shard), surroundings));
  const write = (at: number, key: string): void => {
    const lane = lanes[at] as ShardLane;
    const command: Command = { type: "persist", key };
    const sink = { reply: () => {}, fail: () => {} };
    lane.add(new PendingRequest(lane, "write", shardId(at), command, null, Number.POSITIVE_INFINITY, sink));
  };
  write(1, "opens its session");
  within = () => write(1, "inner");
  write(0, "outer");
  expect(proposed).toEqual(["opens its session", "inner", "outer"]);
});
