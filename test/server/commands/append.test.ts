import { expect, test } from "vitest";
import { VALUE_BYTES_MAX } from "../../../src/base/limits.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

test("APPEND answers the new length", async () => {
  expect(await use.ask("APPEND k ab")).toBe(2);
  expect(await use.ask("APPEND k cd")).toBe(4);
  expect(await use.ask("GET k")).toBe("abcd");
});

test("APPEND beyond the largest value is refused and changes nothing", async () => {
  await use.ask(`SET k ${"x".repeat(VALUE_BYTES_MAX)}`);
  expect(await use.ask("APPEND k y")).toEqual(
    refusal("ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
  );
  expect(await use.ask("STRLEN k")).toBe(VALUE_BYTES_MAX);
});
