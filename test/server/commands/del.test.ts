import { expect, test } from "vitest";
import { clusterError } from "../fake-door.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

test.each(["DEL", "UNLINK"])(
  "%s removes keys on all shards and counts those that were there",
  async (command) => {
    const keys = use.spread("k", 4);
    for (const key of keys) await use.ask(`SET ${key} v`);
    expect(await use.ask(`${command} ${keys.join(" ")} absent ${keys[0]}`)).toBe(4);
    expect(await use.ask(`EXISTS ${keys.join(" ")}`)).toBe(0);
  },
);

test("DEL of which one shard may have done its part is ambiguous", async () => {
  const [a = "", b = ""] = use.spread("k", 2);
  use.door.failWith((_, shard) =>
    shard === use.door.shardOf(a)
      ? clusterError("CREMA_TIMEOUT", { ambiguous: true })
      : clusterError("CREMA_BUSY"),
  );
  expect(await use.ask(`DEL ${a} ${b}`)).toEqual(
    refusal("TIMEOUT crema_timeout for a test (ambiguous: the write may have been applied)"),
  );
});
