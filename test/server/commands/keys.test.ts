import { expect, test } from "vitest";
import { useDoor } from "./use-door.ts";

const use = useDoor();

test("KEYS finds what matches in all shards", async () => {
  for (let n = 0; n < 25; n++) await use.ask(`SET k${n} v`);
  expect(((await use.ask("KEYS *")) as string[]).length).toBe(25);
  expect(((await use.ask("KEYS k1?")) as string[]).toSorted()).toEqual(
    Array.from({ length: 10 }, (_, n) => `k1${n}`),
  );
});
