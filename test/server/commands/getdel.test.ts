import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("GETDEL answers the value and removes it in one command", async () => {
  await use.ask("SET k v");
  use.door.asked.length = 0;
  expect(await use.ask("GETDEL k")).toBe("v");
  expect(use.door.asked.length).toBe(1);
  expect(await use.ask("GETDEL k")).toBeNull();
});
