import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("TIME is the node's wall clock in seconds and microseconds", async () => {
  const before = Date.now();
  const [seconds, micros] = (await use.ask("TIME")) as [string, string];
  const ms = Number(seconds) * 1_000 + Number(micros) / 1_000;
  expect(ms).toBeGreaterThanOrEqual(before);
  expect(ms).toBeLessThanOrEqual(Date.now());
});
