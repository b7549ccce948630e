import { describe, expect, test } from "vitest";
import { OK } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

describe("SETNX, SETEX and PSETEX", () => {
  test("SETNX stores only what is not there", async () => {
    expect(await use.ask("SETNX k v")).toBe(1);
    expect(await use.ask("SETNX k w")).toBe(0);
    expect(await use.ask("GET k")).toBe("v");
  });

  test.each([
    ["SETEX", "seconds", 100_000],
    ["PSETEX", "milliseconds", 100],
  ])("%s counts %s", async (command, _, ttlMs) => {
    expect(await use.ask(`${command} k 100 v`)).toEqual(OK);
    expect(use.door.asked[0]?.what).toMatchObject({ type: "set", value: "v", ttlMs });
  });

  test.each(["SETEX", "PSETEX"])("%s refuses a time that is not positive", async (command) => {
    const text = `ERR invalid expire time in '${command.toLowerCase()}' command`;
    expect(await use.ask(`${command} k 0 v`)).toEqual(refusal(text));
    expect(await use.ask(`${command} k -1 v`)).toEqual(refusal(text));
    expect(use.door.asked).toEqual([]);
  });
});
