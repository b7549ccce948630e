import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("RANDOMKEY is null without keys and the only key when there is one", async () => {
  expect(await use.ask("RANDOMKEY")).toBeNull();
  await use.ask("SET only v");
  for (let n = 0; n < 10; n++) expect(await use.ask("RANDOMKEY")).toBe("only");
});

test("RANDOMKEY finds every key in time, on whatever shard", async () => {
  const keys = use.spread("k", 4);
  for (const key of keys) await use.ask(`SET ${key} v`);
  const found = new Set<unknown>();
  for (let n = 0; n < 200; n++) found.add(await use.ask("RANDOMKEY"));
  expect([...found].toSorted()).toEqual(keys.toSorted());
});
