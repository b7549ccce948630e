import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("DBSIZE counts the keys of all shards", async () => {
  for (let n = 0; n < 25; n++) await use.ask(`SET k${n} v`);
  expect(await use.ask("DBSIZE")).toBe(25);
});
