import { expect, test } from "vitest";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

test("SETRANGE overwrites and pads with zero bytes", async () => {
  expect(await use.ask("SETRANGE k 2 ab")).toBe(4);
  expect(await use.ask("GET k")).toBe("\0\0ab");
});

test("SETRANGE of nothing changes nothing and is sent as a read", async () => {
  await use.ask("SET k abc");
  expect(await use.ask("SETRANGE k 10 ")).toBe(3);
  expect(use.door.asked.at(-1)?.what).toEqual({ type: "length", key: "k" });
});

test("SETRANGE refuses to make a value too large", async () => {
  const text = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
  expect(await use.ask("SETRANGE k 16777216 x")).toEqual(refusal(text));
  expect(await use.ask("SETRANGE k 9223372036854775807 x")).toEqual(refusal(text));
  expect(await use.ask("SETRANGE k 16777215 x")).toBe(16_777_216);
});
