import { expect, test } from "vitest";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

test("INCRBYFLOAT answers the sum as the shortest decimal text", async () => {
  expect(await use.ask("INCRBYFLOAT f 10.5")).toBe("10.5");
  expect(await use.ask("INCRBYFLOAT f -0.5")).toBe("10");
  expect(await use.ask("INCRBYFLOAT f 5.0e3")).toBe("5010");
});

test("INCRBYFLOAT refuses what is no finite number", async () => {
  expect(await use.ask("INCRBYFLOAT f x")).toEqual(refusal("ERR value is not a valid float"));
  expect(await use.ask("INCRBYFLOAT f nan")).toEqual(refusal("ERR value is not a valid float"));
  expect(await use.ask("INCRBYFLOAT f -inf")).toEqual(refusal("ERR increment would produce NaN or Infinity"));
});
