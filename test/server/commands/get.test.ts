import { describe, expect, test } from "vitest";
import { OK } from "../resp-client.ts";
import { useDoor } from "./use-door.ts";

const use = useDoor();

describe("GET", () => {
  test("asks the key's shard for a read that is never stale", async () => {
    await use.ask("SET k v");
    expect(await use.ask("GET k")).toBe("v");
    expect(use.door.asked.at(-1)).toEqual({
      shard: use.door.shardOf("k"),
      what: { type: "get", key: "k" },
      consistency: "linearizable",
    });
  });

  test("answers null for a key that is absent or has expired", async () => {
    expect(await use.ask("GET k")).toBeNull();
    expect(await use.ask("SET k v PX 1000")).toEqual(OK);
    use.door.skewMs = 1_001;
    expect(await use.ask("GET k")).toBeNull();
  });
});
