import { describe, expect, test } from "vitest";
import { OK } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

describe("SET", () => {
  test("sends one command and clears an expiry", async () => {
    expect(await use.ask("SET k v")).toEqual(OK);
    expect(use.door.asked).toEqual([
      {
        shard: use.door.shardOf("k"),
        what: {
          type: "set",
          key: "k",
          value: "v",
          ttlMs: 0,
          condition: "always",
          expectedVersion: 0,
          returnOld: false,
        },
        consistency: "write",
      },
    ]);
  });

  test.each([
    ["EX 10", { ttlMs: 10_000 }],
    ["px 1500", { ttlMs: 1_500 }],
    ["KEEPTTL", { ttlMs: -1 }],
    ["NX", { condition: "if-absent" }],
    ["XX", { condition: "if-present" }],
    ["GET", { returnOld: true }],
    ["XX GET EX 5", { condition: "if-present", returnOld: true, ttlMs: 5_000 }],
    ["PX 9007199254740993", { ttlMs: 2 ** 52 }],
  ])("%s becomes part of the command", async (options, expected) => {
    await use.ask(`SET k v ${options}`);
    expect(use.door.asked[0]?.what).toMatchObject(expected);
  });

  test.each(["EXAT", "PXAT"])("%s is measured from now", async (option) => {
    const at = Date.now() + 60_000;
    await use.ask(`SET k v ${option} ${option === "EXAT" ? Math.ceil(at / 1_000) : at}`);
    const what = use.door.asked[0]?.what;
    const ttlMs = what?.type === "set" ? what.ttlMs : Number.NaN;
    expect(ttlMs).toBeGreaterThan(55_000);
    expect(ttlMs).toBeLessThan(61_001);
  });

  test("a time that has passed removes the key, under the same condition", async () => {
    await use.ask("SET k v");
    expect(await use.ask("SET k w PXAT 1 NX")).toBeNull();
    expect(await use.ask("SET k w PXAT 1 XX GET")).toBe("v");
    expect(await use.ask("SET k w PXAT 1 XX")).toBeNull();
    expect(await use.ask("SET k w PXAT 1 NX")).toEqual(OK);
    expect(await use.ask("EXISTS k")).toBe(0);
  });

  test("options that contradict each other send nothing", async () => {
    for (const options of ["NX XX", "EX 1 PX 1", "EX 1 KEEPTTL", "EX", "FOO"]) {
      expect(await use.ask(`SET k v ${options}`), options).toEqual(refusal("ERR syntax error"));
    }
    expect(use.door.asked).toEqual([]);
  });
});
