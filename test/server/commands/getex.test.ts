import { describe, expect, test } from "vitest";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

describe("GETEX", () => {
  test("without options is a read", async () => {
    await use.ask("SET k v EX 100");
    expect(await use.ask("GETEX k")).toBe("v");
    expect(use.door.asked.at(-1)?.consistency).toBe("linearizable");
    expect(await use.ask("TTL k")).toBe(100);
  });

  test("sets and removes the expiry", async () => {
    await use.ask("SET k v");
    expect(await use.ask("GETEX k EX 50")).toBe("v");
    expect(await use.ask("TTL k")).toBe(50);
    expect(await use.ask("GETEX k PERSIST")).toBe("v");
    expect(await use.ask("TTL k")).toBe(-1);
  });

  test("with a time that has passed removes the key and answers its value", async () => {
    await use.ask("SET k v");
    expect(await use.ask("GETEX k EXAT 1")).toBe("v");
    expect(await use.ask("EXISTS k")).toBe(0);
  });

  test("refuses options that contradict each other", async () => {
    expect(await use.ask("GETEX k EX 1 PERSIST")).toEqual(refusal("ERR syntax error"));
    expect(await use.ask("GETEX k KEEPTTL")).toEqual(refusal("ERR syntax error"));
  });
});
