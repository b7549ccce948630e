import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test.each(["EXISTS", "TOUCH"])("%s counts every mention over all shards", async (command) => {
  const keys = use.spread("k", 3);
  for (const key of keys) await use.ask(`SET ${key} v`);
  expect(await use.ask(`${command} ${keys[0]}`)).toBe(1);
  expect(await use.ask(`${command} ${keys.join(" ")} absent ${keys[0]}`)).toBe(4);
});
