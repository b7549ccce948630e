import { describe, expect, test } from "vitest";
import { ServerSettings } from "../../../src/server/server-settings.ts";
import { OK } from "../resp-client.ts";
import { refusal, useDoor } from "./use-door.ts";

const use = useDoor({ facts: { maxMemoryBytes: 1_000, durable: true } });

describe("CONFIG", () => {
  test("GET tells what the node said about itself", async () => {
    expect(await use.ask("CONFIG GET maxmemory appendonly")).toEqual([
      "maxmemory",
      "1000",
      "appendonly",
      "yes",
    ]);
    expect(await use.ask("CONFIG GET maxmemory-policy")).toEqual(["maxmemory-policy", "allkeys-lru"]);
    expect(await use.ask("CONFIG GET databases")).toEqual(["databases", "1"]);
  });

  test.each([
    [{ maxMemoryBytes: 0, durable: false }, "noeviction"],
    [{ maxMemoryBytes: 0, evictionPolicy: "lfu", durable: false }, "noeviction"],
    [{ maxMemoryBytes: 1, evictionPolicy: "lru", durable: false }, "allkeys-lru"],
    [{ maxMemoryBytes: 0, maxEntries: 5, evictionPolicy: "lfu", durable: false }, "allkeys-lfu"],
    [{ maxMemoryBytes: 1, evictionPolicy: "none", durable: false }, "noeviction"],
  ] as const)("calls the policy of %o as Redis does: %s", (facts, policy) => {
    expect(new ServerSettings(facts, 1).get("maxmemory-policy")).toBe(policy);
  });

  test("GET takes globs", async () => {
    const found = (await use.ask("CONFIG GET max*")) as string[];
    expect(found.filter((_, at) => at % 2 === 0).toSorted()).toEqual([
      "maxclients",
      "maxmemory",
      "maxmemory-policy",
    ]);
    expect(await use.ask("CONFIG GET (.+)")).toEqual([]);
  });

  test("SET is all or nothing", async () => {
    expect(await use.ask("CONFIG SET maxclients 50 databases 7")).toEqual(
      refusal(
        "ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config",
      ),
    );
    expect(await use.ask("CONFIG GET maxclients")).toEqual(["maxclients", "10000"]);
    expect(await use.ask("CONFIG SET maxclients 50 databases 1")).toEqual(OK);
    expect(await use.ask("CONFIG GET maxclients")).toEqual(["maxclients", "50"]);
  });

  test("RESETSTAT sets the counters of INFO back, but not the connections that are open", async () => {
    for (let n = 0; n < 10; n++) await use.ask("PING");
    expect(await use.ask("CONFIG RESETSTAT")).toEqual(OK);
    const stats = (await use.ask("INFO stats")) as string;
    expect(Number(/total_commands_processed:(\d+)/.exec(stats)?.[1])).toBeLessThan(3);
    expect((await use.ask("INFO clients")) as string).toMatch(/connected_clients:[1-9]/);
  });
});
