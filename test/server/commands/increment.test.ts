import { describe, expect, test } from "vitest";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

describe("counters", () => {
  test("INCR, DECR, INCRBY and DECRBY begin at zero and answer the sum", async () => {
    expect(await use.ask("INCR n")).toBe(1);
    expect(await use.ask("INCRBY n 10")).toBe(11);
    expect(await use.ask("DECRBY n 20")).toBe(-9);
    expect(await use.ask("DECR n")).toBe(-10);
  });

  test("are exact over all 64 bits", async () => {
    const client = await use.connect();
    await client.ask("SET", "n", "9223372036854775806");
    client.write("INCR n\r\n");
    expect(await client.rawReply()).toBe(":9223372036854775807\r\n");
    expect(await client.ask("INCR", "n")).toEqual(refusal("ERR increment or decrement would overflow"));
    client.write("DECRBY n 9223372036854775807\r\n");
    expect(await client.rawReply()).toBe(":0\r\n");
  });

  test("DECRBY of zero adds a plain zero", async () => {
    await use.ask("DECRBY n 0");
    const what = use.door.asked[0]?.what;
    expect(what?.type === "increment" && Object.is(what.by, 0)).toBe(true);
  });

  test("refuse what is no integer, in the key or in the request", async () => {
    await use.ask("SET n abc");
    const text = "ERR value is not an integer or out of range";
    expect(await use.ask("INCR n")).toEqual(refusal(text));
    expect(await use.ask("INCRBY n 1.5")).toEqual(refusal(text));
    expect(await use.ask("DECRBY n -9223372036854775808")).toEqual(refusal("ERR decrement would overflow"));
  });
});
