import { describe, expect, it } from "vitest";
import { ChangeHistory } from "../../src/cache/change-history.ts";
import { drained, restored, ShardDriver } from "./shard-driver.ts";

describe("change history", () => {
  it("hands out every change after a revision, in order", () => {
    const shard = new ShardDriver();
    shard.set("a", "1");
    shard.set("b", "2");
    shard.run({ type: "delete", keys: ["a"] });
    expect(shard.machine.changesSince(0)).toEqual(shard.changes);
    expect(shard.machine.changesSince(2)).toEqual([{ revision: 3, type: "delete", key: "a", value: null }]);
    expect(shard.machine.changesSince(3)).toEqual([]);
    expect(shard.machine.changesSince(99)).toEqual([]);
  });

  it("says so when it does not reach back far enough", () => {
    const shard = new ShardDriver({ changeHistoryMax: 3 });
    for (let change = 1; change <= 5; change++) shard.set("key", String(change));
    expect(shard.machine.changesSince(1)).toBe("compacted");
    expect(shard.machine.changesSince(2)).toEqual(shard.changes.slice(2));
  });

  it("is bounded by bytes too, and a change too large for it is not kept", () => {
    const history = new ChangeHistory(100, 10, 0);
    history.record("put", "a", "12345");
    history.record("put", "b", "123");
    expect(history.since(0)).toHaveLength(2);
    history.record("put", "c", "");
    expect(history.since(0)).toBe("compacted");
    expect(history.since(1)).toHaveLength(2);
    history.record("put", "d", "1234567890");
    expect(history.since(3)).toBe("compacted");
    expect(history.since(4)).toEqual([]);
    history.record("clear", "", null);
    expect(history.since(4)).toEqual([{ revision: 5, type: "clear", key: "", value: null }]);
  });

  it("begins anew at the revision of a restored snapshot", () => {
    const shard = new ShardDriver();
    for (let change = 1; change <= 5; change++) shard.set("key", String(change));
    const machine = restored(drained(shard.machine.beginSnapshot()));
    expect(machine.revision).toBe(5);
    expect(machine.changesSince(5)).toEqual([]);
    expect(machine.changesSince(4)).toBe("compacted");
  });
});
