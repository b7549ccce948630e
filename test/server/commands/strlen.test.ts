import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("STRLEN counts bytes, 0 for an absent key, and does not fetch the value", async () => {
  await use.ask("SET k \xc3\xa9!");
  expect(await use.ask("STRLEN k")).toBe(3);
  expect(use.door.asked.at(-1)?.what).toEqual({ type: "length", key: "k" });
  expect(await use.ask("STRLEN absent")).toBe(0);
});
