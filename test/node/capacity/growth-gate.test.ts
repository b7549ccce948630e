import { describe, expect, it } from "vitest";
import { logIndex, shardId } from "../../../src/base/ids.ts";
import type { Command } from "../../../src/cache/command.ts";
import { CapacityLimits } from "../../../src/node/capacity/capacity-limits.ts";
import { GrowthGate } from "../../../src/node/capacity/growth-gate.ts";
import { DEFAULT_NODE_OPTIONS, type NodeOptions } from "../../../src/node/options.ts";
import type { AttemptSink } from "../../../src/node/pending-request.ts";
import { ShardMachine } from "../../../src/node/shard-machine.ts";
import { ByteWriter } from "../../../src/wire/byte-writer.ts";
import { encodeSessionCommand } from "../../../src/wire/command-codec.ts";
import { BOOT, NODE, outside, setCommand } from "../../cache/shard-driver.ts";

const SHARD = shardId(2);
const SINK: AttemptSink = { applied: () => {}, dropped: () => {} };

/** A gate before a shard that holds "known", on a node that holds `held`. */
class World {
  nowMs = 0;
  readonly held = { bytes: 0, entries: 0 };
  readonly gate: GrowthGate;
  readonly machine = new ShardMachine();

  constructor(options: Partial<NodeOptions>) {
    const limits = new CapacityLimits({ ...DEFAULT_NODE_OPTIONS, ...options });
    this.gate = new GrowthGate(limits, this.held, () => this.nowMs);
    const open = outside({ type: "open-session", node: NODE, boot: BOOT });
    const set = { session: 1, sequence: 1, lowWater: 1, command: setCommand("known", "12345") };
    this.machine.cache.apply(logIndex(1), 0, [open, set]);
  }

  admit(command: Command): AttemptSink | null {
    const writer = new ByteWriter(64);
    encodeSessionCommand(writer, { session: 1, sequence: 2, lowWater: 1, command });
    return this.gate.admit(SHARD, this.machine, writer.view(), SINK);
  }
}

describe("the gate", () => {
  it("lets everything through, with the sink it came with, while there is room", () => {
    const world = new World({ maxEntries: 10 });
    expect(world.admit(setCommand("new", "1"))).toBe(SINK);
    expect(new World({}).admit(setCommand("new", "1"))).toBe(SINK);
  });

  it("refuses growth, and only growth, of a shard that another node asked to hold, until the hold is over", () => {
    const world = new World({});
    world.gate.hold(SHARD, 2_000);
    expect(world.admit(setCommand("new", "1"))).toBeNull();
    expect(world.admit(setCommand("known", "123456"))).toBeNull();
    expect(world.admit(setCommand("known", "54321"))).toBe(SINK);
    expect(world.admit({ type: "delete", keys: ["known"] })).toBe(SINK);
    world.nowMs = 2_000;
    expect(world.admit(setCommand("new", "1"))).toBe(SINK);
    expect(world.gate.counters.refusals).toBe(2);
  });

  it("refuses growth beyond the ceiling although keys are being removed", () => {
    const world = new World({ maxEntries: 100 });
    world.held.entries = 10_099;
    expect(world.admit(setCommand("new", "1"))).toBe(SINK);
    world.held.entries = 10_100;
    expect(world.admit(setCommand("new", "1"))).toBeNull();
    expect(world.admit(setCommand("known", "54321"))).toBe(SINK);
  });

  it("counts what is under way, where nothing is ever removed, until it is decided either way", () => {
    const world = new World({ maxEntries: 3, evictionPolicy: "none" });
    world.held.entries = 1;
    const first = world.admit(setCommand("a", "1"));
    const second = world.admit(setCommand("b", "1"));
    expect(world.admit(setCommand("c", "1"))).toBeNull();
    first?.dropped("busy");
    const third = world.admit(setCommand("c", "1"));
    expect(third).not.toBeNull();
    expect(world.admit(setCommand("d", "1"))).toBeNull();
    second?.applied(1);
    third?.applied(1);
    world.held.entries = 3;
    expect(world.admit(setCommand("d", "1"))).toBeNull();
    world.held.entries = 2;
    expect(world.admit(setCommand("d", "1"))).not.toBeNull();
  });
});
