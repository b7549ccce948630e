import { describe, expect, test } from "vitest";
import type { Value } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor({ shards: 7 });

/** Every key of a whole scan, and how many calls it took. */
async function scanAll(options: string): Promise<{ readonly keys: string[]; readonly calls: number }> {
  const keys: string[] = [];
  let cursor = "0";
  let calls = 0;
  do {
    const [next, page] = (await use.ask(`SCAN ${cursor}${options}`)) as [string, Value[]];
    keys.push(...(page as string[]));
    cursor = next;
    calls++;
    expect(calls).toBeLessThan(1_000);
  } while (cursor !== "0");
  return { keys: keys.toSorted(), calls };
}

async function fill(count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, n) => `k${n}`);
  await use.ask(`MSET ${names.map((name) => `${name} v`).join(" ")}`);
  return names.toSorted();
}

describe("SCAN", () => {
  test.each(["", " COUNT 1", " COUNT 3", " COUNT 1000"])(
    "finds every key of every shard once with%s",
    async (options) => {
      const names = await fill(200);
      expect((await scanAll(options)).keys).toEqual(names);
    },
  );

  test("takes one call when everything fits", async () => {
    await fill(50);
    expect((await scanAll(" COUNT 1000")).calls).toBe(1);
  });

  test("of no keys takes one call", async () => {
    expect(await scanAll("")).toEqual({ keys: [], calls: 1 });
  });

  test("finds keys that were there all along, whatever is written meanwhile", async () => {
    const names = await fill(100);
    let cursor = "0";
    const found = new Set<string>();
    for (let n = 0; ; n++) {
      const [next, page] = (await use.ask(`SCAN ${cursor} COUNT 5`)) as [string, string[]];
      for (const key of page) found.add(key);
      await use.ask(`SET extra${n} v`);
      await use.ask(`DEL extra${n - 1}`);
      cursor = next;
      if (cursor === "0") break;
    }
    for (const name of names) expect(found).toContain(name);
  });

  test("MATCH filters, TYPE knows strings only", async () => {
    await fill(30);
    expect((await scanAll(" MATCH k1* COUNT 100")).keys.length).toBe(11);
    expect((await scanAll(" TYPE string COUNT 100")).keys.length).toBe(30);
    expect((await scanAll(" TYPE hash COUNT 100")).keys).toEqual([]);
  });

  test("a cursor is position times shards plus shard, exact beyond 2^53", async () => {
    await use.ask("SCAN 17");
    expect(use.door.asked[0]).toMatchObject({ shard: 3, what: { type: "scan", position: 2 } });
    use.door.asked.length = 0;
    await use.ask(`SCAN ${BigInt(Number.MAX_SAFE_INTEGER) * 7n + 5n}`);
    expect(use.door.asked[0]).toMatchObject({ shard: 5, what: { position: Number.MAX_SAFE_INTEGER } });
    use.door.asked.length = 0;
    expect(await use.ask("SCAN 18446744073709551615")).toEqual(refusal("ERR invalid cursor"));
    expect(use.door.asked).toEqual([]);
  });
});
