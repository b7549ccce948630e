import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("PERSIST removes an expiry and says whether there was one", async () => {
  await use.ask("SET k v EX 100");
  expect(await use.ask("PERSIST k")).toBe(1);
  expect(await use.ask("PERSIST k")).toBe(0);
  expect(await use.ask("TTL k")).toBe(-1);
});
