import { describe, expect, test } from "vitest";
import { clusterError } from "../fake-door.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

describe("TTL, PTTL, EXPIRETIME and PEXPIRETIME", () => {
  test.each(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"])(
    "%s tells absence from living for ever",
    async (command) => {
      await use.ask("SET k v");
      expect(await use.ask(`${command} k`)).toBe(-1);
      expect(await use.ask(`${command} absent`)).toBe(-2);
    },
  );

  test("TTL rounds to the nearest second", async () => {
    await use.ask("SET k v PX 10000");
    use.door.skewMs = 300;
    expect(await use.ask("TTL k")).toBe(10);
    use.door.skewMs = 700;
    expect(await use.ask("TTL k")).toBe(9);
  });

  test("PTTL counts milliseconds", async () => {
    await use.ask("SET k v PX 10000");
    const remaining = await use.ask("PTTL k");
    expect(remaining).toBeGreaterThan(9_000);
    expect(remaining).toBeLessThanOrEqual(10_000);
  });

  test("EXPIRETIME and PEXPIRETIME answer the moment that was set, to a few milliseconds", async () => {
    await use.ask("SET k v PXAT 33177117420000");
    expect(await use.ask("EXPIRETIME k")).toBe(33_177_117_420);
    const at = (await use.ask("PEXPIRETIME k")) as number;
    expect(Math.abs(at - 33_177_117_420_000)).toBeLessThan(400);
  });

  test("a shard that cannot answer is reported", async () => {
    use.door.failWith(() => clusterError("CREMA_NO_LEADER"));
    expect(await use.ask("PEXPIRETIME k")).toEqual(refusal("CLUSTERDOWN crema_no_leader for a test"));
  });
});
