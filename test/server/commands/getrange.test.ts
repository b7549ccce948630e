import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test.each(["GETRANGE", "SUBSTR"])("%s counts from either end", async (command) => {
  await use.ask("SET k abcdef");
  expect(await use.ask(`${command} k 1 2`)).toBe("bc");
  expect(await use.ask(`${command} k -2 -1`)).toBe("ef");
  expect(await use.ask(`${command} absent 0 -1`)).toBe("");
});
