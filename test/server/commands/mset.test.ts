import { describe, expect, test } from "vitest";
import { clusterError } from "../fake-door.ts";
import { OK } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor();

describe("MSET", () => {
  test("sends each shard its pairs, in order", async () => {
    const [a = "", b = ""] = use.spread("k", 2);
    expect(await use.ask(`MSET ${a} 1 ${b} 2 ${a} 3`)).toEqual(OK);
    expect(use.door.asked.map(({ what }) => what)).toEqual([
      {
        type: "set-many",
        pairs: [
          [a, "1"],
          [a, "3"],
        ],
        onlyIfAllAbsent: false,
      },
      { type: "set-many", pairs: [[b, "2"]], onlyIfAllAbsent: false },
    ]);
    expect(await use.ask(`MGET ${a} ${b}`)).toEqual(["3", "2"]);
  });

  test("that only some shards took is ambiguous, and says so", async () => {
    const [a = "", b = ""] = use.spread("k", 2);
    use.door.failWith((what, shard) =>
      what.type === "set-many" && shard === use.door.shardOf(b) ? clusterError("CREMA_NO_LEADER") : null,
    );
    expect(await use.ask(`MSET ${a} 1 ${b} 2`)).toEqual(
      refusal(
        "TIMEOUT crema_no_leader for a test; other shards of this request answered (ambiguous: the write may have been applied)",
      ),
    );
  });

  test("that no shard took is plainly refused", async () => {
    const [a = "", b = ""] = use.spread("k", 2);
    use.door.failWith(() => clusterError("CREMA_BUSY"));
    expect(await use.ask(`MSET ${a} 1 ${b} 2`)).toEqual(refusal("BUSY crema_busy for a test"));
  });
});

describe("MSETNX", () => {
  test("stores all or nothing on one shard", async () => {
    expect(await use.ask("MSETNX {t}a 1 {t}b 2")).toBe(1);
    expect(await use.ask("MSETNX {t}b 3 {t}c 4")).toBe(0);
    expect(await use.ask("MGET {t}a {t}b {t}c")).toEqual(["1", "2", null]);
  });

  test("refuses keys of several shards", async () => {
    const [a = "", b = ""] = use.spread("k", 2);
    expect(await use.ask(`MSETNX ${a} 1 ${b} 2`)).toEqual(
      refusal(
        "CROSSSLOT Keys in request don't hash to the same slot: use a {hash tag} to keep them on one shard",
      ),
    );
    expect(use.door.asked).toEqual([]);
  });
});
