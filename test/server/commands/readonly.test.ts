import { expect, test } from "vitest";
import { OK } from "../resp-client.ts";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("after READONLY the reads of this connection are local, after READWRITE linearizable again", async () => {
  const reads = [
    "GET k",
    "MGET k l",
    "EXISTS k l",
    "TTL k",
    "STRLEN k",
    "SCAN 0",
    "KEYS *",
    "DBSIZE",
    "RANDOMKEY",
    "TYPE k",
  ];
  for (const [command, consistency] of [
    ["READONLY", "local"],
    ["READWRITE", "linearizable"],
  ] as const) {
    expect(await use.ask(command)).toEqual(OK);
    for (const read of reads) {
      use.door.asked.length = 0;
      await use.ask(read);
      expect(use.door.asked.length, read).toBeGreaterThan(0);
      for (const asked of use.door.asked) expect(asked.consistency, read).toBe(consistency);
    }
  }
});

test("writes go on as before after READONLY", async () => {
  await use.ask("READONLY");
  expect(await use.ask("SET k v")).toEqual(OK);
});
