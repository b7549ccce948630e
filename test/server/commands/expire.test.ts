import { describe, expect, test } from "vitest";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

describe("EXPIRE, PEXPIRE, EXPIREAT and PEXPIREAT", () => {
  test.each([
    ["EXPIRE", "100", 100_000],
    ["PEXPIRE", "100", 100],
    ["EXPIRE", "-1", -1_000],
  ])("%s %s is sent as milliseconds from now", async (command, time, ttlMs) => {
    await use.ask(`${command} k ${time}`);
    expect(use.door.asked[0]?.what).toEqual({ type: "expire", key: "k", ttlMs, condition: "always" });
  });

  test.each(["EXPIREAT", "PEXPIREAT"])(
    "%s with a moment that has passed removes the key",
    async (command) => {
      await use.ask("SET k v");
      expect(await use.ask(`${command} k 1`)).toBe(1);
      expect(await use.ask("EXISTS k")).toBe(0);
    },
  );

  test.each([
    ["NX", "if-none"],
    ["xx", "if-some"],
    ["GT", "if-later"],
    ["LT", "if-earlier"],
    ["XX GT", "if-later"],
    ["NX NX", "if-none"],
  ])("%s is sent as the condition %s", async (options, condition) => {
    await use.ask(`EXPIRE k 10 ${options}`);
    expect(use.door.asked[0]?.what).toMatchObject({ condition });
  });

  test("conditions that exclude each other are refused", async () => {
    expect(await use.ask("EXPIRE k 10 NX GT")).toEqual(
      refusal("ERR NX and XX, GT or LT options at the same time are not compatible"),
    );
    expect(await use.ask("EXPIRE k 10 GT LT")).toEqual(
      refusal("ERR GT and LT options at the same time are not compatible"),
    );
    expect(await use.ask("EXPIRE k 10 toString")).toEqual(refusal("ERR Unsupported option toString"));
    expect(use.door.asked).toEqual([]);
  });
});
