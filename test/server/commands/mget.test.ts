import { expect, test } from "vitest";
import { clusterError } from "../fake-door.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

test("MGET asks every shard once and answers in the order of the keys", async () => {
  const keys = use.spread("k", 4);
  await use.ask(`MSET ${keys.map((key) => `${key} v-${key}`).join(" ")}`);
  use.door.asked.length = 0;
  const asked = [...keys, "absent", ...keys.toReversed()];
  expect(await use.ask(`MGET ${asked.join(" ")}`)).toEqual(
    asked.map((key) => (key === "absent" ? null : `v-${key}`)),
  );
  expect(use.door.asked.length).toBe(4);
});

test("MGET answers one error when one shard cannot answer", async () => {
  const [first = "", second = ""] = use.spread("k", 2);
  use.door.failWith((_, shard) =>
    shard === use.door.shardOf(second) ? clusterError("CREMA_NO_QUORUM") : null,
  );
  expect(await use.ask(`MGET ${first} ${second}`)).toEqual(refusal("CLUSTERDOWN crema_no_quorum for a test"));
});
