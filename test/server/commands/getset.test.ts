import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("GETSET answers what was there and leaves what is new, without an expiry", async () => {
  expect(await use.ask("GETSET k 1")).toBeNull();
  await use.ask("EXPIRE k 100");
  expect(await use.ask("GETSET k 2")).toBe("1");
  expect(await use.ask("GET k")).toBe("2");
  expect(await use.ask("TTL k")).toBe(-1);
});
