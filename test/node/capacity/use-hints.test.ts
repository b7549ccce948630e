import { describe, expect, it } from "vitest";
import { shardId } from "../../../src/base/ids.ts";
import { HINT_KEYS_MAX, UseHints } from "../../../src/node/capacity/use-hints.ts";

const SHARD = shardId(3);

describe("hints of use", () => {
  it("name each key once, however often it was read, and are handed out once", () => {
    const hints = new UseHints();
    hints.note(SHARD, { type: "get", key: "a" });
    hints.note(SHARD, { type: "length", key: "a" });
    hints.note(SHARD, { type: "get-many", keys: ["a", "b"] });
    hints.note(shardId(1), { type: "exists", keys: ["c"] });
    expect(hints.take()).toEqual([
      [SHARD, ["a", "b"]],
      [shardId(1), ["c"]],
    ]);
    expect(hints.take()).toEqual([]);
  });

  it("leave out questions about no key in particular, and those that are no use", () => {
    const hints = new UseHints();
    hints.note(SHARD, { type: "count" });
    hints.note(SHARD, { type: "ttl", key: "a" });
    hints.note(SHARD, { type: "keys", pattern: "*", limit: 10 });
    expect(hints.take()).toEqual([]);
  });

  it("are bounded in keys and in bytes, and count what they drop", () => {
    const hints = new UseHints();
    for (let at = 0; at < HINT_KEYS_MAX + 5; at++) hints.note(SHARD, { type: "get", key: `key:${at}` });
    expect(hints.counters).toEqual({ gathered: HINT_KEYS_MAX, dropped: 5 });
    for (let shard = 10; shard < 40; shard++)
      hints.note(shardId(shard), { type: "get", key: "k".repeat(60_000) + shard });
    const bytes = hints.take().reduce((sum, [, keys]) => sum + keys.join("").length, 0);
    expect(bytes).toBeLessThanOrEqual(1024 * 1024);
    hints.note(SHARD, { type: "get", key: "after" });
    expect(hints.take()).toEqual([[SHARD, ["after"]]]);
  });
});
